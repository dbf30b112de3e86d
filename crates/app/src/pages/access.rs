//! Who saw or changed a person's record, by person and by member of staff; what was refused; what was taken away.

use alongside_domain::access::{self, Action, Purpose, Subject, SystemAct};
use alongside_domain::decision::{Actor, What};
use alongside_domain::id::PersonId;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::SiteId;
use alongside_domain::record::Record;
use alongside_domain::supporter::{Role, StaffId};
use alongside_store::access_reads::{self, Dealt, Kind, Told, Wanted};
use alongside_store::audit::{self, Outcome};
use alongside_store::page_reads::Slice;
use alongside_store::{Tx, people, standing};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::worklists::{PAGE_SIZE, Paging};
use super::{Link, words};
use crate::desk::{Desk, Seen};
use crate::{App, Failure, london_instant};

/// How many lines of what somebody did lately a page shows.
const LATELY_MAX: u32 = 25;
/// How many people of one refused line are named.
const NAMED_MAX: usize = 3;
/// Days for which it is told what somebody did, unless other days are asked for.
const DEALT_DAYS: i64 = 7;
/// Days for which refusals are counted.
pub const REFUSALS_DAYS: i64 = 30;

/// Whose record is meant.
#[derive(Clone, PartialEq, Eq)]
pub enum Whose {
    /// An NHS number or a hospital number, whole.
    Number(String),
    /// A family name, whole, and the day of birth.
    Name {
        /// Family name.
        family: String,
        /// Day of birth.
        born: Date,
    },
}

/// Which lines are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessAsked {
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
    /// Only by this member of staff.
    pub by: Option<String>,
    /// At this site, where it matters.
    pub site: Option<String>,
    /// Which page, from 1.
    pub page: u32,
}

impl AccessAsked {
    /// The instants between which lines are asked for.
    fn span(&self) -> (Timestamp, Timestamp) {
        let start = |day: Date| london_instant(day.at(0, 0, 0, 0));
        let until = self.to.and_then(|day| day.tomorrow().ok()).and_then(start);
        (self.from.and_then(start).unwrap_or(Timestamp::UNIX_EPOCH), until.unwrap_or(Timestamp::MAX))
    }

    /// The same, from [`DEALT_DAYS`] ago where no day was asked for.
    fn lately(&self, today: Date) -> Self {
        let from = self.from.or_else(|| self.to.is_none().then(|| today.saturating_sub(DEALT_DAYS.days())));
        Self { from, ..self.clone() }
    }

    /// What stands after the question mark, without the page.
    fn query(&self, kind: Option<Kind>) -> String {
        let parts = [
            ("what", kind.map(|kind| kind.code().to_owned())),
            ("from", self.from.map(|day| day.to_string())),
            ("to", self.to.map(|day| day.to_string())),
            ("by", self.by.clone()),
            ("site", self.site.clone()),
        ];
        let filled = parts.into_iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}")));
        filled.collect::<Vec<_>>().join("&")
    }

    fn address(&self, path: &str, kind: Option<Kind>) -> String {
        let query = self.query(kind);
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// A person of whom it may be told who saw them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessFound {
    /// Where it is told.
    pub href: String,
    /// Their name.
    pub name: String,
    /// Date of birth and site, to tell two of one name apart.
    pub more: String,
}

/// Where somebody asks who saw what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessHome {
    /// How many uses of break-glass wait for a review, in words; empty when none does.
    pub glass: String,
    /// Everybody who works at the viewer's sites.
    pub staff: Vec<StaffLink>,
}

/// A member of staff, to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffLink {
    /// What they did.
    pub href: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: &'static str,
}

/// Who saw or changed a person's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAccess {
    /// The page's own path.
    pub path: String,
    /// The person's name.
    pub name: String,
    /// Date of birth and site.
    pub more: String,
    /// All, seen, changed, refused.
    pub kinds: Vec<Link>,
    /// What is asked for.
    pub asked: AccessAsked,
    /// The name of whoever the lines are narrowed to, where they are.
    pub by: Option<String>,
    /// How many lines there are: `12 lines`.
    pub total: String,
    /// The lines, newest first.
    pub lines: Vec<AccessLine>,
    /// Where in the list this page stands.
    pub paging: Paging,
}

/// Something that was done with a record, or tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLine {
    /// When.
    pub when: String,
    /// What, in words.
    pub what: String,
    /// `Seen`, `Changed`, `Refused`.
    pub kind: &'static str,
    /// How the kind is to look: see the macro `tag`.
    pub tone: &'static str,
    /// Who, and in which role.
    pub who: String,
    /// What else they did, where the viewer may ask.
    pub who_href: String,
    /// `Purpose: care of this person`, or by what it came: `Entered here`.
    pub purpose: String,
    /// Whether it was done by break-glass.
    pub glass: bool,
}

/// What a member of staff did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffAccess {
    /// The page's own path.
    pub path: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: &'static str,
    /// Where their access is told, and ended.
    pub entitled: String,
    /// Sites to choose from.
    pub sites: Vec<Link>,
    /// What is asked for.
    pub asked: AccessAsked,
    /// How many people: `14 people`.
    pub total: String,
    /// With whose records they dealt, the latest first.
    pub people: Vec<DealtLine>,
    /// What they did lately, with or without a person.
    pub lately: Vec<AccessLine>,
    /// Where in the list of people this page stands.
    pub paging: Paging,
}

/// With whose record somebody dealt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealtLine {
    /// Line by line.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// Date of birth.
    pub born: String,
    /// `seen 3 times, changed once`.
    pub times: String,
    /// The latest.
    pub latest: String,
}

/// What was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// Who, the most refusals first, over [`REFUSALS_DAYS`]: link, how often, when last.
    pub by: Vec<(Link, String, String)>,
    /// The lines, newest first, each with those whom it is about as far as the viewer may know them.
    pub lines: Vec<(AccessLine, Vec<Link>)>,
    /// How many lines there are.
    pub total: String,
    /// Where in the list this page stands.
    pub paging: Paging,
}

/// What was taken away: files of figures, texts of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exports {
    /// Files, and texts of messages.
    pub tabs: Vec<Link>,
    /// When and who, with the site and more about it.
    pub lines: Vec<(AccessLine, String)>,
    /// How many lines there are.
    pub total: String,
    /// Where in the list this page stands.
    pub paging: Paging,
}

/// Somebody who works at a site of the viewer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Colleague {
    pub(crate) id: StaffId,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) sites: Vec<SiteId>,
}

impl Desk {
    /// Everybody who works at a site of the viewer's, by name.
    pub(crate) fn colleagues(&self) -> Vec<Colleague> {
        let setup = &self.app().setup;
        let staff = setup.staff.values().map(|staff| Colleague {
            id: staff.id.clone(),
            name: staff.name.clone(),
            role: staff.role,
            sites: staff.sites.clone(),
        });
        let supporters = setup.supporters.values().map(|supporter| Colleague {
            id: supporter.id.clone(),
            name: supporter.first_name.clone(),
            role: Role::Supporter,
            sites: supporter.sites.iter().map(|(site, _)| site.clone()).collect(),
        });
        let here = |colleague: &Colleague| colleague.sites.iter().any(|site| self.viewer().sites.contains(site));
        let mut all: Vec<_> = staff.chain(supporters).filter(here).collect();
        all.sort_by(|one, other| (people::fold(&one.name), &one.id).cmp(&(people::fold(&other.name), &other.id)));
        all
    }

    /// Somebody who works at a site of the viewer's.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for anybody else, as for nobody.
    pub(crate) fn colleague(&self, key: &str) -> Result<Colleague, Failure> {
        self.colleagues().into_iter().find(|colleague| colleague.id.0 == key).ok_or(Failure::NotFound)
    }

    /// Where somebody asks who saw what.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn access_home(&self) -> Result<AccessHome, Failure> {
        self.may_do(Action::SeeAccess)?;
        let waiting = self.glass_to_review()?;
        let glass =
            if waiting == 0 { String::new() } else { words::counted(waiting, "use of break-glass waits", "uses of break-glass wait") };
        let staff = self.colleagues().into_iter();
        let staff = staff.map(|one| StaffLink { href: staff_path(&one.id.0), name: one.name, role: one.role.words() });
        Ok(AccessHome { glass, staff: staff.collect() })
    }

    /// The people of the viewer's sites of this number, or of this name and day of birth. What is asked for must be whole,
    /// so that nobody is found by trying.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn access_find(&self, whose: &Whose) -> Result<Vec<AccessFound>, Failure> {
        let (desk, whose) = (self.clone(), whose.clone());
        self.disclose(Action::SeeAccess, None, move |tx, seen| {
            let mut found = Vec::new();
            for site in desk.sites(Action::SeeAccess) {
                found.extend(candidates(tx, &site.key, &whose)?);
            }
            let mut survivors = Vec::new();
            for person in found {
                survivors.push(people::survivor(tx, person)?);
            }
            survivors.sort_unstable();
            survivors.dedup();
            let mut told = Vec::new();
            for person in survivors {
                let Some(record) = desk.glimpse(tx, seen, person)? else { continue };
                let (name, more) = desk.app().who_is(&record);
                told.push(AccessFound { href: person_path(person), name, more });
            }
            Ok(told)
        })
    }

    /// Somebody's record where the viewer may know who saw it; otherwise nothing, and nobody is told of.
    pub(crate) fn glimpse(&self, tx: &mut Tx<'_>, seen: &mut Seen, person: PersonId) -> Result<Option<Record>, Failure> {
        let survivor = people::survivor(tx, person)?;
        let Some(record) = people::load(tx, survivor)? else { return Ok(None) };
        let shielded = standing::is_shielded(tx, survivor)?;
        if access::may(self.viewer(), Action::SeeAccess, &Subject::of(&record, shielded)).is_err() {
            return Ok(None);
        }
        seen.person(survivor);
        Ok(Some(record))
    }

    /// Who saw or changed a person's record, newest first. That it was asked is one of the lines from then on.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for nobody, and for somebody who is not theirs; [`Failure::Forbidden`]; the store's.
    pub fn person_access(&self, person: PersonId, asked: &AccessAsked) -> Result<PersonAccess, Failure> {
        let by = asked.by.as_deref().map(|key| self.colleague(key)).transpose()?;
        let (desk, asked) = (self.clone(), asked.clone());
        self.disclose(Action::SeeAccess, None, move |tx, seen| {
            let record = desk.admit(tx, seen, Action::SeeAccess, person)?.record;
            let (from, until) = asked.span();
            let by_id = by.as_ref().map(|by| by.id.clone());
            let wanted = Wanted { person: record.person.id, kind: asked.kind, from, until, by: by_id };
            let total = access_reads::count_about(tx, &wanted)?;
            let path = person_path(record.person.id);
            let paging = Paging::new(&asked.address(&path, asked.kind), asked.page, total);
            let told = access_reads::about(tx, &wanted, Slice { most: PAGE_SIZE, skip: paging.skip() })?;
            let (name, more) = desk.app().who_is(&record);
            Ok(PersonAccess {
                kinds: kinds(&asked, &path),
                by: by.as_ref().map(|by| by.name.clone()),
                total: words::counted(total, "line", "lines"),
                lines: told.iter().map(|told| desk.told_line(told)).collect(),
                asked: asked.clone(),
                path,
                name,
                more,
                paging,
            })
        })
    }

    /// What a member of staff did, by person, at one of the viewer's sites: the one asked for, or the first. Without a day,
    /// the last week: a clinician's lists show hundreds of people a day.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody of other sites, as for nobody; [`Failure::Forbidden`]; the store's.
    pub fn staff_access(&self, key: &str, asked: &AccessAsked) -> Result<StaffAccess, Failure> {
        self.may_do(Action::SeeAccess)?;
        let colleague = self.colleague(key)?;
        let asked = &asked.lately(self.app().today());
        let shared: Vec<_> = self.sites(Action::SeeAccess).filter(|site| colleague.sites.contains(&site.key)).cloned().collect();
        let chosen = shared.iter().find(|site| asked.site.as_deref().is_none_or(|key| site.key.0 == key)).ok_or(Failure::NotFound)?;
        let scope = self.scope(Action::SeeAccess, &chosen.key)?;
        let path = staff_path(&colleague.id.0);
        let sites = shared.iter().map(|site| {
            let href = AccessAsked { site: Some(site.key.0.clone()), ..asked.clone() }.address(&path, None);
            Link { current: site.key == chosen.key, ..Link::new(href, &site.title) }
        });
        let (desk, sites, asked, site) = (self.clone(), sites.collect::<Vec<_>>(), asked.clone(), chosen.key.clone());
        self.disclose(Action::SeeAccess, Some(&site.clone()), move |tx, seen| {
            seen.detail(format!("staff:{}", colleague.id));
            let span = asked.span();
            let (mut people, mut total) = access_reads::dealt_with(tx, &scope, &colleague.id, span, slice_of(asked.page))?;
            if people.is_empty() && asked.page > 1 {
                // A page after the last one is the last one.
                total = access_reads::dealt_with(tx, &scope, &colleague.id, span, slice_of(1))?.1;
                let last = Paging::new(&path, asked.page, total).page;
                people = access_reads::dealt_with(tx, &scope, &colleague.id, span, slice_of(last))?.0;
            }
            let paging = Paging::new(&asked.address(&path, None), asked.page, total);
            people.iter().for_each(|dealt| seen.person(dealt.person));
            let lately = audit::of_staff(tx, &colleague.id, Slice { most: LATELY_MAX, skip: 0 })?;
            let here = lately.iter().filter(|line| line.site.as_ref().is_none_or(|site| desk.viewer().sites.contains(site)));
            Ok(StaffAccess {
                name: colleague.name.clone(),
                role: colleague.role.words(),
                entitled: format!("/access/entitled/{}", colleague.id),
                sites: sites.clone(),
                total: words::counted(total, "person", "people"),
                people: people.iter().map(|dealt| dealt_line(dealt, &colleague.id, &asked)).collect(),
                lately: here.map(|line| desk.audit_line(line)).collect(),
                asked: asked.clone(),
                path: path.clone(),
                paging,
            })
        })
    }

    /// What was refused to those who work at the viewer's sites, newest first, and to whom most often.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn refusals_page(&self, page: u32) -> Result<Refusals, Failure> {
        let desk = self.clone();
        self.disclose(Action::SeeAccess, None, move |tx, seen| {
            seen.detail("refused");
            let staff: Vec<StaffId> = desk.colleagues().into_iter().map(|one| one.id).collect();
            let since = desk.app().world.now() - SignedDuration::from_hours(24 * REFUSALS_DAYS);
            let by = access_reads::refusals(tx, &staff, since)?;
            let total = access_reads::count_refused_to(tx, &staff)?;
            let paging = Paging::new("/access/refused", page, total);
            let found = access_reads::refused_to(tx, &staff, Slice { most: PAGE_SIZE, skip: paging.skip() })?;
            let mut lines = Vec::new();
            for line in &found {
                lines.push((desk.audit_line(line), desk.named(tx, seen, line.seq)?));
            }
            let by = by.into_iter().map(|(id, times, last)| {
                let link = Link::new(staff_path(&id.0), desk.app().setup.name_of(&id.0));
                (link, words::counted(times, "time", "times"), words::moment(last))
            });
            Ok(Refusals { by: by.collect(), lines, total: words::counted(total, "attempt", "attempts"), paging })
        })
    }

    /// Those whom a line is about, as far as the viewer may know them.
    fn named(&self, tx: &mut Tx<'_>, seen: &mut Seen, seq: u64) -> Result<Vec<Link>, Failure> {
        let mut named = Vec::new();
        for person in audit::subjects_of(tx, seq)?.into_iter().take(NAMED_MAX) {
            if let Some(record) = self.glimpse(tx, seen, person)? {
                named.push(Link::new(person_path(record.person.id), self.app().who_is(&record).0));
            }
        }
        Ok(named)
    }

    /// What was taken away from the viewer's sites, newest first: files of figures, or texts of messages.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn exports_page(&self, messages: bool, page: u32) -> Result<Exports, Failure> {
        let desk = self.clone();
        self.disclose(Action::SeeAccess, None, move |tx, seen| {
            seen.detail("exports");
            let (path, action) =
                if messages { ("/access/exports?of=messages", Action::SeeRaw) } else { ("/access/exports", Action::ExportFigures) };
            let sites: Vec<SiteId> = desk.sites(Action::SeeAccess).map(|site| site.key.clone()).collect();
            let total = access_reads::count_of_action(tx, action, &sites)?;
            let paging = Paging::new(path, page, total);
            let found = access_reads::of_action(tx, action, &sites, Slice { most: PAGE_SIZE, skip: paging.skip() })?;
            let tab = |href: &str, words: &str, current| Link { current, ..Link::new(href, words) };
            let lines = found.iter().map(|line| {
                let site = line.site.as_ref().map_or_else(String::new, |site| desk.app().setup.site_title(site));
                (desk.audit_line(line), format!("{site}{}", detail_words(line.detail.as_deref())))
            });
            Ok(Exports {
                tabs: vec![
                    tab("/access/exports", "Files of figures", !messages),
                    tab("/access/exports?of=messages", "Texts of messages", messages),
                ],
                lines: lines.collect(),
                total: words::counted(total, "time", "times"),
                paging,
            })
        })
    }

    fn told_line(&self, told: &Told) -> AccessLine {
        let what = if told.audited { action_words(&told.what) } else { journal_words(&told.what) };
        let purpose = if told.audited { purpose_words(&told.purpose) } else { cause_words(&told.purpose) };
        self.line(told.at, &told.actor, told.kind, what, purpose, told.detail.as_deref())
    }

    pub(super) fn audit_line(&self, line: &audit::Line) -> AccessLine {
        let changes = Action::from_code(&line.action).is_some_and(Action::changes);
        let kind = match (line.outcome, changes) {
            (Outcome::Refused, _) => Kind::Refused,
            (Outcome::Allowed, true) => Kind::Changed,
            (Outcome::Allowed, false) => Kind::Seen,
        };
        self.line(line.at, &line.actor, kind, action_words(&line.action), purpose_words(&line.purpose), line.detail.as_deref())
    }

    fn line(&self, at: Timestamp, actor: &Actor, kind: Kind, what: String, purpose: String, detail: Option<&str>) -> AccessLine {
        let href = match actor {
            Actor::Staff { id, .. } => self.colleague(&id.0).map(|colleague| staff_path(&colleague.id.0)).unwrap_or_default(),
            _ => String::new(),
        };
        let who = match actor {
            Actor::Feed(feed) => self.app().feed_words(feed),
            Actor::Operator => "an operator at the server".to_owned(),
            other => self.app().actor_words(other),
        };
        let (kind, tone) = match kind {
            Kind::Seen => ("Seen", "quiet"),
            Kind::Changed => ("Changed", ""),
            Kind::Refused => ("Refused", "alert"),
        };
        AccessLine {
            when: words::moment(at),
            what: words::sentence(&what),
            kind,
            tone,
            who: words::sentence(&who),
            who_href: href,
            purpose: words::sentence(&purpose),
            glass: detail == Some("break-glass"),
        }
    }
}

impl App {
    /// A person's name, and what tells two of one name apart.
    pub(super) fn who_is(&self, record: &Record) -> (String, String) {
        let person = &record.person;
        let born = person.birth_date.map_or_else(|| "date of birth not known".to_owned(), |day| format!("born {}", words::day(day)));
        (words::name(person.given.as_deref(), person.family.as_deref()), format!("{born}, {}", self.setup.site_title(&person.site)))
    }
}

fn slice_of(page: u32) -> Slice {
    Slice { most: PAGE_SIZE, skip: page.saturating_sub(1).saturating_mul(PAGE_SIZE) }
}

fn candidates(tx: &mut Tx<'_>, site: &SiteId, whose: &Whose) -> Result<Vec<PersonId>, Failure> {
    match whose {
        Whose::Number(text) => {
            let mut found = access_reads::by_number(tx, site, text.trim())?;
            if let Ok(number) = text.parse::<NhsNumber>() {
                found.extend(access_reads::by_nhs_number(tx, site, number)?);
            }
            Ok(found)
        }
        Whose::Name { family, born } => {
            let wanted = people::fold(family.trim());
            let mut found = Vec::new();
            for person in access_reads::by_birth(tx, site, *born)? {
                let held = people::load(tx, person)?.and_then(|record| record.person.family);
                if held.is_some_and(|family| people::fold(&family) == wanted) {
                    found.push(person);
                }
            }
            Ok(found)
        }
    }
}

pub(super) fn person_path(person: PersonId) -> String {
    format!("/access/people/{person}")
}

pub(super) fn staff_path(key: &str) -> String {
    format!("/access/staff/{key}")
}

fn kinds(asked: &AccessAsked, path: &str) -> Vec<Link> {
    let all = [(None, "All"), (Some(Kind::Seen), "Seen"), (Some(Kind::Changed), "Changed"), (Some(Kind::Refused), "Refused")];
    let link =
        |(kind, words): &(Option<Kind>, &str)| Link { current: *kind == asked.kind, ..Link::new(asked.address(path, *kind), *words) };
    all.iter().map(link).collect()
}

fn dealt_line(dealt: &Dealt, staff: &StaffId, asked: &AccessAsked) -> DealtLine {
    let seen = dealt.lines.saturating_sub(dealt.changed + dealt.refused);
    let parts = [("seen", seen), ("changed", dealt.changed), ("refused", dealt.refused)].into_iter().filter(|(_, times)| *times > 0);
    let times = parts
        .map(|(what, times)| format!("{what} {}", if times == 1 { "once".to_owned() } else { format!("{} times", words::number(times)) }));
    let narrowed = AccessAsked { by: Some(staff.0.clone()), site: None, ..asked.clone() };
    DealtLine {
        href: narrowed.address(&person_path(dealt.person), None),
        name: words::named(&dealt.named),
        born: dealt.named.birth_date.map_or_else(|| "not known".to_owned(), words::day),
        times: words::sentence(&times.collect::<Vec<_>>().join(", ")),
        latest: words::moment(dealt.latest),
    }
}

fn action_words(code: &str) -> String {
    let of_person = Action::from_code(code).map(Action::words);
    let words = of_person.or_else(|| SystemAct::from_code(code).map(SystemAct::words));
    words.map_or_else(|| code.replace('-', " "), str::to_owned)
}

fn purpose_words(code: &str) -> String {
    let words = Purpose::from_code(code).map_or_else(|| code.replace('-', " "), |purpose| purpose.words().to_owned());
    format!("purpose: {words}")
}

fn journal_words(code: &str) -> String {
    What::from_code(code).map_or_else(|| code.replace('-', " "), |what| what.words().to_owned())
}

fn cause_words(code: &str) -> String {
    match code {
        "message" => "by a message of the hospital",
        "import" => "by a spreadsheet that was brought in",
        "clock" => "by the passing of time",
        _ => "entered here",
    }
    .to_owned()
}

fn detail_words(detail: Option<&str>) -> String {
    match detail {
        Some("masked") => ", small numbers kept back".to_owned(),
        Some("unmasked") => ", with small numbers".to_owned(),
        Some(other) => other.split_once(':').map_or_else(String::new, |(what, which)| format!(", {what} {which}")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Fate;
    use crate::testing::FixedWorld;
    use alongside_domain::command::Command;
    use alongside_domain::person::{ObjectionReason, Scope};
    use alongside_store::Store;
    use alongside_store::testing::both_engines;
    use jiff::civil::date;

    pub(crate) const CONFIRMED: &str = "MSH|^~\\&|CERNER|RQM|TIE|RQM|20250102091400||ORU^R01|90001|P|2.3\r\
        PID|1||7700001^^^RQM MRN^MRN||ASHDOWN^MIRIAM||19900502|F\r\
        OBR|1||L1|HIVCF^HIV confirmatory|||20250102080000\r\
        OBX|1|ST|HIVCF^HIV confirmatory||HIV-1 CONFIRMED||||||F\r";

    fn somebody(store: Store) -> (App, PersonId) {
        let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
        let app = crate::testing::app(store, world);
        assert_eq!(app.receive(&app.setup.feeds["chelwest"], CONFIRMED.as_bytes()).fate, Fate::Applied);
        app.flush().unwrap();
        let found = app.desk("nurse-aoife").unwrap().search("chelwest", "ashdown").unwrap();
        let person = found[0].href.strip_prefix("/people/").unwrap().parse().unwrap();
        (app, person)
    }

    fn all() -> AccessAsked {
        AccessAsked { page: 1, ..AccessAsked::default() }
    }

    #[test]
    fn a_person_is_found_by_a_whole_number_or_name_and_never_by_a_part() {
        both_engines(|store| {
            let (app, person) = somebody(store);
            let martin = app.desk("governance-martin").unwrap();
            let name = |family: &str, born| Whose::Name { family: family.into(), born };
            for (whose, count) in [
                (Whose::Number("7700001".into()), 1),
                (Whose::Number("770000".into()), 0),
                (Whose::Number("999 000 0018".into()), 0),
                (name("Ashdown", date(1990, 5, 2)), 1),
                (name("Ash", date(1990, 5, 2)), 0),
                (name("Ashdown", date(1990, 5, 3)), 0),
            ] {
                assert_eq!(martin.access_find(&whose).unwrap().len(), count);
            }
            let found = martin.access_find(&Whose::Number("7700001".into())).unwrap();
            assert_eq!(found[0].href, format!("/access/people/{person}"));
            for other in ["nurse-aoife", "coordinator-leila", "manager-frances", "ines", "engineer-wei"] {
                let desk = app.desk(other).unwrap();
                assert_eq!(desk.access_find(&Whose::Number("7700001".into())), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.person_access(person, &all()), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.staff_access("nurse-aoife", &all()), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.refusals_page(1).map(drop), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.exports_page(false, 1).map(drop), Err(Failure::Forbidden), "{other}");
            }
        });
    }

    #[test]
    fn whoever_saw_changed_or_was_refused_stands_in_the_timeline_and_so_does_asking() {
        both_engines(|store| {
            let (app, person) = somebody(store);
            app.desk("nurse-aoife").unwrap().person_page(person).unwrap();
            let object = Command::Object { scope: Scope::All, reason: ObjectionReason::NotStated };
            app.desk("nurse-aoife").unwrap().act(Action::RecordObjection, person, object).unwrap();
            assert!(app.desk("ines").unwrap().person_page(person).is_err());
            let martin = app.desk("governance-martin").unwrap();
            let page = martin.person_access(person, &all()).unwrap();
            let told =
                |page: &PersonAccess| page.lines.iter().map(|line| format!("{} {} {}", line.kind, line.what, line.who)).collect::<Vec<_>>();
            let lines = told(&page);
            let has = |lines: &[String], text: &str| lines.iter().filter(|line| line.contains(text)).count();
            assert_eq!(has(&lines, "Seen Open a person's page Aoife Brennan, clinician"), 1, "{lines:?}");
            assert_eq!(has(&lines, "Changed Record an objection"), 1, "{lines:?}");
            assert_eq!(has(&lines, "Changed Opted out"), 0, "told once, by the audit: {lines:?}");
            assert!(has(&lines, "Changed Referral raised Cerner Millennium") == 1, "{lines:?}");
            assert_eq!(has(&lines, "Refused"), 1, "{lines:?}");
            let of_kind = |kind| told(&martin.person_access(person, &AccessAsked { kind: Some(kind), ..all() }).unwrap());
            assert!(of_kind(Kind::Refused).iter().all(|line| line.contains("Inês")));
            assert!(of_kind(Kind::Changed).iter().all(|line| line.starts_with("Changed")));
            assert_eq!(has(&of_kind(Kind::Seen), "Martin Sewell"), 3, "each look of his own is told as well");
            let by = |by: &str| martin.person_access(person, &AccessAsked { by: Some(by.into()), ..all() });
            assert!(told(&by("nurse-aoife").unwrap()).iter().all(|line| line.contains("Aoife")));
            assert_eq!(by("nobody"), Err(Failure::NotFound));
            let dated = |from, to| martin.person_access(person, &AccessAsked { from, to, ..all() }).unwrap().lines.len();
            assert_eq!(dated(None, Some(date(2025, 1, 5))), 0);
            assert!(dated(Some(date(2025, 1, 6)), Some(date(2025, 1, 6))) > 5);
        });
    }

    #[test]
    fn what_a_member_of_staff_did_is_told_by_person() {
        both_engines(|store| {
            let (app, person) = somebody(store);
            app.desk("nurse-aoife").unwrap().person_page(person).unwrap();
            let martin = app.desk("governance-martin").unwrap();
            let page = martin.staff_access("nurse-aoife", &all()).unwrap();
            assert_eq!((page.people.len(), page.sites.len()), (1, 1));
            assert_eq!(page.people[0].href, format!("/access/people/{person}?from=2024-12-30&by=nurse-aoife"));
            assert!(page.people[0].times.starts_with("Seen ") && !page.lately.is_empty());
            let before = AccessAsked { to: Some(date(2025, 1, 5)), ..all() };
            assert_eq!((page.asked.from, martin.staff_access("nurse-aoife", &before).unwrap().people.len()), (Some(date(2024, 12, 30)), 0));
            assert!(martin.staff_access("nurse-blessing", &all()).unwrap().people.is_empty());
            assert_eq!(martin.staff_access("nobody", &all()), Err(Failure::NotFound));
            let elsewhere = AccessAsked { site: Some("northmid".into()), ..all() };
            assert_eq!(martin.staff_access("nurse-aoife", &elsewhere), Err(Failure::NotFound));
        });
    }

    #[test]
    fn what_was_refused_and_what_was_taken_away_is_told() {
        both_engines(|store| {
            let (app, person) = somebody(store);
            assert!(app.desk("ines").unwrap().person_page(person).is_err());
            app.desk("manager-frances")
                .unwrap()
                .export_report("chelwest", "2024-Q4".parse().unwrap(), alongside_domain::measures::Audience::Public)
                .unwrap();
            let martin = app.desk("governance-martin").unwrap();
            let refused = martin.refusals_page(1).unwrap();
            assert_eq!((refused.by.len(), refused.lines.len()), (1, 1));
            assert_eq!((refused.by[0].0.words.as_str(), refused.by[0].1.as_str()), ("Inês", "1 time"));
            assert_eq!(refused.lines[0].1[0].href, format!("/access/people/{person}"));
            let files = martin.exports_page(false, 1).unwrap();
            assert_eq!(files.lines[0].1, "Chelsea and Westminster, small numbers kept back");
            assert!(martin.exports_page(true, 1).unwrap().lines.is_empty());
        });
    }
}
