//! Finds what could be the NHS number of a living person.

/// Numbers that pass the check and are none, each with what it is.
const NO_NHS_NUMBERS: [(&str, &str); 2] =
    [("0123456789", "the ten digits"), ("9434765919", "the example of the NHS Data Dictionary, which a parser's tests need")];

/// The range that the NHS keeps for tests.
const TEST_RANGE: &str = "999";

/// Every ten digits of the text, in one piece or as 3 3 4, that pass the check of an NHS number
/// and are not of the test range. Scottish and Northern Irish numbers have the same check.
pub(crate) fn outside_test_range(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for start in 0..bytes.len() {
        if !begins_number(bytes, start) {
            continue;
        }
        let Some(digits) = plain(&bytes[start..]).or_else(|| grouped(&bytes[start..])) else {
            continue;
        };
        if passes_check(&digits) && !is_harmless(&digits) {
            found.push(digits);
        }
    }
    found
}

fn begins_number(bytes: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).map(|index| bytes[index]);
    let inside_a_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // The digits after a decimal point are no number of their own.
    let fraction = before == Some(b'.') && start >= 2 && bytes[start - 2].is_ascii_digit();
    bytes[start].is_ascii_digit() && !inside_a_word && !fraction
}

/// Ten digits in one piece.
fn plain(bytes: &[u8]) -> Option<String> {
    digits_until_end(bytes, &[10], None)
}

/// As people write it: `ddd ddd dddd` or `ddd-ddd-dddd`.
fn grouped(bytes: &[u8]) -> Option<String> {
    let separator = *bytes.get(3)?;
    matches!(separator, b' ' | b'-').then(|| digits_until_end(bytes, &[3, 3, 4], Some(separator))).flatten()
}

fn digits_until_end(bytes: &[u8], groups: &[usize], separator: Option<u8>) -> Option<String> {
    let mut digits = String::with_capacity(10);
    let mut at = 0;
    for (index, length) in groups.iter().enumerate() {
        if index > 0 {
            (bytes.get(at).copied() == separator).then_some(())?;
            at += 1;
        }
        for byte in bytes.get(at..at + length)? {
            byte.is_ascii_digit().then_some(())?;
            digits.push(char::from(*byte));
        }
        at += length;
    }
    let after = bytes.get(at);
    let ends = !after.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    ends.then_some(digits)
}

/// The modulus 11 check of the NHS Data Dictionary: weights 10 to 2, and ten is no check digit.
fn passes_check(digits: &str) -> bool {
    let sum: u32 = digits.bytes().zip((2..=10).rev()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    let check = (11 - sum % 11) % 11;
    digits.bytes().last().map(|byte| u32::from(byte - b'0')) == Some(check)
}

fn is_harmless(digits: &str) -> bool {
    let first = digits.chars().next();
    digits.starts_with(TEST_RANGE)
        || digits.chars().all(|digit| Some(digit) == first)
        || NO_NHS_NUMBERS.iter().any(|(number, _)| *number == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that passes, in pieces, so that this file holds none.
    const EXAMPLE: [&str; 3] = ["987", "654", "3210"];

    #[test]
    fn a_number_that_passes_is_found_in_one_piece_and_in_three() {
        for separator in ["", " ", "-"] {
            let text = format!("PID|1||{}^^^NHS", EXAMPLE.join(separator));
            assert_eq!(outside_test_range(&text), [EXAMPLE.concat()]);
        }
    }

    #[test]
    fn the_test_range_and_what_fails_the_check_are_left_alone() {
        let wrong = format!("{}{}{}", EXAMPLE[0], EXAMPLE[1], "3211");
        for text in ["9990000018", "999 000 0018", "1111111111", "943 476 5919", &wrong] {
            assert!(outside_test_range(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn digits_inside_of_something_longer_are_no_number() {
        let number = EXAMPLE.concat();
        for text in [format!("1{number}"), format!("{number}1"), format!("a{number}"), format!("0.{number}")] {
            assert!(outside_test_range(&text).is_empty(), "{text}");
        }
    }
}
