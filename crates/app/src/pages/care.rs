//! Safe contact as it stands first on a person's page, the clinic's concerns, and answers by private link.

use alongside_domain::access::{Action, Scope};
use alongside_domain::concern::{self, Concern, Due, State};
use alongside_domain::id::PersonId;
use alongside_domain::person::Person;
use alongside_domain::reply::ReplyKind;
use alongside_domain::safe_contact::SafeContactForm;
use alongside_domain::supporter::Role;
use alongside_store::page_reads::{Named, Raised, Replied, Slice};
use alongside_store::{Tx, care, page_reads};

use super::words::{self, Urgency};
use crate::desk::{Desk, Seen};
use crate::{App, Failure, london_date};

/// The most lines of a list that a page shows.
const LINES_MAX: u32 = 100;
/// How many concerns that were taken on a page shows, the latest.
const SETTLED_MAX: u32 = 20;

/// How somebody may be contacted: what stands first on their page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeContactBox {
    /// Whether anything was recorded. If not, all else is the careful way.
    pub is_known: bool,
    /// `Telephone call`.
    pub channel: String,
    /// `evenings and weekends`.
    pub when: String,
    /// Who else may answer: `nobody else`.
    pub who_may_answer: String,
    /// Whether a message may be left: `Do not leave a message`.
    pub voicemail: &'static str,
    /// What name to say.
    pub name_to_say: String,
    /// What else matters; may be empty.
    pub notes: String,
    /// The telephone number of the record.
    pub telephone: Option<String>,
    /// `Inês, 6 January 2025`.
    pub recorded: Option<String>,
    /// What a form to change it begins with.
    pub form: SafeContactForm,
    /// Whether whoever looks may change it.
    pub may_change: bool,
}

/// The concerns of a clinic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concerns {
    /// Key of the site.
    pub site: String,
    /// Title of the site.
    pub site_title: String,
    /// Those that nobody has taken on: the overdue first, then the most urgent, then the oldest.
    pub open: Vec<ConcernLine>,
    /// How many are overdue.
    pub overdue: usize,
    /// Those that somebody has taken on, the latest first.
    pub settled: Vec<ConcernLine>,
    /// Whether whoever looks may take one on.
    pub may_acknowledge: bool,
}

/// A concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcernLine {
    /// Its identifier.
    pub id: String,
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// What is the matter; empty where whoever looks may know only that there is one.
    pub words: String,
    /// `Inês, 6 January 2025, 8:30am`.
    pub raised: String,
    /// The clinician who is to read it.
    pub to: String,
    /// Whether that is whoever looks.
    pub to_me: bool,
    /// `today, by 9:30am`; `by the end of 7 January 2025`.
    pub due: String,
    /// How urgent it is.
    pub urgency: Urgency,
    /// Who took it on and when.
    pub acknowledged: Option<String>,
    /// What they said.
    pub answer: String,
}

/// An answer by private link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyLine {
    /// Where it is noted that it was seen to.
    pub handled: String,
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// What they said: `Yes please`.
    pub said: String,
    /// In their words; may be empty.
    pub words: String,
    /// When.
    pub when: String,
    /// How urgent it is.
    pub urgency: Urgency,
}

impl Desk {
    /// How somebody may be contacted.
    ///
    /// # Errors
    /// Those of [`Desk::person_page`].
    pub fn safe_contact(&self, person: PersonId) -> Result<SafeContactBox, Failure> {
        let desk = self.clone();
        self.disclose(Action::SeePerson, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::SeePerson, person)?;
            desk.safe_contact_of(tx, &admitted.record.person)
        })
    }

    /// How a person whose record is open may be contacted.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn safe_contact_of(&self, tx: &mut Tx<'_>, person: &Person) -> Result<SafeContactBox, Failure> {
        let newest = care::contacts(tx, person.id, 1)?.into_iter().next();
        let may_change = self.may_do(Action::SetSafeContact).is_ok();
        let telephone = person.telephone.clone();
        let Some(version) = newest else { return Ok(SafeContactBox::careful(telephone, may_change)) };
        let contact = &version.contact;
        let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        Ok(SafeContactBox {
            is_known: true,
            channel: words::sentence(contact.channel.words()),
            when: contact.when(),
            who_may_answer: or(&contact.who_may_answer, "nobody else"),
            voicemail: if contact.voicemail { "A message may be left" } else { "Do not leave a message" },
            name_to_say: or(&contact.name_to_say, "your first name only"),
            notes: contact.notes.clone(),
            telephone,
            recorded: Some(format!("{}, {}", self.app().setup.name_of(&version.set_by.0), words::day(london_date(version.at)))),
            form: contact.form(),
            may_change,
        })
    }

    /// The concerns about the people of a clinic.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for another site; the store's.
    pub fn concerns_page(&self, site: &str) -> Result<Concerns, Failure> {
        let site = self.site(Action::SeeConcerns, site)?.clone();
        let desk = self.clone();
        self.disclose(Action::SeeConcerns, Some(&site.key.clone()), move |tx, seen| {
            let scope = desk.scope(Action::SeeConcerns, &site.key)?;
            let open = page_reads::concerns(tx, &scope, true, Slice { most: LINES_MAX, skip: 0 })?;
            let settled = page_reads::concerns(tx, &scope, false, Slice { most: SETTLED_MAX, skip: 0 })?;
            open.iter().chain(&settled).for_each(|raised| seen.person(raised.concern.person));
            let line = |raised: &Raised| desk.concern_line(&raised.concern, &raised.named);
            let mut open: Vec<(concern::Urgency, ConcernLine)> = open.iter().map(|raised| (raised.concern.urgency, line(raised))).collect();
            // The store gives the oldest first, and sorting keeps that order among equals.
            open.sort_by_key(|(urgency, line)| (line.urgency != Urgency::Late, *urgency));
            Ok(Concerns {
                site: site.key.0.clone(),
                site_title: site.title.clone(),
                overdue: open.iter().filter(|(_, line)| line.urgency == Urgency::Late).count(),
                open: open.into_iter().map(|(_, line)| line).collect(),
                settled: settled.iter().map(line).collect(),
                may_acknowledge: desk.viewer().role == Role::Clinician,
            })
        })
    }

    /// How many concerns of a site nobody has taken on.
    ///
    /// # Errors
    /// Those of [`Desk::concerns_page`].
    pub fn concerns_waiting(&self, site: &str) -> Result<u64, Failure> {
        let site = self.site(Action::SeeConcerns, site)?.key.clone();
        let scope = self.scope(Action::SeeConcerns, &site)?;
        Ok(self.app().store.read(|tx| page_reads::count_concerns(tx, &scope))?)
    }

    /// How many concerns wait at all sites of the owner of the desk; none for whom they are not.
    ///
    /// # Errors
    /// The store's.
    pub fn concerns_open(&self) -> Result<u64, Failure> {
        self.sites(Action::SeeConcerns).map(|site| self.concerns_waiting(&site.key.0)).sum()
    }

    /// The concerns about one person, newest first, for those who may raise one: of others' they learn that there is one and
    /// whether somebody has taken it on.
    ///
    /// # Errors
    /// Those of [`Desk::person_page`].
    pub fn concerns_of(&self, person: PersonId) -> Result<Vec<ConcernLine>, Failure> {
        let desk = self.clone();
        self.disclose(Action::RaiseConcern, None, move |tx, seen| {
            let record = desk.admit(tx, seen, Action::RaiseConcern, person)?.record;
            let sees_all = desk.may_do(Action::SeeConcerns).is_ok();
            let Person { id, given, family, birth_date, .. } = record.person;
            let named = Named { given, family, birth_date };
            let lines = care::concerns_of(tx, id)?.into_iter().map(|concern| {
                let mut line = desk.concern_line(&concern, &named);
                if !sees_all && concern.raised_by != *desk.staff() {
                    line.words.clear();
                    line.answer.clear();
                }
                line
            });
            Ok(lines.collect())
        })
    }

    fn concern_line(&self, concern: &Concern, named: &Named) -> ConcernLine {
        let (app, now) = (self.app(), self.app().world.now());
        let (raised_on, today) = (london_date(concern.raised_at), london_date(now));
        let name_of = |key: &str| app.setup.name_of(key);
        let (acknowledged, answer) = match &concern.state {
            State::Open => (None, String::new()),
            State::Acknowledged(by) => (Some(format!("{}, {}", name_of(&by.by.0), words::moment(by.at))), by.words.clone()),
        };
        ConcernLine {
            id: concern.id.to_string(),
            href: format!("/people/{}", concern.person),
            name: words::name(named.given.as_deref(), named.family.as_deref()),
            age: words::age(named.birth_date, today),
            words: concern.words.clone(),
            raised: format!("{}, {}", name_of(&concern.raised_by.0), words::moment(concern.raised_at)),
            to: name_of(&concern.to.0),
            to_me: concern.to == *self.staff(),
            due: match concern.due(raised_on) {
                Due::At(at) => format!("by {}", words::moment(at)),
                Due::EndOf(day) => format!("by the end of {}", words::day(day)),
            },
            urgency: match concern.urgency {
                _ if acknowledged.is_some() => Urgency::Calm,
                _ if concern.is_overdue(raised_on, now, today) => Urgency::Late,
                concern::Urgency::Today => Urgency::Soon,
                concern::Urgency::Soon => Urgency::Calm,
            },
            acknowledged,
            answer,
        }
    }

    /// The answers by private link of whom the owner of the desk may know, until somebody sees to them: the oldest first.
    pub(super) fn replies(&self, tx: &mut Tx<'_>, seen: &mut Seen, scopes: &[Scope]) -> Result<Vec<ReplyLine>, Failure> {
        let mut lines = Vec::new();
        for scope in scopes {
            let replies = page_reads::replies(tx, scope, Slice { most: LINES_MAX, skip: 0 })?;
            replies.iter().for_each(|replied| seen.person(replied.reply.person));
            lines.extend(replies.iter().map(|replied| self.app().reply_line(replied)));
        }
        Ok(lines)
    }
}

impl App {
    fn reply_line(&self, Replied { reply, named }: &Replied) -> ReplyLine {
        ReplyLine {
            handled: format!("/replies/{}/handled", reply.id),
            href: format!("/people/{}", reply.person),
            name: words::name(named.given.as_deref(), named.family.as_deref()),
            said: words::sentence(reply.kind.words()),
            words: reply.words.clone(),
            when: words::recent(reply.at, self.world.now()),
            urgency: match reply.kind {
                ReplyKind::AssessmentAtOnce => Urgency::Late,
                ReplyKind::ContactChange | ReplyKind::NoThanks | ReplyKind::SomeoneElse => Urgency::Soon,
                ReplyKind::YesPlease | ReplyKind::NotNow | ReplyKind::Assessment => Urgency::Calm,
            },
        }
    }
}

impl SafeContactBox {
    /// The careful way, where nothing was recorded.
    fn careful(telephone: Option<String>, may_change: bool) -> Self {
        Self {
            is_known: false,
            channel: "Not recorded yet: ask at the first contact".into(),
            when: "at any hour".into(),
            who_may_answer: "nobody else".into(),
            voicemail: "Do not leave a message",
            name_to_say: "your first name only".into(),
            notes: String::new(),
            telephone,
            recorded: None,
            form: SafeContactForm::default(),
            may_change,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::DraftForm;
    use crate::pages::testing::with_somebody_awaiting_notice;
    use alongside_domain::concern::ConcernForm;
    use alongside_domain::decision::Refusal;
    use alongside_domain::safe_contact::Channel;
    use alongside_domain::supporter::StaffId;

    fn form(to: &str) -> ConcernForm {
        ConcernForm { words: "Not answering since Friday".into(), urgency: Some(concern::Urgency::Today), to: Some(StaffId(to.into())) }
    }

    #[test]
    fn safe_contact_is_careful_until_it_is_recorded() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let nurse = app.desk("nurse-aoife").unwrap();
        let before = nurse.safe_contact(person).unwrap();
        assert!(!before.is_known && before.may_change);
        assert_eq!(before.voicemail, "Do not leave a message");
        assert!(matches!(nurse.set_safe_contact(person, &SafeContactForm::default()), Err(Failure::Invalid(_))));
        let given = SafeContactForm {
            channel: Some(Channel::Call),
            voicemail: Some(true),
            name_to_say: "Sam".into(),
            ..SafeContactForm::default()
        };
        nurse.set_safe_contact(person, &given).unwrap();
        let after = app.desk("safeguarding-ruth").unwrap().safe_contact(person).unwrap();
        assert_eq!(
            (after.channel.as_str(), after.voicemail, after.name_to_say.as_str()),
            ("Telephone call", "A message may be left", "Sam")
        );
        assert!(!after.may_change && after.form == given);
        assert_eq!(after.recorded.as_deref(), Some("Aoife Brennan, 6 January 2025"));
        assert_eq!(app.desk("dele").unwrap().safe_contact(person), Err(Failure::NotFound), "not released, and not theirs");
        assert_eq!(app.desk("nurse-blessing").unwrap().set_safe_contact(person, &given), Err(Failure::NotFound), "another site");
    }

    #[test]
    fn a_concern_reaches_a_clinician_of_the_clinic_who_takes_it_on() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let ruth = app.desk("safeguarding-ruth").unwrap();
        let goes_to = ruth.concern_goes_to(person).unwrap();
        assert!(goes_to.iter().any(|(key, _)| key == "nurse-samuel") && goes_to.iter().all(|(key, _)| key != "nurse-blessing"));
        assert!(matches!(ruth.raise_concern(person, &form("nurse-blessing"), "one"), Err(Failure::Invalid(_))));
        ruth.raise_concern(person, &form("nurse-samuel"), "once").unwrap();
        ruth.raise_concern(person, &form("nurse-samuel"), "once").unwrap();
        let page = app.desk("nurse-samuel").unwrap().concerns_page("chelwest").unwrap();
        assert_eq!(page.open.len(), 1, "sent twice, raised once");
        let id = page.open[0].id.parse().unwrap();
        assert!(page.may_acknowledge && page.open[0].to_me && page.open[0].urgency == Urgency::Soon);
        assert_eq!(page.open[0].due, "by 6 January 2025, 9:30am");
        assert_eq!(ruth.concerns_waiting("chelwest"), Ok(1));
        assert_eq!(ruth.acknowledge(id, ""), Err(Failure::Refused(Refusal::NotAClinician)));
        assert_eq!(app.desk("nurse-blessing").unwrap().acknowledge(id, ""), Err(Failure::NotFound));
        app.desk("nurse-aoife").unwrap().acknowledge(id, "I have called").unwrap();
        assert_eq!(app.desk("nurse-samuel").unwrap().acknowledge(id, ""), Err(Failure::Refused(Refusal::AlreadyAcknowledged)));
        let page = ruth.concerns_page("chelwest").unwrap();
        assert_eq!((page.open.len(), page.settled.len(), page.settled[0].answer.as_str()), (0, 1, "I have called"));
        assert_eq!(ruth.concerns_of(person).unwrap()[0].acknowledged.as_deref(), Some("Aoife Brennan, 6 January 2025, 8:30am"));
        assert_eq!(app.desk("coordinator-leila").unwrap().concerns_page("chelwest"), Err(Failure::Forbidden));
    }

    #[test]
    fn a_draft_is_its_writers_and_goes_when_the_form_is_sent() {
        let (app, person, _database) = with_somebody_awaiting_notice();
        let (nurse, samuel) = (app.desk("nurse-aoife").unwrap(), app.desk("nurse-samuel").unwrap());
        nurse.save_draft(person, DraftForm::Concern, "half a sen").unwrap();
        assert_eq!(nurse.draft(person, DraftForm::Concern), Ok(Some("half a sen".into())));
        assert_eq!(samuel.draft(person, DraftForm::Concern), Ok(None));
        assert_eq!(nurse.save_draft(person, DraftForm::Contact, "x"), Err(Failure::Forbidden), "clinicians record no contacts");
        nurse.raise_concern(person, &form("nurse-samuel"), "two").unwrap();
        assert_eq!(nurse.draft(person, DraftForm::Concern), Ok(None));
        nurse.save_draft(person, DraftForm::SafeContact, "x").unwrap();
        nurse.drop_draft(person, DraftForm::SafeContact).unwrap();
        assert_eq!(nurse.draft(person, DraftForm::SafeContact), Ok(None));
        assert!(matches!(nurse.save_draft(person, DraftForm::Concern, &"a".repeat(8001)), Err(Failure::Invalid(_))));
    }
}
