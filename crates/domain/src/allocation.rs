//! Who can support whom, who needs somebody else, and what is late: what a coordinator decides about.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::add_working_days;
use crate::coded;
use crate::decision::Refusal;
use crate::id::ReferralId;
use crate::person::{Person, SiteId};
use crate::referral::{Audience, Move, Referral, Stage, next};
use crate::supporter::{Basis, StaffId, Supporter};

/// Whether a person's referral can be given to anybody at all.
///
/// # Errors
/// The rule that forbids it.
pub fn can_be_given(person: &Person, referral: &Referral) -> Result<(), Refusal> {
    if person.died.is_some() {
        return Err(Refusal::Died);
    }
    if referral.audience() == Audience::ClinicOnly {
        return Err(Refusal::NotInThisState);
    }
    // The move is the same to whomever it leads.
    let anybody = StaffId(String::new());
    next(&referral.status, &Move::Allocate { supporter: anybody }, referral.notice.is_some()).map(drop)
}

/// Whether a person's referral can be given to a supporter who supports so many people already. What is only told, since it was
/// done before, does not ask for training and check.
///
/// # Errors
/// The rule that forbids it.
pub fn may_take(person: &Person, referral: &Referral, supporter: &Supporter, held: u32, today: Date, is_told: bool) -> Result<(), Refusal> {
    if referral.status.supporter() == Some(&supporter.id) {
        return Err(Refusal::SameSupporter);
    }
    can_be_given(person, referral)?;
    may_support(person, referral, supporter, today, is_told)?;
    if held >= supporter.capacity { Err(Refusal::CaseloadFull) } else { Ok(()) }
}

/// Site, contract, training and check, and the lawful footing.
fn may_support(person: &Person, referral: &Referral, supporter: &Supporter, today: Date, is_told: bool) -> Result<(), Refusal> {
    let basis = supporter.basis_at(&referral.site).ok_or(Refusal::NotAtThisSite)?;
    if !supporter.works_on(today) {
        return Err(Refusal::ContractOver);
    }
    if !is_told && !supporter.cleared_on(today) {
        return Err(Refusal::NotCleared);
    }
    may_know(person, referral, basis)
}

/// The lawful footing: information goes outside the clinic's team by recorded consent and without an objection only.
///
/// # Errors
/// [`Refusal::OutsideRefused`], [`Refusal::ConsentNeeded`].
pub fn may_know(person: &Person, referral: &Referral, basis: Basis) -> Result<(), Refusal> {
    match basis {
        Basis::Inside => Ok(()),
        Basis::Outside if person.objection.is_some() => Err(Refusal::OutsideRefused),
        Basis::Outside if !referral.consents_to_outside => Err(Refusal::ConsentNeeded),
        Basis::Outside => Ok(()),
    }
}

coded! {
    /// Why people of a supporter need another one.
    pub enum Loss {
        Left = "left", "no longer works here";
        NotAtThisSite = "not-at-this-site", "no longer works at this site";
        ContractOver = "contract-over", "the contract does not cover today";
        NotCleared = "not-cleared", "training or DBS check is not in date";
        OverCapacity = "over-capacity", "has more people than the limit";
    }
}

/// Why the people of a supporter at a site need another one; nothing when they do not. `held` counts all their people.
#[must_use]
pub fn loss(supporter: Option<&Supporter>, site: &SiteId, held: u32, today: Date) -> Option<Loss> {
    let Some(supporter) = supporter else { return Some(Loss::Left) };
    if supporter.basis_at(site).is_none() {
        Some(Loss::NotAtThisSite)
    } else if !supporter.works_on(today) {
        Some(Loss::ContractOver)
    } else if !supporter.cleared_on(today) {
        Some(Loss::NotCleared)
    } else {
        (held > supporter.capacity).then_some(Loss::OverCapacity)
    }
}

/// A supporter with how many people they have now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub supporter: Supporter,
    /// How many people they have, at all sites.
    pub held: u32,
}

/// For each person the supporter who is proposed: of those who can take them, the one with the smallest part of their limit
/// filled, those proposed before included; of equals the first. Nobody where nobody can.
#[must_use]
pub fn propose(people: &[(&Person, &Referral)], candidates: &[Candidate], today: Date) -> Vec<Option<StaffId>> {
    let mut candidates = candidates.to_vec();
    people
        .iter()
        .map(|(person, referral)| {
            let able = candidates.iter_mut().filter(|one| may_take(person, referral, &one.supporter, one.held, today, false).is_ok());
            let chosen = able.min_by(|one, other| one.fill().cmp(&other.fill()))?;
            chosen.held += 1;
            Some(chosen.supporter.id.clone())
        })
        .collect()
}

impl Candidate {
    /// How full they are, in millionths of their limit: whole numbers have an order.
    #[must_use]
    pub const fn fill(&self) -> u64 {
        let limit = if self.supporter.capacity == 0 { 1 } else { self.supporter.capacity as u64 };
        self.held as u64 * 1_000_000 / limit
    }
}

/// Who of a supporter's people is to move: all of them, but of somebody over their limit only as many as are too many,
/// those first who have had no conversation, and of these the latest.
#[must_use]
pub fn to_move(people: &[&Referral], why: Option<Loss>, held: u32, limit: u32) -> BTreeSet<ReferralId> {
    if why != Some(Loss::OverCapacity) {
        return people.iter().map(|referral| referral.id).collect();
    }
    let mut order: Vec<&&Referral> = people.iter().collect();
    order.sort_by_key(|referral| (referral.is_engaged(), std::cmp::Reverse(referral.raised_at), referral.id));
    let too_many = usize::try_from(held.saturating_sub(limit)).unwrap_or(usize::MAX);
    order.into_iter().take(too_many).map(|referral| referral.id).collect()
}

/// What of a referral must still be so when a plan that was made of it is carried out.
#[must_use]
pub fn mark(referral: &Referral) -> String {
    let supporter = referral.status.supporter().map_or("", |supporter| supporter.0.as_str());
    format!("{}.{}.{supporter}", referral.status.stage(), referral.attempts)
}

/// The last day whose promises are about to be missed: the next working day.
#[must_use]
pub fn at_risk_by(today: Date) -> Date {
    add_working_days(today, 1)
}

/// Why a promised first conversation has not been had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Nobody has the referral.
    NotAllocated,
    /// The supporter who has it cannot go on.
    SupporterLost(Loss),
    /// The supporter has not tried.
    NotTried,
    /// Tried so often, without a conversation.
    Tried(u64),
}

/// Why a referral without a first conversation waits. `why` is that of its supporter, see [`loss`].
#[must_use]
pub const fn delay(stage: Stage, attempts: u64, why: Option<Loss>) -> Delay {
    match (stage, why) {
        (Stage::Open, _) => Delay::NotAllocated,
        // Somebody with too many people can still call.
        (_, Some(loss)) if !matches!(loss, Loss::OverCapacity) => Delay::SupporterLost(loss),
        (_, _) if attempts == 0 => Delay::NotTried,
        (_, _) => Delay::Tried(attempts),
    }
}

coded! {
    /// Why a letter cannot be sent.
    pub enum Hindrance {
        NoPost = "no-post", "no place for letters is set up";
        Stuck = "stuck", "it was due, and has not left";
    }
}

/// Minutes for which a letter that is due may wait to be taken: letters leave every minute or so.
const LETTER_MINUTES: i64 = 60;

/// A queued letter that was due by this instant cannot be sent, and why.
#[must_use]
pub fn hindrance(now: Timestamp, has_post: bool) -> (Timestamp, Hindrance) {
    if has_post { (now - SignedDuration::from_mins(LETTER_MINUTES), Hindrance::Stuck) } else { (now, Hindrance::NoPost) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PersonId;
    use crate::notice::{How, Notice};
    use crate::person::{Objection, ObjectionReason, Scope};
    use crate::referral::{EndReason, Status};
    use crate::trigger::Kind;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2025, 1, 6);

    fn here() -> SiteId {
        SiteId("here".into())
    }

    fn supporter(key: &str, capacity: u32) -> Supporter {
        let later = Some(date(2026, 1, 1));
        Supporter {
            id: StaffId(key.into()),
            first_name: key.into(),
            partner: "partner".into(),
            sites: vec![(here(), Basis::Inside)],
            from: date(2024, 1, 1),
            until: None,
            training_until: later,
            dbs_until: later,
            capacity,
        }
    }

    fn candidate(key: &str, held: u32, capacity: u32) -> Candidate {
        Candidate { supporter: supporter(key, capacity), held }
    }

    fn person() -> Person {
        Person::new(PersonId(1), here(), Vec::new())
    }

    fn referral(id: u128, status: Status) -> Referral {
        Referral {
            id: ReferralId(id),
            person: PersonId(1),
            origin: PersonId(1),
            site: here(),
            reason: Kind::NewDiagnosis,
            raised_at: Timestamp::constant(i64::try_from(id).unwrap(), 0),
            status,
            notice: Some(Notice { by: StaffId("nurse".into()), on: TODAY, how: How::InPerson }),
            consents_to_outside: false,
            released_on: Some(TODAY),
            due_on: Some(TODAY),
            attempts: 0,
            engaged_on: None,
            assessed_on: None,
            next_assessment_on: None,
            ended_on: None,
        }
    }

    fn with(key: &str) -> Status {
        Status::Allocated { supporter: StaffId(key.into()) }
    }

    #[test]
    fn a_refused_choice_says_why() {
        let open = referral(1, Status::Open);
        let take =
            |person: &Person, referral: &Referral, supporter: &Supporter, held| may_take(person, referral, supporter, held, TODAY, false);
        assert_eq!(take(&person(), &open, &supporter("a", 2), 1), Ok(()));
        assert_eq!(take(&person(), &open, &supporter("a", 2), 2), Err(Refusal::CaseloadFull));
        assert_eq!(take(&person(), &referral(1, with("a")), &supporter("a", 2), 0), Err(Refusal::SameSupporter));
        assert_eq!(take(&person(), &Referral { released_on: None, ..open.clone() }, &supporter("a", 2), 0), Err(Refusal::NotInThisState));
        assert_eq!(
            take(&person(), &referral(1, Status::Ended { reason: EndReason::Moved }), &supporter("a", 2), 0),
            Err(Refusal::NotInThisState)
        );
        let died = Person { died: Some(crate::person::Death { on: None }), ..person() };
        assert_eq!(take(&died, &open, &supporter("a", 2), 0), Err(Refusal::Died));
        let ended = Supporter { until: Some(date(2025, 1, 5)), ..supporter("a", 2) };
        assert_eq!(take(&person(), &open, &ended, 0), Err(Refusal::ContractOver));
        assert_eq!(take(&person(), &open, &Supporter { dbs_until: None, ..supporter("a", 2) }, 0), Err(Refusal::NotCleared));
        assert_eq!(take(&person(), &open, &Supporter { sites: Vec::new(), ..supporter("a", 2) }, 0), Err(Refusal::NotAtThisSite));
        let outside = Supporter { sites: vec![(here(), Basis::Outside)], ..supporter("a", 2) };
        assert_eq!(take(&person(), &open, &outside, 0), Err(Refusal::ConsentNeeded));
        let objection = Objection { scope: Scope::OutsideOnly, reason: ObjectionReason::Privacy, at: Timestamp::UNIX_EPOCH };
        let objects = Person { objection: Some(objection), ..person() };
        assert_eq!(take(&objects, &Referral { consents_to_outside: true, ..open.clone() }, &outside, 0), Err(Refusal::OutsideRefused));
        assert_eq!(take(&person(), &Referral { consents_to_outside: true, ..open }, &outside, 0), Ok(()));
    }

    #[test]
    fn people_need_another_supporter_when_theirs_cannot_go_on() {
        let fine = supporter("a", 2);
        let there = SiteId("there".into());
        let ended = Supporter { until: Some(date(2025, 1, 5)), training_until: None, ..fine.clone() };
        let untrained = Supporter { training_until: Some(date(2025, 1, 5)), ..fine.clone() };
        for (of, site, held, why) in [
            (Some(&fine), here(), 2, None),
            (Some(&fine), here(), 3, Some(Loss::OverCapacity)),
            (Some(&fine), there, 1, Some(Loss::NotAtThisSite)),
            (Some(&ended), here(), 3, Some(Loss::ContractOver)),
            (Some(&untrained), here(), 1, Some(Loss::NotCleared)),
            (None, here(), 1, Some(Loss::Left)),
        ] {
            assert_eq!(loss(of, &site, held, TODAY), why);
        }
    }

    #[test]
    fn the_least_loaded_is_proposed_and_of_equals_the_first() {
        let people: Vec<Referral> = (1..=4).map(|id| referral(id, with("gone"))).collect();
        let who = person();
        let all: Vec<(&Person, &Referral)> = people.iter().map(|referral| (&who, referral)).collect();
        let proposed = |candidates: &[Candidate]| -> Vec<String> {
            propose(&all, candidates, TODAY).into_iter().map(|one| one.map_or_else(|| "-".to_owned(), |id| id.0)).collect()
        };
        assert_eq!(proposed(&[candidate("a", 10, 40), candidate("b", 4, 40)]), ["b"; 4]);
        assert_eq!(proposed(&[candidate("a", 0, 4), candidate("b", 0, 4)]), ["a", "b", "a", "b"]);
        assert_eq!(proposed(&[candidate("a", 9, 10), candidate("gone", 0, 40)]), ["a", "-", "-", "-"], "not back to whom they leave");
        assert_eq!(proposed(&[]), ["-"; 4]);
    }

    #[test]
    fn of_somebody_over_the_limit_only_those_too_many_move() {
        let people: Vec<Referral> = (1..=3).map(|id| referral(id, with("a"))).collect();
        let mut engaged = referral(4, with("a"));
        engaged.engaged_on = Some(TODAY);
        let all: Vec<&Referral> = people.iter().chain([&engaged]).collect();
        let moved = |why, limit| -> Vec<u128> { to_move(&all, why, 4, limit).into_iter().map(|id| id.0).collect() };
        assert_eq!(moved(Some(Loss::OverCapacity), 2), [2, 3], "the latest, and nobody who has had a conversation");
        assert_eq!(moved(Some(Loss::ContractOver), 2), [1, 2, 3, 4]);
        assert_eq!(moved(None, 2), [1, 2, 3, 4]);
    }

    #[test]
    fn a_mark_changes_with_stage_supporter_and_attempts() {
        let before = referral(1, with("a"));
        assert_eq!(mark(&before), mark(&before.clone()));
        let tried = Referral { attempts: 1, ..before.clone() };
        for after in [referral(1, with("b")), referral(1, Status::Open), tried] {
            assert_ne!(mark(&before), mark(&after));
        }
    }

    #[test]
    fn a_promise_is_at_risk_until_the_next_working_day_and_says_why() {
        assert_eq!(at_risk_by(TODAY), date(2025, 1, 7));
        assert_eq!(at_risk_by(date(2025, 1, 3)), TODAY, "over the weekend");
        for (stage, attempts, why, told) in [
            (Stage::Open, 0, None, Delay::NotAllocated),
            (Stage::Allocated, 0, None, Delay::NotTried),
            (Stage::Allocated, 0, Some(Loss::OverCapacity), Delay::NotTried),
            (Stage::Contacting, 2, None, Delay::Tried(2)),
            (Stage::Contacting, 2, Some(Loss::Left), Delay::SupporterLost(Loss::Left)),
        ] {
            assert_eq!(delay(stage, attempts, why), told);
        }
    }

    #[test]
    fn a_letter_is_hindered_at_once_without_a_post_and_after_an_hour_with_one() {
        let now = Timestamp::constant(10_000, 0);
        assert_eq!(hindrance(now, false), (now, Hindrance::NoPost));
        assert_eq!(hindrance(now, true), (Timestamp::constant(6_400, 0), Hindrance::Stuck));
    }

    proptest! {
        #[test]
        fn what_is_proposed_could_be_carried_out_in_order(loads in prop::collection::vec((0..6_u32, 0..6_u32), 0..5), people in 0..12_u128) {
            let who = person();
            let referrals: Vec<Referral> = (0..people).map(|id| referral(id + 1, with("gone"))).collect();
            let all: Vec<(&Person, &Referral)> = referrals.iter().map(|referral| (&who, referral)).collect();
            let mut now: Vec<Candidate> =
                loads.iter().enumerate().map(|(index, (held, limit))| candidate(&index.to_string(), *held, *limit)).collect();
            for (proposed, (person, referral)) in propose(&all, &now.clone(), TODAY).iter().zip(&all) {
                match proposed {
                    Some(key) => {
                        let one = now.iter_mut().find(|one| one.supporter.id == *key).unwrap();
                        prop_assert_eq!(may_take(person, referral, &one.supporter, one.held, TODAY, false), Ok(()));
                        one.held += 1;
                    }
                    None => prop_assert!(now.iter().all(|one| one.held >= one.supporter.capacity)),
                }
            }
        }
    }
}
