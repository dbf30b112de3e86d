//! Intake: what came in is applied, set aside, or leaves nothing behind but a count.
//!
//! | fate | when | what is kept |
//! | --- | --- | --- |
//! | applied | it concerns somebody known, or shows somebody the service is for | the new state and one line about the message, committed before the answer |
//! | quarantined | it may matter and was not understood | its text, for a limited time, with its problems |
//! | duplicate | it came before | nothing new |
//! | discarded | it concerns nobody of ours | a counter for feed, hour and type |

pub(crate) mod lists;

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use alongside_domain::decision::{Actor, Cause, Context};
use alongside_domain::fact::{Fact, Subject};
use alongside_domain::id::{MessageId, PersonId};
use alongside_domain::person::{Identifier, Person, SiteId};
use alongside_domain::record::Record;
use alongside_domain::rules::{facts, merging};
use alongside_hl7v2::ack::{self, Acknowledgement, Outcome};
use alongside_hl7v2::{Code, Header, Message, Options, Problem, Severity};
use alongside_store::messages::{self, Bucket, Kept, Key};
use alongside_store::{Store, Tx, care, merges, people, standing};
use jiff::{Span, Timestamp};
use sha2::{Digest, Sha256};

pub use self::lists::{ListSummary, Preview};

use crate::profile::{Dialect, Reading};
use crate::setup::Feed;
use crate::translate::{Translation, translate};
use crate::{App, Failure, hour_of, london_date};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// Its facts were applied.
    Applied,
    /// Set aside for a person.
    Quarantined,
    /// It came before.
    Duplicate,
    /// It concerns nobody of ours.
    Discarded,
    /// It could not be taken: the sender must send it again, or it is not for us.
    Refused,
}

impl Fate {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Applied, Self::Quarantined, Self::Duplicate, Self::Discarded, Self::Refused];

    /// The word in counters and summaries.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Quarantined => "quarantined",
            Self::Duplicate => "duplicate",
            Self::Discarded => "discarded",
            Self::Refused => "refused",
        }
    }
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The acknowledgement to send; `None` when the sender asked for none.
    pub acknowledgement: Option<Vec<u8>>,
    /// What became of it.
    pub fate: Fate,
}

/// Counts of messages that were not written yet: [`App::flush`] writes them.
#[derive(Debug, Default)]
pub struct Counters {
    buckets: Mutex<HashMap<Bucket, u64>>,
    heard: Mutex<HashMap<String, Timestamp>>,
    totals: Mutex<BTreeMap<(String, Fate), u64>>,
    answers: AtomicU64,
}

impl App {
    /// Takes one message of a feed. Whatever matters is committed when this returns.
    #[must_use]
    pub fn receive(&self, feed: &Feed, bytes: &[u8]) -> Answered {
        let Reading::Messages(dialect) = &feed.profile.reading else {
            return self.answer(&Header::scan(bytes), None, Outcome::Rejected, Fate::Refused, &[]);
        };
        let options = Options { charset: dialect.charset, quotes_are_empty: dialect.quotes_are_empty };
        match Message::parse(bytes, &options) {
            Ok(message) => self.receive_message(feed, dialect, &message, bytes),
            Err(problem) => self.receive_unreadable(feed, dialect, bytes, problem),
        }
    }

    /// Answers a message that was too large to be read: nothing of it is kept.
    #[must_use]
    pub fn refuse_too_large(&self, feed: &Feed, head: &[u8]) -> Answered {
        let header = Header::scan(head);
        self.count(feed, &kind_of(&header), Fate::Refused);
        let problem = Problem::new(Code::ValueTooLong, Severity::Fatal, "the message is larger than this feed may send");
        self.answer(&header, None, Outcome::Rejected, Fate::Refused, &[problem])
    }

    fn receive_message(&self, feed: &Feed, dialect: &Dialect, message: &Message, bytes: &[u8]) -> Answered {
        let header = message.header();
        let kind = kind_of(&header);
        if ack::is_acknowledgement(message) {
            // An acknowledgement is never acknowledged: two systems would answer each other for ever.
            self.count(feed, &kind, Fate::Discarded);
            return Answered { acknowledgement: None, fate: Fate::Discarded };
        }
        if !header.processing_id.is_empty() && !feed.processing.contains(&header.processing_id) {
            self.count(feed, &kind, Fate::Refused);
            let problem = Problem::new(Code::UnsupportedProcessingId, Severity::Error, "this feed takes no messages of this processing id");
            return self.answer(&header, Some(dialect), Outcome::Rejected, Fate::Refused, &[problem]);
        }
        let mut translation = translate(message, &header, dialect);
        keep_serious(message, &mut translation);
        match self.take(feed, &header, &translation, bytes) {
            Ok(fate) => {
                self.count(feed, &kind, fate);
                self.answer(&header, Some(dialect), Outcome::Accepted, fate, &[])
            }
            Err(failure) => self.answer_failure(feed, &header, dialect, &failure),
        }
    }

    fn receive_unreadable(&self, feed: &Feed, dialect: &Dialect, bytes: &[u8], problem: Problem) -> Answered {
        let header = Header::scan(bytes);
        let translation = Translation { problems: vec![problem], suspicious: true, ..Translation::default() };
        match self.set_aside(feed, &header, &translation, bytes) {
            Ok(fate) => {
                self.count(feed, &kind_of(&header), fate);
                self.answer(&header, Some(dialect), Outcome::Accepted, fate, &[])
            }
            Err(failure) => self.answer_failure(feed, &header, dialect, &failure),
        }
    }

    fn answer_failure(&self, feed: &Feed, header: &Header, dialect: &Dialect, failure: &Failure) -> Answered {
        self.count(feed, &kind_of(header), Fate::Refused);
        // What passes is rejected: a sender keeps it and tries again. An error would have it put aside and go on, and a
        // full disk would cost whoever the messages were about.
        let passes = matches!(failure, Failure::Busy | Failure::Unavailable(_));
        let outcome = if passes { Outcome::Rejected } else { Outcome::Error };
        let problem = Problem::new(Code::ApplicationError, Severity::Error, "the message could not be kept; send it again");
        self.answer(header, Some(dialect), outcome, Fate::Refused, &[problem])
    }

    /// Decides what becomes of a translated message, and keeps what matters.
    fn take(&self, feed: &Feed, header: &Header, translation: &Translation, bytes: &[u8]) -> Result<Fate, Failure> {
        let wanted = translation.has_signal() || translation.suspicious;
        if !wanted && !self.concerns_somebody_known(feed, translation)? {
            return Ok(Fate::Discarded);
        }
        if translation.is_blocked() {
            return self.set_aside(feed, header, translation, bytes);
        }
        self.apply(feed, header, translation, bytes)
    }

    fn concerns_somebody_known(&self, feed: &Feed, translation: &Translation) -> Result<bool, Failure> {
        self.store.read(|tx| concerns_somebody(tx, feed, translation))
    }

    fn set_aside(&self, feed: &Feed, header: &Header, translation: &Translation, bytes: &[u8]) -> Result<Fate, Failure> {
        let now = self.world.now();
        let until = now.checked_add(Span::new().hours(24 * i64::from(self.setup.server.quarantine_days))).unwrap_or(Timestamp::MAX);
        let mut kept = self.kept(feed, header, bytes, MessageId::new(&mut *self.world.ids()));
        kept.set_aside = Some((bytes.to_vec(), until));
        kept.problems = translation.problems.iter().map(written).collect();
        self.store.write(move |tx| {
            if messages::find(tx, &kept.key)?.is_some() {
                return Ok(Fate::Duplicate);
            }
            messages::add(tx, &kept)?;
            Ok(Fate::Quarantined)
        })
    }

    fn apply(&self, feed: &Feed, header: &Header, translation: &Translation, bytes: &[u8]) -> Result<Fate, Failure> {
        let (app, feed, header, bytes) = (self.clone(), feed.clone(), header.clone(), bytes.to_vec());
        let translation = translation.clone();
        let applied = {
            let (app, feed, header, bytes, translation) = (app.clone(), feed.clone(), header.clone(), bytes.clone(), translation.clone());
            self.store.write(move |tx| {
                let mut ids = app.world.ids();
                let kept = app.kept(&feed, &header, &bytes, MessageId::new(&mut *ids));
                if messages::find(tx, &kept.key)?.is_some() {
                    return Ok(Applied::Fate(Fate::Duplicate));
                }
                let mut ctx = app.context(&mut *ids, Actor::Feed(feed.key.clone()), Cause::Message(kept.id));
                let applied = apply_to_people(&app, tx, &feed.site, &translation, &mut ctx)?;
                if applied == Applied::Fate(Fate::Applied) {
                    messages::add(tx, &kept)?;
                    app.note_order(tx, &feed, &header, &translation, ctx.at)?;
                }
                Ok::<_, Failure>(applied)
            })?
        };
        match applied {
            Applied::Fate(fate) => Ok(fate),
            Applied::Ask(problem) => {
                let mut translation = translation;
                translation.problems.push(problem);
                app.set_aside(&feed, &header, &translation, &bytes)
            }
        }
    }

    fn kept(&self, feed: &Feed, header: &Header, bytes: &[u8], id: MessageId) -> Kept {
        Kept {
            id,
            key: Key {
                feed: feed.key.clone(),
                sender: format!("{}|{}", header.sending_application, header.sending_facility),
                control_id: header.control_id_trimmed().to_owned(),
                digest: digest(bytes),
            },
            received_at: self.world.now(),
            kind: kind_of(header),
            answer: "AA".to_owned(),
            set_aside: None,
            problems: Vec::new(),
        }
    }

    fn answer(&self, header: &Header, dialect: Option<&Dialect>, outcome: Outcome, fate: Fate, problems: &[Problem]) -> Answered {
        let mode = dialect.map_or(ack::AckMode::AlwaysOriginal, |dialect| dialect.ack_mode);
        let acknowledgement = ack::choose(header, outcome, mode).map(|code| {
            let now = self.world.now();
            let number = self.counters.answers.fetch_add(1, Ordering::Relaxed);
            let control_id = format!("AL{:X}{number:X}", now.as_microsecond().unsigned_abs());
            let time = crate::london_time(now).strftime("%Y%m%d%H%M%S").to_string();
            Acknowledgement::new(code, &control_id, &time).with_problems(problems).build(header)
        });
        Answered { acknowledgement, fate }
    }

    fn count(&self, feed: &Feed, kind: &str, fate: Fate) {
        let now = self.world.now();
        let bucket = Bucket { feed: feed.key.clone(), hour: hour_of(now), kind: known_kind(kind), fate: fate.code() };
        if let Ok(mut buckets) = self.counters.buckets.lock() {
            *buckets.entry(bucket).or_default() += 1;
        }
        if let Ok(mut heard) = self.counters.heard.lock() {
            heard.insert(feed.key.clone(), now);
        }
        if let Ok(mut totals) = self.counters.totals.lock() {
            *totals.entry((feed.key.clone(), fate)).or_default() += 1;
        }
    }

    /// The messages of a feed that this program has received, by what became of them: every fate stands there.
    pub(crate) fn messages_since_start(&self, feed: &Feed) -> BTreeMap<Fate, u64> {
        let totals = self.counters.totals.lock().map(|totals| totals.clone()).unwrap_or_default();
        Fate::ALL.iter().map(|fate| (*fate, totals.get(&(feed.key.clone(), *fate)).copied().unwrap_or(0))).collect()
    }

    /// Writes the counters. Called every second by the program and at its end; a crash loses at most the last second's
    /// counts of messages that concern nobody, never a message.
    ///
    /// # Errors
    /// The store's; the counts are kept for the next time then.
    pub fn flush(&self) -> Result<(), Failure> {
        let counts = self.counters.buckets.lock().map(|mut buckets| std::mem::take(&mut *buckets)).unwrap_or_default();
        let heard = self.counters.heard.lock().map(|mut heard| std::mem::take(&mut *heard)).unwrap_or_default();
        if counts.is_empty() && heard.is_empty() {
            return Ok(());
        }
        let (kept, kept_heard) = (counts.clone(), heard.clone());
        let written = self.store.write(move |tx| {
            for (bucket, messages) in &counts {
                messages::count(tx, bucket, *messages)?;
            }
            for (feed, at) in &heard {
                messages::heard(tx, feed, *at)?;
            }
            Ok::<_, Failure>(())
        });
        if written.is_err() {
            self.put_back(kept, kept_heard);
        }
        written
    }

    fn put_back(&self, counts: HashMap<Bucket, u64>, heard: HashMap<String, Timestamp>) {
        if let Ok(mut buckets) = self.counters.buckets.lock() {
            for (bucket, messages) in counts {
                *buckets.entry(bucket).or_default() += messages;
            }
        }
        if let Ok(mut last) = self.counters.heard.lock() {
            for (feed, at) in heard {
                last.entry(feed).or_insert(at);
            }
        }
    }

    /// Tries the messages of a feed that are set aside again, oldest first, after its profile was mended. Tells how
    /// many were applied, turned out to concern nobody, and are still set aside.
    ///
    /// # Errors
    /// The store's.
    pub fn replay(&self, feed: &Feed) -> Result<Replayed, Failure> {
        let waiting = self.store.read(|tx| messages::set_aside(tx, &feed.key))?;
        let mut replayed = Replayed::default();
        for line in waiting {
            match self.replay_one(feed, line.id)? {
                Fate::Applied => replayed.applied += 1,
                Fate::Discarded | Fate::Duplicate => replayed.discarded += 1,
                Fate::Quarantined | Fate::Refused => replayed.still_set_aside += 1,
            }
        }
        Ok(replayed)
    }

    fn replay_one(&self, feed: &Feed, id: MessageId) -> Result<Fate, Failure> {
        let (app, feed) = (self.clone(), feed.clone());
        self.store.write(move |tx| app.replay_in(tx, &feed, id))
    }

    /// Reads a message that is set aside again, in this transaction: applied, of nobody's concern, or still set aside with
    /// the problems that it has now. A message that is not set aside any more is left alone, and told to be a duplicate.
    pub(crate) fn replay_in(&self, tx: &mut Tx<'_>, feed: &Feed, id: MessageId) -> Result<Fate, Failure> {
        let Reading::Messages(dialect) = &feed.profile.reading else { return Ok(Fate::Refused) };
        let Some(bytes) = messages::raw(tx, id)? else { return Ok(Fate::Duplicate) };
        let options = Options { charset: dialect.charset, quotes_are_empty: dialect.quotes_are_empty };
        let message = match Message::parse(&bytes, &options) {
            Ok(message) => message,
            Err(problem) => return still_set_aside(tx, id, &[problem]),
        };
        let header = message.header();
        let mut translation = translate(&message, &header, dialect);
        keep_serious(&message, &mut translation);
        if translation.is_blocked() {
            return still_set_aside(tx, id, &translation.problems);
        }
        let concerns = translation.has_signal() || concerns_somebody(tx, feed, &translation)?;
        if concerns {
            let mut ids = self.world.ids();
            let mut ctx = self.context(&mut *ids, Actor::Feed(feed.key.clone()), Cause::Message(id));
            if let Applied::Ask(problem) = apply_to_people(self, tx, &feed.site, &translation, &mut ctx)? {
                translation.problems.push(problem);
                return still_set_aside(tx, id, &translation.problems);
            }
            self.note_order(tx, feed, &header, &translation, ctx.at)?;
        }
        messages::mark_replayed(tx, id)?;
        Ok(if concerns { Fate::Applied } else { Fate::Discarded })
    }
}

fn still_set_aside(tx: &mut Tx<'_>, id: MessageId, problems: &[Problem]) -> Result<Fate, Failure> {
    let problems: Vec<_> = problems.iter().map(written).collect();
    messages::replace_problems(tx, id, &problems)?;
    Ok(Fate::Quarantined)
}

/// What came of replaying a feed's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Applied now.
    pub applied: u64,
    /// Understood now, and of nobody's concern.
    pub discarded: u64,
    /// Not understood yet.
    pub still_set_aside: u64,
}

/// What came of applying facts: a fate, or a problem that only a person can solve.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Applied {
    Fate(Fate),
    Ask(Problem),
}

/// Problems of reading that may hide a segment count as problems of the message.
pub(crate) fn keep_serious(message: &Message, translation: &mut Translation) {
    translation.problems.extend(message.problems().iter().filter(|problem| problem.severity >= Severity::Error).cloned());
}

/// Whether a message is about somebody known, by any of its numbers.
fn concerns_somebody(tx: &mut Tx<'_>, feed: &Feed, translation: &Translation) -> Result<bool, Failure> {
    let subject = &translation.subject;
    let retired = translation.retired.as_deref().unwrap_or_default();
    if subject.identifiers.is_empty() && retired.is_empty() && subject.nhs_number.is_none() {
        return Ok(false);
    }
    Ok(!find(tx, &feed.site, subject)?.is_empty() || !people::find(tx, &feed.site, retired, None)?.is_empty())
}

fn find(tx: &mut Tx<'_>, site: &SiteId, subject: &Subject) -> Result<Vec<PersonId>, Failure> {
    let verified = subject.nhs_number.filter(|held| held.verified).map(|held| held.number);
    Ok(people::find(tx, site, &subject.identifiers, verified)?)
}

fn ask(code: Code, what: &'static str) -> Applied {
    Applied::Ask(Problem::new(code, Severity::Error, what))
}

fn apply_to_people(
    app: &App,
    tx: &mut Tx<'_>,
    site: &SiteId,
    translation: &Translation,
    ctx: &mut Context<'_>,
) -> Result<Applied, Failure> {
    let found = find(tx, site, &translation.subject)?;
    if found.len() > 1 {
        return Ok(ask(Code::DuplicateKeyIdentifier, "the identifiers belong to different people"));
    }
    let retired = match &translation.retired {
        Some(identifiers) => people::find(tx, site, identifiers, None)?,
        None => Vec::new(),
    };
    if retired.len() > 1 {
        return Ok(ask(Code::DuplicateKeyIdentifier, "the retired identifiers belong to different people"));
    }
    let Some(&known) = found.first().or(retired.first()) else {
        return apply_to_stranger(app, tx, site, translation, ctx);
    };
    let mut record = load(tx, known)?;
    // Before anything is joined: a message that a person must look at changes nothing.
    if let Some(problem) = contradiction(&record.person, translation) {
        return Ok(Applied::Ask(problem));
    }
    if let (Some(&survivor), Some(&joined)) = (found.first(), retired.first())
        && survivor != joined
    {
        join(app, tx, survivor, joined, ctx)?;
        record = load(tx, survivor)?;
    }
    let mut subject = translation.subject.clone();
    // Retired identifiers of nobody known become further names of this person; those of a joined record stay its own.
    if let (Some(identifiers), true) = (&translation.retired, retired.is_empty()) {
        subject.identifiers.extend(identifiers.iter().cloned());
    }
    let decision = facts::apply(record.clone(), &subject, &translation.facts, false, ctx);
    app.keep(tx, Some(&record), &decision)?;
    Ok(Applied::Fate(Fate::Applied))
}

/// Nobody known: kept only when this message itself shows somebody the service is for.
fn apply_to_stranger(
    app: &App,
    tx: &mut Tx<'_>,
    site: &SiteId,
    translation: &Translation,
    ctx: &mut Context<'_>,
) -> Result<Applied, Failure> {
    if !translation.has_signal() {
        if translation.facts.iter().any(|fact| matches!(fact, Fact::ResultWithdrawn { .. })) {
            return Ok(ask(Code::UnknownKeyIdentifier, "a withdrawn result of somebody who is not known"));
        }
        return Ok(Applied::Fate(Fate::Discarded));
    }
    if translation.subject.identifiers.is_empty() {
        return Ok(ask(Code::RequiredFieldMissing, "no identifier that the profile recognises"));
    }
    add_person(app, tx, site, &translation.subject, &translation.facts, ctx)?;
    Ok(Applied::Fate(Fate::Applied))
}

/// Keeps somebody new with what was said of them.
fn add_person(app: &App, tx: &mut Tx<'_>, site: &SiteId, subject: &Subject, facts: &[Fact], ctx: &mut Context<'_>) -> Result<(), Failure> {
    let person = Person::new(PersonId::new(ctx.ids), site.clone(), subject.identifiers.clone());
    let decision = facts::apply(Record::new(person), subject, facts, true, ctx);
    app.keep(tx, None, &decision)?;
    Ok(())
}

/// What speaks against this message being about this person: then a person must look before anything is applied.
fn contradiction(person: &Person, translation: &Translation) -> Option<Problem> {
    let said = &translation.subject;
    if translation.retired.is_none() && has_another_number(person, said) {
        return Some(Problem::new(Code::UnknownKeyIdentifier, Severity::Error, "another verified NHS number under a known local number"));
    }
    if translation.has_signal() && is_born_and_named_otherwise(person, said) {
        return Some(Problem::new(Code::UnknownKeyIdentifier, Severity::Error, "name and date of birth are another person's"));
    }
    None
}

/// Whether what is said is of somebody else than this person, though a number is theirs.
pub(crate) fn is_another(person: &Person, said: &Subject) -> bool {
    has_another_number(person, said) || is_born_and_named_otherwise(person, said)
}

fn has_another_number(person: &Person, said: &Subject) -> bool {
    let both = person.nhs_number.zip(said.nhs_number);
    both.is_some_and(|(held, new)| held.verified && new.verified && held.number != new.number)
}

fn is_born_and_named_otherwise(person: &Person, said: &Subject) -> bool {
    let born = match (person.birth_date, said.demographics.birth_date) {
        (Some(held), alongside_domain::person::Said::Value(new)) => held != new,
        _ => false,
    };
    born && has_another_name(person, said)
}

/// Whether both names are other ones than those that are held.
fn has_another_name(person: &Person, said: &Subject) -> bool {
    let differs = |held: &Option<String>, said: &alongside_domain::person::Said<String>| match (held, said) {
        (Some(held), alongside_domain::person::Said::Value(said)) => people::fold(held) != people::fold(said),
        _ => false,
    };
    differs(&person.family, &said.demographics.family) && differs(&person.given, &said.demographics.given)
}

fn join(app: &App, tx: &mut Tx<'_>, survivor: PersonId, retired: PersonId, ctx: &mut Context<'_>) -> Result<(), Failure> {
    let (survivor, retired) = (load(tx, survivor)?, load(tx, retired)?);
    let merging = merging::merge(survivor.clone(), retired.clone(), false, ctx)?;
    keep_merging(app, tx, &survivor, &retired, merging, ctx.at)
}

/// Keeps what came of a merge.
pub(crate) fn keep_merging(
    app: &App,
    tx: &mut Tx<'_>,
    survivor: &Record,
    retired: &Record,
    merging: merging::Merging,
    at: Timestamp,
) -> Result<(), Failure> {
    match merging {
        merging::Merging::Nothing => {}
        merging::Merging::Asked(decision) => app.keep(tx, Some(survivor), &decision)?,
        merging::Merging::Merged(merged) => {
            let (decision, left, merge) = *merged;
            // The rows of both were known before: only what differs is written.
            let mut before = survivor.clone();
            before.triggers.extend(retired.triggers.iter().cloned());
            before.referrals.extend(retired.referrals.iter().cloned());
            before.questions.extend(retired.questions.iter().cloned());
            app.keep(tx, Some(&before), &decision)?;
            app.keep(tx, Some(retired), &left)?;
            // Whoever was shielded stays shielded under the record that answers for them now.
            if standing::is_shielded(tx, retired.person.id)? {
                standing::shield(tx, survivor.person.id, at)?;
            }
            care::join(tx, survivor.person.id, retired.person.id, at)?;
            merges::add(tx, &merge, at)?;
        }
    }
    Ok(())
}

pub(crate) fn load(tx: &mut Tx<'_>, id: PersonId) -> Result<Record, Failure> {
    people::load(tx, id)?.ok_or(Failure::NotFound)
}

fn written(problem: &Problem) -> messages::Problem {
    let place = problem.location.map(|location| location.to_string());
    let line = problem.line.map(|line| format!("line {line}"));
    messages::Problem {
        location: place.or(line).unwrap_or_default(),
        code: problem.code.number().to_string(),
        severity: problem.severity.letter().to_owned(),
        words: problem.what.to_owned(),
    }
}

fn kind_of(header: &Header) -> String {
    match (header.message_type.as_str(), header.trigger.as_str()) {
        ("", _) => "unreadable".to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, trigger) => format!("{kind}^{trigger}"),
    }
}

/// The message types that a hospital may send, of table 0076.
const TYPES: [&str; 24] = [
    "ACK", "ADT", "BAR", "DFT", "MCF", "MDM", "MFK", "MFN", "OMG", "OML", "ORM", "ORR", "ORU", "OUL", "QRY", "RAS", "RDE", "REF", "RRI",
    "RSP", "SIU", "SRM", "SRR", "VXU",
];

/// The type under which a message is counted. What is not a type of HL7 v2 is "other", and what is not shaped like an
/// event is left out: where fields have slipped, a number or a name stands in their place, and a counter must not become
/// a place where content can hide.
fn known_kind(kind: &str) -> String {
    if matches!(kind, "unreadable" | "list") {
        return kind.to_owned();
    }
    let (name, trigger) = kind.split_once('^').unwrap_or((kind, ""));
    match (TYPES.contains(&name), trigger.as_bytes()) {
        (true, [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9']) => kind.to_owned(),
        (true, _) => name.to_owned(),
        (false, _) => "other".to_owned(),
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A person at a site by one local number: for commands that name people as clinics do.
///
/// # Errors
/// [`Failure::NotFound`] when nobody or more than one person has it.
pub fn person_by_number(store: &Store, site: &SiteId, number: &str) -> Result<PersonId, Failure> {
    let identifier = Identifier { system: format!("{site}:MRN"), value: number.to_owned() };
    let found = store.read(|tx| Ok::<_, Failure>(people::find(tx, site, std::slice::from_ref(&identifier), None)?))?;
    match found.as_slice() {
        [one] => Ok(*one),
        _ => Err(Failure::NotFound),
    }
}

/// Days of a list are days in London, like every other day.
pub(crate) fn today(app: &App) -> jiff::civil::Date {
    london_date(app.world.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_counted_under_a_type_of_the_standard_or_none() {
        let counted = ["ADT^A08", "ORU^R01", "ACK", "list", "unreadable"];
        for kind in counted {
            assert_eq!(known_kind(kind), kind);
        }
        for (kind, counted) in
            [("SMITH", "other"), ("QA12345", "other"), ("ADT^JO", "ADT"), ("ADT^9990", "ADT"), ("adt^A08", "other"), ("", "other")]
        {
            assert_eq!(known_kind(kind), counted, "{kind}");
        }
    }
}
