//! Giving people to supporters: one, or all of somebody who leaves.

use std::collections::BTreeMap;

use alongside_domain::access::Action;
use alongside_domain::allocation;
use alongside_domain::command::Command;
use alongside_domain::id::{PersonId, ReferralId};
use alongside_domain::supporter::StaffId;
use alongside_store::{Tx, people};

use super::{Admitted, Desk};
use crate::pages::{Chosen, TeamFilter};
use crate::{Failure, Invalid};

/// Somebody who is given to another supporter, as the preview showed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// The referral.
    pub referral: ReferralId,
    /// What was so when the preview was made, see [`allocation::mark`].
    pub mark: String,
    /// To whom; nothing where they stay.
    pub to: Option<String>,
}

/// What was chosen, to show it again.
#[must_use]
pub fn chosen(moves: &[Moving]) -> Chosen {
    moves.iter().map(|moving| (moving.referral, moving.to.clone())).collect()
}

/// The name of the field by which a supporter is chosen for a referral.
#[must_use]
pub fn field_of(referral: ReferralId) -> String {
    format!("to-{referral}")
}

impl Desk {
    /// Gives a referral to a supporter, once for each form; tells whose it is. A choice that a rule refuses is a problem of
    /// the form.
    ///
    /// # Errors
    /// [`Failure::Invalid`] at `supporter`; [`Failure::NotFound`] for a referral that is not theirs, as for none;
    /// [`Failure::Forbidden`]; the store's.
    pub fn give(&self, referral: ReferralId, supporter: &str, once: &str) -> Result<PersonId, Failure> {
        let (desk, key, once) = (self.clone(), supporter.to_owned(), once.to_owned());
        self.disclose(Action::Allocate, None, move |tx, seen| {
            let admitted = desk.admit_to(tx, seen, Action::Allocate, referral)?;
            if desk.once(tx, &once, &(referral, &key))? {
                desk.hand_over(tx, &admitted, referral, &key, "supporter")?;
            }
            Ok(admitted.record.person.id)
        })
    }

    /// Gives people of a supporter to others: all of them or, when anything has changed since the preview or one of them
    /// cannot be given, none. Tells how many were given.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with what to look at anew; [`Failure::Forbidden`]; the store's.
    pub fn reallocate(&self, from: &str, moves: &[Moving], once: &str) -> Result<usize, Failure> {
        self.may_do(Action::SeeCapacity)?;
        let scopes = self.scopes(Action::Allocate, &TeamFilter::default())?;
        let moves: BTreeMap<ReferralId, Moving> =
            moves.iter().filter(|moving| moving.to.is_some()).map(|moving| (moving.referral, moving.clone())).collect();
        let Some(first) = moves.values().next() else { return Err(Failure::invalid("", "Choose somebody for at least one person")) };
        let place = field_of(first.referral);
        let (desk, from, once) = (self.clone(), StaffId(from.to_owned()), once.to_owned());
        self.disclose(Action::Allocate, None, move |tx, seen| {
            seen.detail("reallocated");
            // Kept before anybody is admitted, since whoever was given away is not in the list when the form comes again.
            if !desk.once(tx, &once, &(&from, &moves))? {
                return Ok(0);
            }
            let (held, _) = desk.people_of(tx, seen, &scopes, &from)?;
            let held: BTreeMap<ReferralId, String> = held.iter().map(|(_, referral)| (referral.id, allocation::mark(referral))).collect();
            let changed = moves.values().filter(|moving| held.get(&moving.referral) != Some(&moving.mark)).count();
            if changed > 0 {
                return Err(Failure::invalid(place.clone(), changed_words(changed)));
            }
            let mut admitted = Vec::new();
            for moving in moves.values() {
                admitted.push((desk.admit_to(tx, seen, Action::Allocate, moving.referral)?, moving));
            }
            for (admitted, moving) in admitted {
                let to = moving.to.as_deref().unwrap_or_default();
                desk.hand_over(tx, &admitted, moving.referral, to, &field_of(moving.referral))?;
            }
            Ok(moves.len())
        })
    }

    /// The caseload is counted in the transaction that fills it.
    fn hand_over(&self, tx: &mut Tx<'_>, admitted: &Admitted, referral: ReferralId, to: &str, place: &str) -> Result<(), Failure> {
        let at_place = |what: String| Failure::Invalid(vec![Invalid::new(place, what)]);
        let found = self.supporter(to).map_err(|_| at_place("Choose a supporter".to_owned()))?;
        let supporter = self.app().renewed(tx, found)?;
        let caseload = people::caseload(tx, &supporter.id)?;
        match self.decide(tx, admitted, &Command::Allocate { referral, supporter, caseload }) {
            Err(Failure::Refused(refusal)) => Err(at_place(refusal.words().to_owned())),
            outcome => outcome,
        }
    }
}

fn changed_words(changed: usize) -> String {
    let who = if changed == 1 { "Somebody in this list was".to_owned() } else { format!("{changed} people in this list were") };
    format!("{who} changed since you opened it. Nobody was moved. This is how it stands now: look at it and send it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::App;
    use crate::importing::Sheet;
    use crate::testing::service;
    use alongside_domain::decision::Actor;
    use alongside_domain::passport::Item;
    use alongside_domain::referral::{EndReason, Stage};
    use alongside_store::testing::both_engines;
    use jiff::civil::date;

    const PEOPLE: &str = "local_number,family,given,birth_date\n1,Un,Ada,1980-01-01\n2,Deux,Bea,1981-01-01\n3,Trois,Cy,1982-01-01\n";
    const REFERRALS: &str = "local_number,kind,referred_on,told_on,told_by,told_how,answer,supporter\n\
        1,clinic-request,2024-03-01,2024-03-20,nurse-ada,in-person,no-objection,anna\n\
        2,clinic-request,2024-03-02,2024-03-21,nurse-ada,in-person,no-objection,anna\n\
        3,clinic-request,2024-03-03,2024-03-22,nurse-ada,in-person,no-objection,\n";

    /// Two people of Anna's, and one who waits.
    fn bring(app: &App) {
        app.import("north", Sheet::People, PEOPLE.as_bytes()).unwrap();
        app.import("north", Sheet::Referrals, REFERRALS.as_bytes()).unwrap();
    }

    fn at(app: &App, stage: Stage) -> Vec<ReferralId> {
        app.referrals_at("north", stage).unwrap().into_iter().map(|line| line.referral).collect()
    }

    fn supporter_of(app: &App, referral: ReferralId) -> Option<String> {
        let record = app.record(app.person_of(referral).unwrap()).unwrap();
        record.referral(referral).unwrap().status.supporter().map(|id| id.0.clone())
    }

    /// The moves that a preview proposes.
    fn proposed(desk: &Desk, from: &str) -> Vec<Moving> {
        let page = desk.reallocation_page(from, &Chosen::new()).unwrap();
        page.rows
            .iter()
            .map(|row| Moving {
                referral: row.referral.parse().unwrap(),
                mark: row.mark.clone(),
                to: row.choices.iter().find(|choice| choice.chosen).map(|choice| choice.value.clone()).filter(|to| !to.is_empty()),
            })
            .collect()
    }

    fn problem(outcome: Result<usize, Failure>) -> Invalid {
        let Err(Failure::Invalid(problems)) = outcome else { panic!("{outcome:?}") };
        problems.into_iter().next().unwrap()
    }

    #[test]
    fn a_referral_is_given_once_and_a_refused_choice_says_why_at_its_field() {
        both_engines(|store| {
            let (app, _) = service(store);
            bring(&app);
            let (max, open) = (app.desk("coordinator-max").unwrap(), at(&app, Stage::Open)[0]);
            let page = max.allocate_page(open).unwrap();
            assert_eq!(page.able.iter().map(|one| one.words.as_str()).collect::<Vec<_>>(), ["Anna, A charity within"]);
            assert_eq!(page.able[0].load, "2 of 20 people");
            assert_eq!(page.unable.len(), 2, "{page:?}");
            let refused = max.give(open, "ben", "a form");
            assert!(
                matches!(&refused, Err(Failure::Invalid(problems)) if problems[0].place == "supporter" && problems[0].what.contains("contract"))
            );
            assert_eq!(max.give(open, "nobody", "a form"), Err(Failure::invalid("supporter", "Choose a supporter")));
            let person = max.give(open, "anna", "a form").unwrap();
            assert_eq!(supporter_of(&app, open).as_deref(), Some("anna"));
            assert_eq!(max.give(open, "anna", "a form"), Ok(person), "the same form again does nothing");
            assert!(max.give(open, "anna", "another form").is_err(), "and another one is refused");
            for other in ["nurse-ada", "dr-sen"] {
                assert_eq!(app.desk(other).unwrap().give(open, "anna", "x"), Err(Failure::NotFound), "{other}");
            }
            assert_eq!(app.desk("anna").unwrap().give(open, "anna", "x"), Err(Failure::Forbidden));
        });
    }

    #[test]
    fn all_people_of_somebody_who_leaves_are_given_away_or_none() {
        both_engines(|store| {
            let (app, world) = service(store);
            bring(&app);
            let max = app.desk("coordinator-max").unwrap();
            max.renew("anna", Item::Contract, date(2024, 4, 1)).unwrap();
            let page = max.reallocation_page("anna", &Chosen::new()).unwrap();
            assert!(page.rows.iter().all(|row| row.nobody), "{page:?}");
            assert_eq!(problem(max.reallocate("anna", &proposed(&max, "anna"), "one")).what, "Choose somebody for at least one person");
            // Ben comes back, with room for one.
            for item in [Item::Contract, Item::Training] {
                max.renew("ben", item, date(2025, 4, 1)).unwrap();
            }
            let mut moves = proposed(&max, "anna");
            assert_eq!(moves.iter().map(|moving| moving.to.as_deref()).collect::<Vec<_>>(), [Some("ben"), None]);
            moves[1].to = Some("ben".into());
            let refused = problem(max.reallocate("anna", &moves, "two"));
            assert_eq!(refused.place, field_of(moves.iter().map(|moving| moving.referral).max().unwrap()), "{refused:?}");
            assert!(
                at(&app, Stage::Allocated).iter().all(|referral| supporter_of(&app, *referral).as_deref() == Some("anna")),
                "all or none"
            );
            moves[1].to = None;
            assert_eq!(max.reallocate("anna", &moves, "two"), Ok(1));
            assert_eq!(max.reallocate("anna", &moves, "two"), Ok(0), "the same form again does nothing");
            assert_eq!(supporter_of(&app, moves[0].referral).as_deref(), Some("ben"));
            assert_eq!(supporter_of(&app, moves[1].referral).as_deref(), Some("anna"));
            world.set(app.world.now() + jiff::SignedDuration::from_secs(1));
        });
    }

    #[test]
    fn a_shielded_person_is_given_away_by_those_who_look_after_the_shielded_alone() {
        both_engines(|store| {
            let (app, _) = service(store);
            bring(&app);
            let open = at(&app, Stage::Open)[0];
            let person = app.person_of(open).unwrap();
            app.store
                .write(move |tx| Ok::<_, Failure>(alongside_store::standing::shield(tx, person, jiff::Timestamp::UNIX_EPOCH)?))
                .unwrap();
            let (max, mut nurse) = (app.desk("coordinator-max").unwrap(), app.desk("nurse-ada").unwrap());
            assert_eq!(max.allocate_page(open).map(|page| page.name), Err(Failure::NotFound));
            assert_eq!(max.coordination_page(&TeamFilter::default()).unwrap().allocating.total, 0);
            assert_eq!(nurse.give(open, "anna", "one"), Err(Failure::NotFound));
            nurse.viewer.sees_shielded = true;
            assert_eq!(nurse.allocate_page(open).unwrap().able.len(), 1);
            assert_eq!(nurse.give(open, "anna", "two"), Ok(person));
            assert_eq!(supporter_of(&app, open).as_deref(), Some("anna"));
            assert_eq!(nurse.allocate_page(at(&app, Stage::Allocated)[0]).map(|page| page.name), Err(Failure::NotFound), "no others");
        });
    }

    #[test]
    fn somebody_who_was_changed_since_the_preview_stops_it() {
        both_engines(|store| {
            let (app, _) = service(store);
            bring(&app);
            let max = app.desk("coordinator-max").unwrap();
            for item in [Item::Contract, Item::Training] {
                max.renew("ben", item, date(2025, 4, 1)).unwrap();
            }
            let moves = proposed(&max, "anna");
            let moved = moves.iter().find(|moving| moving.to.is_some()).unwrap().clone();
            let end = Command::End { referral: moved.referral, reason: EndReason::Moved, on: date(2024, 4, 2) };
            app.command(app.person_of(moved.referral).unwrap(), end, Actor::Operator).unwrap();
            assert!(problem(max.reallocate("anna", &moves, "one")).what.contains("Nobody was moved"));
            // What is guessed is told apart from nothing.
            let guessed = Moving { referral: ReferralId(u128::MAX), ..moved };
            assert!(problem(max.reallocate("anna", &[guessed], "two")).what.contains("Nobody was moved"));
            assert_eq!(max.reallocation_page("nobody", &Chosen::new()).map(|page| page.name), Err(Failure::NotFound));
            assert_eq!(app.desk("nurse-ada").unwrap().reallocate("anna", &moves, "three"), Err(Failure::Forbidden));
        });
    }
}
