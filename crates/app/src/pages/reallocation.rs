//! The preview of giving a supporter's people to others.

use std::collections::BTreeMap;

use alongside_domain::access::{Action, Scope};
use alongside_domain::allocation::{self, Candidate, Loss};
use alongside_domain::id::ReferralId;
use alongside_domain::person::Person;
use alongside_domain::record::Record;
use alongside_domain::referral::Referral;
use alongside_domain::supporter::StaffId;
use alongside_store::{Tx, coordination, people};

use super::coordination::{Alternative, Team, TeamFilter, load_words};
use super::words;
use crate::Failure;
use crate::desk::{Desk, Seen};

/// How many people are given away at once: more than any one supporter has.
pub(crate) const MOVES_MAX: u32 = 200;

/// What would happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reallocation {
    /// Key of the supporter.
    pub from: String,
    /// First name.
    pub name: String,
    /// Why their people need somebody else, in a sentence.
    pub why: String,
    /// What is proposed: `Others are proposed for 12 of 14 people.`
    pub summary: String,
    /// A person each.
    pub rows: Vec<MoveRow>,
    /// How many people are left for later.
    pub left_out: u64,
}

/// A person of the supporter, and who could have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRow {
    /// The referral, which names the fields of the form.
    pub referral: String,
    /// What must still be so when it is carried out.
    pub mark: String,
    /// The person's page.
    pub href: String,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Title of the site.
    pub site: String,
    /// Where support stands.
    pub stage: String,
    /// Those who can have them, and that they stay.
    pub choices: Vec<Alternative>,
    /// Said where nobody can.
    pub nobody: bool,
}

/// What was chosen for somebody, before: nothing means that they stay.
pub type Chosen = BTreeMap<ReferralId, Option<String>>;

impl Desk {
    /// The people of a supporter with somebody proposed for each; what was chosen before stays chosen.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a supporter who is not theirs, as for nobody; [`Failure::Forbidden`]; the store's.
    pub fn reallocation_page(&self, from: &str, chosen: &Chosen) -> Result<Reallocation, Failure> {
        self.may_do(Action::SeeCapacity)?;
        let scopes = self.scopes(Action::Allocate, &TeamFilter::default())?;
        let (desk, from, chosen) = (self.clone(), StaffId(from.to_owned()), chosen.clone());
        self.disclose(Action::Allocate, None, move |tx, seen| {
            seen.detail("preview");
            let team = desk.team(tx)?;
            let (records, total) = desk.people_of(tx, seen, &scopes, &from)?;
            let known = team.members.get(&from).is_some_and(|one| desk.looks_after(&one.supporter));
            if records.is_empty() && !known {
                return Err(Failure::NotFound);
            }
            Ok(desk.reallocation(&from, &records, total, &team, &chosen))
        })
    }

    /// Everybody whom a supporter has, with their live referral; and how many there are, where that is more.
    pub(crate) fn people_of(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        scopes: &[Scope],
        from: &StaffId,
    ) -> Result<(Vec<(Record, Referral)>, u64), Failure> {
        let (mut found, mut total) = (Vec::new(), 0);
        for scope in scopes {
            let held = coordination::held_by(tx, scope)?.into_iter().find(|(supporter, _)| supporter == from);
            total += held.map_or(0, |(_, people)| people);
            for waiting in coordination::people_of(tx, scope, from, MOVES_MAX)? {
                let record = people::load(tx, waiting.person)?.ok_or(Failure::NotFound)?;
                let referral = record.referral(waiting.referral).cloned().ok_or(Failure::NotFound)?;
                if found.len() < MOVES_MAX as usize {
                    seen.person(record.person.id);
                    found.push((record, referral));
                }
            }
        }
        Ok((found, total))
    }

    fn reallocation(&self, from: &StaffId, people: &[(Record, Referral)], total: u64, team: &Team, chosen: &Chosen) -> Reallocation {
        let name = self.app().setup.name_of(&from.0);
        let loss = people.first().and_then(|(_, referral)| team.loss(from, &referral.site));
        let proposed = self.proposed(from, people, loss, team);
        let rows: Vec<MoveRow> = people
            .iter()
            .map(|(record, referral)| {
                let proposal = proposed.get(&referral.id).cloned().flatten().map(|id| id.0);
                let choice = chosen.get(&referral.id).cloned().unwrap_or(proposal);
                self.move_row(record, referral, team, &name, choice.as_deref())
            })
            .collect();
        let placed = proposed.values().flatten().count() as u64;
        let wanted = proposed.len() as u64;
        Reallocation {
            from: from.0.clone(),
            why: why_words(&name, loss, total),
            summary: summary(placed, wanted),
            left_out: total.saturating_sub(rows.len() as u64),
            rows,
            name,
        }
    }

    /// Who is proposed for each who is to move.
    fn proposed(
        &self,
        from: &StaffId,
        people: &[(Record, Referral)],
        loss: Option<Loss>,
        team: &Team,
    ) -> BTreeMap<ReferralId, Option<StaffId>> {
        let (held, limit) = team.members.get(from).map_or((0, 0), |one| (one.held, one.supporter.capacity));
        let referrals: Vec<&Referral> = people.iter().map(|(_, referral)| referral).collect();
        let moving = allocation::to_move(&referrals, loss, held, limit);
        let those = people.iter().filter(|(_, referral)| moving.contains(&referral.id));
        let those: Vec<(&Person, &Referral)> = those.map(|(record, referral)| (&record.person, referral)).collect();
        let candidates: Vec<Candidate> = team.members.values().filter(|one| self.looks_after(&one.supporter)).cloned().collect();
        let proposed = allocation::propose(&those, &candidates, self.app().today());
        those.iter().map(|(_, referral)| referral.id).zip(proposed).collect()
    }

    fn move_row(&self, record: &Record, referral: &Referral, team: &Team, from: &str, choice: Option<&str>) -> MoveRow {
        let (person, today) = (&record.person, self.app().today());
        let able = team.at(&referral.site).filter(|one| {
            self.looks_after(&one.supporter) && allocation::may_take(person, referral, &one.supporter, one.held, today, false).is_ok()
        });
        let able: Vec<Alternative> = able
            .map(|one| Alternative {
                value: one.supporter.id.0.clone(),
                words: format!("{} ({})", one.supporter.first_name, load_words(one.held, one.supporter.capacity)),
                chosen: choice == Some(one.supporter.id.0.as_str()),
            })
            .collect();
        let stays =
            Alternative { value: String::new(), words: format!("Stays with {from} for now"), chosen: able.iter().all(|one| !one.chosen) };
        MoveRow {
            referral: referral.id.to_string(),
            mark: allocation::mark(referral),
            href: format!("/people/{}", person.id),
            name: words::name(person.given.as_deref(), person.family.as_deref()),
            age: words::age(person.birth_date, today),
            site: self.app().setup.site_title(&referral.site),
            stage: words::sentence(referral.status.stage().words()),
            nobody: able.is_empty(),
            choices: std::iter::once(stays).chain(able).collect(),
        }
    }
}

fn why_words(name: &str, loss: Option<Loss>, total: u64) -> String {
    let people = words::counted(total, "person", "people");
    match loss {
        Some(Loss::OverCapacity) => {
            format!("{name} has {people}, more than the limit. Those who have had no conversation yet are moved first.")
        }
        Some(loss) => format!("{name} has {people}: {}.", loss.words()),
        None => format!("{name} has {people} and can go on. Use this when {name} is going to leave."),
    }
}

fn summary(placed: u64, wanted: u64) -> String {
    if placed == wanted {
        format!(
            "Somebody is proposed for {}.",
            if wanted == 1 { "the person who needs it".to_owned() } else { format!("all {} who need it", words::number(wanted)) }
        )
    } else {
        format!(
            "Somebody is proposed for {} of {} people. For the others nobody has room, or nobody may take them.",
            words::number(placed),
            words::number(wanted)
        )
    }
}
