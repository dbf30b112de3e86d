//! Signed tokens: read, verified, and every claim checked. Time is an argument.
//!
//! The header is read here and not by a library, so that what is allowed stands in one place: four asymmetric algorithms, a
//! key of the provider's own set named by `kid`. Keys that a token brings along or points to (`jwk`, `jku`, `x5c`, `x5u`) are
//! never looked at.

use alongside_app::setup::IdentityProvider;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256, Sha384};

use super::OidcError;

/// The largest token.
const TOKEN_BYTES_MAX: usize = 64 * 1024;
/// By how much two clocks may differ.
const SKEW_SECONDS: i64 = 60;
/// How long ago a token may have been issued: it comes straight from the provider.
const AGE_SECONDS_MAX: i64 = 600;
/// The most bytes of a subject (OpenID Connect Core 1.0, section 2).
const SUBJECT_BYTES_MAX: usize = 255;
/// The most bytes of a session's or a token's id.
const ID_BYTES_MAX: usize = 512;
/// The type of a logout token, where one is said (OpenID Connect Back-Channel Logout 1.0, section 2.4).
const LOGOUT_TYPE: &str = "logout+jwt";
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A signed token in its compact form (RFC 7515, section 7.1), not yet verified.
pub(crate) struct Jws<'a> {
    header: JoseHeader,
    signed: &'a str,
    signature: &'a str,
    claims: Vec<u8>,
}

#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    jku: Option<String>,
    crit: Option<serde_json::Value>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it is not one.
    pub(crate) fn parse(text: &'a str) -> Result<Self, OidcError> {
        let malformed = || OidcError::TokenMalformed;
        if text.len() > TOKEN_BYTES_MAX {
            return Err(malformed());
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
        let header: JoseHeader = serde_json::from_slice(&header).map_err(|_| malformed())?;
        if header.crit.is_some() {
            // "If any of the listed extension Header Parameters are not understood …, then the JWS is invalid" (section 4.1.11).
            return Err(malformed());
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| malformed())?;
        Ok(Self { header, signed, signature, claims })
    }

    /// The algorithm that the token claims, if it is one of those that are allowed.
    ///
    /// # Errors
    /// For `none`, for every symmetric one, and for every other.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, OidcError> {
        match self.header.alg.as_str() {
            "RS256" => Ok(Algorithm::RS256),
            "RS384" => Ok(Algorithm::RS384),
            "ES256" => Ok(Algorithm::ES256),
            "ES384" => Ok(Algorithm::ES384),
            _ => Err(OidcError::AlgorithmRefused),
        }
    }

    /// The id of the key that the token names.
    ///
    /// # Errors
    /// When it names none.
    pub(crate) fn kid(&self) -> Result<&str, OidcError> {
        self.header.kid.as_deref().ok_or(OidcError::KeyUnknown)
    }

    /// Whose token this claims to be: only to know whose keys to verify it with.
    ///
    /// # Errors
    /// When it does not say.
    pub(crate) fn claimed_issuer(&self) -> Result<String, OidcError> {
        #[derive(Deserialize)]
        struct Claimed {
            iss: String,
        }
        self.claims::<Claimed>().map(|claimed| claimed.iss)
    }

    fn claims<T: DeserializeOwned>(&self) -> Result<T, OidcError> {
        serde_json::from_slice(&self.claims).map_err(|_| OidcError::TokenMalformed)
    }

    /// The claims, once the signature is the key's.
    ///
    /// # Errors
    /// When it is another's, or the claims are not these.
    pub(crate) fn verified<T: DeserializeOwned>(&self, key: &DecodingKey) -> Result<T, OidcError> {
        match jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm()?) {
            Ok(true) => self.claims(),
            Ok(false) | Err(_) => Err(OidcError::SignatureWrong),
        }
    }

    /// As [`Jws::verified`], signed by a system as SMART asks: with RS384 or ES384.
    ///
    /// # Errors
    /// For every other algorithm or type, too.
    fn verified_by_system<T: DeserializeOwned>(&self, key: &DecodingKey) -> Result<T, OidcError> {
        if !matches!(self.algorithm()?, Algorithm::RS384 | Algorithm::ES384) {
            return Err(OidcError::AlgorithmRefused);
        }
        if self.header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(OidcError::TypeWrong);
        }
        self.verified(key)
    }

    /// Half of the hash of the algorithm's kind, as `at_hash` wants it (OpenID Connect Core 1.0, section 3.1.3.6).
    fn half_hash(&self, text: &str) -> Result<String, OidcError> {
        let hash = match self.algorithm()? {
            Algorithm::RS384 | Algorithm::ES384 => Sha384::digest(text.as_bytes()).to_vec(),
            _ => Sha256::digest(text.as_bytes()).to_vec(),
        };
        Ok(URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]))
    }
}

/// What was asked, which an ID token must answer.
pub(super) struct Asked<'a> {
    pub(super) settings: &'a IdentityProvider,
    pub(super) nonce: &'a str,
    pub(super) access_token: Option<&'a str>,
}

/// What is used of an ID token.
#[derive(Deserialize)]
pub(super) struct IdToken {
    iss: String,
    pub(super) sub: String,
    aud: Audience,
    azp: Option<String>,
    #[serde(deserialize_with = "seconds")]
    exp: i64,
    #[serde(deserialize_with = "seconds")]
    iat: i64,
    nonce: Option<String>,
    #[serde(default, deserialize_with = "optional_seconds")]
    auth_time: Option<i64>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    at_hash: Option<String>,
    pub(super) sid: Option<String>,
    /// Where the record has whoever signed in (SMART App Launch 2.2, "Scopes for requesting identity data").
    #[serde(rename = "fhirUser")]
    pub(super) fhir_user: Option<String>,
}

impl IdToken {
    /// The ID token, when everything holds (OpenID Connect Core 1.0, section 3.1.3.7).
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(super) fn checked(jws: &Jws<'_>, key: &DecodingKey, asked: &Asked<'_>, now: Timestamp) -> Result<Self, OidcError> {
        if jws.header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(OidcError::TypeWrong);
        }
        let token: Self = jws.verified(key)?;
        let settings = asked.settings;
        check_addresses(&token.iss, &token.aud, settings)?;
        if token.azp.as_ref().is_some_and(|party| *party != settings.client_id) {
            return Err(OidcError::PartyWrong);
        }
        check_times(token.iat, token.exp, now)?;
        if token.nonce.as_deref() != Some(asked.nonce) {
            return Err(OidcError::NonceWrong);
        }
        token.check_authentication(settings, now)?;
        if let Some(expected) = &token.at_hash {
            let hash = asked.access_token.map(|access| jws.half_hash(access)).transpose()?;
            if hash.as_ref() != Some(expected) {
                return Err(OidcError::AccessTokenWrong);
            }
        }
        let id = |text: &str, most: usize| !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control);
        if !id(&token.sub, SUBJECT_BYTES_MAX) || token.sid.as_ref().is_some_and(|sid| !id(sid, ID_BYTES_MAX)) {
            return Err(OidcError::TokenMalformed);
        }
        Ok(token)
    }

    /// How and when the person proved who they are.
    fn check_authentication(&self, settings: &IdentityProvider, now: Timestamp) -> Result<(), OidcError> {
        if let Some(minutes) = settings.max_age_minutes {
            let oldest = now.as_second() - i64::from(minutes) * 60 - SKEW_SECONDS;
            if self.auth_time.is_none_or(|at| at < oldest || at > now.as_second() + SKEW_SECONDS) {
                return Err(OidcError::AuthenticationOld);
            }
        }
        let sufficient = settings.acr.is_empty() || self.acr.as_ref().is_some_and(|acr| settings.acr.contains(acr));
        let by = self.amr.as_deref().unwrap_or_default();
        let sufficient = sufficient && (settings.amr.is_empty() || by.iter().any(|method| settings.amr.contains(method)));
        if sufficient { Ok(()) } else { Err(OidcError::AssuranceLow) }
    }
}

/// What is used of a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4). The drafts of it, which NHS CIS2
/// (PingAM) goes by, had no `exp`: the time of issue bounds its life as well.
#[derive(Deserialize)]
pub(super) struct LogoutToken {
    iss: String,
    aud: Audience,
    #[serde(default, deserialize_with = "optional_seconds")]
    exp: Option<i64>,
    #[serde(deserialize_with = "seconds")]
    iat: i64,
    pub(super) jti: String,
    events: serde_json::Map<String, serde_json::Value>,
    nonce: Option<serde_json::Value>,
    pub(super) sub: Option<String>,
    pub(super) sid: Option<String>,
}

impl LogoutToken {
    /// The logout token, when everything holds (section 2.6). An ID token ends no session: ours all have a nonce, and no event.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(super) fn checked(jws: &Jws<'_>, key: &DecodingKey, settings: &IdentityProvider, now: Timestamp) -> Result<Self, OidcError> {
        let is_ours = |typ: &str| typ.eq_ignore_ascii_case(LOGOUT_TYPE) || typ.eq_ignore_ascii_case("JWT");
        if jws.header.typ.as_deref().is_some_and(|typ| !is_ours(typ)) {
            return Err(OidcError::TypeWrong);
        }
        let token: Self = jws.verified(key)?;
        check_addresses(&token.iss, &token.aud, settings)?;
        check_times(token.iat, token.exp.unwrap_or(token.iat.saturating_add(AGE_SECONDS_MAX)), now)?;
        let event = token.events.get(LOGOUT_EVENT).is_some_and(serde_json::Value::is_object);
        let named = token.sub.is_some() || token.sid.is_some();
        let in_bounds = [Some(&token.jti), token.sub.as_ref(), token.sid.as_ref()].into_iter().flatten().all(|id| id.len() <= ID_BYTES_MAX);
        if event && named && in_bounds && token.nonce.is_none() { Ok(token) } else { Err(OidcError::LogoutWrong) }
    }
}

/// A client's assertion about itself (RFC 7523, section 3; SMART App Launch 2.2, "Backend Services").
#[derive(Deserialize)]
pub(crate) struct ClientAssertion {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(deserialize_with = "seconds")]
    exp: i64,
    pub(crate) jti: String,
}

impl ClientAssertion {
    /// The longest life of an assertion, in seconds.
    const LIFE_SECONDS_MAX: i64 = 300;

    /// The assertion, when everything holds: RS384 or ES384, by the client about itself, to this address, for minutes.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(crate) fn checked(jws: &Jws<'_>, key: &DecodingKey, client: &str, token_url: &str, now: Timestamp) -> Result<Self, OidcError> {
        let assertion: Self = jws.verified_by_system(key)?;
        if assertion.iss != client || assertion.sub != client {
            return Err(OidcError::IssuerWrong);
        }
        check_proof(&assertion.aud, token_url, assertion.exp, Self::LIFE_SECONDS_MAX, &assertion.jti, now)?;
        Ok(assertion)
    }
}

/// A link by which a hospital's system opens this program for a person, signed by it: whose desk it is, and who is open there.
#[derive(Deserialize)]
pub(crate) struct ContextLink {
    iss: String,
    /// The system's own name of whoever sits there.
    pub(crate) sub: String,
    aud: Audience,
    #[serde(deserialize_with = "seconds")]
    exp: i64,
    pub(crate) jti: String,
    /// The hospital's number of the person.
    pub(crate) patient: String,
    /// Their date of birth: number and date must be one person's.
    #[serde(deserialize_with = "day")]
    pub(crate) birthdate: Date,
}

impl ContextLink {
    /// The longest life of a link, in seconds: a browser follows it at once.
    const LIFE_SECONDS_MAX: i64 = 120;

    /// The link, when everything holds.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(crate) fn checked(jws: &Jws<'_>, key: &DecodingKey, client: &str, url: &str, now: Timestamp) -> Result<Self, OidcError> {
        let link: Self = jws.verified_by_system(key)?;
        if link.iss != client {
            return Err(OidcError::IssuerWrong);
        }
        check_proof(&link.aud, url, link.exp, Self::LIFE_SECONDS_MAX, &link.jti, now)?;
        let sound = |text: &str| !text.trim().is_empty() && text.len() <= SUBJECT_BYTES_MAX && !text.chars().any(char::is_control);
        if sound(&link.sub) && sound(&link.patient) { Ok(link) } else { Err(OidcError::TokenMalformed) }
    }
}

/// What a hospital's record asks for cards with (CDS Hooks 2.0, "Trusting CDS Clients").
#[derive(Deserialize)]
pub(crate) struct CardToken {
    iss: String,
    aud: Audience,
    #[serde(deserialize_with = "seconds")]
    pub(crate) exp: i64,
    pub(crate) jti: String,
}

impl CardToken {
    /// The longest life of a token, in seconds.
    const LIFE_SECONDS_MAX: i64 = 300;

    /// The token, when everything holds: for one of these addresses. Where it says that its keys are, they must be.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(crate) fn checked(
        jws: &Jws<'_>,
        key: &DecodingKey,
        (iss, jku): (&str, Option<&str>),
        urls: &[&str],
        now: Timestamp,
    ) -> Result<Self, OidcError> {
        if jws.header.jku.is_some() && jws.header.jku.as_deref() != jku {
            return Err(OidcError::KeyUnknown);
        }
        let token: Self = jws.verified_by_system(key)?;
        if token.iss != iss {
            return Err(OidcError::IssuerWrong);
        }
        let url = urls.iter().find(|url| token.aud.is_only(url)).ok_or(OidcError::AudienceWrong)?;
        check_proof(&token.aud, url, token.exp, Self::LIFE_SECONDS_MAX, &token.jti, now)?;
        Ok(token)
    }
}

/// One name or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether this is the only audience: we trust no other.
    fn is_only(&self, wanted: &str) -> bool {
        match self {
            Self::One(name) => name == wanted,
            Self::Several(names) => !names.is_empty() && names.iter().all(|name| name == wanted),
        }
    }
}

/// What a system signed: for this address alone, for a short while, with a number of its own.
fn check_proof(aud: &Audience, url: &str, exp: i64, life_seconds_max: i64, jti: &str, now: Timestamp) -> Result<(), OidcError> {
    if !aud.is_only(url) {
        return Err(OidcError::AudienceWrong);
    }
    let left = exp.saturating_sub(now.as_second());
    if left <= -SKEW_SECONDS {
        return Err(OidcError::Expired);
    }
    if left > life_seconds_max + SKEW_SECONDS {
        return Err(OidcError::IssuedWrong);
    }
    if jti.is_empty() || jti.len() > ID_BYTES_MAX { Err(OidcError::TokenMalformed) } else { Ok(()) }
}

/// From whom, and for us alone.
fn check_addresses(iss: &str, aud: &Audience, settings: &IdentityProvider) -> Result<(), OidcError> {
    if *iss != settings.issuer {
        return Err(OidcError::IssuerWrong);
    }
    let ours = aud.is_only(&settings.client_id);
    if ours { Ok(()) } else { Err(OidcError::AudienceWrong) }
}

fn check_times(iat: i64, exp: i64, now: Timestamp) -> Result<(), OidcError> {
    let now = now.as_second();
    if exp.saturating_add(SKEW_SECONDS) <= now {
        return Err(OidcError::Expired);
    }
    let age = now.saturating_sub(iat);
    if (-SKEW_SECONDS..=AGE_SECONDS_MAX + SKEW_SECONDS).contains(&age) { Ok(()) } else { Err(OidcError::IssuedWrong) }
}

/// A day, as `YYYY-MM-DD`.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(|_| serde::de::Error::custom("no day"))
}

/// A `NumericDate` (RFC 7519, section 2), which may have a fraction.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    optional_seconds(deserializer)?.ok_or_else(|| serde::de::Error::custom("a time is missing"))
}

#[expect(clippy::cast_possible_truncation, reason = "in bounds: the range is checked before")]
fn optional_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    // Until the year 9999, as jiff goes.
    let (min, max) = (0, 253_402_207_200);
    let whole = number.as_i64().or_else(|| number.as_f64().filter(|seconds| (0.0..=1e12).contains(seconds)).map(|seconds| seconds as i64));
    match whole {
        Some(seconds) if (min..=max).contains(&seconds) => Ok(Some(seconds)),
        _ => Err(serde::de::Error::custom("no time")),
    }
}
