//! One-time codes: RFC 6238 with SHA-1, six digits, thirty seconds, as every authenticator app has them.

use std::fmt::Write as _;

use alongside_app::Failure;
use jiff::Timestamp;
use qrcode::{Color, QrCode};
use totp_rs::{Algorithm, Secret, TOTP};

/// Seconds of a time step (RFC 6238, section 5.2).
const STEP_SECONDS: i64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;
/// Time steps by which a telephone's clock may be off, either way (RFC 6238, section 5.2, recommends one).
const SKEW_STEPS: i64 = 1;
/// Bytes of a secret: the length of the hash, as RFC 4226, section 4, recommends.
const SECRET_BYTES: usize = 20;
/// Light modules around a QR code (ISO/IEC 18004).
const QUIET: usize = 4;

/// The secret that a telephone and the service share. No `Debug`.
#[derive(Clone)]
pub(crate) struct Shared {
    totp: TOTP,
}

impl Shared {
    /// A secret of random bytes.
    ///
    /// # Errors
    /// Never for 32 bytes.
    pub(crate) fn new(random: [u8; 32]) -> Result<Self, Failure> {
        Self::of(random.into_iter().take(SECRET_BYTES).collect())
    }

    /// A secret as it is kept.
    ///
    /// # Errors
    /// [`Failure::Broken`] when it is none.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        Self::of(Secret::Encoded(text.to_owned()).to_bytes().map_err(|_| broken())?)
    }

    fn of(bytes: Vec<u8>) -> Result<Self, Failure> {
        let step = STEP_SECONDS.unsigned_abs();
        let totp = TOTP::new(Algorithm::SHA1, DIGITS, 0, step, bytes).map_err(|_| broken())?;
        Ok(Self { totp })
    }

    /// The secret in base 32, to be kept, or typed by whoever cannot scan.
    pub(crate) fn to_text(&self) -> String {
        self.totp.get_secret_base32()
    }

    /// The secret in groups of four, to be read aloud or typed.
    pub(crate) fn to_groups(&self) -> String {
        let letters: Vec<char> = self.to_text().chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// The time step whose code this is, if it is one of now or of a step before or after. Whoever asks must then take the
    /// step (`App::take_step`), which refuses one that was taken: a code is good for once.
    pub(crate) fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let code = digits(code)?;
        let this = now.as_second().div_euclid(STEP_SECONDS);
        // All are compared, whichever matches.
        let matching = |step: &i64| u64::try_from(step * STEP_SECONDS).is_ok_and(|time| is_same(&self.totp.generate(time), &code));
        (this - SKEW_STEPS..=this + SKEW_STEPS).filter(matching).fold(None, |_, step| Some(step))
    }

    /// The code that an app shows at an instant.
    #[cfg(test)]
    pub(crate) fn code_at(&self, at: Timestamp) -> String {
        self.totp.generate(at.as_second().unsigned_abs())
    }

    /// The address that an authenticator app reads (the key URI format of Google Authenticator). The issuer's name gives
    /// nothing away to who looks at the telephone.
    pub(crate) fn uri(&self, key: &str) -> String {
        let key = percent(key);
        let secret = self.to_text();
        format!("otpauth://totp/Alongside:{key}?secret={secret}&issuer=Alongside&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}")
    }

    /// [`Shared::uri`] as a picture to scan: SVG with a title and a description.
    ///
    /// # Errors
    /// [`Failure::Broken`] when it is too long for a picture.
    pub(crate) fn qr_svg(&self, key: &str) -> Result<String, Failure> {
        let code = QrCode::new(self.uri(key)).map_err(|_| Failure::Broken("a QR code cannot be made".into()))?;
        Ok(svg(&code))
    }
}

fn broken() -> Failure {
    Failure::Broken("a secret of one-time codes cannot be read".into())
}

/// The digits of a code, with the spaces that people type in between left out.
fn digits(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').take(DIGITS + 1).collect();
    (code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// Compares in a time that does not depend on where two codes differ.
fn is_same(one: &str, two: &str) -> bool {
    one.len() == two.len() && one.bytes().zip(two.bytes()).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            _ => {
                let _infallible = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

fn svg(code: &QrCode) -> String {
    let width = code.width();
    let mut path = String::new();
    for (index, _) in code.to_colors().iter().enumerate().filter(|(_, colour)| **colour == Color::Dark) {
        let _infallible = write!(path, "M{} {}h1v1h-1z", index % width + QUIET, index / width + QUIET);
    }
    let side = width + 2 * QUIET;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" width=\"240\" height=\"240\" role=\"img\" \
         aria-labelledby=\"qr-title qr-description\" shape-rendering=\"crispEdges\"><title id=\"qr-title\">QR code for your authenticator \
         app</title><desc id=\"qr-description\">Holds the same key that is written below as text.</desc>\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B, for SHA-1.
    fn rfc() -> Shared {
        Shared::of(b"12345678901234567890".to_vec()).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B has eight digits; a code of six is their last six (RFC 4226, section 5.3).
        for (second, eight) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(rfc().step_of(&eight[2..], at(second)), Some(second / 30), "at {second}");
            assert_eq!(rfc().step_of(&format!(" {} {}", &eight[2..5], &eight[5..]), at(second)), Some(second / 30));
        }
    }

    #[test]
    fn a_clock_may_be_off_by_one_step_and_no_more() {
        let (code, step) = ("287082", 1);
        for (second, expected) in [(0, Some(step)), (30, Some(step)), (89, Some(step)), (90, None), (300, None)] {
            assert_eq!(rfc().step_of(code, at(second)), expected, "at {second}");
        }
    }

    #[test]
    fn what_is_not_six_digits_is_no_code() {
        for wrong in ["", "28708", "2870822", "28708a", "２８７０８２", "-287082-0", "287082\u{0}"] {
            assert_eq!(rfc().step_of(wrong, at(59)), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_reads_back_and_one_that_is_none_is_told() {
        let shared = Shared::new([7; 32]).unwrap();
        let again = Shared::read(&shared.to_text()).unwrap();
        assert_eq!(again.to_text(), shared.to_text());
        assert_eq!(shared.to_text().len(), 32, "160 bits in base 32");
        assert_eq!(shared.to_groups().replace(' ', ""), shared.to_text());
        for wrong in ["", "no base 32", "GEZDGNBV"] {
            assert!(Shared::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_address_and_the_picture_are_what_apps_read() {
        assert_eq!(
            rfc().uri("nurse aoife"),
            "otpauth://totp/Alongside:nurse%20aoife?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Alongside&algorithm=SHA1&digits=6&period=30"
        );
        let picture = rfc().qr_svg("nurse-aoife").unwrap();
        assert!(picture.starts_with("<svg") && picture.contains("<title") && picture.contains("<desc") && !picture.contains("style"));
    }
}
