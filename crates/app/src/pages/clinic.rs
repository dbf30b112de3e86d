//! Today in clinic: who is to be told, what is to be answered, and what became of those who were referred.

use alongside_domain::access::Action;
use alongside_domain::allocation::{self, Loss};
use alongside_domain::person::SiteId;
use alongside_domain::record::Record;
use alongside_domain::referral::Stage;
use alongside_store::page_reads::{self, Slice, Waiting};
use alongside_store::{Tx, people, standing};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::care::ReplyLine;
use super::coordination::{TeamFilter, give_address};
use super::questions::QuestionLine;
use super::words::{self, Urgency};
use super::worklists::{WorklistKind, address, count};
use super::{Link, Task};
use crate::desk::{Desk, Seen};
use crate::{App, Failure, london_date};

/// What peer support is, and what it is not: what can be said to somebody, in a sentence. For clinic staff alone.
pub const PEER_SUPPORT_IN_A_SENTENCE: &str = "Peer support is talking with somebody who also lives with HIV, who is trained and part of \
     our team; it is not counselling or medical advice, and it is your choice, now or at any later time.";

/// How many people of one list the page shows; the rest is a link away.
const SHOWN_MAX: u32 = 10;
/// How many of those whom the reader referred it shows.
const REFERRED_MAX: u32 = 20;
/// For how many days it tells what became of them.
const REFERRED_DAYS: i64 = 90;
/// For how many days it is told that a record was closed.
const CLOSED_DAYS: i64 = 30;

/// The page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClinicPage {
    /// What can be said about peer support.
    pub sentence: &'static str,
    /// Who is to be told, the longest waiting first.
    pub awaiting: Vec<ClinicLine>,
    /// How many there are: `12 people`.
    pub awaiting_total: String,
    /// Where the others are, if not all are shown.
    pub awaiting_more: Vec<Link>,
    /// Questions that messages could not answer.
    pub questions: Vec<QuestionLine>,
    /// How many there are: `3 questions`.
    pub questions_total: String,
    /// Whether there are more than are shown.
    pub more_questions: bool,
    /// Those whom the reader referred or told, the newest first.
    pub referred: Vec<ClinicLine>,
    /// How many there are, and how many of them are shown.
    pub referred_total: String,
    /// Lists to look at, with how many stand on each.
    pub lists: Vec<ClinicTile>,
    /// Records that the reader has open by break-glass.
    pub glass: Vec<OpenGlass>,
    /// What can be begun here.
    pub actions: Vec<Link>,
    /// What people answered by their private link, until somebody sees to it.
    pub replies: Vec<ReplyLine>,
    /// Whom the reader alone may give to a supporter, because their record is closed to coordinators.
    pub to_allocate: Vec<ToAllocate>,
    /// Whose record was closed to their colleagues of late, so that the reader is one of few who still see it.
    pub closed: Vec<ClosedLine>,
}

/// A person as a line of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClinicLine {
    /// The person's page.
    pub href: String,
    /// Where notice is recorded, while they wait for it.
    pub notice: Option<String>,
    /// The name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Title of the site, where the reader works at several.
    pub site_title: Option<String>,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub stage: String,
    /// `12 days`.
    pub waiting: String,
    /// What is due, and when.
    pub due: String,
    /// How urgent that is.
    pub urgency: Urgency,
}

/// Somebody whose record is closed to coordinators, and who needs a supporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToAllocate {
    /// Where they are given to somebody.
    pub href: String,
    /// The name.
    pub name: String,
    /// Why: nobody has them yet, or their supporter cannot go on.
    pub why: String,
}

/// Somebody whose record was closed to their colleagues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedLine {
    /// The person's page.
    pub href: String,
    /// The name.
    pub name: String,
    /// The day.
    pub since: String,
}

/// A list to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClinicTile {
    /// Where it is.
    pub href: String,
    /// Which list, and of which site, where the reader works at several.
    pub words: String,
    /// How many stand on it.
    pub count: String,
}

/// A record that is open by break-glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenGlass {
    /// The person's page.
    pub href: String,
    /// The name.
    pub name: String,
    /// `today at 12:30pm`.
    pub until: String,
}

impl Desk {
    /// The page of a clinician's day.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn clinic_page(&self) -> Result<ClinicPage, Failure> {
        let desk = self.clone();
        let sites: Vec<SiteId> = self.sites(Action::SeeClinicLists).map(|site| site.key.clone()).collect();
        let scopes = self.scopes(Action::SeeTeamLists, &TeamFilter::default())?;
        self.disclose(Action::SeeClinicLists, None, move |tx, seen| {
            let mut page = desk.empty_clinic();
            let (mut awaiting, mut referred) = (0, 0);
            for site in &sites {
                let many = sites.len() > 1;
                awaiting += desk.awaiting(tx, seen, site, many, &mut page)?;
                referred += desk.referred(tx, seen, site, many, &mut page)?;
                desk.tiles(tx, site, many, &mut page)?;
            }
            let (questions, total) = desk.question_lines(tx, seen, SHOWN_MAX)?;
            page.awaiting_total = words::counted(awaiting, "person", "people");
            page.referred_total = shown_of(page.referred.len() as u64, referred);
            page.more_questions = total > questions.len() as u64;
            page.questions_total = words::counted(total, "question", "questions");
            page.questions = questions;
            page.glass = desk.open_glass(tx, seen)?;
            page.replies = desk.replies(tx, seen, &scopes)?;
            let closed = desk.looked_after(tx, &sites)?;
            page.to_allocate = desk.to_allocate(tx, seen, &closed)?;
            page.closed = desk.newly_closed(seen, &closed);
            Ok(page)
        })
    }

    fn empty_clinic(&self) -> ClinicPage {
        let mut actions = Vec::new();
        if self.may_do(Action::Refer).is_ok() {
            actions.push(Link::new("/clinic/refer", "Refer somebody"));
        }
        if self.list_sites().next().is_some() {
            actions.push(Link::new("/clinic/list", "Upload this week’s list"));
        }
        if self.may_break_glass().is_ok() {
            actions.push(Link::new("/break-glass", "Open a closed record"));
        }
        ClinicPage {
            sentence: PEER_SUPPORT_IN_A_SENTENCE,
            awaiting: Vec::new(),
            awaiting_total: String::new(),
            awaiting_more: Vec::new(),
            questions: Vec::new(),
            questions_total: String::new(),
            more_questions: false,
            referred: Vec::new(),
            referred_total: String::new(),
            lists: Vec::new(),
            glass: Vec::new(),
            replies: Vec::new(),
            to_allocate: Vec::new(),
            closed: Vec::new(),
            actions,
        }
    }

    /// Adds who awaits notice at a site; how many do.
    fn awaiting(&self, tx: &mut Tx<'_>, seen: &mut Seen, site: &SiteId, many: bool, page: &mut ClinicPage) -> Result<u64, Failure> {
        let (scope, slice) = (self.scope(Action::SeeClinicLists, site)?, Slice { most: SHOWN_MAX, skip: 0 });
        let total = page_reads::count_at_stage(tx, &scope, Stage::AwaitingNotice)?;
        for waiting in page_reads::at_stage(tx, &scope, Stage::AwaitingNotice, slice)? {
            seen.person(waiting.person);
            page.awaiting.push(self.app().clinic_line(&waiting, site, many, self.may_do(Action::RecordNotice).is_ok()));
        }
        if total > u64::from(SHOWN_MAX) {
            let words = format!("All {} who await notice{}", words::number(total), self.app().at(site, many));
            page.awaiting_more.push(Link::new(address(site, WorklistKind::AwaitingNotice), words));
        }
        Ok(total)
    }

    /// Adds whom the reader referred or told at a site of late; how many they are.
    fn referred(&self, tx: &mut Tx<'_>, seen: &mut Seen, site: &SiteId, many: bool, page: &mut ClinicPage) -> Result<u64, Failure> {
        let scope = self.scope(Action::SeePerson, site)?;
        let since = self.app().world.now() - SignedDuration::from_hours(24 * REFERRED_DAYS);
        let slice = Slice { most: REFERRED_MAX, skip: 0 };
        for waiting in page_reads::referred_by(tx, &scope, self.staff(), since, slice)? {
            seen.person(waiting.person);
            page.referred.push(self.app().clinic_line(&waiting, site, many, false));
        }
        Ok(page_reads::count_referred_by(tx, &scope, self.staff(), since)?)
    }

    fn tiles(&self, tx: &mut Tx<'_>, site: &SiteId, many: bool, page: &mut ClinicPage) -> Result<(), Failure> {
        for kind in [WorklistKind::Deferred, WorklistKind::OptedOut] {
            let count = count(tx, &self.scope(kind.action(), site)?, kind, self.app().today())?;
            let words = format!("{}{}", kind.words(), self.app().at(site, many));
            page.lists.push(ClinicTile { href: address(site, kind), words, count: words::number(count) });
        }
        Ok(())
    }

    /// The shielded people of these sites, each with when their record was closed: nobody, for whoever does not look after them.
    fn looked_after(&self, tx: &mut Tx<'_>, sites: &[SiteId]) -> Result<Vec<(Option<Timestamp>, Record)>, Failure> {
        let mut closed = Vec::new();
        for site in sites.iter().filter(|_| self.viewer().sees_shielded) {
            for shielded in standing::shielded_at(tx, site)? {
                closed.extend(people::load(tx, shielded.person)?.map(|record| (shielded.since, record)));
            }
        }
        Ok(closed)
    }

    /// Shielded people who need a supporter: those who look after them give them one, since no coordinator knows of them.
    fn to_allocate(&self, tx: &mut Tx<'_>, seen: &mut Seen, closed: &[(Option<Timestamp>, Record)]) -> Result<Vec<ToAllocate>, Failure> {
        let mut lines = Vec::new();
        if closed.is_empty() {
            return Ok(lines);
        }
        let team = self.team(tx)?;
        for (_, record) in closed {
            let Some(live) = record.live_referral() else { continue };
            let supporter = live.status.supporter();
            let loss = supporter.and_then(|supporter| team.loss(supporter, &record.person.site)).filter(|loss| *loss != Loss::OverCapacity);
            let waits = supporter.is_none() || loss.is_some();
            if !waits || allocation::can_be_given(&record.person, live).is_err() || !self.is_theirs(Action::Allocate, record, true) {
                continue;
            }
            seen.person(record.person.id);
            let why =
                loss.map_or_else(|| "nobody has them yet".to_owned(), |loss| format!("their supporter cannot go on: {}", loss.words()));
            lines.push(ToAllocate { href: give_address(live.id), name: self.app().head(record).name, why });
        }
        Ok(lines)
    }

    /// Whose record was closed to their colleagues in the last [`CLOSED_DAYS`] days, the latest first: somebody who works here
    /// gave details that match it. Whoever is missed from now on is missed by those who read this.
    fn newly_closed(&self, seen: &mut Seen, closed: &[(Option<Timestamp>, Record)]) -> Vec<ClosedLine> {
        let from = self.app().world.now() - SignedDuration::from_hours(24 * CLOSED_DAYS);
        let mut lines = Vec::new();
        for (since, record) in closed {
            let Some(since) = since.filter(|since| *since >= from && self.is_theirs(Action::SeePerson, record, true)) else { continue };
            seen.person(record.person.id);
            let head = self.app().head(record);
            lines.push((since, ClosedLine { href: head.href, name: head.name, since: words::day(london_date(since)) }));
        }
        lines.sort_by_key(|(since, _)| std::cmp::Reverse(*since));
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The records that the owner of the desk has open by break-glass.
    pub(super) fn open_glass(&self, tx: &mut Tx<'_>, seen: &mut Seen) -> Result<Vec<OpenGlass>, Failure> {
        let now = self.app().world.now();
        let mut open: Vec<OpenGlass> = Vec::new();
        // The newest first, so that of two for one record the one that lasts longer is told.
        for glass in standing::glass_of(tx, self.staff(), now)?.into_iter().rev() {
            let Some(person) = glass.person else { continue };
            let person = people::survivor(tx, person)?;
            let Some(record) = people::load(tx, person)? else { continue };
            let shielded = standing::is_shielded(tx, person)?;
            let head = self.app().head(&record);
            if !self.is_theirs(Action::SeePerson, &record, shielded) || open.iter().any(|known| known.href == head.href) {
                continue;
            }
            seen.person(person);
            open.push(OpenGlass { href: head.href, name: head.name, until: words::recent(glass.until, now) });
        }
        Ok(open)
    }

    /// What the owner of the desk has open by break-glass, for those who have no page of the clinic's day.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn own_glass(&self) -> Result<Vec<OpenGlass>, Failure> {
        self.may_break_glass()?;
        let desk = self.clone();
        self.disclose(Action::BreakGlass, None, move |tx, seen| {
            seen.detail("own");
            desk.open_glass(tx, seen)
        })
    }
}

impl App {
    fn clinic_line(&self, waiting: &Waiting, site: &SiteId, many: bool, notices: bool) -> ClinicLine {
        let today = self.today();
        let (due, urgency) = became(waiting, today);
        let notice = notices && waiting.stage == Stage::AwaitingNotice;
        ClinicLine {
            href: format!("/people/{}", waiting.person),
            notice: notice.then(|| Task::Notice.address(waiting.person)),
            name: words::named(&waiting.named),
            age: words::age(waiting.named.birth_date, today),
            site_title: many.then(|| self.setup.site_title(site)),
            reason: words::sentence(waiting.reason.words()),
            stage: words::sentence(waiting.stage.words()),
            waiting: words::waiting(london_date(waiting.raised_at), today),
            due,
            urgency,
        }
    }

    /// ` at North Hospital`, where the reader works at several.
    fn at(&self, site: &SiteId, many: bool) -> String {
        if many { format!(" at {}", self.setup.site_title(site)) } else { String::new() }
    }
}

/// What comes next for somebody, and when.
fn became(waiting: &Waiting, today: Date) -> (String, Urgency) {
    let calm = |words: &str| (words.to_owned(), Urgency::Calm);
    let by = |on: Option<Date>, what: &str| {
        let (due, urgency) = on.map_or_else(|| (String::new(), Urgency::Calm), |on| words::due(on, today));
        (format!("{what} {due}").trim_end().to_owned(), urgency)
    };
    match waiting.stage {
        Stage::AwaitingNotice => calm("To be told by a clinician"),
        Stage::Deferred => {
            let again = waiting.until.map_or_else(String::new, |until| format!(" on {}", words::day(until)));
            (format!("To be asked again{again}"), Urgency::Calm)
        }
        Stage::OptedOut => calm("Nothing, until they take it back"),
        Stage::Open => by(waiting.due_on, "Needs a supporter; a first conversation is"),
        Stage::Allocated | Stage::Contacting => by(waiting.due_on, "A first conversation is"),
        Stage::Engaged | Stage::Assessed | Stage::Supported => by(waiting.next_assessment_on, "A wellbeing assessment is"),
        Stage::Held => calm("Waits for the clinic’s answer"),
        Stage::Ended => calm("Nothing"),
    }
}

/// `12 people`, or `the newest 20 of 61 people`.
fn shown_of(shown: u64, total: u64) -> String {
    let all = words::counted(total, "person", "people");
    if shown == total { all } else { format!("the newest {} of {all}", words::number(shown)) }
}

#[cfg(test)]
mod tests {
    use alongside_domain::notice::{Answer, How};
    use alongside_domain::passport::Item;

    #[test]
    fn whoever_is_closed_to_the_coordinator_is_given_a_supporter_by_those_who_look_after_them() {
        let (app, person, _database) = crate::pages::testing::with_somebody_awaiting_notice();
        let known = app.record(person).unwrap().person;
        let (given, family, born) = (known.given.unwrap(), known.family.unwrap(), known.birth_date);
        app.desk("nurse-samuel").unwrap().give_details(&crate::desk::OwnDetails { nhs_number: None, given, family, born }).unwrap();
        let consultant = app.desk("consultant-hughes").unwrap();
        let closed = |staff: &str| app.desk(staff).unwrap().clinic_page().unwrap().closed.len();
        assert_eq!((closed("consultant-hughes"), closed("nurse-aoife"), closed("nurse-samuel")), (1, 0, 0));
        let waiting = || consultant.clinic_page().unwrap().to_allocate.into_iter().map(|one| one.why).collect::<Vec<_>>();
        consultant.record_notice(person, app.today(), How::InPerson, Answer::NoObjection, false, "").unwrap();
        assert_eq!(waiting(), ["nobody has them yet"]);
        assert_eq!(app.desk("nurse-aoife").unwrap().clinic_page().unwrap().to_allocate, []);
        let referral = app.record(person).unwrap().live_referral().unwrap().id;
        consultant.give(referral, "ines", "").unwrap();
        assert_eq!(waiting(), [""; 0]);
        app.desk("coordinator-leila").unwrap().renew("ines", Item::Dbs, app.today().yesterday().unwrap()).unwrap();
        assert_eq!(waiting(), ["their supporter cannot go on: training or DBS check is not in date"]);
    }
}
