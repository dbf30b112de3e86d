//! The NHS number: ten digits, the last of which checks the other nine.
//!
//! Rule: NHS Data Dictionary, *NHS NUMBER*: weights 10 to 2, modulus 11; a remainder that would need the check digit 10
//! is never issued. The rule alone also passes ten equal digits, which are placeholders, so these are refused here.
//! The number is optional everywhere: sexual health services need not record it.

use std::fmt;
use std::str::FromStr;

/// An NHS number that keeps its check digit. It says nothing about whose it is, nor whether it was ever issued.
///
/// Read from text with or without spaces and hyphens; shown as `999 012 3456`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NhsNumber([u8; 10]);

/// Why a text is not an NHS number. It never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotAnNhsNumber {
    /// Something else than ten digits, spaces and hyphens.
    NotTenDigits,
    /// The tenth digit does not check the other nine.
    CheckDigit,
    /// Ten equal digits: a placeholder, though it keeps the check digit.
    Repeated,
}

impl fmt::Display for NotAnNhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTenDigits => "an NHS number has ten digits",
            Self::CheckDigit => "the check digit of this NHS number is wrong",
            Self::Repeated => "ten equal digits are a placeholder, not an NHS number",
        })
    }
}

impl std::error::Error for NotAnNhsNumber {}

/// The tenth digit for nine digits (each 0 to 9), or `None` where no number is issued for them (the check would be 10)
/// or where one of them is not a digit.
#[must_use]
pub fn check_digit(nine: [u8; 9]) -> Option<u8> {
    if nine.iter().any(|digit| *digit > 9) {
        return None;
    }
    let sum: u32 = nine.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        check => u8::try_from(check).ok(),
    }
}

impl NhsNumber {
    /// The number that begins with these nine digits, or `None` where none is issued ([`check_digit`]) or where it
    /// would be ten equal digits. For the simulator, which makes numbers of the test range.
    #[must_use]
    pub fn from_nine(nine: [u8; 9]) -> Option<Self> {
        let mut digits = [0; 10];
        digits[..9].copy_from_slice(&nine);
        digits[9] = check_digit(nine)?;
        Self::checked(digits).ok()
    }

    fn checked(digits: [u8; 10]) -> Result<Self, NotAnNhsNumber> {
        let [nine @ .., last] = digits;
        if check_digit(nine) != Some(last) {
            return Err(NotAnNhsNumber::CheckDigit);
        }
        if nine.iter().all(|digit| *digit == last) {
            return Err(NotAnNhsNumber::Repeated);
        }
        Ok(Self(digits))
    }

    /// Whether it belongs to the range 999, which is kept for tests and never issued to a person.
    #[must_use]
    pub fn is_test_range(self) -> bool {
        self.0.starts_with(&[9, 9, 9])
    }

    /// The ten digits without spaces, as they are exchanged and stored.
    #[must_use]
    pub fn digits(self) -> String {
        self.0.iter().map(|digit| char::from(b'0' + digit)).collect()
    }
}

impl FromStr for NhsNumber {
    type Err = NotAnNhsNumber;

    fn from_str(text: &str) -> Result<Self, NotAnNhsNumber> {
        let mut digits = [0; 10];
        let mut count = 0;
        for character in text.chars().filter(|character| !character.is_whitespace() && *character != '-') {
            let digit = character.to_digit(10).and_then(|digit| u8::try_from(digit).ok()).ok_or(NotAnNhsNumber::NotTenDigits)?;
            *digits.get_mut(count).ok_or(NotAnNhsNumber::NotTenDigits)? = digit;
            count += 1;
        }
        if count == digits.len() { Self::checked(digits) } else { Err(NotAnNhsNumber::NotTenDigits) }
    }
}

impl fmt::Display for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, digit) in self.0.iter().enumerate() {
            if place == 3 || place == 6 {
                f.write_str(" ")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<NhsNumber, NotAnNhsNumber> {
        text.parse()
    }

    #[test]
    fn spaces_and_hyphens_do_not_matter() {
        // 943 476 5919 is the example of the NHS Data Dictionary.
        for text in ["9434765919", "943 476 5919", "943-476-5919", " 9434765919\t"] {
            assert_eq!(read(text).map(|number| number.to_string()), Ok("943 476 5919".to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_not_ten_digits_is_refused() {
        for text in ["", "943476591", "94347659190", "943476591X", "943.476.5919", "९४३४७६५९१९", "943 476 591 "] {
            assert_eq!(read(text), Err(NotAnNhsNumber::NotTenDigits), "{text}");
        }
    }

    #[test]
    fn a_wrong_check_digit_is_refused() {
        for text in ["9434765918", "4943765919", "9990000000"] {
            assert_eq!(read(text), Err(NotAnNhsNumber::CheckDigit), "{text}");
        }
    }

    #[test]
    fn ten_equal_digits_are_refused_though_they_check() {
        for digit in 0..=9_u8 {
            assert_eq!(check_digit([digit; 9]), Some(digit));
            assert_eq!(read(&digit.to_string().repeat(10)), Err(NotAnNhsNumber::Repeated));
        }
    }

    #[test]
    fn only_999_is_the_test_range() {
        assert!(read("999 000 0018").is_ok_and(NhsNumber::is_test_range));
        assert!(read("943 476 5919").is_ok_and(|number| !number.is_test_range()));
    }

    #[test]
    fn nine_digits_that_would_need_a_check_of_ten_are_never_issued() {
        // Weights 3 and 2 on the last two: 2·3 + 3·2 = 12, remainder 1, check 10.
        assert_eq!(check_digit([0, 0, 0, 0, 0, 0, 0, 2, 3]), None);
        assert_eq!(NhsNumber::from_nine([0, 0, 0, 0, 0, 0, 0, 2, 3]), None);
        assert_eq!(check_digit([10, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn what_is_made_is_read_again(nine in prop::array::uniform9(0..=9_u8)) {
            if let Some(number) = NhsNumber::from_nine(nine) {
                prop_assert_eq!(read(&number.to_string()), Ok(number));
                prop_assert_eq!(read(&number.digits()), Ok(number));
            }
        }

        #[test]
        fn one_wrong_digit_never_passes(nine in prop::array::uniform9(0..=9_u8), place in 0..10_usize, by in 1..=9_u8) {
            if let Some(mut number) = NhsNumber::from_nine(nine) {
                number.0[place] = (number.0[place] + by) % 10;
                prop_assert!(read(&number.digits()).is_err());
            }
        }

        #[test]
        fn two_neighbours_exchanged_never_pass(nine in prop::array::uniform9(0..=9_u8), place in 0..9_usize) {
            if let Some(mut number) = NhsNumber::from_nine(nine) && number.0[place] != number.0[place + 1] {
                number.0.swap(place, place + 1);
                prop_assert!(read(&number.digits()).is_err());
            }
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text in ".*") {
            let _ = read(&text);
        }
    }
}
