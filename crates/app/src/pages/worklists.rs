//! Worklists and search.

use alongside_domain::access::{Action, Scope};
use alongside_domain::person::SiteId;
use alongside_domain::referral::Stage;
use alongside_store::Tx;
use alongside_store::page_reads::{self, Asked, Slice, Waiting};
use jiff::civil::Date;

use super::Link;
use super::words::{self, Urgency};
use crate::desk::{Desk, Seen};
use crate::{App, Failure, Invalid, london_date};

/// How many lines a page of a list has.
pub(crate) const PAGE_SIZE: u32 = 25;
/// How many people a search shows at most.
const FOUND_MAX: u32 = 50;
/// The shortest text that is searched for: fewer letters find everybody.
const SEARCH_MIN: usize = 2;
/// The longest text that is searched for.
const SEARCH_MAX: usize = 100;

alongside_domain::coded! {
    /// The worklists of a site. The code is the last part of a worklist's address.
    pub enum WorklistKind {
        AwaitingNotice = "awaiting-notice", "Awaiting notice";
        Questions = "questions", "Questions to the clinic";
        Open = "open", "Needs a supporter";
        Due = "due", "First conversation due";
        Assessments = "assessments", "Assessment due";
        Deferred = "deferred", "Deferred to a date";
        OptedOut = "opted-out", "Opted out";
    }
}

impl WorklistKind {
    /// Whether only the clinic may see it: the person may not know the diagnosis yet.
    #[must_use]
    pub const fn is_clinics(self) -> bool {
        matches!(self, Self::AwaitingNotice | Self::Questions | Self::Deferred | Self::OptedOut)
    }

    /// What its reader must be allowed to do.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::AwaitingNotice | Self::Deferred | Self::OptedOut => Action::SeeClinicLists,
            Self::Questions => Action::SeeQuestions,
            Self::Open | Self::Due | Self::Assessments => Action::SeeTeamLists,
        }
    }

    const fn introduction(self) -> &'static str {
        match self {
            Self::AwaitingNotice => {
                "Nothing has been released about these people. A clinician records that each of them knows the diagnosis and \
                 has been told about peer support, and asks whether there is an objection."
            }
            Self::Questions => "What the hospital’s messages cannot tell is never guessed. Somebody at the clinic answers.",
            Self::Open => "Told about peer support, and not objecting. Each of them needs a supporter.",
            Self::Due => "The promised day of a first conversation has passed, is today, or comes within two working days.",
            Self::Assessments => "The next wellbeing assessment is due within a week, or was due before.",
            Self::OptedOut => "They do not want peer support. Each of them can take this back at any time; until then nobody asks again.",
            Self::Deferred => "“Not now”, until a day that the person agreed to. On that day they are asked again.",
        }
    }

    const fn empty(self) -> &'static str {
        match self {
            Self::AwaitingNotice => "Nobody is waiting to be told.",
            Self::Questions => "No question is open.",
            Self::Open => "Everybody who was released has a supporter.",
            Self::Due => "No first conversation is late or due in the next two working days.",
            Self::Assessments => "No assessment is due this week.",
            Self::Deferred => "Nobody is deferred.",
            Self::OptedOut => "Nobody has opted out.",
        }
    }
}

/// A page of a worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worklist {
    /// Key of the site.
    pub site: String,
    /// Title of the site.
    pub site_title: String,
    /// Which list.
    pub kind: WorklistKind,
    /// Its heading.
    pub title: &'static str,
    /// What it is for.
    pub introduction: &'static str,
    /// What is said of an empty list.
    pub empty: &'static str,
    /// Whether only the clinic may see it.
    pub clinic_only: bool,
    /// How many lines the list has.
    pub total: u64,
    /// `25 people`.
    pub total_words: String,
    /// The lines of this page.
    pub lines: Vec<Line>,
    /// Where in the list this page stands.
    pub paging: Paging,
    /// All worklists of the site.
    pub tabs: Vec<Tab>,
}

/// A worklist to go to, with how many lines it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// Where it is.
    pub link: Link,
    /// How many lines it has.
    pub count: String,
    /// Whether only the clinic may see it.
    pub clinic_only: bool,
}

/// A line of a worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Why this person stands here.
    pub reason: String,
    /// How long they have been waiting.
    pub waiting: String,
    /// What is due, and when.
    pub due: String,
    /// How urgent that is.
    pub urgency: Urgency,
    /// The supporter's first name, or that there is none.
    pub supporter: String,
}

/// Where in a list a page stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// This page, from 1.
    pub page: u32,
    /// How many pages there are, at least 1.
    pub pages: u32,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
}

impl Paging {
    pub(super) fn new(path: &str, page: u32, total: u64) -> Self {
        let pages = u32::try_from(total.div_ceil(u64::from(PAGE_SIZE))).unwrap_or(u32::MAX).max(1);
        let page = page.clamp(1, pages);
        let mark = if path.contains('?') { '&' } else { '?' };
        let to = |page: u32| format!("{path}{mark}page={page}");
        Self { page, pages, previous: (page > 1).then(|| to(page - 1)), next: (page < pages).then(|| to(page + 1)) }
    }

    /// How many lines come before this page.
    pub(super) const fn skip(&self) -> u32 {
        (self.page - 1).saturating_mul(PAGE_SIZE)
    }

    /// `page 2 of 5`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("page {} of {}", self.page, self.pages)
    }
}

/// A person found by a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Date of birth, to tell two of one name apart.
    pub born: String,
    /// Whether the person has died.
    pub died: bool,
}

/// The day up to which due assessments are listed.
fn assessments_by(today: Date) -> Date {
    today.saturating_add(jiff::ToSpan::days(7))
}

/// How many lines of a list its reader sees.
pub(crate) fn count(tx: &mut Tx<'_>, scope: &Scope, kind: WorklistKind, today: Date) -> Result<u64, Failure> {
    Ok(match kind {
        WorklistKind::AwaitingNotice => page_reads::count_at_stage(tx, scope, Stage::AwaitingNotice)?,
        WorklistKind::Questions => page_reads::count_questions(tx, scope)?,
        WorklistKind::Open => page_reads::count_at_stage(tx, scope, Stage::Open)?,
        WorklistKind::Due => page_reads::count_due(tx, scope, words::due_horizon(today))?,
        WorklistKind::Assessments => page_reads::count_assessments_due(tx, scope, assessments_by(today))?,
        WorklistKind::Deferred => page_reads::count_at_stage(tx, scope, Stage::Deferred)?,
        WorklistKind::OptedOut => page_reads::count_at_stage(tx, scope, Stage::OptedOut)?,
    })
}

impl Desk {
    /// A page of a worklist. Pages count from 1.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for another site; the store's.
    pub fn worklist_page(&self, site: &str, kind: WorklistKind, page: u32) -> Result<Worklist, Failure> {
        let site = self.site(kind.action(), site)?.clone();
        let today = self.app().today();
        let desk = self.clone();
        self.disclose(kind.action(), Some(&site.key.clone()), move |tx, seen| {
            seen.detail(kind.code());
            let mut tabs = Vec::new();
            let mut total = 0;
            for listed in WorklistKind::ALL.iter().filter(|listed| desk.may_do(listed.action()).is_ok()) {
                let lines = count(tx, &desk.scope(listed.action(), &site.key)?, *listed, today)?;
                total = if *listed == kind { lines } else { total };
                tabs.push(tab(&site.key, *listed, lines, kind));
            }
            let paging = Paging::new(&address(&site.key, kind), page, total);
            let slice = Slice { most: PAGE_SIZE, skip: paging.skip() };
            let noun = if kind == WorklistKind::Questions { ("question", "questions") } else { ("person", "people") };
            Ok(Worklist {
                site: site.key.0.clone(),
                site_title: site.title.clone(),
                kind,
                title: kind.words(),
                introduction: kind.introduction(),
                empty: kind.empty(),
                clinic_only: kind.is_clinics(),
                total,
                total_words: words::counted(total, noun.0, noun.1),
                lines: desk.lines(tx, seen, &site.key, kind, slice)?,
                paging,
                tabs,
            })
        })
    }

    fn lines(&self, tx: &mut Tx<'_>, seen: &mut Seen, site: &SiteId, kind: WorklistKind, slice: Slice) -> Result<Vec<Line>, Failure> {
        let scope = self.scope(kind.action(), site)?;
        let today = self.app().today();
        let waiting = match kind {
            WorklistKind::Questions => {
                let asked = page_reads::questions(tx, &scope, slice)?;
                asked.iter().for_each(|asked| seen.person(asked.person));
                return Ok(asked.iter().map(|asked| question_line(asked, today)).collect());
            }
            WorklistKind::AwaitingNotice => page_reads::at_stage(tx, &scope, Stage::AwaitingNotice, slice)?,
            WorklistKind::Open => page_reads::at_stage(tx, &scope, Stage::Open, slice)?,
            WorklistKind::Due => page_reads::due(tx, &scope, words::due_horizon(today), slice)?,
            WorklistKind::Assessments => page_reads::assessments_due(tx, &scope, assessments_by(today), slice)?,
            WorklistKind::Deferred => page_reads::deferred(tx, &scope, slice)?,
            WorklistKind::OptedOut => page_reads::at_stage(tx, &scope, Stage::OptedOut, slice)?,
        };
        waiting.iter().for_each(|waiting| seen.person(waiting.person));
        Ok(waiting.iter().map(|waiting| self.app().line(waiting, kind, today)).collect())
    }

    /// People of a site, whom the owner of the desk may see, and whose names or numbers begin with the words of a text.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a site that is not theirs, and for a text that is too short or too long.
    pub fn search(&self, site: &str, text: &str) -> Result<Vec<Found>, Failure> {
        self.may_do(Action::FindPerson)?;
        let site = self.site(Action::FindPerson, site).map_err(|_| Failure::invalid("site", "Choose a site"))?.key.clone();
        let wanted = text.trim().to_owned();
        let signs = wanted.chars().filter(|sign| sign.is_alphanumeric()).count();
        if signs < SEARCH_MIN || wanted.chars().count() > SEARCH_MAX {
            let what = format!("Enter a name or a number of {SEARCH_MIN} to {SEARCH_MAX} characters");
            return Err(Failure::Invalid(vec![Invalid::new("q", what)]));
        }
        let (today, scope) = (self.app().today(), self.scope(Action::FindPerson, &site)?);
        self.disclose(Action::FindPerson, Some(&site), move |tx, seen| {
            let found = page_reads::search(tx, &scope, &wanted, FOUND_MAX)?;
            found.iter().for_each(|found| seen.person(found.person));
            Ok(found.iter().map(|found| found_line(found, today)).collect())
        })
    }
}

impl App {
    fn line(&self, waiting: &Waiting, kind: WorklistKind, today: Date) -> Line {
        let (due, urgency) = due_of(waiting, kind, today);
        Line {
            href: format!("/people/{}", waiting.person),
            name: words::named(&waiting.named),
            age: words::age(waiting.named.birth_date, today),
            reason: reason_of(waiting, kind),
            waiting: words::waiting(london_date(waiting.raised_at), today),
            due,
            urgency,
            supporter: waiting.supporter.as_ref().map_or_else(|| "none yet".to_owned(), |id| self.setup.name_of(&id.0)),
        }
    }
}

fn found_line(found: &page_reads::Found, today: Date) -> Found {
    Found {
        href: format!("/people/{}", found.person),
        name: words::named(&found.named),
        age: words::age(found.named.birth_date, today),
        born: found.named.birth_date.map_or_else(|| "date of birth not known".to_owned(), |born| format!("born {}", words::day(born))),
        died: found.died,
    }
}

pub(crate) fn address(site: &SiteId, kind: WorklistKind) -> String {
    format!("/sites/{site}/worklists/{kind}")
}

fn tab(site: &SiteId, kind: WorklistKind, lines: u64, shown: WorklistKind) -> Tab {
    let link = Link { current: kind == shown, ..Link::new(address(site, kind), kind.words()) };
    Tab { link, count: words::number(lines), clinic_only: kind.is_clinics() }
}

fn question_line(asked: &Asked, today: Date) -> Line {
    Line {
        href: format!("/people/{}", asked.person),
        name: words::named(&asked.named),
        age: words::age(asked.named.birth_date, today),
        reason: asked.kind.words().to_owned(),
        waiting: words::waiting(london_date(asked.raised_at), today),
        due: format!("to be answered by a {}", asked.kind.asks().words()),
        urgency: Urgency::Calm,
        supporter: "none yet".to_owned(),
    }
}

fn reason_of(waiting: &Waiting, kind: WorklistKind) -> String {
    let reason = words::sentence(waiting.reason.words());
    if kind != WorklistKind::Due {
        return reason;
    }
    let tries = match waiting.attempts {
        0 => "not tried yet".to_owned(),
        1 => "tried once".to_owned(),
        more => format!("tried {more} times"),
    };
    format!("{reason}; {tries}")
}

fn due_of(waiting: &Waiting, kind: WorklistKind, today: Date) -> (String, Urgency) {
    let on = match kind {
        WorklistKind::AwaitingNotice | WorklistKind::Questions | WorklistKind::OptedOut => None,
        WorklistKind::Open | WorklistKind::Due => waiting.due_on,
        WorklistKind::Assessments => waiting.next_assessment_on,
        WorklistKind::Deferred => {
            let again = waiting.until.map_or_else(String::new, |until| format!("to be asked again on {}", words::day(until)));
            return (again, Urgency::Calm);
        }
    };
    if kind == WorklistKind::OptedOut {
        return ("nothing, until they take it back".to_owned(), Urgency::Calm);
    }
    on.map_or_else(|| ("to be told by a clinician".to_owned(), Urgency::Calm), |on| words::due(on, today))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_outside_the_list_is_the_nearest_one_in_it() {
        let at = |page: u32, total: u64| {
            let paging = Paging::new("/x", page, total);
            (paging.words(), paging.skip(), paging.previous, paging.next)
        };
        assert_eq!(at(0, 0), ("page 1 of 1".into(), 0, None, None));
        assert_eq!(at(2, 51), ("page 2 of 3".into(), 25, Some("/x?page=1".into()), Some("/x?page=3".into())));
        assert_eq!(at(99, 50), ("page 2 of 2".into(), 25, Some("/x?page=1".into()), None));
    }

    #[test]
    fn somebody_awaiting_notice_stands_on_the_clinics_list_and_on_no_other() {
        let (app, person, _database) = crate::pages::testing::with_somebody_awaiting_notice();
        let nurse = app.desk("nurse-aoife").unwrap();
        for kind in WorklistKind::ALL {
            let list = nurse.worklist_page("chelwest", *kind, 1).unwrap();
            let listed: Vec<_> = list.lines.iter().map(|line| line.href.as_str()).collect();
            let expected = if *kind == WorklistKind::AwaitingNotice { vec![format!("/people/{person}")] } else { Vec::new() };
            assert_eq!(listed, expected, "{kind}");
        }
        let list = nurse.worklist_page("chelwest", WorklistKind::AwaitingNotice, 1).unwrap();
        assert!(list.clinic_only);
        assert_eq!((list.total_words.as_str(), list.lines[0].age.as_str()), ("1 person", "aged 34"));
        assert_eq!(list.tabs.iter().filter(|tab| tab.count == "1").count(), 1);
        for not_theirs in ["northmid", "elsewhere"] {
            assert_eq!(nurse.worklist_page(not_theirs, WorklistKind::Open, 1).map(|list| list.total), Err(Failure::NotFound));
        }
        let coordinator = app.desk("coordinator-leila").unwrap();
        assert_eq!(coordinator.worklist_page("chelwest", WorklistKind::AwaitingNotice, 1).map(|list| list.total), Err(Failure::Forbidden));
    }

    #[test]
    fn a_search_needs_two_characters_and_a_site() {
        let (app, _database) = crate::pages::testing::app();
        let nurse = app.desk("nurse-aoife").unwrap();
        for too_little in [" a ", "--", "%%", "a-"] {
            assert!(matches!(nurse.search("chelwest", too_little), Err(Failure::Invalid(_))), "{too_little}");
        }
        assert!(matches!(nurse.search("northmid", "ada"), Err(Failure::Invalid(_))));
        assert!(matches!(nurse.search("elsewhere", "ada"), Err(Failure::Invalid(_))));
        assert_eq!(nurse.search("chelwest", "ada"), Ok(Vec::new()));
    }
}
