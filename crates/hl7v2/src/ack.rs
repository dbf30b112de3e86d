//! Acknowledgements: choosing the code, building the message, recognising and reading one.

use std::fmt;
use std::str::FromStr;

use crate::escape::{LineBreaks, escape};
use crate::header::Header;
use crate::message::Message;
use crate::problem::{Problem, Severity};
use crate::write::{MessageBuilder, SegmentBuilder};

/// The most bytes of a field of theirs that is echoed.
const ECHO_BYTES_MAX: usize = 200;
/// The most characters of MSA-3: old senders have no room for more.
const TEXT_CHARACTERS_MAX: usize = 80;
/// The most problems that are told in ERR.
const PROBLEMS_MAX: usize = 20;

/// HL7 table 0008, acknowledgement code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckCode {
    /// Application accept: done.
    AA,
    /// Application error: do not send it again as it is.
    AE,
    /// Application reject: not now, or not here; it may be sent again.
    AR,
    /// Commit accept: it was taken into safe keeping.
    CA,
    /// Commit error.
    CE,
    /// Commit reject.
    CR,
}

impl AckCode {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            AckCode::AA => "AA",
            AckCode::AE => "AE",
            AckCode::AR => "AR",
            AckCode::CA => "CA",
            AckCode::CE => "CE",
            AckCode::CR => "CR",
        }
    }

    /// What the code says, whichever mode it belongs to.
    pub fn outcome(self) -> Outcome {
        match self {
            AckCode::AA | AckCode::CA => Outcome::Accepted,
            AckCode::AE | AckCode::CE => Outcome::Error,
            AckCode::AR | AckCode::CR => Outcome::Rejected,
        }
    }
}

impl fmt::Display for AckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no acknowledgement code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an acknowledgement code of table 0008")
    }
}

impl std::error::Error for UnknownCode {}

impl FromStr for AckCode {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<AckCode, UnknownCode> {
        let all = [AckCode::AA, AckCode::AE, AckCode::AR, AckCode::CA, AckCode::CE, AckCode::CR];
        all.into_iter().find(|code| code.as_str().eq_ignore_ascii_case(text.trim())).ok_or(UnknownCode)
    }
}

/// What became of a message, before the mode gives it a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is in safe keeping.
    Accepted,
    /// It cannot be used, and sending it again will not help.
    Error,
    /// It cannot be taken now, or not by this receiver.
    Rejected,
}

/// Which acknowledgement a sender gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AckMode {
    /// What MSH-15 and MSH-16 ask for.
    #[default]
    AsAsked,
    /// Always one of AA, AE and AR, whatever MSH-15 and MSH-16 say: many engines ask for what they then
    /// do not understand.
    AlwaysOriginal,
}

/// The code of the one answer that is given at once on the same connection; `None` if the sender asks for
/// none.
///
/// Original mode (MSH-15 and MSH-16 empty): AA, AE, AR. Enhanced mode: what MSH-15 asks for is answered with
/// CA, CE, CR; else what MSH-16 asks for with AA, AE, AR.
pub fn choose(header: &Header, outcome: Outcome, mode: AckMode) -> Option<AckCode> {
    let (accept, application) = (&header.accept_acknowledgement, &header.application_acknowledgement);
    let original = mode == AckMode::AlwaysOriginal || (accept.is_empty() && application.is_empty());
    if original || (!asks(accept, outcome) && asks(application, outcome)) {
        return Some(match outcome {
            Outcome::Accepted => AckCode::AA,
            Outcome::Error => AckCode::AE,
            Outcome::Rejected => AckCode::AR,
        });
    }
    asks(accept, outcome).then_some(match outcome {
        Outcome::Accepted => AckCode::CA,
        Outcome::Error => AckCode::CE,
        Outcome::Rejected => AckCode::CR,
    })
}

/// Whether a condition of table 0155 asks for an answer. An unknown condition asks always: a sender that
/// waits in vain stops its whole feed.
fn asks(condition: &str, outcome: Outcome) -> bool {
    match condition {
        "" | "NE" => false,
        "ER" => outcome != Outcome::Accepted,
        "SU" => outcome == Outcome::Accepted,
        _ => true,
    }
}

/// An acknowledgement to be built. The clock and the numbering are the caller's.
#[derive(Debug, Clone, Copy)]
pub struct Acknowledgement<'a> {
    code: AckCode,
    control_id: &'a str,
    time: &'a str,
    text: &'a str,
    problems: &'a [Problem],
}

impl<'a> Acknowledgement<'a> {
    /// An acknowledgement with this code, our own control id (MSH-10) and the present time as HL7 writes it
    /// (MSH-7).
    pub fn new(code: AckCode, control_id: &'a str, time: &'a str) -> Self {
        Acknowledgement { code, control_id, time, text: "", problems: &[] }
    }

    /// The same with a text for people, MSA-3. Without one, the first problem is told there.
    #[must_use]
    pub fn with_text(self, text: &'a str) -> Self {
        Acknowledgement { text, ..self }
    }

    /// The same with problems, for ERR: 20 of them at most, as the version of the message writes them.
    #[must_use]
    pub fn with_problems(self, problems: &'a [Problem]) -> Self {
        Acknowledgement { problems, ..self }
    }

    /// The acknowledgement of the message with this header, in its separators, version and character set.
    /// Of something that could not be read, take the header from [`Header::scan`].
    pub fn build(&self, header: &Header) -> Vec<u8> {
        let mut message = MessageBuilder::new(header.delimiters);
        self.write_msh(message.segment("MSH"), header);
        self.write_msa(message.segment("MSA"), header);
        if has_err_1_only(header) {
            self.write_err_1(&mut message);
        } else {
            self.write_err_2(&mut message);
        }
        header.charset.encode(&message.finish())
    }

    fn write_msh(&self, msh: &mut SegmentBuilder, header: &Header) {
        let [processing_id, version, charset] = &header.echo;
        msh.raw(3, &echoed(&header.receiving_application))
            .raw(4, &echoed(&header.receiving_facility))
            .raw(5, &echoed(&header.sending_application))
            .raw(6, &echoed(&header.sending_facility))
            .field(7, self.time)
            .component(9, 1, "ACK")
            .field(10, self.control_id)
            .raw(11, if processing_id.is_empty() { "P".into() } else { echoed(processing_id) }.as_str())
            .raw(12, if version.is_empty() { "2.4".into() } else { echoed(version) }.as_str())
            .raw(18, &echoed(charset));
        // The trigger came with 2.3.1's form of the field; before, it was plain `ACK`.
        if header.version_number() > (2, 3, 0) && is_code(&header.trigger) {
            msh.component(9, 2, &header.trigger).component(9, 3, "ACK");
        }
    }

    fn write_msa(&self, msa: &mut SegmentBuilder, header: &Header) {
        msa.field(1, self.code.as_str()).raw(2, &echoed(&header.control_id));
        let told = self.problems.first();
        let text = match told {
            Some(problem) if self.text.is_empty() => problem.to_string(),
            _ => self.text.to_owned(),
        };
        msa.raw(3, &shortened(&text, header));
        if let (Some(problem), true) = (told, has_err_1_only(header)) {
            msa.component(6, 1, &problem.code.number().to_string()).component(6, 2, problem.code.words()).component(6, 3, "HL70357");
        }
    }

    fn told(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().take(PROBLEMS_MAX)
    }

    /// Up to version 2.4: all problems in the repetitions of ERR-1.
    fn write_err_1(&self, message: &mut MessageBuilder) {
        if self.problems.is_empty() {
            return;
        }
        let err = message.segment("ERR");
        for (index, problem) in self.told().enumerate() {
            if let Some(location) = problem.location {
                err.subcomponent(1, index + 1, 1, 1, location.segment.as_str());
                err.subcomponent(1, index + 1, 2, 1, &location.occurrence.to_string());
                err.subcomponent(1, index + 1, 3, 1, &counted(location.field));
            }
            let code = [&problem.code.number().to_string(), problem.code.words(), "HL70357"];
            for (part, text) in code.iter().enumerate() {
                err.subcomponent(1, index + 1, 4, part + 1, text);
            }
        }
    }

    /// From version 2.5: one ERR for each problem.
    fn write_err_2(&self, message: &mut MessageBuilder) {
        for problem in self.told() {
            let err = message.segment("ERR");
            if let Some(location) = problem.location {
                let numbers = [location.occurrence, location.field, location.repetition, location.component, location.subcomponent];
                let [occurrence, field, repetition, component, subcomponent] = numbers.map(counted);
                err.components(2, &[location.segment.as_str(), &occurrence, &field, &repetition, &component, &subcomponent]);
            }
            err.components(3, &[&problem.code.number().to_string(), problem.code.words(), "HL70357"])
                .field(4, problem.severity.letter())
                .field(8, problem.what);
        }
    }
}

/// Whether the version of the message knows only ERR-1.
fn has_err_1_only(header: &Header) -> bool {
    header.version_number() < (2, 5, 0)
}

/// A trigger is echoed only if it is one.
fn is_code(trigger: &str) -> bool {
    trigger.len() == 3 && trigger.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A number of a location; nothing where the location is not that deep.
fn counted(number: usize) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

/// A field of theirs as it goes back: exact, but for what would break the frame or the segment, and cut at
/// 200 bytes.
fn echoed(raw: &str) -> String {
    let mut out = String::new();
    for c in raw.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }) {
        if out.len() + c.len_utf8() > ECHO_BYTES_MAX {
            break;
        }
        out.push(c);
    }
    out
}

/// A text for MSA-3: escaped, and at most 80 characters after that.
fn shortened(text: &str, header: &Header) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut buffer = [0; 4];
    for c in text.chars() {
        let raw = escape(c.encode_utf8(&mut buffer), &header.delimiters, LineBreaks::Space);
        count += raw.chars().count();
        if count > TEXT_CHARACTERS_MAX {
            break;
        }
        out.push_str(&raw);
    }
    out
}

/// Whether a message is itself an answer. An answer is never answered, or two systems would go on for ever.
pub fn is_acknowledgement(message: &Message) -> bool {
    let kind = message.get("MSH-9.1").map(|kind| kind.text().trim().to_ascii_uppercase());
    message.segment("MSA").is_some() || kind.is_some_and(|kind| kind.starts_with("ACK") || kind == "MCF")
}

/// What an acknowledgement says.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// MSA-1.
    pub code: AckCode,
    /// MSA-2, raw: the control id of the message that is answered.
    pub control_id: String,
    /// MSA-3. It may hold anything: not for logs.
    pub text: String,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.code)
    }
}

impl Answer {
    /// Whether it answers the message that was sent with this control id.
    pub fn is_to(&self, control_id: &str) -> bool {
        self.control_id.trim() == control_id.trim()
    }
}

/// Reads an acknowledgement; `None` if the message has no MSA with a known code.
pub fn read(message: &Message) -> Option<Answer> {
    let msa = message.segment("MSA")?;
    Some(Answer {
        code: msa.get("1")?.text().parse().ok()?,
        control_id: msa.field(2).raw().to_owned(),
        text: msa.field(3).text().into_owned(),
    })
}

/// The worst of some problems, by which an [`Outcome`] may be chosen.
pub fn worst(problems: &[Problem]) -> Option<Severity> {
    problems.iter().map(|problem| problem.severity).max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::location::{Location, Name};
    use crate::message::Options;
    use crate::problem::Code;

    fn header(text: &str) -> Header {
        Message::parse(text.as_bytes(), &Options::default()).unwrap().header()
    }

    fn problem() -> Problem {
        let pid = Location::of_segment(Name::parse("PID").unwrap(), 1);
        let location = Location { repetition: 2, component: 1, ..pid.with_field(3) };
        Problem::new(Code::DataTypeError, Severity::Error, "not an NHS number").at(location)
    }

    fn build(header: &Header, acknowledgement: Acknowledgement<'_>) -> String {
        String::from_utf8(acknowledgement.build(header)).unwrap()
    }

    #[test]
    fn an_answer_goes_back_where_the_message_came_from() {
        let header = header("MSH|^~\\&|CERNER|RQM^X|AL|CH|20241001||ADT^A28^ADT_A05|  42|T|2.4^GBR|1|||||8859/1\r");
        let answer = build(&header, Acknowledgement::new(AckCode::AA, "7", "20241001093000"));
        assert_eq!(answer, "MSH|^~\\&|AL|CH|CERNER|RQM^X|20241001093000||ACK^A28^ACK|7|T|2.4^GBR||||||8859/1\rMSA|AA|  42\r");
    }

    #[test]
    fn old_versions_get_a_plain_type_and_silent_ones_the_usual_values() {
        let old = build(&header("MSH|^~\\&|A|B|C|D|||ADT^A28|42|P|2.3"), Acknowledgement::new(AckCode::AA, "7", "1"));
        assert_eq!(old, "MSH|^~\\&|C|D|A|B|1||ACK|7|P|2.3\rMSA|AA|42\r");
        let newer = build(&header("MSH|^~\\&|A|B|C|D|||ADT^A28|42|P|2.3.1"), Acknowledgement::new(AckCode::AA, "7", "1"));
        assert!(newer.contains("|ACK^A28^ACK|"));
        let silent = build(&header("MSH|^~\\&|A|B"), Acknowledgement::new(AckCode::AR, "7", "1"));
        assert_eq!(silent, "MSH|^~\\&|||A|B|1||ACK|7|P|2.4\rMSA|AR\r");
    }

    #[test]
    fn their_separators_and_their_character_set_are_used() {
        let bytes = b"MSH$*~\\&$Caf\xe9$B$C$D$$$ADT*A28$\xe9 1$P$2.4$$$$$$8859/1\r";
        let header = Message::parse(bytes, &Options::default()).unwrap().header();
        let answer = Acknowledgement::new(AckCode::AE, "7", "1").with_text("$ and *").build(&header);
        assert_eq!(
            answer.escape_ascii().to_string(),
            "MSH$*~\\\\&$C$D$Caf\\xe9$B$1$$ACK*A28*ACK$7$P$2.4$$$$$$8859/1\\rMSA$AE$\\xe9 1$\\\\F\\\\ and \\\\S\\\\\\r"
        );
    }

    #[test]
    fn problems_are_told_as_the_version_writes_them() {
        let problems = [problem(), Problem::new(Code::OtherError, Severity::Warning, "odd")];
        let old =
            build(&header("MSH|^~\\&|A|B|C|D|||ADT^A28|42|P|2.4"), Acknowledgement::new(AckCode::AE, "7", "1").with_problems(&problems));
        assert!(old.ends_with("MSA|AE|42|PID-3[2].1: not an NHS number|||102^Data type error^HL70357\rERR|PID^1^3^102&Data type error&HL70357~^^^199&Other HL7 error&HL70357\r"), "{old}");
        let new =
            build(&header("MSH|^~\\&|A|B|C|D|||ADT^A28|42|P|2.5"), Acknowledgement::new(AckCode::AE, "7", "1").with_problems(&problems));
        assert!(new.ends_with("MSA|AE|42|PID-3[2].1: not an NHS number\rERR||PID^1^3^2^1|102^Data type error^HL70357|E||||not an NHS number\rERR|||199^Other HL7 error^HL70357|W||||odd\r"), "{new}");
        assert_eq!(worst(&problems), Some(Severity::Error));
    }

    #[test]
    fn what_is_echoed_is_cut_and_cannot_break_the_answer() {
        let long = "é".repeat(150);
        let answer = build(&header(&format!("MSH|^~\\&|{long}|B|C|D|||ADT^A28|{long}|P|2.4")), Acknowledgement::new(AckCode::AA, "7", "1"));
        assert!(answer.contains(&format!("|{}|B|", "é".repeat(100))) && answer.ends_with(&format!("MSA|AA|{}\r", "é".repeat(100))));
        let wrapped = build(&header("MSH|^~\\&|A\nand more\u{b}|B||||||42\rPID|1"), Acknowledgement::new(AckCode::AA, "7", "1"));
        assert_eq!(wrapped.matches(['\n', '\r', '\u{b}']).count(), 2);
    }

    #[test]
    fn the_text_for_people_is_short_and_never_cut_within_an_escape() {
        for length in 70..90 {
            let text = format!("{}||||||||", "x".repeat(length));
            let answer = build(&header("MSH|^~\\&|A"), Acknowledgement::new(AckCode::AE, "7", "1").with_text(&text));
            let message = Message::parse(answer.as_bytes(), &Options::default()).unwrap();
            let msa3 = message.segment("MSA").unwrap().field(3);
            assert!(msa3.raw().chars().count() <= 80 && text.starts_with(&*msa3.text()));
        }
    }

    #[test]
    fn something_that_cannot_be_read_is_answered_all_the_same() {
        let refused = b"SH|^~\\&| no header";
        assert!(Message::parse(refused, &Options::default()).is_err());
        let answer = build(&Header::scan(refused), Acknowledgement::new(AckCode::AR, "7", "1"));
        assert_eq!(answer, "MSH|^~\\&|||||1||ACK|7|P|2.4\rMSA|AR\r");
    }

    #[test]
    fn the_code_follows_what_the_sender_asks_for() {
        use AckCode::*;
        use Outcome::*;
        let cases = [
            ("", "", [Some(AA), Some(AE), Some(AR)]),
            ("\"\"", "", [Some(AA), Some(AE), Some(AR)]),
            ("AL", "", [Some(CA), Some(CE), Some(CR)]),
            ("AL", "NE", [Some(CA), Some(CE), Some(CR)]),
            ("al", "AL", [Some(CA), Some(CE), Some(CR)]),
            ("NE", "AL", [Some(AA), Some(AE), Some(AR)]),
            ("", "AL", [Some(AA), Some(AE), Some(AR)]),
            ("ER", "", [None, Some(CE), Some(CR)]),
            ("SU", "", [Some(CA), None, None]),
            ("ER", "AL", [Some(AA), Some(CE), Some(CR)]),
            ("NE", "NE", [None, None, None]),
            ("NE", "", [None, None, None]),
            ("yes", "", [Some(CA), Some(CE), Some(CR)]),
        ];
        for (accept, application, expected) in cases {
            let header = header(&format!("MSH|^~\\&|||||||ADT^A01|1|P|2.4|||{accept}|{application}"));
            let asked = [Accepted, Error, Rejected].map(|outcome| choose(&header, outcome, AckMode::AsAsked));
            assert_eq!(asked, expected, "{accept}/{application}");
            let original = [Accepted, Error, Rejected].map(|outcome| choose(&header, outcome, AckMode::AlwaysOriginal));
            assert_eq!(original, [Some(AA), Some(AE), Some(AR)]);
        }
    }

    #[test]
    fn answers_are_recognised_and_read() {
        let parse = |text: &str| Message::parse(text.as_bytes(), &Options::default()).unwrap();
        let answer = parse("MSH|^~\\&|||||||ACK^A28|9\rMSA| ca | 42|all \\T\\ well\r");
        assert!(is_acknowledgement(&answer));
        let answer = read(&answer).unwrap();
        assert_eq!((answer.code, answer.text.as_str()), (AckCode::CA, "all & well"));
        assert!(answer.is_to("42") && !answer.is_to("43") && answer.code.outcome() == Outcome::Accepted);
        assert!(is_acknowledgement(&parse("MSH|^~\\&|||||||RRI^I12|9\rMSA|AA|42\r")));
        assert!(is_acknowledgement(&parse("MSH|^~\\&|||||||ACK|9\r")));
        assert!(!is_acknowledgement(&parse("MSH|^~\\&|||||||ADT^A01|9\rPID|1\r")));
        assert_eq!(read(&parse("MSH|^~\\&|||||||ACK|9\rMSA|ZZ|42\r")), None);
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_the_answer_is_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..80), version in "2\\.[0-9]") {
            let garbage = [b"MSH|^~\\&|".as_slice(), &bytes, format!("|||||||P|{version}").as_bytes()].concat();
            for header in [Header::scan(&bytes), Header::scan(&garbage)] {
                let problems = [problem()];
                let answer = Acknowledgement::new(AckCode::AR, "7", "1").with_problems(&problems).build(&header);
                let message = Message::parse(&answer, &Options::default()).unwrap();
                prop_assert!(is_acknowledgement(&message));
                prop_assert_eq!(read(&message).map(|answer| answer.code), Some(AckCode::AR));
            }
        }
    }
}
