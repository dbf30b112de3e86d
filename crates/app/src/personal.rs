//! The page of the person supported: a private link, what they say by it, and after a second proof what is held about them.
//!
//! The link alone shows nothing about anybody, not even a name, and lets them answer; whoever finds it learns nothing. What
//! is held, and who has looked, opens with a code that was told separately. A link that was ended, has run out, was guessed
//! at or never existed is one and the same: not found.

use alongside_domain::access::{self, Action, Purpose, Subject};
use alongside_domain::command::Command;
use alongside_domain::decision::{Actor, Cause, Refusal};
use alongside_domain::id::{PersonId, ReplyId};
use alongside_domain::instrument::Instrument;
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::record::Record;
use alongside_domain::referral::{Audience, Referral, Status};
use alongside_domain::reply::{LINK_TRIES, PROOF_MINUTES, PersonalLink, Reply, ReplyKind, not_now_until, reply_words};
use alongside_domain::rules::commands;
use alongside_domain::supporter::{Basis, Role, StaffId};
use alongside_domain::trigger::Kind;
use alongside_store::audit::{self, Entry, Outcome, keyed_digest};
use alongside_store::page_reads::Slice;
use alongside_store::{Tx, care, people, reading};
use jiff::{SignedDuration, Timestamp};

use crate::accounts::{SecretToken, digest_of};
use crate::desk::Desk;
use crate::pages::words;
use crate::{App, Failure, Invalid, london_date};

/// Where private links lead: this and the token.
pub const LINK_PATH: &str = "/yours/";
/// For how many weeks somebody may say "not now".
pub const NOT_NOW_WEEKS: [u16; 3] = [4, 13, 26];
/// What peer support is, for the page that a private link opens. Nothing here tells a bystander what it is about.
pub const WHAT_IT_IS: [&str; 3] = [
    "Somebody who has been where you are now can listen, and share what helped them.",
    "It is free and confidential, and it does not replace the people who look after you.",
    "It is your choice. You can say no, and you can change your mind at any time.",
];
/// The most lines of who has looked that are shown, the newest.
const LOOKS_MAX: u32 = 100;

/// A private link that was made just now. Its token and its code are never to be seen again. No `Debug`.
pub struct NewLink {
    /// The token.
    pub token: SecretToken,
    /// The code, six digits: to be told by word of mouth, never sent with the link.
    pub code: String,
    /// Until when it opens.
    pub opens_until: Timestamp,
}

impl NewLink {
    /// The address within the program.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{LINK_PATH}{}", self.token.reveal())
    }
}

/// The private link of somebody, for those who work for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLine {
    /// `Inês, 6 January 2025, 8:30am`.
    pub made: String,
    /// `5 February 2025`: the last day on which it opens; none when it does not open any more.
    pub opens_until: Option<String>,
}

/// What a private link opens: choices, and nothing about anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// The questionnaires that can be filled in now: id and title.
    pub questionnaires: Vec<(String, String)>,
}

/// What the person says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// Yes please.
    YesPlease,
    /// Not now.
    NotNow {
        /// For how long: one of [`NOT_NOW_WEEKS`].
        weeks: u16,
    },
    /// No thanks. Honoured at once.
    NoThanks,
    /// How they wish to be contacted from now on; a supporter asks before it is changed, since the link may be in other hands.
    ContactChange(String),
    /// They would like somebody else, and perhaps why.
    SomeoneElse(String),
}

impl Saying {
    const fn kind(&self) -> ReplyKind {
        match self {
            Self::YesPlease => ReplyKind::YesPlease,
            Self::NotNow { .. } => ReplyKind::NotNow,
            Self::NoThanks => ReplyKind::NoThanks,
            Self::ContactChange(_) => ReplyKind::ContactChange,
            Self::SomeoneElse(_) => ReplyKind::SomeoneElse,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::NotNow { weeks } => format!("for {weeks} weeks"),
            Self::ContactChange(words) | Self::SomeoneElse(words) => words.clone(),
            Self::YesPlease | Self::NoThanks => String::new(),
        }
    }
}

/// What is held about somebody, for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Term and value.
    pub facts: Vec<(&'static str, String)>,
    /// Where their peer support stands.
    pub standing: String,
    /// Who may see it and why.
    pub sharing: String,
    /// Who has looked, the newest first.
    pub looks: Vec<Look>,
}

/// That somebody looked at, or changed, what is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The day.
    pub on: String,
    /// Role and organisation, never a name.
    pub who: String,
    /// What for.
    pub what_for: String,
    /// Whether they were shown it.
    pub was_shown: bool,
}

impl Desk {
    /// Makes the private link of somebody, in the place of an earlier one.
    ///
    /// # Errors
    /// [`Refusal::Died`]; those of [`Desk::act`].
    pub fn make_link(&self, person: PersonId) -> Result<NewLink, Failure> {
        self.may_do(Action::MakeLink)?;
        let (token, now) = (SecretToken::new(self.app().world.secret()), self.app().world.now());
        let code = code_of(self.app().world.secret());
        let (desk, digest) = (self.clone(), token.digest());
        let kept = self.app().code_digest(&digest, &code);
        let opens_until = self.disclose(Action::MakeLink, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::MakeLink, person)?;
            seen.detail("link-made");
            if admitted.record.person.died.is_some() {
                return Err(Refusal::Died.into());
            }
            let id = admitted.record.person.id;
            let link = PersonalLink::new(digest.clone(), kept.clone(), id, desk.viewer().staff.clone(), now);
            care::add_link(tx, &link)?;
            Ok(link.opens_until)
        })?;
        Ok(NewLink { token, code, opens_until })
    }

    /// Ends the private link of somebody. None is no error.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub fn end_link(&self, person: PersonId) -> Result<(), Failure> {
        let desk = self.clone();
        self.disclose(Action::MakeLink, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::MakeLink, person)?;
            seen.detail("link-ended");
            care::revoke_links(tx, admitted.record.person.id, desk.app().world.now())?;
            Ok(())
        })
    }

    /// The newest private link of somebody.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub fn link(&self, person: PersonId) -> Result<Option<LinkLine>, Failure> {
        let desk = self.clone();
        self.disclose(Action::MakeLink, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::MakeLink, person)?;
            desk.link_of(tx, admitted.record.person.id)
        })
    }

    /// The newest private link of somebody whose record is open.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn link_of(&self, tx: &mut Tx<'_>, person: PersonId) -> Result<Option<LinkLine>, Failure> {
        let now = self.app().world.now();
        Ok(care::links_of(tx, person)?.first().map(|link| LinkLine {
            made: format!("{}, {}", self.app().setup.name_of(&link.made_by.0), words::moment(link.made_at)),
            opens_until: link.opens(now).then(|| words::day(london_date(link.opens_until))),
        }))
    }
}

impl App {
    /// Keyed, and bound to its link: the million codes cannot be tried against the database.
    fn code_digest(&self, link: &str, code: &str) -> String {
        keyed_digest(&self.keys.audit, &format!("personal link:{link}"), code.as_bytes())
    }

    /// What a private link opens.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a link that does not open; the store's.
    pub fn open_link(&self, token: &str) -> Result<LinkState, Failure> {
        let digest = digest_of(token).ok_or(Failure::NotFound)?;
        let (_, record) = self.store.read(|tx| self.behind(tx, &digest))?;
        let questionnaires = if supporter_of(&record).is_some() {
            self.setup.instruments.values().map(|known| (known.id().to_owned(), known.definition().title.clone())).collect()
        } else {
            Vec::new()
        };
        Ok(LinkState { questionnaires })
    }

    /// The link of a digest and whose it is, while it opens.
    fn behind(&self, tx: &mut Tx<'_>, digest: &str) -> Result<(PersonalLink, Record), Failure> {
        let link = care::link(tx, digest)?.filter(|link| link.opens(self.world.now())).ok_or(Failure::NotFound)?;
        let record = people::load(tx, link.person)?.ok_or(Failure::NotFound)?;
        if record.person.merged_into.is_some() || record.person.died.is_some() {
            return Err(Failure::NotFound);
        }
        Ok((link, record))
    }

    /// Whether whoever made a link may still make it. They were shown its code, so what it proves ends with their access; what
    /// the person can say by it does not.
    fn maker_may(&self, tx: &mut Tx<'_>, link: &PersonalLink, record: &Record) -> Result<bool, Failure> {
        let viewer = match self.viewer(tx, &link.made_by.0) {
            Err(Failure::NotFound) => return Ok(false),
            viewer => viewer?,
        };
        let shielded = alongside_store::standing::is_shielded(tx, record.person.id)?;
        Ok(access::may(&viewer, Action::MakeLink, &Subject::of(record, shielded)).is_ok())
    }

    /// Takes what the person says: what the rules allow is done at once, and those who work for them see the answer.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a link that does not open; [`Failure::Invalid`]; the store's.
    pub fn say(&self, token: &str, saying: &Saying) -> Result<(), Failure> {
        let digest = digest_of(token).ok_or(Failure::NotFound)?;
        let said = reply_words(saying.kind(), &saying.words())?;
        if let Saying::NotNow { weeks } = saying
            && !NOT_NOW_WEEKS.contains(weeks)
        {
            return Err(Failure::invalid("weeks", "Choose for how long"));
        }
        let (app, saying) = (self.clone(), saying.clone());
        self.store.write(move |tx| {
            let (_, record) = app.behind(tx, &digest)?;
            if let Some(command) = app.command_of(&record, &saying) {
                app.do_for_them(tx, &record, &command)?;
            }
            app.reply(tx, &record, saying.kind(), &said)
        })
    }

    /// What follows from an answer by the rules, where anything does; else it waits for somebody to see to it.
    fn command_of(&self, record: &Record, saying: &Saying) -> Option<Command> {
        let (live, today) = (record.live_referral(), self.today());
        match saying {
            Saying::NoThanks => Some(Command::Object { scope: Scope::All, reason: ObjectionReason::NotStated }),
            Saying::NotNow { weeks } => {
                let longest = jiff::Span::new().days(i64::from(self.setup.policy.longest_deferral_days));
                let until = not_now_until(today, *weeks).min(today.saturating_add(longest));
                live.map(|referral| Command::Defer { referral: referral.id, until })
            }
            Saying::YesPlease if record.person.has_opted_out() || live.is_none() => {
                Some(Command::Refer { kind: Kind::SelfReferral, on: today })
            }
            Saying::YesPlease => live
                .filter(|referral| matches!(referral.status, Status::Deferred { .. }))
                .map(|referral| Command::AskAgain { referral: referral.id }),
            Saying::ContactChange(_) | Saying::SomeoneElse(_) => None,
        }
    }

    /// Decides as the person. A rule that stands in the way ("not now" of somebody who is supported) leaves it to those who
    /// read the answer.
    fn do_for_them(&self, tx: &mut Tx<'_>, record: &Record, command: &Command) -> Result<(), Failure> {
        let mut ids = self.world.ids();
        let mut ctx = self.context(&mut *ids, Actor::Person, Cause::Form);
        match commands::decide(record.clone(), command, &mut ctx) {
            Ok(decision) => self.keep(tx, Some(record), &decision),
            Err(_) => Ok(()),
        }
    }

    fn reply(&self, tx: &mut Tx<'_>, record: &Record, kind: ReplyKind, said: &str) -> Result<(), Failure> {
        self.keep_reply(tx, record, kind, said)?;
        self.note_theirs(tx, record, "answer-by-link", kind.code())
    }

    /// Keeps what a person said, for their supporter.
    pub(crate) fn keep_reply(&self, tx: &mut Tx<'_>, record: &Record, kind: ReplyKind, said: &str) -> Result<(), Failure> {
        let id = ReplyId::new(&mut *self.world.ids());
        let reply = Reply { id, person: record.person.id, kind, words: said.to_owned(), at: self.world.now(), handled: None };
        Ok(care::add_reply(tx, &reply)?)
    }

    fn note_theirs(&self, tx: &mut Tx<'_>, record: &Record, action: &str, detail: &str) -> Result<(), Failure> {
        let entry = Entry {
            at: self.world.now(),
            actor: Actor::Person,
            action: action.to_owned(),
            purpose: Purpose::Care.code().to_owned(),
            site: Some(record.person.site.clone()),
            outcome: Outcome::Allowed,
            detail: Some(detail.to_owned()),
            subjects: vec![record.person.id],
        };
        audit::append(tx, &self.keys.audit, &entry)?;
        Ok(())
    }

    /// Takes a questionnaire that the person has filled in; the scores are computed here, and their supporter is told.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a link that does not open; [`Failure::Invalid`] with each answer that cannot be taken, or
    /// when there is none; the rule that refuses it; the store's.
    pub fn fill_in(&self, token: &str, instrument: &str, answers: &[(String, i64)]) -> Result<(), Failure> {
        let digest = digest_of(token).ok_or(Failure::NotFound)?;
        let known = self.setup.instruments.get(instrument).ok_or(Failure::NotFound)?;
        if answers.is_empty() {
            return Err(Failure::invalid("answers", "Answer at least one question"));
        }
        let kind = reply_kind(known, answers)?;
        let (app, instrument, answers) = (self.clone(), instrument.to_owned(), answers.to_vec());
        self.store.write(move |tx| {
            let (_, record) = app.behind(tx, &digest)?;
            let (referral, supporter) = supporter_of(&record).ok_or(Refusal::ConversationFirst)?;
            let form = app.assessment_form(&supporter.0, app.today(), &instrument, answers.clone())?;
            let command = Command::RecordAssessment { referral: referral.id, form };
            let mut ids = app.world.ids();
            let mut ctx = app.context(&mut *ids, Actor::Person, Cause::Form);
            let decision = commands::decide(record.clone(), &command, &mut ctx)?;
            app.keep(tx, Some(&record), &decision)?;
            app.reply(tx, &record, kind, "")
        })
    }

    /// Takes the code of a link. What it proves holds for [`PROOF_MINUTES`].
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a wrong code; [`Failure::NotFound`] for a link that does not open, and for one that was
    /// guessed at too often; the store's.
    pub fn prove(&self, token: &str, code: &str) -> Result<SecretToken, Failure> {
        let digest = digest_of(token).ok_or(Failure::NotFound)?;
        let (app, proof) = (self.clone(), SecretToken::new(self.world.secret()));
        let (given, proof_digest) = (self.code_digest(&digest, &code.split_whitespace().collect::<String>()), proof.digest());
        self.store.write(move |tx| {
            let (link, record) = app.behind(tx, &digest)?;
            if !app.maker_may(tx, &link, &record)? {
                return Ok(Err(Failure::invalid("code", "This link cannot open that any more. Ask for a new one")));
            }
            if link.code == given {
                let until = app.world.now() + SignedDuration::from_mins(PROOF_MINUTES);
                care::prove(tx, &digest, LINK_TRIES, &proof_digest, until)?;
                app.note_theirs(tx, &record, "prove-by-code", "right")?;
                return Ok(Ok(()));
            }
            care::wrong_code(tx, &digest)?;
            app.note_theirs(tx, &record, "prove-by-code", "wrong")?;
            // A wrong code is kept, so the job answers well.
            Ok::<_, Failure>(Err(if link.tries_left > 1 { Failure::invalid("code", "This is not the code") } else { Failure::NotFound }))
        })??;
        Ok(proof)
    }

    /// What is held about the person, and who has looked.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a link that does not open; [`Failure::Forbidden`] without its code, or some time after it;
    /// the store's.
    pub fn held_about_me(&self, token: &str, proof: &str) -> Result<Held, Failure> {
        let digest = digest_of(token).ok_or(Failure::NotFound)?;
        let (app, proof) = (self.clone(), digest_of(proof).ok_or(Failure::Forbidden)?);
        self.store.write(move |tx| {
            let (link, record) = app.behind(tx, &digest)?;
            if !link.is_proved(&proof, app.world.now()) || !app.maker_may(tx, &link, &record)? {
                return Err(Failure::Forbidden);
            }
            let looks = audit::of_person(tx, record.person.id, Slice { most: LOOKS_MAX, skip: 0 })?;
            let mut looks: Vec<Look> = looks.iter().map(|line| app.look(line)).collect();
            looks.dedup();
            app.note_theirs(tx, &record, "see-held", "own")?;
            let facts = facts(tx, &record)?;
            Ok(Held { facts, standing: standing(&record), sharing: app.sharing(&record), looks })
        })
    }

    /// A system that has looked: one of the hospital's, or this program itself.
    fn of_system(&self, key: &str) -> String {
        let client = self.setup.fhir_clients.get(key);
        client.map_or_else(|| "The computer of this service".to_owned(), |client| client.title.clone())
    }

    fn look(&self, line: &audit::Line) -> Look {
        let who = match &line.actor {
            Actor::Staff { id, role } => format!("{}, {}", words::sentence(role.words()), self.organisation_of(id, *role)),
            Actor::Person => "You, by your private link".to_owned(),
            Actor::Operator => "Those who run the computer of this service".to_owned(),
            Actor::Feed(key) => self.of_system(key),
            Actor::Clock => "The computer of this service".to_owned(),
        };
        let exception = if line.detail.as_deref() == Some("break-glass") { ", opened by an exception that is always reviewed" } else { "" };
        Look {
            on: words::day(london_date(line.at)),
            who,
            what_for: format!("{}{exception}", what_for(&line.purpose)),
            was_shown: line.outcome == Outcome::Allowed,
        }
    }

    /// For whom somebody works: a partner, or the clinics where they do.
    fn organisation_of(&self, staff: &StaffId, role: Role) -> String {
        let member = self.setup.staff.get(&staff.0);
        let supporters = || self.setup.supporters.get(&staff.0).map(|supporter| supporter.partner.as_str());
        if let Some(partner) = member.and_then(|member| member.partner.as_deref()).or_else(supporters) {
            return self.setup.partner_title(partner);
        }
        let sites = member.into_iter().flat_map(|member| &member.sites).filter_map(|site| self.setup.sites.get(&site.0));
        let titles: Vec<&str> = sites.map(|site| site.title.as_str()).collect();
        if titles.is_empty() { format!("no longer here as {}", role.words()) } else { titles.join(" and ") }
    }

    /// Who may see what is held, and on which footing.
    fn sharing(&self, record: &Record) -> String {
        let current = record.live_referral().or_else(|| record.referrals.last());
        let subject = Subject::of(record, false);
        let Some(referral) = current.filter(|referral| referral.audience() != Audience::ClinicOnly) else {
            return "Only your clinic can see this. Nothing was shared with peer supporters.".to_owned();
        };
        let supporter = subject.supporter.and_then(|key| self.setup.supporters.get(&key.0));
        let Some(supporter) = supporter else {
            return "Your clinic and its peer-support team can see this, because you were told about them and did not object.".to_owned();
        };
        let partner = self.setup.partner_title(&supporter.partner);
        match supporter.basis_at(&referral.site) {
            Some(Basis::Inside) => format!(
                "Your clinic and your supporter of {partner}, who works in the clinic’s team, can see this, because you were told about \
                 peer support and did not object. You can object at any time."
            ),
            Some(Basis::Outside) | None => format!(
                "Your clinic and your supporter of {partner} can see this, because you agreed that it is shared with them. You can take \
                 that back at any time."
            ),
        }
    }
}

/// Six digits of random bytes. What 2¹²⁸ leaves over a million favours no code by more than one in 2¹⁰⁸.
fn code_of(bytes: [u8; 32]) -> String {
    let number = bytes.iter().take(16).fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// How somebody's supporter is told of their answers: at once, where one of them must be looked at.
///
/// # Errors
/// [`Failure::Invalid`] with each answer that cannot be taken.
pub(crate) fn reply_kind(instrument: &Instrument, answers: &[(String, i64)]) -> Result<ReplyKind, Failure> {
    let risks = instrument.risks(answers).map_err(|problems| {
        Failure::Invalid(problems.into_iter().map(|problem| Invalid::new(problem.link_id, problem.what.to_string())).collect())
    })?;
    Ok(if risks.is_empty() { ReplyKind::Assessment } else { ReplyKind::AssessmentAtOnce })
}

/// The live referral with its supporter, once there was a conversation.
pub(crate) fn supporter_of(record: &Record) -> Option<(&Referral, &StaffId)> {
    let live = record.live_referral()?;
    match &live.status {
        Status::Engaged { supporter } | Status::Assessed { supporter } | Status::Supported { supporter } => Some((live, supporter)),
        Status::AwaitingNotice | Status::Deferred { .. } | Status::OptedOut | Status::Open | Status::Held { .. } | Status::Ended { .. } => {
            None
        }
        Status::Allocated { .. } | Status::Contacting { .. } => None,
    }
}

/// What is held, in plain words. What the clinic diagnosed is told by the clinic, not by a screen that others may see.
fn facts(tx: &mut Tx<'_>, record: &Record) -> Result<Vec<(&'static str, String)>, Failure> {
    let person = &record.person;
    let mut facts = vec![("Name", words::name(person.given.as_deref(), person.family.as_deref()))];
    facts.extend(person.birth_date.map(|born| ("Date of birth", words::day(born))));
    facts.extend(person.nhs_number.map(|held| ("NHS number", held.number.to_string())));
    facts.extend(person.identifiers.iter().map(|identifier| ("Hospital number", identifier.value.clone())));
    facts.extend(person.telephone.clone().map(|telephone| ("Telephone number", telephone)));
    facts.extend(person.last_attended.map(|on| ("Last visit that the clinic told us of", words::day(on))));
    facts.push(("Why you are known here", "Your clinic told us. It can tell you what it told.".to_owned()));
    if let Some(version) = care::contacts(tx, person.id, 1)?.first() {
        let name = &version.contact.name_to_say;
        let calls_you = if name.is_empty() { String::new() } else { format!("; name to say: {name}") };
        let how = format!("{}, {}{calls_you}", words::sentence(version.contact.channel.words()), version.contact.when());
        facts.push(("How you are contacted", how));
    }
    let (contacts, assessments) = (reading::contacts(tx, person.id)?, reading::assessments(tx, person.id)?);
    facts.push(("Contacts with supporters", words::counted(contacts.len() as u64, "contact", "contacts")));
    facts.push(("Questionnaires", words::counted(assessments.len() as u64, "questionnaire", "questionnaires")));
    for reply in care::replies_of(tx, person.id)? {
        let told = format!("{}, {}", words::sentence(reply.kind.words()), words::day(london_date(reply.at)));
        facts.push(("You said", if reply.words.is_empty() { told } else { format!("{told}: {}", reply.words) }));
    }
    Ok(facts)
}

/// Where peer support stands, said to the person.
fn standing(record: &Record) -> String {
    let Some(referral) = record.live_referral().or_else(|| record.referrals.last()) else {
        return "You are not referred to peer support.".to_owned();
    };
    match &referral.status {
        Status::AwaitingNotice => "Your clinic has not asked you about peer support yet.".to_owned(),
        Status::Deferred { until } => format!("You said not now. You will be asked again on {}.", words::day(*until)),
        Status::OptedOut => "You said no. Nobody gets in touch unless you change your mind.".to_owned(),
        Status::Open => "A supporter is being found for you.".to_owned(),
        Status::Allocated { .. } | Status::Contacting { .. } => "A supporter was found and will get in touch with you.".to_owned(),
        Status::Engaged { .. } | Status::Assessed { .. } | Status::Supported { .. } => "A supporter is in touch with you.".to_owned(),
        Status::Held { .. } => "Nothing happens at present: your clinic is checking something.".to_owned(),
        Status::Ended { .. } => "Your peer support has ended.".to_owned(),
    }
}

/// A purpose, said to the person.
fn what_for(code: &str) -> &'static str {
    match Purpose::from_code(code) {
        Some(Purpose::Care) => "for your care",
        Some(Purpose::Coordination) => "to find and plan support",
        Some(Purpose::Reporting) => "to count, without names",
        Some(Purpose::Governance) => "to check how records are used",
        Some(Purpose::Integration) => "to mend the connection to the hospital",
        Some(Purpose::Work) | None => "to run the service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::testing::with_somebody_awaiting_notice;
    use alongside_domain::referral::Stage;

    fn stage(app: &App, person: PersonId) -> Stage {
        app.record(person).unwrap().referrals.last().unwrap().status.stage()
    }

    fn wrong(code: &str) -> &'static str {
        if code == "000000" { "000001" } else { "000000" }
    }

    #[test]
    fn a_link_opens_nothing_about_anybody_and_every_dead_one_is_the_same() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let nurse = app.desk("nurse-aoife").unwrap();
        let first = nurse.make_link(person).unwrap();
        assert_eq!(first.path().len(), LINK_PATH.len() + 64);
        assert!(first.code.len() == 6 && first.code.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(app.open_link(first.token.reveal()), Ok(LinkState { questionnaires: Vec::new() }));
        let second = nurse.make_link(person).unwrap();
        let never = SecretToken::new([9; 32]);
        nurse.link(person).unwrap().and_then(|line| line.opens_until).expect("the second opens");
        for dead in [first.token.reveal(), never.reveal(), "", "../people"] {
            assert_eq!(app.open_link(dead), Err(Failure::NotFound), "{dead}");
            assert_eq!(app.say(dead, &Saying::YesPlease), Err(Failure::NotFound), "{dead}");
            assert_eq!(app.prove(dead, "123456").map(drop), Err(Failure::NotFound), "{dead}");
        }
        nurse.end_link(person).unwrap();
        assert_eq!(app.open_link(second.token.reveal()), Err(Failure::NotFound));
        assert_eq!(nurse.link(person).unwrap().and_then(|line| line.opens_until), None);
        assert_eq!(app.desk("coordinator-leila").unwrap().make_link(person).map(drop), Err(Failure::Forbidden));
        assert_eq!(app.desk("nurse-blessing").unwrap().make_link(person).map(drop), Err(Failure::NotFound));
    }

    #[test]
    fn no_thanks_is_honoured_at_once_and_can_be_taken_back() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let nurse = app.desk("nurse-aoife").unwrap();
        let link = nurse.make_link(person).unwrap();
        let token = link.token.reveal();
        app.say(token, &Saying::NoThanks).unwrap();
        assert_eq!(stage(&app, person), Stage::OptedOut);
        app.say(token, &Saying::YesPlease).unwrap();
        assert_eq!(stage(&app, person), Stage::AwaitingNotice);
        // "Not now" before anybody has told them changes nothing, and the clinic reads it.
        app.say(token, &Saying::NotNow { weeks: 4 }).unwrap();
        assert_eq!(stage(&app, person), Stage::AwaitingNotice);
        assert!(matches!(app.say(token, &Saying::NotNow { weeks: 5 }), Err(Failure::Invalid(_))));
        assert!(matches!(app.say(token, &Saying::ContactChange(" ".into())), Err(Failure::Invalid(_))));
        app.say(token, &Saying::ContactChange("Only in the evening".into())).unwrap();
        let lines = nurse.clinic_page().unwrap().replies;
        let said: Vec<&str> = lines.iter().map(|line| line.said.as_str()).collect();
        assert_eq!(said, ["No thanks", "Yes please", "Not now", "Change how I am contacted"]);
        assert_eq!((lines[2].words.as_str(), lines[3].words.as_str()), ("for 4 weeks", "Only in the evening"));
        for line in &lines {
            nurse.handle_reply(line.handled.split('/').nth(2).unwrap().parse().unwrap()).unwrap();
        }
        assert_eq!(nurse.clinic_page().unwrap().replies, []);
        assert_eq!(app.fill_in(token, "phq4", &[("nervous".into(), 1)]), Err(Failure::Refused(Refusal::ConversationFirst)));
    }

    #[test]
    fn what_is_held_opens_with_the_code_for_a_while_and_names_nobody_who_looked() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let nurse = app.desk("nurse-aoife").unwrap();
        nurse.person_page(person).unwrap();
        assert!(app.desk("nurse-blessing").unwrap().person_page(person).is_err());
        let link = nurse.make_link(person).unwrap();
        let token = link.token.reveal();
        assert!(matches!(app.prove(token, wrong(&link.code)), Err(Failure::Invalid(_))));
        let (start, end) = link.code.split_at(3);
        let proof = app.prove(token, &format!(" {start} {end}")).unwrap();
        assert_eq!(app.held_about_me(token, SecretToken::new([1; 32]).reveal()), Err(Failure::Forbidden));
        let held = app.held_about_me(token, proof.reveal()).unwrap();
        assert!(held.facts.contains(&("Name", "MIRIAM ASHDOWN".to_owned())), "{:?}", held.facts);
        let told = format!("{held:?}");
        assert!(!told.contains("Brennan") && !told.to_lowercase().contains("hiv"), "{told}");
        assert!(held.looks.iter().any(|look| look.who == "Clinician, Chelsea and Westminster" && look.was_shown));
        assert!(held.looks.iter().any(|look| look.who == "Clinician, North Middlesex" && !look.was_shown), "whoever was turned away too");
        assert_eq!(held.standing, "Your clinic has not asked you about peer support yet.");
        nurse.make_link(person).unwrap();
        assert_eq!(app.held_about_me(token, proof.reveal()), Err(Failure::NotFound), "the link was replaced");
    }

    #[test]
    fn what_a_code_proves_ends_with_the_access_of_whoever_made_the_link() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let link = app.desk("nurse-aoife").unwrap().make_link(person).unwrap();
        let token = link.token.reveal();
        let proof = app.prove(token, &link.code).unwrap();
        app.held_about_me(token, proof.reveal()).unwrap();
        let own = app.record(person).unwrap().person;
        let (given, family) = (own.given.unwrap(), own.family.unwrap());
        let own = crate::desk::OwnDetails { nhs_number: None, given, family, born: own.birth_date };
        app.desk("nurse-samuel").unwrap().give_details(&own).unwrap();
        assert_eq!(app.held_about_me(token, proof.reveal()), Err(Failure::Forbidden), "the record is a colleague's now");
        assert!(matches!(app.prove(token, &link.code), Err(Failure::Invalid(_))));
        app.say(token, &Saying::ContactChange("Only in the evening".into())).unwrap();
    }

    #[test]
    fn five_wrong_codes_end_a_link() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let link = app.desk("nurse-aoife").unwrap().make_link(person).unwrap();
        let token = link.token.reveal();
        for _ in 1..LINK_TRIES {
            assert!(matches!(app.prove(token, wrong(&link.code)), Err(Failure::Invalid(_))));
        }
        assert_eq!(app.prove(token, wrong(&link.code)).map(drop), Err(Failure::NotFound));
        assert_eq!(app.prove(token, &link.code).map(drop), Err(Failure::NotFound), "the right one comes too late");
        assert_eq!(app.open_link(token), Err(Failure::NotFound));
    }

    #[test]
    fn a_code_is_six_digits_of_any_bytes() {
        assert_eq!(code_of([0; 32]), "000000");
        assert_eq!(code_of([255; 32]).len(), 6);
        let half = |byte: u8| code_of(std::array::from_fn(|at| if at == 15 { byte } else { 0 }));
        assert_eq!((half(1), half(42)), ("000001".to_owned(), "000042".to_owned()));
    }
}
