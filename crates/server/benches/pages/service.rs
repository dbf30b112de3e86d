//! A service of 100,000 people at two sites, as it stands now: made by the store's own functions, the same every time.

use std::fs;
use std::path::Path;

use alongside_domain::concern::{Acknowledged, Concern, State, Urgency};
use alongside_domain::contact::{Assessment, AssessmentForm, Contact, ContactNote, Outcome, Way};
use alongside_domain::decision::{Actor, Cause, Decision, Effect, Event, Outgoing, What};
use alongside_domain::id::{
    AssessmentId, ConcernId, ContactId, CountingIds, EventId, GlassId, Ids, MessageId, OutgoingId, PersonId, QuestionId, ReferralId,
    ReplyId, TriggerId,
};
use alongside_domain::instrument::Score;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::notice::{How, Notice};
use alongside_domain::person::{Diagnosis, Identifier, NhsNumberHeld, Objection, ObjectionReason, Person, Scope, SiteId};
use alongside_domain::question::{self, Question};
use alongside_domain::record::Record;
use alongside_domain::referral::{EndReason, Referral, Stage, Status};
use alongside_domain::reply::{Reply, ReplyKind};
use alongside_domain::supporter::{Role, StaffId};
use alongside_domain::trigger::{self, Kind, Rule, Trigger};
use alongside_store::audit::{self, AuditKey, Entry};
use alongside_store::standing::Glass;
use alongside_store::{Store, StoreError, care, journal, messages, standing};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

pub(crate) const PEOPLE: u32 = 100_000;
pub(crate) const AUDIT_LINES: u32 = 200_000;
/// Of ten people, six are of the first site.
pub(crate) const SITES: [(&str, &str, u32); 2] = [("chelwest", "RQM", 72), ("northmid", "RAP", 48)];
/// The numbering of the first site's record, and as whom it asks for cards.
pub(crate) const RECORD_NUMBERS: &str = "https://chelwest.example/id/mrn";
pub(crate) const RECORD_ISSUER: &str = "https://chelwest.example/cds";
const NURSES: u32 = 4;
/// Rows of one transaction; more of them make it no faster.
const BATCH: u32 = 500;
const QUARANTINED: u32 = 300;
const QUESTIONS: u32 = 40;
const CONCERNS: u32 = 100;
const REPLIES: u32 = 30;
const SHIELDED: u32 = 50;
const KEY: [u8; 32] = [7; 32];

/// Somebody whose pages are measured.
pub(crate) struct Known {
    /// A person of the first site, long supported by the first supporter.
    pub(crate) supported: PersonId,
    /// Their referral.
    pub(crate) referral: ReferralId,
    /// Their number at the hospital.
    pub(crate) number: String,
}

/// Writes the configuration and the keys beside it; returns the configuration's text.
pub(crate) fn configure(folder: &Path, database: &str, record_keys: &str) -> String {
    let mut text =
        format!("[server]\ndatabase = \"{database}\"\nhttp = \"127.0.0.1:0\"\nkeys = \"bench.keys\"\naudit_heads = \"heads.log\"\n");
    for (site, code, supporters) in SITES {
        text.push_str(&format!("[[site]]\nkey = \"{site}\"\ntitle = \"Hospital {site}\"\norganisations = [{{ code = \"{code}\" }}]\n"));
        for partner in ["first", "second"] {
            text.push_str(&format!(
                "[[site.partner]]\nkey = \"{site}-{partner}\"\ntitle = \"The {partner} charity\"\nbasis = \"inside\"\n"
            ));
        }
        let profile = if site == "chelwest" { "cerner-millennium" } else { "careflow" };
        text.push_str(&format!("[[feed]]\nkey = \"{site}\"\nsite = \"{site}\"\nprofile = \"{profile}\"\nlisten = \"127.0.0.1:0\"\n"));
        text.push_str(&format!("[[feed]]\nkey = \"{site}-list\"\nsite = \"{site}\"\nprofile = \"clinic-list\"\n"));
        for number in 0..NURSES {
            text.push_str(&staff(&nurse(site, number), "clinician", &[site]));
        }
        text.push_str(&staff(&format!("safeguarding-{site}"), "safeguarding-lead", &[site]));
        for number in 0..supporters {
            let (key, partner) = (supporter(site, number), if number % 2 == 0 { "first" } else { "second" });
            text.push_str(&format!(
                "[[supporter]]\nkey = \"{key}\"\nfirst_name = \"Peer {number}\"\npartner = \"{site}-{partner}\"\nsites = [\"{site}\"]\n\
                 from = \"2015-01-01\"\ntraining_until = \"2099-12-31\"\ndbs_until = \"2099-12-31\"\ncapacity = 45\n"
            ));
        }
    }
    text.push_str(&format!(
        "[[fhir_client]]\nkey = \"record\"\ntitle = \"Record\"\nsite = \"{}\"\nlocal_identifier = \"{RECORD_NUMBERS}\"\n\
         jwks_file = \"record.jwks.json\"\nscopes = []\ncds_issuer = \"{RECORD_ISSUER}\"\n",
        SITES[0].0
    ));
    let both = [SITES[0].0, SITES[1].0];
    for role in ["coordinator", "manager", "information-governance", "integration-engineer"] {
        text.push_str(&staff(role, role, &both));
    }
    fs::write(folder.join("record.jwks.json"), record_keys).expect("keys of the record");
    fs::write(folder.join("bench.toml"), &text).expect("a configuration");
    let digits: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = folder.join("bench.keys");
    fs::write(&keys, format!("audit = \"{digits}\"\n")).expect("keys");
    fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("keys of our own");
    text
}

fn staff(key: &str, role: &str, sites: &[&str]) -> String {
    format!("[[staff]]\nkey = \"{key}\"\nname = \"Name of {key}\"\nrole = \"{role}\"\nsites = {sites:?}\n")
}

pub(crate) fn key() -> AuditKey {
    AuditKey::new(KEY)
}

pub(crate) fn nurse(site: &str, number: u32) -> String {
    format!("nurse-{site}-{number}")
}

pub(crate) fn supporter(site: &str, number: u32) -> String {
    format!("peer-{site}-{number}")
}

/// Numbers that look drawn by lot and are the same every time.
const fn lot(number: u32, of: u32) -> u32 {
    let mut mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed >> 33) % of as u64) as u32
}

const GIVEN: [&str; 20] = [
    "Ada", "Ben", "Chidi", "Dorota", "Efua", "Farid", "Grace", "Hugo", "Inês", "Joy", "Kofi", "Lena", "Miriam", "Noor", "Oscar", "Priya",
    "Rosa", "Sam", "Tunde", "Zoë",
];
const FAMILY: [&str; 20] = [
    "Ada", "Bren", "Cart", "Dan", "Eke", "Fer", "Gar", "Hol", "Ibra", "John", "Kam", "Lind", "Mor", "Nwo", "Oka", "Pat", "Ram", "San",
    "Tay", "Wil",
];
const ENDING: [&str; 12] = ["for", "nan", "er", "son", "gu", "ley", "man", "ova", "ton", "ez", "kar", "ski"];

/// How somebody stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lot {
    Awaiting,
    Open,
    Deferred,
    OptedOut,
    Held,
    Ended,
}

/// Of a thousand people.
fn lot_of(number: u32) -> Lot {
    match lot(number, 1_000) {
        0..30 => Lot::Awaiting,
        30..50 => Lot::Open,
        50..60 => Lot::Deferred,
        60..70 => Lot::OptedOut,
        70..118 => Lot::Held,
        _ => Lot::Ended,
    }
}

struct Maker {
    now: Timestamp,
    ids: CountingIds,
    /// How many people of each site have a supporter so far.
    held: [u32; 2],
    live: Vec<PersonId>,
    known: Option<Known>,
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn site(number: u32) -> usize {
    usize::from(number % 5 >= 3)
}

/// Fills a new database with everything, as of now, and tells whom to look at. The audit ends a minute ago.
pub(crate) fn fill(store: &Store, now: Timestamp) {
    let mut maker = Maker { now, ids: CountingIds::default(), held: [0; 2], live: Vec::new(), known: None };
    for first in (0..PEOPLE).step_by(BATCH as usize) {
        let decisions: Vec<Decision> = (first..(first + BATCH).min(PEOPLE)).map(|number| maker.person(number)).collect();
        let kept = store.write(move |tx| decisions.iter().try_for_each(|decision| journal::keep(tx, None, decision)));
        kept.expect("people are kept");
    }
    maker.audit(store);
    maker.messages(store);
    maker.rest(store);
}

/// Numbers and dates of birth of some people of the first site with whom something is under way: of each whether they are to be
/// told.
pub(crate) fn opened(now: Timestamp, most: u32) -> Vec<(String, Date, bool)> {
    let mut maker = Maker { now, ids: CountingIds::default(), held: [0; 2], live: Vec::new(), known: None };
    let all = (0..most).map(|number| (maker.person(number).record.person, number));
    let counts = |number: u32| site(number) == 0 && number >= QUESTIONS && matches!(lot_of(number), Lot::Awaiting | Lot::Open | Lot::Held);
    let here = all.filter(|(_, number)| counts(*number));
    here.filter_map(|(person, number)| {
        let local = person.identifiers.first()?.value.clone();
        Some((local, person.birth_date?, lot_of(number) == Lot::Awaiting))
    })
    .collect()
}

/// Whom [`fill`] made first with a supporter of the first site.
pub(crate) fn known(now: Timestamp) -> Known {
    let mut maker = Maker { now, ids: CountingIds::default(), held: [0; 2], live: Vec::new(), known: None };
    let mut numbers = 0..PEOPLE;
    loop {
        maker.person(numbers.next().expect("somebody is supported"));
        if let Some(known) = maker.known.take() {
            return known;
        }
    }
}

impl Maker {
    fn ago(&self, days: u32, number: u32) -> Timestamp {
        self.now - SignedDuration::from_hours(24 * i64::from(days)) - SignedDuration::from_secs(60 + i64::from(lot(number, 30_000)))
    }

    fn person(&mut self, number: u32) -> Decision {
        let (at_site, lot_here) = (site(number), lot_of(number));
        let (site_key, _, _) = SITES[at_site];
        let id = PersonId::new(&mut self.ids);
        let local = format!("{:07}", 1_000_000 + number);
        let mut person =
            Person::new(id, SiteId(site_key.into()), vec![Identifier { system: format!("{site_key}:MRN"), value: local.clone() }]);
        person.given = Some(GIVEN[lot(number, 20) as usize].into());
        person.family = Some(format!("{}{}", FAMILY[lot(number + 7, 20) as usize], ENDING[lot(number + 13, 12) as usize]));
        person.birth_date = Some(Date::constant(1945, 1, 1).saturating_add(i64::from(lot(number + 3, 22_000)).days()));
        person.telephone = Some(format!("07700 9{:05}", lot(number, 100_000)));
        let digits = [100_000, 10_000, 1_000, 100, 10, 1].map(|place| u8::try_from(number / place % 10).unwrap_or(0));
        let [a, b, c, d, e, f] = digits;
        person.nhs_number = NhsNumber::from_nine([9, 9, 9, a, b, c, d, e, f]).map(|number| NhsNumberHeld { number, verified: true });
        let days = match lot_here {
            Lot::Awaiting => lot(number + 5, 60),
            Lot::Open => 1 + lot(number + 5, 10),
            Lot::Deferred | Lot::OptedOut => 10 + lot(number + 5, 300),
            Lot::Held => 15 + lot(number + 5, 500),
            Lot::Ended => 60 + lot(number + 5, 3_600),
        };
        let raised = self.ago(days, number);
        person.diagnosis = Diagnosis::New { on: day(raised) };
        person.last_attended = Some(day(self.ago(days.min(lot(number, 200)), number)));
        if lot_here == Lot::OptedOut {
            person.objection = Some(Objection { scope: Scope::All, reason: ObjectionReason::NotStated, at: raised });
        }
        let mut decision = Decision::unchanged(Record::new(person));
        self.refer(&mut decision, number, lot_here, raised);
        if lot_here != Lot::Ended {
            self.live.push(id);
        }
        if number < QUESTIONS {
            decision.record.questions.push(Question {
                id: QuestionId::new(&mut self.ids),
                person: id,
                origin: id,
                kind: if number.is_multiple_of(4) { question::Kind::Safeguarding } else { question::Kind::NewOrKnown },
                raised_at: self.ago(number, number),
                other: None,
                referral: None,
                answered: None,
            });
        }
        decision
    }

    fn refer(&mut self, decision: &mut Decision, number: u32, lot_here: Lot, raised: Timestamp) {
        let (at_site, person) = (site(number), decision.record.person.id);
        let (site_key, _, supporters) = SITES[at_site];
        let (id, told_by) = (ReferralId::new(&mut self.ids), StaffId(nurse(site_key, lot(number + 11, NURSES))));
        let holder = StaffId(supporter(site_key, self.held[at_site] % supporters));
        let of = || holder.clone();
        let on = day(raised);
        let status = match lot_here {
            Lot::Awaiting => Status::AwaitingNotice,
            Lot::Open => Status::Open,
            Lot::Deferred => Status::Deferred { until: day(self.now).saturating_add(i64::from(1 + lot(number, 200)).days()) },
            Lot::OptedOut => Status::OptedOut,
            Lot::Held => match self.held[at_site] / supporters % 10 {
                0 => Status::Supported { supporter: of() },
                1 => Status::Allocated { supporter: of() },
                2 => Status::Contacting { supporter: of() },
                3 => Status::Engaged { supporter: of() },
                4 => Status::Assessed { supporter: of() },
                _ => Status::Supported { supporter: of() },
            },
            Lot::Ended => Status::Ended { reason: EndReason::Completed },
        };
        if lot_here == Lot::Held {
            if at_site == 0 && self.held[0] == 0 {
                self.known = Some(Known { supported: person, referral: id, number: decision.record.person.identifiers[0].value.clone() });
            }
            self.held[at_site] += 1;
        }
        let (released, stage) = (matches!(lot_here, Lot::Open | Lot::Held | Lot::Ended), status.stage());
        let tried = matches!(stage, Stage::Engaged | Stage::Assessed | Stage::Supported | Stage::Ended);
        let repeated = matches!(stage, Stage::Assessed | Stage::Supported);
        let later = |days: i64| on.saturating_add(days.days());
        decision.record.triggers.push(Trigger {
            id: TriggerId::new(&mut self.ids),
            person,
            origin: person,
            kind: [Kind::NewDiagnosis, Kind::NewDiagnosis, Kind::Reengagement, Kind::ClinicRequest][lot(number + 17, 4) as usize],
            on,
            at: raised,
            rule: Rule::ConfirmedResult,
            evidence: Some(format!("F{number}")),
            message: None,
            outcome: trigger::Outcome::Referral(id),
        });
        decision.record.referrals.push(Referral {
            id,
            person,
            origin: person,
            site: SiteId(site_key.into()),
            reason: decision.record.triggers[0].kind,
            raised_at: raised,
            status,
            notice: (lot_here != Lot::Awaiting).then(|| Notice { by: told_by.clone(), on, how: How::InPerson }),
            consents_to_outside: false,
            released_on: released.then(|| later(1)),
            due_on: released.then(|| later(8)),
            attempts: u32::from(!tried && released),
            engaged_on: tried.then(|| later(3 + i64::from(lot(number, 8)))),
            assessed_on: tried.then(|| later(14)),
            next_assessment_on: repeated.then(|| day(self.now).saturating_add((i64::from(lot(number, 90)) - 5).days())),
            ended_on: (lot_here == Lot::Ended).then(|| later(50)),
        });
        self.happened(decision, id, stage, &told_by, &holder, raised);
        self.contacts(decision, number, id, &holder, (on, tried, lot_here));
    }

    fn happened(&mut self, decision: &mut Decision, id: ReferralId, stage: Stage, nurse: &StaffId, holder: &StaffId, raised: Timestamp) {
        let feed = Actor::Feed(decision.record.person.site.0.clone());
        let told = Actor::Staff { id: nurse.clone(), role: Role::Clinician };
        let peer = Actor::Staff { id: holder.clone(), role: Role::Supporter };
        let mut lines = vec![(What::PersonAdded, &feed, None), (What::ReferralRaised, &feed, Some(Stage::AwaitingNotice))];
        if stage != Stage::AwaitingNotice {
            lines.push((What::NoticeRecorded, &told, None));
        }
        match stage {
            Stage::Deferred => lines.push((What::Deferred, &told, Some(stage))),
            Stage::OptedOut => lines.push((What::OptedOut, &told, Some(stage))),
            Stage::Open => lines.push((What::Released, &told, Some(stage))),
            Stage::Ended => {
                lines.extend([(What::Released, &told, Some(Stage::Open)), (What::Engaged, &peer, Some(Stage::Engaged))]);
                lines.push((What::Ended, &peer, Some(stage)));
            }
            Stage::Allocated | Stage::Contacting | Stage::Engaged | Stage::Assessed | Stage::Supported => {
                lines.extend([(What::Released, &told, Some(Stage::Open)), (What::Allocated, &told, Some(Stage::Allocated))]);
                lines.extend([(What::ContactRecorded, &peer, None); 8]);
                lines.push((What::ContactRecorded, &peer, Some(stage)));
            }
            Stage::AwaitingNotice | Stage::Held => {}
        }
        let person = decision.record.person.id;
        for (place, (what, actor, stage)) in (0_i64..).zip(lines) {
            decision.events.push(Event {
                id: EventId::new(&mut self.ids),
                at: (raised + SignedDuration::from_hours(24 * place)).min(self.now),
                actor: actor.clone(),
                cause: Cause::Form,
                person,
                referral: (place > 0).then_some(id),
                what,
                stage,
                detail: None,
            });
        }
    }

    fn contacts(
        &mut self,
        decision: &mut Decision,
        number: u32,
        referral: ReferralId,
        holder: &StaffId,
        (on, tried, here): (Date, bool, Lot),
    ) {
        let person = decision.record.person.id;
        let count = match (here, tried) {
            (Lot::Ended, _) => 2,
            (Lot::Held, true) => 9,
            (Lot::Held, false) => 1,
            _ => 0,
        };
        for place in 0..count {
            decision.contacts.push(Contact {
                id: ContactId::new(&mut self.ids),
                person,
                referral,
                note: ContactNote {
                    supporter: holder.clone(),
                    on: on.saturating_add((2 + place).days()).min(day(self.now)),
                    way: if place % 2 == 0 { Way::Telephone } else { Way::FaceToFace },
                    outcome: if tried { Outcome::Conversation } else { Outcome::NoAnswer },
                    minutes: 30,
                    note: "Spoke about the appointment next week and how the new tablets are going".into(),
                },
            });
        }
        let assessments = if here == Lot::Held && tried { 3 } else { 0 };
        for place in 0..assessments {
            let score = |scale: &str, value| Score { scale: scale.into(), value: Some(value), band: Some("normal".into()) };
            decision.assessments.push(Assessment {
                id: AssessmentId::new(&mut self.ids),
                person,
                referral,
                form: AssessmentForm {
                    supporter: holder.clone(),
                    on: on.saturating_add((14 * place).days()).min(day(self.now)),
                    instrument: "phq4".into(),
                    version: "1".into(),
                    answers: ["nervous", "worrying", "interest", "down"].map(|item| (item.to_owned(), 1)).into(),
                    scores: vec![score("total", 4), score("anxiety", 2), score("low-mood", 2)],
                    repeat_after_days: None,
                },
            });
        }
        if here == Lot::Held && lot(number, 100) == 0 {
            let id = OutgoingId::new(&mut self.ids);
            decision.effects.push(Effect::Queue(Outgoing { id, person, referral, not_before: self.now - SignedDuration::from_hours(5) }));
        }
    }

    /// Looks of the last year: three of four at one person, the others at a list of ten.
    fn audit(&self, store: &Store) {
        let seconds = i64::from(365 * 24 * 3600 / AUDIT_LINES);
        for first in (0..AUDIT_LINES).step_by(BATCH as usize) {
            let entries: Vec<Entry> = (first..first + BATCH).map(|number| self.look(number, seconds)).collect();
            let kept = store.write(move |tx| entries.iter().try_for_each(|entry| audit::append(tx, &key(), entry).map(drop)));
            kept.expect("lines are kept");
        }
    }

    fn look(&self, number: u32, seconds: i64) -> Entry {
        let (site_key, _, supporters) = SITES[site(number)];
        let (id, role) = match lot(number, 10) {
            0..5 => (nurse(site_key, lot(number + 1, NURSES)), Role::Clinician),
            5..9 => (supporter(site_key, lot(number + 1, supporters)), Role::Supporter),
            _ => ("coordinator".to_owned(), Role::Coordinator),
        };
        let one = lot(number + 2, 4) > 0;
        let subjects = (0..if one { 1 } else { 10 }).map(|place| self.live[lot(number * 11 + place, self.live.len() as u32) as usize]);
        Entry {
            at: self.now - SignedDuration::from_secs(60 + seconds * i64::from(AUDIT_LINES - number)),
            actor: Actor::Staff { id: StaffId(id), role },
            action: if one { "see-person" } else { "see-team-lists" }.into(),
            purpose: "care".into(),
            site: Some(SiteId(site_key.into())),
            outcome: if number.is_multiple_of(500) { audit::Outcome::Refused } else { audit::Outcome::Allowed },
            detail: None,
            subjects: subjects.collect(),
        }
    }

    fn messages(&mut self, store: &Store) {
        let kept: Vec<messages::Kept> = (0..QUARANTINED).map(|number| self.message(number)).collect();
        let now = self.now;
        let done = store.write(move |tx| {
            kept.iter().try_for_each(|message| messages::add(tx, message))?;
            for (feed, _, _) in SITES {
                messages::heard(tx, feed, now)?;
                for hour in 0..24 * 60 {
                    for (fate, count) in [("applied", 20), ("discarded", 1_900), ("duplicate", 3), ("quarantined", 1)] {
                        let hour = now.as_second() / 3_600 - hour;
                        messages::count(tx, &messages::Bucket { feed: feed.into(), hour, kind: "ADT^A08".into(), fate }, count)?;
                    }
                }
            }
            Ok::<_, StoreError>(())
        });
        done.expect("messages are kept");
    }

    fn message(&mut self, number: u32) -> messages::Kept {
        let problem = |place: u32| messages::Problem {
            location: format!("OBX[{place}]-3.1"),
            code: "103".into(),
            severity: "E".into(),
            words: "the code is not in the profile's table of results".into(),
        };
        let received = self.ago(number / 20, number);
        messages::Kept {
            id: MessageId::new(&mut self.ids),
            key: messages::Key {
                feed: SITES[site(number)].0.into(),
                sender: "HNAM^RQM".into(),
                control_id: format!("Q{number}"),
                digest: format!("{number:064x}"),
            },
            received_at: received,
            kind: "ORU^R01".into(),
            answer: "AA".into(),
            set_aside: Some((vec![b'x'; 1_500], received + SignedDuration::from_hours(24 * 30))),
            problems: vec![problem(1), problem(2)],
        }
    }

    /// Concerns, replies, shields and opened records, about people who are live.
    fn rest(&mut self, store: &Store) {
        let concerns: Vec<Concern> = (0..CONCERNS).map(|number| self.concern(number)).collect();
        let replies: Vec<Reply> = (0..REPLIES).map(|number| self.reply(number)).collect();
        let glasses: Vec<Glass> = (0..30).map(|number| self.glass(number)).collect();
        let shielded: Vec<PersonId> = (0..SHIELDED).map(|number| self.live[lot(number + 99, self.live.len() as u32) as usize]).collect();
        let done = store.write(move |tx| {
            concerns.iter().try_for_each(|concern| {
                care::raise(tx, concern)?;
                if let State::Acknowledged(acknowledged) = &concern.state {
                    care::acknowledge(tx, concern.id, acknowledged)?;
                }
                Ok::<_, StoreError>(())
            })?;
            replies.iter().try_for_each(|reply| care::add_reply(tx, reply))?;
            glasses.iter().try_for_each(|glass| standing::break_glass(tx, glass))?;
            shielded.iter().try_for_each(|person| standing::shield(tx, *person, Timestamp::UNIX_EPOCH))?;
            for (site_key, _, supporters) in SITES {
                let nurses = (0..NURSES).map(|number| nurse(site_key, number));
                for staff in nurses.chain((0..supporters).map(|number| supporter(site_key, number))) {
                    // Like everybody, they gave their details; no record is theirs.
                    standing::add_marks(tx, &StaffId(staff), &["00".repeat(32), "01".repeat(32)])?;
                }
            }
            Ok::<_, StoreError>(())
        });
        done.expect("the rest is kept");
    }

    fn some_live(&self, number: u32) -> PersonId {
        self.live[lot(number + 1_000, self.live.len() as u32) as usize]
    }

    fn concern(&mut self, number: u32) -> Concern {
        let (raised_at, by) = (self.ago(number, number), StaffId(nurse(SITES[0].0, 0)));
        let acknowledged = Acknowledged { by: by.clone(), at: raised_at, words: "Called and spoke, seen on Tuesday".into() };
        Concern {
            id: ConcernId::new(&mut self.ids),
            person: self.some_live(number),
            raised_by: StaffId(supporter(SITES[0].0, 0)),
            raised_at,
            words: "Said that they have not slept for a week and has stopped taking the tablets".into(),
            urgency: Urgency::Soon,
            to: by,
            state: if number < 20 { State::Open } else { State::Acknowledged(acknowledged) },
        }
    }

    fn reply(&mut self, number: u32) -> Reply {
        let (id, person) = (ReplyId::new(&mut self.ids), self.some_live(number + 500));
        Reply { id, person, kind: ReplyKind::YesPlease, words: String::new(), at: self.ago(number, number), handled: None }
    }

    fn glass(&mut self, number: u32) -> Glass {
        let (id, at) = (GlassId(self.ids.next()), self.ago(number + 1, number));
        Glass {
            id,
            staff: StaffId(nurse(SITES[0].0, number % NURSES)),
            site: SiteId(SITES[0].0.into()),
            person: Some(self.some_live(number)),
            message: None,
            reason: "emergency".into(),
            words: "Came to the emergency department last night".into(),
            at,
            until: at + SignedDuration::from_hours(1),
            reviewed: None,
        }
    }
}
