//! The coordinator's room: who needs a supporter, who is about to be let down, who has room, and which letters wait.

use std::collections::BTreeMap;

use alongside_domain::access::{Action, Scope};
use alongside_domain::allocation::{self, Candidate, Delay, Hindrance, Loss};
use alongside_domain::id::ReferralId;
use alongside_domain::passport;
use alongside_domain::person::SiteId;
use alongside_domain::record::Record;
use alongside_domain::referral::{Referral, Stage};
use alongside_domain::supporter::StaffId;
use alongside_store::page_reads::{self, Slice, Waiting};
use alongside_store::{Tx, coordination, people};
use jiff::civil::Date;

use super::Link;
use super::care::ReplyLine;
use super::passports::HORIZON_DAYS;
use super::words::{self, Urgency};
use super::worklists::{self, WorklistKind};
use crate::desk::{Desk, Seen};
use crate::{Failure, london_date};

/// How many lines a list shows here; the whole lists are the worklists of each site.
const LINES: u32 = 10;
/// How many letters are shown.
const LETTERS: u32 = 25;

/// Whose lists are shown: what stands in the address. An empty text is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamFilter {
    /// Key of a site.
    pub site: String,
    /// Key of a partner.
    pub partner: String,
}

/// One of several to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// What is sent.
    pub value: String,
    /// What it says.
    pub words: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// The start of a coordinator's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordination {
    /// The sites to choose from.
    pub sites: Vec<Alternative>,
    /// The partners to choose from.
    pub partners: Vec<Alternative>,
    /// Released, and nobody has them yet.
    pub allocating: TeamList,
    /// Supporters whose people need somebody else.
    pub reallocating: Vec<Leaver>,
    /// How many people those are: `12 people`.
    pub reallocating_words: String,
    /// First conversations that are late, or due on the next working day at the latest.
    pub promise: TeamList,
    /// What people answered by their private link, until somebody sees to it.
    pub replies: Vec<ReplyLine>,
    /// Letters that cannot be sent.
    pub letters: Vec<WaitingLetter>,
    /// How many they are: `2 letters`.
    pub letters_words: String,
    /// What each supporter has to do.
    pub capacity: Vec<Load>,
    /// What ends next, in a sentence.
    pub ahead: Option<String>,
}

/// A list of people, its first lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamList {
    /// How many lines it has.
    pub total: u64,
    /// `25 people`.
    pub total_words: String,
    /// The first of them.
    pub lines: Vec<TeamLine>,
    /// The whole list of each site, where it is longer.
    pub all: Vec<Link>,
}

/// A person who waits for the team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamLine {
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Title of the site.
    pub site: String,
    /// Why they wait.
    pub why: String,
    /// When the first conversation is due.
    pub due: String,
    /// How urgent that is.
    pub urgency: Urgency,
    /// The supporter's first name, or that there is none.
    pub supporter: String,
    /// Where to give them to somebody.
    pub give: String,
}

/// A supporter whose people need somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// First name.
    pub name: String,
    /// Why: `the contract does not cover today`.
    pub why: &'static str,
    /// How many people: `14 people`.
    pub people: String,
    /// Where to give them to others.
    pub href: String,
}

/// A letter that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingLetter {
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// Since when it waits.
    pub since: String,
    /// The supporter's first name, or that there is none.
    pub supporter: String,
    /// Why.
    pub why: &'static str,
    /// What to do.
    pub what_to_do: &'static str,
}

/// What a supporter has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// First name.
    pub name: String,
    /// The partner organisation.
    pub partner: String,
    /// The sites.
    pub sites: String,
    /// How many people they have.
    pub held: u32,
    /// How many they can have.
    pub limit: u32,
    /// `14 of 45 people`.
    pub words: String,
    /// How they stand: `room for 31`, `full`, `2 too many`, or why nobody can be given to them.
    pub state: String,
    /// Whether people can be given to them.
    pub open: bool,
    /// Where to give their people to others; nothing where they have none.
    pub give: Option<String>,
}

/// The supporters as they stand: renewed, and with how many people they have.
pub(crate) struct Team {
    pub(crate) members: BTreeMap<StaffId, Candidate>,
    today: Date,
}

impl Team {
    /// Why the people of a supporter at a site need somebody else.
    pub(crate) fn loss(&self, supporter: &StaffId, site: &SiteId) -> Option<Loss> {
        let member = self.members.get(supporter);
        allocation::loss(member.map(|one| &one.supporter), site, member.map_or(0, |one| one.held), self.today)
    }

    /// Those who work at a site, by key.
    pub(crate) fn at(&self, site: &SiteId) -> impl Iterator<Item = &Candidate> {
        self.members.values().filter(move |one| one.supporter.basis_at(site).is_some())
    }
}

impl Desk {
    /// All configured supporters as they stand.
    pub(crate) fn team(&self, tx: &mut Tx<'_>) -> Result<Team, Failure> {
        let all = self.app().all_renewed(tx)?.into_iter();
        let mut members: BTreeMap<_, _> = all.map(|(id, supporter)| (id, Candidate { supporter, held: 0 })).collect();
        for (supporter, _, held) in people::caseloads(tx)? {
            if let Some(member) = members.get_mut(&supporter) {
                member.held = member.held.saturating_add(held);
            }
        }
        Ok(Team { members, today: self.app().today() })
    }

    /// The scopes of an action at the sites of a filter.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for a site or partner that is not theirs, as for none.
    pub(crate) fn scopes(&self, action: Action, filter: &TeamFilter) -> Result<Vec<Scope>, Failure> {
        self.may_do(action)?;
        if !filter.site.is_empty() {
            self.site(action, &filter.site)?;
        }
        if !filter.partner.is_empty() && !self.partners().iter().any(|(key, _)| *key == filter.partner) {
            return Err(Failure::NotFound);
        }
        let sites = self.sites(action).filter(|site| filter.site.is_empty() || site.key.0 == filter.site);
        sites.map(|site| Ok(self.of_partner(self.scope(action, &site.key)?, &filter.partner))).collect()
    }

    /// A scope narrowed to a partner's part: its supporters' people, and those who wait where it works.
    fn of_partner(&self, scope: Scope, partner: &str) -> Scope {
        if partner.is_empty() {
            return scope;
        }
        let setup = &self.app().setup;
        let theirs = setup.supporters.values().filter(|supporter| supporter.partner == partner).map(|supporter| supporter.id.clone());
        let works_there = setup.sites.get(&scope.site.0).is_some_and(|site| site.partners.iter().any(|(key, _, _)| key == partner));
        let supporters = theirs.filter(|id| scope.supporters.as_ref().is_none_or(|these| these.contains(id))).collect();
        let unallocated = works_there && (scope.supporters.is_none() || scope.unallocated);
        Scope { supporters: Some(supporters), unallocated, ..scope }
    }

    /// The partners whose part the owner of the desk may see: key and title.
    fn partners(&self) -> Vec<(String, String)> {
        let mut found = BTreeMap::new();
        for site in self.sites(Action::SeeCapacity) {
            for (key, title, _) in &site.partners {
                let supporters = self.app().setup.supporters.values().filter(|supporter| supporter.partner == *key);
                if self.viewer().partner.is_none() || supporters.into_iter().any(|supporter| self.looks_after(supporter)) {
                    found.insert(key.clone(), title.clone());
                }
            }
        }
        found.into_iter().collect()
    }

    /// Everything that a coordinator decides about today, of all their sites or of one site or partner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for a site or partner that is not theirs; the store's.
    pub fn coordination_page(&self, filter: &TeamFilter) -> Result<Coordination, Failure> {
        self.may_do(Action::SeeCapacity)?;
        let scopes = self.scopes(Action::SeeTeamLists, filter)?;
        let (desk, filter) = (self.clone(), filter.clone());
        self.disclose(Action::SeeTeamLists, None, move |tx, seen| {
            seen.detail("coordination");
            let team = desk.team(tx)?;
            let (reallocating, people) = desk.leavers(tx, &scopes, &team)?;
            let (letters, waiting) = desk.waiting_letters(tx, seen, &scopes)?;
            Ok(Coordination {
                sites: alternatives(
                    desk.sites(Action::SeeCapacity).map(|site| (site.key.0.clone(), site.title.clone())),
                    "All sites",
                    &filter.site,
                ),
                partners: alternatives(desk.partners().into_iter(), "All partners", &filter.partner),
                allocating: desk.allocating(tx, seen, &scopes, &team)?,
                reallocating,
                reallocating_words: words::counted(people, "person", "people"),
                promise: desk.at_risk(tx, seen, &scopes, &team)?,
                replies: desk.replies(tx, seen, &scopes)?,
                letters,
                letters_words: words::counted(waiting, "letter", "letters"),
                capacity: desk.loads(&scopes, &filter, &team),
                ahead: desk.ahead(&team),
            })
        })
    }

    fn allocating(&self, tx: &mut Tx<'_>, seen: &mut Seen, scopes: &[Scope], team: &Team) -> Result<TeamList, Failure> {
        let slice = Slice { most: LINES, skip: 0 };
        let (mut found, mut total, mut longer) = (Vec::new(), 0, Vec::new());
        for scope in scopes {
            let lines = page_reads::count_at_stage(tx, scope, Stage::Open)?;
            total += lines;
            longer.extend((lines > 0).then(|| self.whole_list(scope, WorklistKind::Open)));
            found.extend(page_reads::at_stage(tx, scope, Stage::Open, slice)?.into_iter().map(|waiting| (scope.site.clone(), waiting)));
        }
        found.sort_by_key(|(_, waiting)| (waiting.raised_at, waiting.referral));
        Ok(self.team_list(seen, found, total, longer, team))
    }

    fn at_risk(&self, tx: &mut Tx<'_>, seen: &mut Seen, scopes: &[Scope], team: &Team) -> Result<TeamList, Failure> {
        let slice = Slice { most: LINES, skip: 0 };
        let by = allocation::at_risk_by(self.app().today());
        let (mut found, mut total, mut longer) = (Vec::new(), 0, Vec::new());
        for scope in scopes {
            let lines = page_reads::count_due(tx, scope, by)?;
            total += lines;
            longer.extend((lines > 0).then(|| self.whole_list(scope, WorklistKind::Due)));
            found.extend(page_reads::due(tx, scope, by, slice)?.into_iter().map(|waiting| (scope.site.clone(), waiting)));
        }
        found.sort_by_key(|(_, waiting)| (waiting.due_on, waiting.referral));
        Ok(self.team_list(seen, found, total, longer, team))
    }

    fn whole_list(&self, scope: &Scope, kind: WorklistKind) -> Link {
        Link::new(worklists::address(&scope.site, kind), format!("All at {}", self.app().setup.site_title(&scope.site)))
    }

    fn team_list(&self, seen: &mut Seen, found: Vec<(SiteId, Waiting)>, total: u64, all: Vec<Link>, team: &Team) -> TeamList {
        let shown = found.into_iter().take(LINES as usize);
        let lines: Vec<TeamLine> = shown
            .map(|(site, waiting)| {
                seen.person(waiting.person);
                self.team_line(&site, &waiting, team)
            })
            .collect();
        let all = if total > lines.len() as u64 { all } else { Vec::new() };
        TeamList { total, total_words: words::counted(total, "person", "people"), lines, all }
    }

    fn team_line(&self, site: &SiteId, waiting: &Waiting, team: &Team) -> TeamLine {
        let today = self.app().today();
        let loss = waiting.supporter.as_ref().and_then(|supporter| team.loss(supporter, site));
        let delay = allocation::delay(waiting.stage, waiting.attempts, loss);
        let (due, urgency) = waiting.due_on.map_or_else(|| ("no day is promised".to_owned(), Urgency::Calm), |on| words::due(on, today));
        TeamLine {
            href: format!("/people/{}", waiting.person),
            name: words::named(&waiting.named),
            age: words::age(waiting.named.birth_date, today),
            site: self.app().setup.site_title(site),
            why: format!("{}; {}", words::sentence(waiting.reason.words()), delay_words(delay)),
            due,
            urgency,
            supporter: self.name_or_none(waiting.supporter.as_ref()),
            give: give_address(waiting.referral),
        }
    }

    /// Supporters whose people need somebody else, with how many people those are together.
    fn leavers(&self, tx: &mut Tx<'_>, scopes: &[Scope], team: &Team) -> Result<(Vec<Leaver>, u64), Failure> {
        let mut found: BTreeMap<StaffId, (Loss, u64)> = BTreeMap::new();
        for scope in scopes {
            for (supporter, held) in coordination::held_by(tx, scope)? {
                if let Some(loss) = team.loss(&supporter, &scope.site) {
                    found.entry(supporter).or_insert((loss, 0)).1 += held;
                }
            }
        }
        let mut total = 0;
        let lines = found.iter().map(|(supporter, (loss, held))| {
            let over = team.members.get(supporter).map_or(0, |one| u64::from(one.held.saturating_sub(one.supporter.capacity)));
            let count = if *loss == Loss::OverCapacity { over.min(*held) } else { *held };
            total += count;
            Leaver {
                name: self.app().setup.name_of(&supporter.0),
                why: loss.words(),
                people: words::counted(count, "person", "people"),
                href: reallocate_address(supporter),
            }
        });
        Ok((lines.collect(), total))
    }

    fn waiting_letters(&self, tx: &mut Tx<'_>, seen: &mut Seen, scopes: &[Scope]) -> Result<(Vec<WaitingLetter>, u64), Failure> {
        let (by, hindrance) = allocation::hindrance(self.app().world.now(), self.app().setup.server.letters.is_some());
        let (mut found, mut total) = (Vec::new(), 0);
        for scope in scopes {
            total += coordination::count_letters_due(tx, scope, by)?;
            found.extend(coordination::letters_due(tx, scope, by, LETTERS)?);
        }
        found.sort_by_key(|letter| (letter.due, letter.id));
        let today = self.app().today();
        let lines = found.into_iter().take(LETTERS as usize).map(|letter| {
            seen.person(letter.person);
            WaitingLetter {
                href: format!("/people/{}", letter.person),
                name: words::named(&letter.named),
                since: words::waiting(london_date(letter.due), today),
                supporter: self.name_or_none(letter.supporter.as_ref()),
                why: hindrance.words(),
                what_to_do: what_to_do(hindrance),
            }
        });
        Ok((lines.collect(), total))
    }

    fn loads(&self, scopes: &[Scope], filter: &TeamFilter, team: &Team) -> Vec<Load> {
        let at_these = |one: &&Candidate| scopes.iter().any(|scope| one.supporter.basis_at(&scope.site).is_some());
        let of_partner = |one: &&Candidate| filter.partner.is_empty() || one.supporter.partner == filter.partner;
        let theirs = |one: &&Candidate| self.looks_after(&one.supporter);
        // Somebody who has left and has nobody is no part of the team any more.
        let here = |one: &&Candidate| one.held > 0 || one.supporter.until.is_none_or(|last| last >= team.today);
        let mut lines: Vec<Load> = team
            .members
            .values()
            .filter(at_these)
            .filter(of_partner)
            .filter(theirs)
            .filter(here)
            .map(|one| self.load(one, team.today))
            .collect();
        lines.sort_by(|one, other| (!one.open, &one.name).cmp(&(!other.open, &other.name)));
        lines
    }

    fn load(&self, one: &Candidate, today: Date) -> Load {
        let (supporter, held, limit) = (&one.supporter, one.held, one.supporter.capacity);
        let sites = self.sites(Action::SeeCapacity).filter(|site| supporter.basis_at(&site.key).is_some());
        let state = if !supporter.works_on(today) {
            Loss::ContractOver.words().to_owned()
        } else if !supporter.cleared_on(today) {
            Loss::NotCleared.words().to_owned()
        } else {
            match limit.cmp(&held) {
                std::cmp::Ordering::Greater => format!("room for {}", limit - held),
                std::cmp::Ordering::Equal => "full".to_owned(),
                std::cmp::Ordering::Less => format!("{} too many", held - limit),
            }
        };
        Load {
            name: supporter.first_name.clone(),
            partner: self.app().setup.partner_title(&supporter.partner),
            sites: sites.map(|site| site.title.as_str()).collect::<Vec<_>>().join(", "),
            held,
            limit,
            words: load_words(held, limit),
            state,
            open: supporter.cleared_on(today) && held < limit,
            give: (held > 0).then(|| reallocate_address(&supporter.id)),
        }
    }

    fn ahead(&self, team: &Team) -> Option<String> {
        let theirs = team.members.values().filter(|one| self.looks_after(&one.supporter));
        let supporters: Vec<_> = theirs.map(|one| (one.supporter.clone(), usize::try_from(one.held).unwrap_or(usize::MAX))).collect();
        passport::sentences(&passport::look_ahead(team.today, HORIZON_DAYS, &supporters)).into_iter().next()
    }

    fn name_or_none(&self, supporter: Option<&StaffId>) -> String {
        supporter.map_or_else(|| "none yet".to_owned(), |id| self.app().setup.name_of(&id.0))
    }
}

fn alternatives(all: impl Iterator<Item = (String, String)>, none: &str, chosen: &str) -> Vec<Alternative> {
    let every = (String::new(), none.to_owned());
    std::iter::once(every).chain(all).map(|(value, words)| Alternative { chosen: value == chosen, value, words }).collect()
}

pub(crate) fn give_address(referral: ReferralId) -> String {
    format!("/referrals/{referral}/allocate")
}

fn reallocate_address(supporter: &StaffId) -> String {
    format!("/coordination/reallocate?from={supporter}")
}

/// `14 of 45 people`.
pub(crate) fn load_words(held: u32, limit: u32) -> String {
    format!("{held} of {limit} people")
}

fn delay_words(delay: Delay) -> String {
    match delay {
        Delay::NotAllocated => "not yet allocated".to_owned(),
        Delay::SupporterLost(loss) => format!("their supporter cannot go on: {}", loss.words()),
        Delay::NotTried => "no contact tried".to_owned(),
        Delay::Tried(1) => "tried once".to_owned(),
        Delay::Tried(times) => format!("tried {times} times"),
    }
}

const fn what_to_do(hindrance: Hindrance) -> &'static str {
    match hindrance {
        Hindrance::NoPost => {
            "Ask whoever runs the program to set up a folder for letters. Until then, ask the supporter to make contact in another way."
        }
        Hindrance::Stuck => {
            "Ask whoever runs the program to look at the folder for letters. Until then, ask the supporter to make contact in another way."
        }
    }
}

/// Whom a referral can be given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocatePage {
    /// Where the form is sent.
    pub address: String,
    /// The person's page.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Title of the site.
    pub site_title: String,
    /// Why there is a referral, and where it stands: `Newly diagnosed; open`.
    pub standing: String,
    /// When the first conversation is due, while there was none.
    pub due: Option<(String, Urgency)>,
    /// Who has the referral now.
    pub supporter: Option<String>,
    /// Why it can be given to nobody at all.
    pub blocked: Option<&'static str>,
    /// Those who can take it, the least loaded first.
    pub able: Vec<Able>,
    /// Those who cannot, each with the reason.
    pub unable: Vec<(String, &'static str)>,
}

/// Somebody who can take a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Able {
    /// Key, for the form.
    pub key: String,
    /// First name and partner: `Dele, Plushealth`.
    pub words: String,
    /// How many people they have.
    pub held: u32,
    /// How many they can have.
    pub limit: u32,
    /// `14 of 45 people`.
    pub load: String,
}

impl Desk {
    /// Whom a referral can be given to.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for one that is not theirs, as for none; [`Failure::Forbidden`]; the store's.
    pub fn allocate_page(&self, referral: ReferralId) -> Result<AllocatePage, Failure> {
        let desk = self.clone();
        self.disclose(Action::Allocate, None, move |tx, seen| {
            let admitted = desk.admit_to(tx, seen, Action::Allocate, referral)?;
            let team = desk.team(tx)?;
            let referral = admitted.record.referral(referral).ok_or(Failure::NotFound)?;
            Ok(desk.allocation(&admitted.record, referral, &team))
        })
    }

    fn allocation(&self, record: &Record, referral: &Referral, team: &Team) -> AllocatePage {
        let (person, today) = (&record.person, self.app().today());
        let (mut able, mut unable) = (Vec::new(), Vec::new());
        let theirs = |one: &&Candidate| self.looks_after(&one.supporter) && referral.status.supporter() != Some(&one.supporter.id);
        for one in team.at(&referral.site).filter(theirs) {
            let name = format!("{}, {}", one.supporter.first_name, self.app().setup.partner_title(&one.supporter.partner));
            match allocation::may_take(person, referral, &one.supporter, one.held, today, false) {
                Ok(()) => able.push((one, name)),
                Err(refusal) => unable.push((name, refusal.words())),
            }
        }
        able.sort_by_key(|(one, _)| one.fill());
        let due = referral.due_on.filter(|_| !referral.is_engaged()).map(|on| words::due(on, today));
        AllocatePage {
            address: give_address(referral.id),
            person: format!("/people/{}", person.id),
            name: words::name(person.given.as_deref(), person.family.as_deref()),
            age: words::age(person.birth_date, today),
            site_title: self.app().setup.site_title(&referral.site),
            standing: format!("{}; {}", words::sentence(referral.reason.words()), referral.status.stage().words()),
            due,
            supporter: referral.status.supporter().map(|id| self.app().setup.name_of(&id.0)),
            blocked: allocation::can_be_given(person, referral).err().map(alongside_domain::decision::Refusal::words),
            able: able.into_iter().map(|(one, words)| able_line(one, words)).collect(),
            unable,
        }
    }
}

fn able_line(one: &Candidate, words: String) -> Able {
    let (held, limit) = (one.held, one.supporter.capacity);
    Able { key: one.supporter.id.0.clone(), words, held, limit, load: load_words(held, limit) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importing::Sheet;
    use crate::testing::service;
    use alongside_domain::command::Command;
    use alongside_domain::passport::Item;
    use alongside_store::testing::both_engines;
    use jiff::civil::date;

    const PEOPLE: &str = "local_number,family,given,birth_date\n1,Un,Ada,1980-01-01\n2,Deux,Bea,1981-01-01\n3,Trois,Cy,1982-01-01\n";
    const REFERRALS: &str = "local_number,kind,referred_on,told_on,told_by,told_how,answer,supporter\n\
        1,clinic-request,2024-03-01,2024-03-22,nurse-ada,in-person,no-objection,anna\n\
        2,clinic-request,2024-03-02,2024-03-22,nurse-ada,in-person,no-objection,\n\
        3,clinic-request,2024-03-03,,,,,\n";

    #[test]
    fn a_coordinators_day_begins_with_who_needs_somebody() {
        both_engines(|store| {
            let (app, _) = service(store);
            app.import("north", Sheet::People, PEOPLE.as_bytes()).unwrap();
            app.import("north", Sheet::Referrals, REFERRALS.as_bytes()).unwrap();
            let max = app.desk("coordinator-max").unwrap();
            let all = TeamFilter::default();
            let page = max.coordination_page(&all).unwrap();
            assert_eq!(page.allocating.lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["Bea Deux"]);
            let risks: Vec<_> = page.promise.lines.iter().map(|line| line.why.as_str()).collect();
            assert_eq!(risks, ["Asked for by the clinic; no contact tried", "Asked for by the clinic; not yet allocated"], "{page:?}");
            assert_eq!((page.reallocating.len(), page.reallocating_words.as_str()), (0, "0 people"));
            let anna = page.capacity.iter().find(|load| load.name == "Anna").unwrap();
            assert_eq!((anna.words.as_str(), anna.state.as_str()), ("1 of 20 people", "room for 19"));
            assert!(page.capacity.iter().all(|load| load.name != "Ben"), "he has left and has nobody");
            let referral = app.referrals_at("north", Stage::Allocated).unwrap()[0].referral;
            let queue = Command::QueueLetter { referral, not_before: app.world.now() };
            app.command(app.person_of(referral).unwrap(), queue, app.actor("anna").unwrap()).unwrap();
            max.renew("anna", Item::Contract, date(2024, 4, 1)).unwrap();
            let page = max.coordination_page(&all).unwrap();
            assert_eq!((page.reallocating[0].name.as_str(), page.reallocating[0].people.as_str()), ("Anna", "1 person"));
            assert!(page.promise.lines[0].why.ends_with("their supporter cannot go on: the contract does not cover today"), "{page:?}");
            assert_eq!((page.letters.len(), page.letters[0].why), (1, "no place for letters is set up"));
        });
    }

    #[test]
    fn a_filter_narrows_to_a_site_and_a_partner_and_knows_no_others() {
        both_engines(|store| {
            let (app, _) = service(store);
            app.import("north", Sheet::People, PEOPLE.as_bytes()).unwrap();
            app.import("north", Sheet::Referrals, REFERRALS.as_bytes()).unwrap();
            let max = app.desk("coordinator-max").unwrap();
            let shown = |site: &str, partner: &str| max.coordination_page(&TeamFilter { site: site.into(), partner: partner.into() });
            assert_eq!(shown("south", "").unwrap().allocating.total, 0);
            assert_eq!(shown("north", "within").unwrap().promise.total, 2);
            let without = shown("", "without").unwrap();
            assert_eq!((without.promise.total, without.allocating.total), (1, 1), "whoever waits there, and nobody of another partner");
            assert_eq!(without.capacity.iter().map(|load| load.name.as_str()).collect::<Vec<_>>(), ["Cleo"]);
            for (site, partner) in [("nowhere", ""), ("", "nobody")] {
                assert_eq!(shown(site, partner).map(|page| page.letters_words), Err(Failure::NotFound));
            }
            for other in ["nurse-ada", "anna", "lead-joy"] {
                assert_eq!(
                    app.desk(other).unwrap().coordination_page(&TeamFilter::default()).map(|_| ()),
                    Err(Failure::Forbidden),
                    "{other}"
                );
            }
        });
    }
}
