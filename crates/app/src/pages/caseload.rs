//! A supporter's own pages: today in order of need, and everybody of the caseload.

use std::collections::BTreeMap;

use alongside_domain::access::Action;
use alongside_domain::allocation;
use alongside_domain::id::PersonId;
use alongside_domain::referral::Stage;
use alongside_domain::reply::Reply;
use alongside_domain::today::{self, Due, Need, Standing};
use alongside_store::Tx;
use alongside_store::page_reads::{self, Held, Slice};
use jiff::civil::Date;

use super::Link;
use super::words::{self, Urgency};
use crate::desk::{Admitted, Desk, Seen};
use crate::{Failure, london_date};

/// The most people of one supporter at one site that a page shows; a caseload is far below.
const CASELOAD_MAX: u32 = 200;

/// Today, in order of need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Today {
    /// `Monday 6 January 2025`.
    pub day: String,
    /// What it is about in a line: `2 people need you today`.
    pub summary: String,
    /// Whoever needs something, the most pressing first.
    pub cards: Vec<NeedCard>,
    /// What is said of all others: `5 other people are fine until another day`.
    pub others: String,
}

/// Somebody who needs something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedCard {
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// What is most pressing.
    pub need: &'static str,
    /// Since when, or when.
    pub when: String,
    /// How urgent that is.
    pub urgency: Urgency,
    /// What else.
    pub more: Vec<String>,
    /// What they answered by their private page: where one says that it was seen to, what, and in which words.
    pub replies: Vec<(String, String, String)>,
    /// What to do, the likeliest first.
    pub actions: Vec<Link>,
}

/// Everybody of a caseload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyPeople {
    /// `8 people`.
    pub total: String,
    /// The order in which they stand, as links to the others.
    pub orders: Vec<Link>,
    /// The people.
    pub lines: Vec<MyPerson>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyPerson {
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Where the referral stands.
    pub stage: String,
    /// `2 January 2025`, or that there was none.
    pub last: String,
    /// What comes next and when.
    pub next: String,
    /// How urgent that is.
    pub urgency: Urgency,
    /// Where a contact is recorded; nothing while the referral is stopped.
    pub record: Option<String>,
}

alongside_domain::coded! {
    /// In which order people stand.
    pub enum Order {
        Name = "name", "By name";
        Quiet = "quiet", "Longest without contact first";
    }
}

impl Desk {
    /// Today of whoever sits at the desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn today_page(&self) -> Result<Today, Failure> {
        let (desk, today) = (self.clone(), self.app().today());
        self.disclose(Action::SeeTeamLists, None, move |tx, seen| {
            seen.detail("today");
            let held = desk.held(tx, seen)?;
            let mut needed: Vec<(&Mine, Vec<Due>)> = held.iter().map(|one| (one, today::needs(&standing(one), today))).collect();
            let all = needed.len();
            needed.retain(|(_, needs)| !needs.is_empty());
            needed.sort_by(|(_, one), (_, other)| one.cmp(other));
            let others = (all - needed.len()) as u64;
            Ok(Today {
                day: today.strftime("%A %-d %B %Y").to_string(),
                summary: match needed.len() {
                    0 => "Nobody needs you today.".to_owned(),
                    1 => "1 person needs you.".to_owned(),
                    more => format!("{more} people need you, in this order."),
                },
                cards: needed.iter().filter_map(|(one, needs)| card(one, needs, today)).collect(),
                others: if others == 0 {
                    String::new()
                } else {
                    format!("{}: nothing to do today.", words::counted(others, "other person", "other people"))
                },
            })
        })
    }

    /// The whole caseload of whoever sits at the desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn my_people_page(&self, order: Order) -> Result<MyPeople, Failure> {
        let (desk, today) = (self.clone(), self.app().today());
        self.disclose(Action::SeeTeamLists, None, move |tx, seen| {
            seen.detail("caseload");
            let mut held = desk.held(tx, seen)?;
            if order == Order::Quiet {
                held.sort_by_key(|one| one.held.last_on);
            }
            let link = |one: &Order| Link { current: *one == order, ..Link::new(format!("/my-people?order={one}"), one.words()) };
            Ok(MyPeople {
                total: words::counted(held.len() as u64, "person", "people"),
                orders: Order::ALL.iter().map(link).collect(),
                lines: held.iter().map(|one| line(one, today)).collect(),
            })
        })
    }

    /// What else the owner of the desk can do to somebody now: what supporters record, and what stands open at any time.
    pub(super) fn care_links(&self, admitted: &Admitted) -> Vec<Link> {
        let (record, person) = (&admitted.record, admitted.record.person.id);
        let can = |action| self.is_theirs(action, record, admitted.shielded);
        let mut links = Vec::new();
        if let Some(live) = record.live_referral() {
            let with_supporter = live.status.supporter().is_some() && live.status.stage() != Stage::Held;
            if with_supporter && can(Action::RecordContact) {
                links.push(Link::new(format!("/referrals/{}/contact", live.id), "Record a contact"));
            }
            if today::is_supported(live.status.stage()) && can(Action::RecordAssessment) {
                links.push(Link::new(format!("/referrals/{}/assessment", live.id), "Fill in the assessment"));
            }
            if can(Action::Allocate) && allocation::can_be_given(&record.person, live).is_ok() {
                links.push(Link::new(format!("/referrals/{}/allocate", live.id), "Choose a supporter"));
            }
        }
        let always = [
            (Action::SetSafeContact, "safe-contact", "Change how to reach them safely"),
            (Action::RaiseConcern, "concern", "Raise a concern"),
            (Action::MakeLink, "link", "Their private page"),
        ];
        let living = record.person.died.is_none();
        let open = always.iter().filter(|(action, ..)| (living || *action == Action::RaiseConcern) && can(*action));
        links.extend(open.map(|(_, place, words)| Link::new(format!("/people/{person}/{place}"), *words)));
        links
    }

    fn held(&self, tx: &mut Tx<'_>, seen: &mut Seen) -> Result<Vec<Mine>, Failure> {
        let most = Slice { most: CASELOAD_MAX, skip: 0 };
        let mut all = Vec::new();
        for site in self.sites(Action::RecordContact) {
            let scope = self.scope(Action::RecordContact, &site.key)?;
            let mut replies: BTreeMap<PersonId, Vec<Reply>> = BTreeMap::new();
            let replied = page_reads::replies(tx, &scope, most)?;
            for replied in replied.into_iter().filter(|replied| replied.reply.kind.is_for_supporter()) {
                replies.entry(replied.reply.person).or_default().push(replied.reply);
            }
            let held = page_reads::caseload(tx, &scope, CASELOAD_MAX)?;
            all.extend(held.into_iter().map(|held| Mine { replies: replies.remove(&held.waiting.person).unwrap_or_default(), held }));
        }
        all.iter().for_each(|one| seen.person(one.held.waiting.person));
        Ok(all)
    }
}

/// Somebody of the caseload, with what they answered and nobody has seen to.
struct Mine {
    held: Held,
    replies: Vec<Reply>,
}

fn standing(Mine { held, replies }: &Mine) -> Standing {
    Standing {
        stage: held.waiting.stage,
        due_on: held.waiting.due_on,
        attempts: held.waiting.attempts,
        next_assessment_on: held.waiting.next_assessment_on,
        planned_on: held.planned.map(|(on, _)| on),
        last_on: held.last_on,
        replied_on: replies.first().map(|reply| london_date(reply.at)),
    }
}

fn card(mine: &Mine, needs: &[Due], today: Date) -> Option<NeedCard> {
    let held = &mine.held;
    let (first, rest) = needs.split_first()?;
    let (when, urgency) = told(held, *first, today);
    let more = rest.iter().map(|due| format!("{}: {}", due.need.words(), told(held, *due, today).0));
    let record = Link::new(contact_address(held), "Record a contact");
    let assess = Link::new(format!("/referrals/{}/assessment", held.waiting.referral), "Fill in the assessment");
    let assesses = needs.iter().any(|due| due.need == Need::Assessment);
    let mut actions = vec![record];
    if assesses {
        actions.insert(usize::from(first.need != Need::Assessment), assess);
    }
    Some(NeedCard {
        href: format!("/people/{}", held.waiting.person),
        name: words::named(&held.waiting.named),
        need: first.need.words(),
        when,
        urgency,
        more: more.collect(),
        replies: mine.replies.iter().map(answer).collect(),
        actions,
    })
}

fn answer(reply: &Reply) -> (String, String, String) {
    (format!("/replies/{}/handled", reply.id), words::sentence(reply.kind.words()), reply.words.clone())
}

fn contact_address(held: &Held) -> String {
    format!("/referrals/{}/contact", held.waiting.referral)
}

fn told(held: &Held, due: Due, today: Date) -> (String, Urgency) {
    match due.need {
        Need::PromiseLate | Need::PromiseDue | Need::New | Need::Assessment => words::due(due.on, today),
        Need::Reply => (format!("on {}", words::day(due.on)), Urgency::Soon),
        Need::Planned => planned(held, due.on, today),
        Need::Quiet => (format!("last contact {}, {} ago", words::day(due.on), words::waiting(due.on, today)), Urgency::Soon),
    }
}

fn planned(held: &Held, on: Date, today: Date) -> (String, Urgency) {
    let way = held.planned.map_or_else(String::new, |(_, way)| format!(", {}", way.words()));
    if on == today {
        (format!("today{way}"), Urgency::Soon)
    } else if on < today {
        (format!("was agreed for {}{way}", words::day(on)), Urgency::Late)
    } else {
        (format!("{}{way}", words::day(on)), Urgency::Calm)
    }
}

fn line(mine: &Mine, today: Date) -> MyPerson {
    let (held, needs) = (&mine.held, today::needs(&standing(mine), today));
    let (next, urgency) = match (needs.first(), held.planned, held.waiting.next_assessment_on) {
        (Some(first), _, _) => {
            let (when, urgency) = told(held, *first, today);
            (format!("{}: {when}", first.need.words()), urgency)
        }
        (None, Some((on, _)), _) => (format!("You agreed to talk: {}", planned(held, on, today).0), Urgency::Calm),
        (None, None, Some(on)) => (format!("Assessment {}", words::due(on, today).0), Urgency::Calm),
        (None, None, None) => ("Nothing agreed".to_owned(), Urgency::Calm),
    };
    MyPerson {
        href: format!("/people/{}", held.waiting.person),
        name: words::named(&held.waiting.named),
        age: words::age(held.waiting.named.birth_date, today),
        stage: words::sentence(held.waiting.stage.words()),
        last: held.last_on.map_or_else(|| "none yet".to_owned(), words::day),
        next,
        urgency,
        record: (held.waiting.stage != Stage::Held).then(|| contact_address(held)),
    }
}
