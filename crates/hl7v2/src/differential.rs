//! Our reading against that of two published parsers, on well-formed messages; and the inputs on which
//! published parsers were seen to lose data.

use proptest::prelude::*;

use crate::message::{Message, Options};
use crate::write::MessageBuilder;

/// A message's leaves as text: segment, field, repetition, component, subcomponent, and what stands there.
type Leaves = Vec<(usize, usize, usize, usize, usize, String)>;

fn ours(text: &str) -> Leaves {
    let message = Message::parse(text.as_bytes(), &Options::default()).unwrap();
    let mut leaves = Vec::new();
    for (s, segment) in message.segments().enumerate() {
        let from = if segment.name() == "MSH" { 3 } else { 1 };
        for f in from..=segment.field_count() {
            for (r, repetition) in segment.field(f).repetitions().enumerate() {
                for (c, component) in repetition.components().enumerate() {
                    let count = component.raw().split('&').count();
                    for u in 0..count {
                        leaves.push((s, f, r, c, u, component.subcomponent(u + 1).text().into_owned()));
                    }
                }
            }
        }
    }
    valued(leaves)
}

fn er7(text: &str) -> Leaves {
    let message = er7::parse(text).unwrap();
    let mut leaves = Vec::new();
    for (s, segment) in message.segments.iter().enumerate() {
        let from = if segment.is_header() { 3 } else { 1 };
        for f in from..=segment.fields.len() + 1 {
            let repetitions = segment.field(f).map(|field| field.repetitions.as_slice()).unwrap_or_default();
            for (r, repetition) in repetitions.iter().enumerate() {
                for (c, component) in repetition.components.iter().enumerate() {
                    for (u, subcomponent) in component.subcomponents.iter().enumerate() {
                        leaves.push((s, f, r, c, u, subcomponent.value(&message.separators).into_owned()));
                    }
                }
            }
        }
    }
    valued(leaves)
}

fn hl7kit(text: &str) -> Leaves {
    let message = hl7kit::Message::parse(text).unwrap();
    let mut leaves = Vec::new();
    for (s, segment) in message.segments().enumerate() {
        let from = if segment.name() == "MSH" { 3 } else { 1 };
        for f in from..=segment.field_count() {
            let Some(field) = segment.field(f) else {
                continue;
            };
            for (r, repetition) in field.repetitions().enumerate() {
                for (c, component) in repetition.components().enumerate() {
                    for (u, subcomponent) in component.subcomponents().enumerate() {
                        leaves.push((s, f, r, c, u, subcomponent.decoded().into_owned()));
                    }
                }
            }
        }
    }
    valued(leaves)
}

fn valued(leaves: Leaves) -> Leaves {
    leaves.into_iter().filter(|leaf| !leaf.5.is_empty()).collect()
}

/// One value to set: segment, field, repetition, component, subcomponent, text.
fn values() -> impl Strategy<Value = Vec<(usize, usize, usize, usize, usize, String)>> {
    let text = "[ a-zA-Z0-9|^~&\\\\#'éŁ.,<>/-]{1,12}";
    proptest::collection::vec((0usize..5, 1usize..25, 1usize..4, 1usize..6, 1usize..4, text), 1..30)
}

fn written(values: &[(usize, usize, usize, usize, usize, String)]) -> String {
    let mut message = MessageBuilder::default();
    let msh = message.segment("MSH");
    msh.field(3, "LAB").components(9, &["ORU", "R01"]).field(10, "42").field(12, "2.4").field(18, "UNICODE UTF-8");
    for (number, name) in ["PID", "OBR", "OBX", "OBX", "ZDS"].into_iter().enumerate() {
        let segment = message.segment(name);
        segment.field(1, &(number + 1).to_string());
        for (_, field, repetition, component, subcomponent, text) in values.iter().filter(|value| value.0 == number) {
            segment.subcomponent(field + 1, *repetition, *component, *subcomponent, text);
        }
        // One of the others takes spaces off the end of a segment.
        segment.field(30, "end");
    }
    message.finish()
}

proptest! {
    #[test]
    fn two_other_parsers_read_what_we_read(values in values(), end in proptest::sample::select(vec!["\r", "\n", "\r\n"])) {
        let text = written(&values).replace('\r', end);
        let read = ours(&text);
        prop_assert_eq!(&read, &er7(&text));
        prop_assert_eq!(&read, &hl7kit(&text));
    }

    #[test]
    fn what_is_written_is_read_back_and_prints_the_same(values in values()) {
        let text = written(&values);
        let message = Message::parse(text.as_bytes(), &Options::default()).unwrap();
        prop_assert_eq!(message.as_str(), &text);
        prop_assert!(message.problems().is_empty());
        let printed: String = message.segments().map(|segment| format!("{}\r", segment.raw())).collect();
        prop_assert_eq!(printed, text);
        for (index, (number, field, repetition, component, subcomponent, value)) in values.iter().enumerate() {
            let same = |other: &(usize, usize, usize, usize, usize, String)| {
                (other.0, other.1, other.2, other.3, other.4) == (*number, *field, *repetition, *component, *subcomponent)
            };
            if !values[index + 1..].iter().any(same) {
                let segment = message.segments().nth(number + 1).unwrap();
                let read = segment.field(field + 1).repetition(*repetition).component(*component).subcomponent(*subcomponent);
                prop_assert_eq!(&*read.text(), value);
            }
        }
    }
}

#[test]
fn escapes_read_as_the_others_read_them() {
    let text = "MSH|^~\\&|A\rPID|1|a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f|caf\\XC3A9\\|x\\.br\\y|\\X4\\|DO\\E|\\Zlocal\\\r";
    assert_eq!(ours(text), hl7kit(text));
}

/// Where the result stands must not depend on what stands around it.
#[test]
fn a_result_survives_every_input_on_which_another_parser_lost_it() {
    const MSH: &str = "MSH|^~\\&|LAB|RQM|||20241001||ORU^R01|42|P|2.4";
    const OBX: &str = "OBX|1|NM|CD4^Count||350|cells/mm3|||||F";
    for (what, text) in [
        ("a blank line before it", format!("{MSH}\rPID|1\r\r{OBX}\r")),
        ("a damaged segment before it", format!("{MSH}\rOB|1|NM|x||1\r{OBX}\r")),
        ("a long name before it", format!("{MSH}\rOBXX|1|NM|x||1\r{OBX}\r")),
        ("a space before it", format!("{MSH}\rPID|1\r {OBX}\r")),
        ("LF", format!("{MSH}\nPID|1\n{OBX}\n")),
        ("CR LF", format!("{MSH}\r\nPID|1\r\n{OBX}\r\n")),
        ("mixed ends", format!("{MSH}\rPID|1\n{OBX}\r\n")),
        ("a byte order mark", format!("\u{feff}{MSH}\rPID|1\r{OBX}\r")),
        ("three encoding characters", format!("{}\rPID|1\r{OBX}\r", MSH.replace("^~\\&", "^~\\"))),
        ("version 2.7", format!("{}\rPID|1\r{OBX}\r", MSH.replace("^~\\&", "^~\\&#"))),
        ("a text line before it", format!("{MSH}\rNTE|1||some text\rthat was wrapped\r{OBX}\r")),
        ("an unclosed escape", format!("{MSH}\rNTE|1||DO\\E\r{OBX}\r")),
        ("half a byte", format!("{MSH}\rNTE|1||\\X4\\\r{OBX}\r")),
    ] {
        let message = Message::parse(text.as_bytes(), &Options::default()).unwrap();
        assert_eq!(message.get("OBX-5").unwrap().text(), "350", "{what}");
        assert_eq!(message.get("OBX-11").unwrap().text(), "F", "{what}");
        assert_eq!(message.get("MSH-10").unwrap().text(), "42", "{what}");
        assert_eq!(message.segments_named("OBX").count(), 1, "{what}");
    }
}
