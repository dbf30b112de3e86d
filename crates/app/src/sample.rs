//! A sample of a hospital's messages, looked at before a feed is set up: which profile fits, which identifiers, codes and
//! events are there, what the rules would miss, and what would become of each message. Nothing is kept.
//!
//! **No content.** Only what looks like a code and stands in messages about several people is told by its text; of
//! everything else there are counts. Where fields have slipped, a name stands where a code should be, and it stands there
//! for one person.

mod telling;

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::fact::Fact;
use alongside_domain::person::Identifier;
use alongside_hl7v2::{Header, Message, Options, Problem, Severity, Value};

use crate::Invalid;
use crate::intake::keep_serious;
use crate::profile::{self, Dialect, Profile, Reading};
use crate::translate::{Translation, translate};

pub use self::telling::to_text;

/// About how many people messages must be that have a code, before it is told by its text.
const PEOPLE_MIN: usize = 3;
/// The longest text that is told.
const CODE_CHARACTERS_MAX: usize = 24;
/// The key of the site for which profiles are bound here: there is none yet.
const SITE: &str = "sample";

/// How often something occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<String, u64>,
    people: BTreeMap<String, BTreeSet<String>>,
}

impl Tally {
    fn add(&mut self, text: &str, person: &str) {
        if text.is_empty() {
            return;
        }
        *self.counts.entry(text.to_owned()).or_default() += 1;
        let people = self.people.entry(text.to_owned()).or_default();
        if people.len() < PEOPLE_MIN && !person.is_empty() {
            people.insert(person.to_owned());
        }
    }

    /// What may be told by its text, the most frequent first; and how many occurrences may not.
    #[must_use]
    pub fn told(&self) -> (Vec<(&str, u64)>, u64) {
        let mut told = Vec::new();
        let mut untold = 0;
        for (text, count) in &self.counts {
            let people = self.people.get(text).map_or(0, BTreeSet::len);
            if people >= PEOPLE_MIN && looks_like_a_code(text) { told.push((text.as_str(), *count)) } else { untold += count }
        }
        told.sort_by_key(|(text, count)| (std::cmp::Reverse(*count), *text));
        (told, untold)
    }

    fn has(&self, text: &str) -> bool {
        self.counts.contains_key(text)
    }

    fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// A code is short, one word or two, and not a long number, as people's are.
fn looks_like_a_code(text: &str) -> bool {
    let plain = text.chars().all(|one| one.is_ascii_alphanumeric() || " -_./:^+".contains(one));
    let digits = text.chars().filter(char::is_ascii_digit).count();
    plain && text.len() <= CODE_CHARACTERS_MAX && digits < 10
}

/// What stands in a sample, whatever it means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Messages that could be read.
    pub messages: u64,
    /// Messages that could not, by what is wrong.
    pub unreadable: BTreeMap<&'static str, u64>,
    /// MSH-12.
    pub versions: Tally,
    /// MSH-11.
    pub processing: Tally,
    /// Character sets, as the messages were read.
    pub charsets: Tally,
    /// MSH-9, type and event.
    pub events: Tally,
    /// Authority and type of identifiers in PID-3, as `authority^type`.
    pub identifiers: Tally,
    /// PV1-3, first component.
    pub locations: Tally,
    /// OBX-3, first component.
    pub results: Tally,
    /// DG1-3 to the point: `B20` of `B20.1`.
    pub diagnoses: Tally,
    /// OBR-4 of orders and RF1-10 of referrals, first component.
    pub orders: Tally,
}

/// What would become of a sample, if a profile read it and nobody were known before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fit {
    /// Name of the profile.
    pub profile: String,
    /// ODS codes for which it was bound.
    pub organisations: Vec<String>,
    /// Messages that name a patient with a local identifier that it recognises.
    pub recognised: u64,
    /// Messages that name a patient.
    pub patients: u64,
    /// Messages with an NHS number.
    pub nhs_numbers: u64,
    /// Of them, verified.
    pub nhs_verified: u64,
    /// Messages that would be applied: they show somebody the service is for, or are about somebody whom one has shown.
    pub applied: u64,
    /// Messages that would leave a count and nothing else.
    pub discarded: u64,
    /// Messages that would be set aside.
    pub set_aside: u64,
    /// Why they would, by location and what is wrong, with the number of messages.
    pub reasons: BTreeMap<(String, &'static str), u64>,
    /// What the messages say, by kind of fact.
    pub facts: BTreeMap<&'static str, u64>,
    /// What the rules would miss.
    pub missing: Vec<String>,
}

/// A sample that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// What stands in it.
    pub contents: Contents,
    /// Each profile of messages, the best first.
    pub fits: Vec<Fit>,
}

/// Looks at a sample.
///
/// `profiles` are names and texts, beside those that come with the program; `organisations` the ODS codes of the sender, and
/// where none are given, those that its identifiers suggest.
///
/// # Errors
/// Every problem of a profile, with its place.
pub fn look(messages: &[&[u8]], profiles: &[(String, String)], organisations: &[String]) -> Result<Findings, Vec<Invalid>> {
    let contents = contents(messages);
    let built_in = profile::BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    // One of a built-in name replaces it.
    let all: BTreeMap<String, String> = built_in.chain(profiles.iter().cloned()).collect();
    let mut fits = Vec::new();
    for (name, text) in &all {
        let mut organisations = organisations.to_vec();
        if organisations.is_empty() {
            organisations = profile::organisations_in(text, contents.identifiers.counts.keys().map(String::as_str));
        }
        let bound = profile::bind(text, SITE, &organisations).map_err(|problems| of_profile(name, problems))?;
        if let Profile { reading: Reading::Messages(dialect), .. } = bound {
            fits.push(fit(name, organisations, &dialect, messages, &contents));
        }
    }
    fits.sort_by_key(|fit| std::cmp::Reverse((fit.recognised, fit.applied, fit.nhs_numbers)));
    Ok(Findings { contents, fits })
}

fn of_profile(name: &str, problems: Vec<Invalid>) -> Vec<Invalid> {
    problems.into_iter().map(|problem| Invalid::new(format!("profile {name}, {}", problem.place), problem.what)).collect()
}

fn contents(messages: &[&[u8]]) -> Contents {
    let mut contents = Contents::default();
    for bytes in messages {
        match Message::parse(bytes, &Options::default()) {
            Ok(message) => contents.add(&message),
            Err(problem) => *contents.unreadable.entry(problem.what).or_default() += 1,
        }
    }
    contents
}

impl Contents {
    fn add(&mut self, message: &Message) {
        self.messages += 1;
        let header = message.header();
        let person = message.get("PID-3.1").map(|value| value.text().into_owned()).unwrap_or_default();
        let add = |tally: &mut Tally, text: &str| tally.add(text.trim(), &person);
        add(&mut self.versions, &header.version);
        add(&mut self.processing, &header.processing_id);
        add(&mut self.charsets, message.charset().name());
        add(&mut self.events, &event(&header));
        for pid in message.segments_named("PID").take(1) {
            for one in pid.field(3).repetitions().filter(|one| !one.component(1).is_empty()) {
                add(&mut self.identifiers, &format!("{}^{}", one.component(4).leaf().text().trim(), one.component(5).leaf().text().trim()));
            }
        }
        let orders = matches!(header.message_type.as_str(), "ORM" | "OMG" | "REF");
        for segment in message.segments() {
            match segment.name() {
                "PV1" => add(&mut self.locations, &first(segment.field(3))),
                "OBX" => add(&mut self.results, &first(segment.field(3))),
                "OBR" if orders => add(&mut self.orders, &first(segment.field(4))),
                "RF1" => add(&mut self.orders, &first(segment.field(10))),
                "DG1" => add(&mut self.diagnoses, first(segment.field(3)).split('.').next().unwrap_or_default()),
                _ => {}
            }
        }
    }
}

fn first(field: Value<'_>) -> String {
    field.component(1).leaf().text().trim().to_owned()
}

fn event(header: &Header) -> String {
    if header.trigger.is_empty() { header.message_type.clone() } else { format!("{}^{}", header.message_type, header.trigger) }
}

fn fit(name: &str, organisations: Vec<String>, dialect: &Dialect, messages: &[&[u8]], contents: &Contents) -> Fit {
    let options = Options { charset: dialect.charset, quotes_are_empty: dialect.quotes_are_empty };
    let mut known = BTreeSet::new();
    let mut fit = Fit { profile: name.to_owned(), organisations, ..Fit::default() };
    let mut clinic = Clinic::default();
    for bytes in messages {
        match Message::parse(bytes, &options) {
            Ok(message) => {
                let mut translation = translate(&message, &message.header(), dialect);
                keep_serious(&message, &mut translation);
                clinic.look(&message, dialect);
                fit.add(&message, &translation, &mut known);
            }
            Err(problem) => fit.sets_aside(&[problem]),
        }
    }
    fit.missing = missing(&fit, &clinic, dialect, contents);
    fit
}

impl Fit {
    fn add(&mut self, message: &Message, translation: &Translation, known: &mut BTreeSet<Identifier>) {
        let subject = &translation.subject;
        self.patients += u64::from(message.segment("PID").is_some());
        self.recognised += u64::from(!subject.identifiers.is_empty());
        self.nhs_numbers += u64::from(subject.nhs_number.is_some());
        self.nhs_verified += u64::from(subject.nhs_number.is_some_and(|held| held.verified));
        for fact in &translation.facts {
            *self.facts.entry(words_of(fact)).or_default() += 1;
        }
        let concerns = translation.has_signal() || subject.identifiers.iter().any(|identifier| known.contains(identifier));
        if !concerns && !translation.suspicious {
            self.discarded += 1;
        } else if translation.is_blocked() {
            self.sets_aside(&translation.problems);
        } else if translation.has_signal() && subject.identifiers.is_empty() {
            self.set_aside += 1;
            *self.reasons.entry(("PID-3".into(), "no identifier that the profile recognises")).or_default() += 1;
        } else {
            self.applied += 1;
            known.extend(subject.identifiers.iter().cloned());
        }
    }

    fn sets_aside(&mut self, problems: &[Problem]) {
        self.set_aside += 1;
        let serious = problems.iter().filter(|problem| problem.severity >= Severity::Error);
        for (place, what) in serious.map(|problem| (place_of(problem), problem.what)).collect::<BTreeSet<_>>() {
            *self.reasons.entry((place, what)).or_default() += 1;
        }
    }
}

/// The place without the number of the segment or repetition: one reason for all that are alike.
fn place_of(problem: &Problem) -> String {
    let Some(mut location) = problem.location else { return String::new() };
    (location.occurrence, location.repetition) = (1, location.repetition.min(1));
    location.to_string()
}

const fn words_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::HivConfirmed { .. } => "confirmed diagnoses",
        Fact::ResultWithdrawn { .. } => "withdrawn results",
        Fact::ClinicAttended { .. } => "attendances at the clinic",
        Fact::LastAttended { .. } => "last attendances",
        Fact::AttendanceCancelled { .. } => "cancelled attendances",
        Fact::AppointmentMissed { .. } => "missed appointments",
        Fact::HivCareReported { .. } => "results of somebody in care",
        Fact::ReferralOrdered { .. } => "referrals ordered",
        Fact::ReferralOrderCancelled { .. } => "referral orders cancelled",
        Fact::PersonDied { .. } => "deaths",
        Fact::DemographicsStated => "demographics",
    }
}

/// What of the clinic is in a sample.
#[derive(Default)]
struct Clinic {
    /// Messages of an event that means an attendance, wherever.
    arrivals: u64,
    /// Results under a code that confirms, in whatever words.
    confirming: u64,
}

impl Clinic {
    fn look(&mut self, message: &Message, dialect: &Dialect) {
        let header = message.header();
        let arrives = header.message_type == "ADT" && dialect.clinic.attended.contains(&header.trigger);
        self.arrivals += u64::from(arrives);
        let confirms = |code: &str| dialect.signals.iter().any(|signal| signal.confirms("OBX") && signal.has_code(code));
        self.confirming += message.segments_named("OBX").filter(|obx| confirms(&first(obx.field(3)))).count() as u64;
    }
}

/// What the rules need and the sample does not give, in sentences.
fn missing(fit: &Fit, clinic: &Clinic, dialect: &Dialect, contents: &Contents) -> Vec<String> {
    let mut missing = Vec::new();
    let mut say = |is_missing: bool, sentence: String| {
        if is_missing {
            missing.push(sentence)
        }
    };
    let fact = |words: &str| fit.facts.get(words).copied().unwrap_or(0);
    let without = fit.patients - fit.recognised.min(fit.patients);
    say(
        without > 0,
        format!("{without} of {} messages about a patient have no local identifier that the profile recognises", fit.patients),
    );
    say(fit.nhs_numbers == 0, "no message has an NHS number that the profile recognises: people cannot be matched across numbers".into());
    let unverified = fit.nhs_numbers > 0 && fit.nhs_verified == 0;
    say(unverified, "no NHS number is verified: either none was traced, or its status stands elsewhere, or is written otherwise".into());
    say(clinic.arrivals == 0, format!("no attendance: none of the events {}", listed(&dialect.clinic.attended)));
    let elsewhere = clinic.arrivals > 0 && fact("attendances at the clinic") == 0;
    say(elsewhere, format!("no attendance at the clinic: {} arrivals, none at {}", clinic.arrivals, listed(&dialect.clinic.locations)));
    say(
        clinic.confirming == 0,
        "no result under a code that confirms a diagnosis: nobody newly diagnosed would be found by results".into(),
    );
    let in_other_words = clinic.confirming > 0 && fact("confirmed diagnoses") == 0;
    say(
        in_other_words,
        format!("{} results under a code that confirms, none in words that the profile takes for confirmed", clinic.confirming),
    );
    let events = ["ADT^A40", "ADT^A34", "ADT^A18"];
    say(!events.iter().any(|event| contents.events.has(event)), "no merge (A40): two records of one person would stay two".into());
    let ordered = fact("referrals ordered") > 0;
    say(!ordered, format!("no order under the code {}: referrals from the record would not come", listed(&dialect.order_codes)));
    missing
}

fn listed(codes: &[String]) -> String {
    if codes.is_empty() { "(none configured)".into() } else { codes.join(", ") }
}

#[cfg(test)]
mod tests;
