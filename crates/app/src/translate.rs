//! From a message to facts, by the sender's dialect. Total: facts *and* problems, never a silent nothing.

use std::borrow::Cow;

use alongside_domain::fact::{Evidence, Fact, Novelty, Subject};
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::{Demographics, Identifier, NhsNumberHeld, Said};
use alongside_hl7v2::time::Timestamp as Hl7Time;
use alongside_hl7v2::{Code, Header, Message, Problem, Segment, Severity, Value};
use jiff::civil::Date;

use crate::profile::{Dialect, Meaning, Places, Signal};

/// What a message says, in our words.
#[derive(Debug, Clone, Default)]
pub struct Translation {
    /// About whom.
    pub subject: Subject,
    /// What.
    pub facts: Vec<Fact>,
    /// Identifiers that this message retires in favour of the subject's (A40 and its kin).
    pub retired: Option<Vec<Identifier>>,
    /// What could not be understood, and where. One of severity error keeps the message from being applied.
    pub problems: Vec<Problem>,
    /// Whether something in it may concern HIV without being understood.
    pub suspicious: bool,
    /// Our order in it, as the record that sent it is answered.
    pub order: Option<OrderSeen>,
}

/// An order as the record that sent it names it and its patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSeen {
    /// Its number.
    pub number: String,
    /// The type of the message that brought it: REF, ORM or OMG.
    pub kind: String,
    /// The code of what was ordered.
    pub code: String,
    /// The number of the patient, as we know it.
    pub identifier: Identifier,
    /// Whose numbering that is, and of what kind (CX-4, CX-5), as the record writes them.
    pub authority: (String, String),
}

impl Translation {
    /// Whether anything here makes its subject somebody the service is for.
    #[must_use]
    pub fn has_signal(&self) -> bool {
        self.facts.iter().any(Fact::is_signal)
    }

    /// Whether a problem forbids applying it.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity >= Severity::Error)
    }
}

/// Translates a message.
#[must_use]
pub fn translate(message: &Message, header: &Header, dialect: &Dialect) -> Translation {
    let mut translator = Translator { message, dialect, out: Translation::default() };
    translator.subject();
    match header.message_type.as_str() {
        "ADT" => translator.admission(&header.trigger),
        "ORU" => translator.results(),
        "SIU" => translator.appointment(&header.trigger),
        "REF" | "ORM" | "OMG" => translator.orders(&header.message_type, &header.trigger),
        _ => {}
    }
    translator.out
}

struct Translator<'a> {
    message: &'a Message,
    dialect: &'a Dialect,
    out: Translation,
}

impl Translator<'_> {
    fn subject(&mut self) {
        let Some(pid) = self.message.segment("PID") else {
            self.nothing_to_tell_by(None);
            return;
        };
        let (identifiers, nhs_number) = self.identifiers_of(&pid, &self.dialect.identifier_paths.clone());
        let anything = self.dialect.identifier_paths.iter().any(|place| pid.whole(place).is_some());
        if !anything {
            self.nothing_to_tell_by(Some(pid.field(3)));
        }
        self.out.subject = Subject { identifiers, nhs_number, demographics: self.demographics(&pid) };
    }

    /// A message about a patient that names none: it may be about somebody known.
    fn nothing_to_tell_by(&mut self, value: Option<Value<'_>>) {
        if matches!(self.message.header().message_type.as_str(), "ADT" | "ORU" | "REF" | "ORM" | "OMG") {
            self.out.suspicious = true;
            self.block(value, Code::RequiredFieldMissing, "nothing tells whom the message is about");
        }
    }

    /// The local identifiers and the NHS number in the first place that has any we recognise.
    fn identifiers_of(&mut self, segment: &Segment<'_>, places: &Places) -> (Vec<Identifier>, Option<NhsNumberHeld>) {
        for place in places {
            let Some(field) = field_number(place) else { continue };
            let found = self.identifiers_in(segment.field(field));
            if !found.0.is_empty() || found.1.is_some() {
                return found;
            }
        }
        (Vec::new(), None)
    }

    fn identifiers_in(&mut self, field: Value<'_>) -> (Vec<Identifier>, Option<NhsNumberHeld>) {
        let mut identifiers = Vec::new();
        let mut nhs_number = None;
        for repetition in field.repetitions() {
            let (value, authority, kind) = (text(repetition.component(1)), text(repetition.component(4)), text(repetition.component(5)));
            if value.is_empty() {
                continue;
            }
            for recogniser in &self.dialect.identifiers {
                if recogniser.recognises(&authority, &kind) {
                    identifiers.push(Identifier { system: recogniser.system.clone(), value: value.to_string() });
                }
            }
            if self.dialect.nhs_number.as_ref().is_some_and(|nhs| nhs.recognises(&authority, &kind)) {
                match value.parse::<NhsNumber>() {
                    Ok(number) => nhs_number = Some(NhsNumberHeld { number, verified: self.is_verified() }),
                    Err(_) => self.warn(repetition, Code::DataTypeError, "not a valid NHS number"),
                }
            }
        }
        identifiers.sort();
        identifiers.dedup();
        (identifiers, nhs_number)
    }

    fn is_verified(&self) -> bool {
        let status = first(self.message, &self.dialect.nhs_status);
        status.is_some_and(|status| self.dialect.nhs_verified.iter().any(|known| *known == text(status)))
    }

    fn demographics(&mut self, pid: &Segment<'_>) -> Demographics {
        let names = pid.field(5);
        let current = names.repetitions().find(|name| matches!(text(name.component(7)).as_ref(), "" | "L" | "CURRENT" | "OFFICIAL"));
        let name = current.unwrap_or_else(|| names.repetition(1));
        let telephone = self.dialect.telephone.iter().find_map(|place| pid.get(place)).map(|value| text(value).into_owned());
        Demographics {
            family: self.said(name.component(1).subcomponent(1)),
            given: self.said(name.component(2)),
            birth_date: self.said_date(pid.field(7)),
            telephone: Said::from_option(telephone.filter(|number| !number.is_empty() && number != "\"\"")),
        }
    }

    fn said(&self, value: Value<'_>) -> Said<String> {
        if value.is_null() {
            return if self.dialect.quotes_are_empty { Said::Nothing } else { Said::Deleted };
        }
        Said::from_option(Some(text(value).into_owned()).filter(|text| !text.is_empty()))
    }

    fn said_date(&mut self, value: Value<'_>) -> Said<Date> {
        if value.is_null() {
            return if self.dialect.quotes_are_empty { Said::Nothing } else { Said::Deleted };
        }
        if value.is_empty() {
            return Said::Nothing;
        }
        let read = date_of(value);
        if read.is_none() {
            self.warn(value, Code::DataTypeError, "not a date");
        }
        Said::from_option(read)
    }

    fn admission(&mut self, trigger: &str) {
        self.note_retired(trigger);
        let clinic = &self.dialect.clinic;
        let visit = first(self.message, &self.dialect.visit).map(|value| text(value).into_owned());
        if clinic.attended.iter().any(|known| known == trigger) && self.is_at_clinic() {
            match self.occurred() {
                Some(on) => self.out.facts.push(Fact::ClinicAttended { on, visit: visit.clone() }),
                None => self.block(None, Code::RequiredFieldMissing, "an attendance without a date"),
            }
        }
        if clinic.attendance_cancelled.iter().any(|known| known == trigger)
            && let Some(visit) = visit
        {
            self.out.facts.push(Fact::AttendanceCancelled { visit });
        }
        self.diagnoses();
        self.death();
    }

    fn is_at_clinic(&self) -> bool {
        let found = |value: Value<'_>| self.dialect.clinic.locations.iter().any(|known| *known == text(value));
        self.dialect.location.iter().any(|place| self.message.get(place).is_some_and(found))
    }

    fn note_retired(&mut self, trigger: &str) {
        if !matches!(trigger, "A40" | "A18" | "A34" | "A39" | "A47") {
            return;
        }
        let mut merges = self.message.segments_named("MRG");
        let (first, second) = (merges.next(), merges.next());
        drop(merges);
        let Some(mrg) = first else {
            self.block(None, Code::SegmentSequenceError, "a merge without an MRG segment");
            return;
        };
        if second.is_some() {
            self.block(Some(mrg.field(1)), Code::NonConformantCardinality, "several merges in one message");
        }
        let (mut retired, _) = self.identifiers_in(mrg.field(1));
        if retired.is_empty() {
            retired = self.identifiers_in(mrg.field(4)).0;
        }
        retired.retain(|identifier| !self.out.subject.identifiers.contains(identifier));
        self.out.retired = Some(retired);
    }

    fn diagnoses(&mut self) {
        for segment in self.message.segments_named("DG1") {
            let code = text(segment.field(3).component(1)).into_owned();
            let code = if code.is_empty() { text(segment.field(2)).into_owned() } else { code };
            let words = text(segment.field(3).component(2)).into_owned();
            match self.signal_for("DG1", &code, None) {
                Some(Meaning::Confirmed(novelty)) => {
                    let on = date_of(segment.field(5)).or_else(|| self.occurred());
                    match on {
                        Some(on) => self.out.facts.push(Fact::HivConfirmed { evidence: Evidence::Coded, novelty, on, number: None }),
                        None => self.block(Some(segment.field(5)), Code::RequiredFieldMissing, "a diagnosis without a date"),
                    }
                }
                Some(Meaning::InCare | Meaning::Nothing) => {}
                None => self.watch(segment.field(3), &code, &words),
            }
        }
    }

    fn death(&mut self) {
        let Some(pid) = self.message.segment("PID") else { return };
        let (time, indicator) = (pid.field(29), text(pid.field(30)).to_uppercase());
        let on = date_of(time);
        if indicator == "Y" || (indicator != "N" && on.is_some()) {
            self.out.facts.push(Fact::PersonDied { on });
        }
    }

    /// Results: each OBX with the number and the times of its OBR.
    fn results(&mut self) {
        let mut order: Option<Segment<'_>> = None;
        for segment in self.message.segments() {
            match segment.name() {
                "OBR" => {
                    order = Some(segment);
                    self.watch_order(&segment);
                }
                "OBX" => self.result(&segment, order.as_ref()),
                _ => {}
            }
        }
        self.one_patient_only();
        self.death();
    }

    /// Two people in one message of results: nobody can be sure whose a result is.
    fn one_patient_only(&mut self) {
        let message = self.message;
        let others = message.segments_named("PID").skip(1).any(|pid| {
            let (identifiers, _) = self.identifiers_of(&pid, &self.dialect.identifier_paths.clone());
            !identifiers.is_empty() && identifiers != self.out.subject.identifiers
        });
        if others {
            self.block(None, Code::NonConformantCardinality, "results of more than one person in one message");
        }
    }

    fn watch_order(&mut self, order: &Segment<'_>) {
        let (code, words) = (text(order.field(4).component(1)).into_owned(), text(order.field(4).component(2)).into_owned());
        if self.signal_for("OBX", &code, None).is_none() && !self.dialect.order_codes.contains(&code) && !has_results(self.message) {
            self.watch(order.field(4), &code, &words);
        }
    }

    fn result(&mut self, obx: &Segment<'_>, order: Option<&Segment<'_>>) {
        let (code, words) = (text(obx.field(3).component(1)).into_owned(), text(obx.field(3).component(2)).into_owned());
        let value = obx.whole(VALUE_FIELD).map(|value| text(value).into_owned()).unwrap_or_default();
        let status = text(obx.field(11)).to_uppercase();
        let confirms = self.dialect.signals.iter().any(|signal| signal.confirms("OBX") && signal.has_code(&code));
        if confirms && matches!(status.as_str(), "C" | "W" | "X" | "D") {
            self.withdrawn(obx, order);
            return;
        }
        match self.signal_for("OBX", &code, Some(&value)) {
            Some(Meaning::Confirmed(novelty)) => self.confirmed(obx, order, novelty, &status),
            Some(Meaning::InCare) => {
                if let Some(on) = self.result_date(obx, order) {
                    self.out.facts.push(Fact::HivCareReported { on });
                }
            }
            Some(Meaning::Nothing) => {}
            None => self.watch(obx.field(3), &code, &words),
        }
    }

    fn confirmed(&mut self, obx: &Segment<'_>, order: Option<&Segment<'_>>, novelty: Novelty, status: &str) {
        match status {
            "F" | "U" => {}
            "" => {
                self.out.suspicious = true;
                self.block(Some(obx.field(11)), Code::RequiredFieldMissing, "a confirmed result without a result status");
                return;
            }
            // Preliminary, pending, partial: not a result yet.
            _ => return,
        }
        let number = self.result_number(order);
        match self.result_date(obx, order) {
            Some(on) => self.out.facts.push(Fact::HivConfirmed { evidence: Evidence::Result, novelty, on, number }),
            None => {
                self.out.suspicious = true;
                self.block(Some(obx.field(14)), Code::RequiredFieldMissing, "a confirmed result without a date");
            }
        }
    }

    fn withdrawn(&mut self, obx: &Segment<'_>, order: Option<&Segment<'_>>) {
        self.out.suspicious = true;
        match self.result_number(order) {
            Some(number) => self.out.facts.push(Fact::ResultWithdrawn { number }),
            None => self.block(Some(obx.field(11)), Code::RequiredFieldMissing, "a withdrawn result without its number"),
        }
    }

    fn result_number(&self, order: Option<&Segment<'_>>) -> Option<String> {
        let order = order?;
        let found = self.dialect.result_number.iter().find_map(|place| order.get(place));
        found.map(|value| text(value).into_owned()).filter(|number| !number.is_empty())
    }

    fn result_date(&self, obx: &Segment<'_>, order: Option<&Segment<'_>>) -> Option<Date> {
        date_of(obx.field(14))
            .or_else(|| order.and_then(|order| date_of(order.field(7)).or_else(|| date_of(order.field(22)))))
            .or_else(|| self.occurred())
    }

    fn appointment(&mut self, trigger: &str) {
        if self.dialect.clinic.missed.iter().any(|known| known == trigger)
            && self.is_at_clinic()
            && let Some(on) = self.occurred()
        {
            self.out.facts.push(Fact::AppointmentMissed { on });
        }
        self.death();
    }

    fn orders(&mut self, kind: &str, trigger: &str) {
        let code = first(self.message, &self.dialect.order_code_paths).map(|value| text(value).into_owned());
        let ours = code.is_some_and(|code| self.dialect.order_codes.contains(&code));
        if ours {
            self.our_order(kind, trigger);
        }
        if kind == "REF" {
            self.diagnoses();
        }
        self.death();
    }

    fn our_order(&mut self, kind: &str, trigger: &str) {
        let number = first(self.message, &self.dialect.order_number).map(|value| text(value).into_owned());
        let control = self.message.get("ORC-1").map(|value| text(value).to_uppercase());
        let cancels = matches!((kind, trigger), ("REF", "I14")) || matches!(control.as_deref(), Some("CA" | "OC" | "DC" | "CR"));
        let orders =
            matches!((kind, trigger), ("REF", "I12" | "I13")) || (kind != "REF" && matches!(control.as_deref(), Some("NW" | "XO")));
        if cancels {
            match number {
                Some(number) => self.out.facts.push(Fact::ReferralOrderCancelled { number }),
                None => self.block(None, Code::RequiredFieldMissing, "a cancelled order without its number"),
            }
        } else if orders {
            match self.occurred() {
                Some(on) => {
                    self.out.order = number.as_ref().and_then(|number| self.order_seen(kind, number));
                    self.out.facts.push(Fact::ReferralOrdered { on, number });
                }
                None => self.block(None, Code::RequiredFieldMissing, "an order without a date"),
            }
        }
    }

    /// The order as its sender is answered: nothing, where the patient has no number of the sender's own.
    fn order_seen(&self, kind: &str, number: &str) -> Option<OrderSeen> {
        let identifier = self.out.subject.identifiers.first()?.clone();
        let pid = self.message.segment("PID")?;
        let fields = self.dialect.identifier_paths.iter().filter_map(field_number).map(|field| pid.field(field));
        let mut held = fields.flat_map(|field| field.repetitions().collect::<Vec<_>>());
        let ours = held.find(|held| text(held.component(1)) == identifier.value)?;
        let authority = (text(ours.component(4)).into_owned(), text(ours.component(5)).into_owned());
        let code = first(self.message, &self.dialect.order_code_paths).map(|value| text(value).into_owned()).unwrap_or_default();
        Some(OrderSeen { number: number.to_owned(), kind: kind.to_owned(), code, identifier, authority })
    }

    /// What the first signal that fits says of a code and, for results, a value.
    fn signal_for(&self, segment: &str, code: &str, value: Option<&str>) -> Option<Meaning> {
        let fits =
            |signal: &&Signal| signal.segment == segment && signal.has_code(code) && value.is_none_or(|value| signal.has_value(value));
        let signal = self.dialect.signals.iter().find(fits)?;
        Some(if self.is_too_young(signal) { Meaning::Nothing } else { signal.meaning })
    }

    /// An infant carries its mother's antibodies: such a result says nothing of the infant.
    fn is_too_young(&self, signal: &Signal) -> bool {
        let (Some(months), Said::Value(born), Some(on)) =
            (signal.age_months_min, self.out.subject.demographics.birth_date, self.occurred())
        else {
            return false;
        };
        born <= on && !alongside_domain::calendar::is_gap_of_months(born, on, months)
    }

    /// A code that nobody knows, with a word to watch for: a person must look.
    fn watch(&mut self, value: Value<'_>, code: &str, words: &str) {
        let (code, words) = (code.to_uppercase(), words.to_uppercase());
        if self.dialect.watch.words.iter().any(|word| code.contains(word) || words.contains(word)) {
            self.out.suspicious = true;
            self.block(Some(value), Code::TableValueNotFound, "a code that the profile does not know, with a word that it watches for");
        }
    }

    fn occurred(&self) -> Option<Date> {
        self.dialect.occurred.iter().filter_map(|place| self.message.get(place)).find_map(date_of)
    }

    fn warn(&mut self, value: Value<'_>, code: Code, what: &'static str) {
        self.out.problems.push(Problem::new(code, Severity::Warning, what).at(value.location()));
    }

    fn block(&mut self, value: Option<Value<'_>>, code: Code, what: &'static str) {
        let problem = Problem::new(code, Severity::Error, what);
        self.out.problems.push(match value {
            Some(value) => problem.at(value.location()),
            None => problem,
        });
    }
}

/// OBX-5 whole: repetitions and components belong to one value there.
const VALUE_FIELD: &str = "OBX-5";

fn has_results(message: &Message) -> bool {
    message.segment("OBX").is_some()
}

fn text(value: Value<'_>) -> Cow<'_, str> {
    match value.leaf().text() {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn first<'m>(message: &'m Message, places: &Places) -> Option<Value<'m>> {
    places.iter().find_map(|place| message.get(place))
}

/// The field of a path such as `PID-3`.
fn field_number(path: &alongside_hl7v2::Path) -> Option<usize> {
    path.to_string().split(['-', '[', '.']).nth(1)?.parse().ok()
}

fn date_of(value: Value<'_>) -> Option<Date> {
    let time = Hl7Time::parse(&text(value)).ok()?;
    let (year, month, day) = (i16::try_from(time.year).ok()?, i8::try_from(time.month?).ok()?, i8::try_from(time.day?).ok()?);
    Date::new(year, month, day).ok()
}
