//! A supporter's day: which of their people need them, and in which order.
//!
//! The order is that of what cannot be made good again: the promise of a first conversation, then what a person waits for,
//! then what was agreed, then what is asked at intervals. Nobody is forgotten who is not talked to: silence is a need as well.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::calendar::add_working_days;
use crate::coded;
use crate::referral::Stage;

/// Days without any contact after which a person stands on the list by that alone: between two monthly conversations, with a
/// few days of grace.
pub const QUIET_DAYS: i32 = 35;
/// Working days before the promised day from which on a promise is about to be missed.
pub const PROMISE_WORKING_DAYS: u16 = 2;
/// Days before an assessment is due from which on it is told.
pub const ASSESSMENT_DAYS: i32 = 7;

coded! {
    /// Why a person stands on the list of today. In order of need.
    pub enum Need {
        PromiseLate = "promise-late", "The promised first conversation is late";
        PromiseDue = "promise-due", "First conversation is due";
        Reply = "reply", "Has answered you";
        Planned = "planned", "You agreed to talk";
        New = "new", "New to you";
        Assessment = "assessment", "Wellbeing assessment is due";
        Quiet = "quiet", "Nothing heard for a while";
    }
}

/// What is known of one of a supporter's people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where the referral stands.
    pub stage: Stage,
    /// The promised day of the first conversation.
    pub due_on: Option<Date>,
    /// Attempts so far.
    pub attempts: u64,
    /// When the next assessment is due.
    pub next_assessment_on: Option<Date>,
    /// The day agreed for the next contact.
    pub planned_on: Option<Date>,
    /// The day of the last contact of any kind, or else of the release.
    pub last_on: Option<Date>,
    /// The day on which the person answered through their private page, while nobody has dealt with it.
    pub replied_on: Option<Date>,
}

/// A need, and the day that it hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Which.
    pub need: Need,
    /// The day: promised, agreed, due, or since when.
    pub on: Date,
}

/// What a person needs of their supporter today, the most pressing first. Nothing when it can wait.
#[must_use]
pub fn needs(standing: &Standing, today: Date) -> Vec<Due> {
    let due = |need, on: Date| Due { need, on };
    let mut all = Vec::new();
    let waits_for_first = matches!(standing.stage, Stage::Allocated | Stage::Contacting);
    if waits_for_first && let Some(on) = standing.due_on {
        if on < today {
            all.push(due(Need::PromiseLate, on));
        } else if on <= add_working_days(today, PROMISE_WORKING_DAYS) {
            all.push(due(Need::PromiseDue, on));
        } else if standing.attempts == 0 {
            all.push(due(Need::New, on));
        }
    }
    all.extend(standing.replied_on.map(|on| due(Need::Reply, on)));
    all.extend(standing.planned_on.filter(|on| *on <= today).map(|on| due(Need::Planned, on)));
    if is_supported(standing.stage) {
        let soon = today.saturating_add(ASSESSMENT_DAYS.days());
        all.extend(standing.next_assessment_on.filter(|on| *on <= soon).map(|on| due(Need::Assessment, on)));
        let long_ago = today.saturating_sub(QUIET_DAYS.days());
        let agreed = standing.planned_on.is_some_and(|on| on > today);
        all.extend(standing.last_on.filter(|on| *on <= long_ago && !agreed).map(|on| due(Need::Quiet, on)));
    }
    all.sort_unstable();
    all
}

/// Whether there was a first conversation, and support goes on.
#[must_use]
pub const fn is_supported(stage: Stage) -> bool {
    matches!(stage, Stage::Engaged | Stage::Assessed | Stage::Supported)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A Monday.
    const TODAY: Date = date(2025, 1, 6);

    fn standing(stage: Stage) -> Standing {
        Standing { stage, due_on: None, attempts: 0, next_assessment_on: None, planned_on: None, last_on: Some(TODAY), replied_on: None }
    }

    fn found(standing: &Standing) -> Vec<Need> {
        needs(standing, TODAY).into_iter().map(|due| due.need).collect()
    }

    #[test]
    fn a_promise_is_new_then_due_then_late() {
        let at = |on| found(&Standing { due_on: Some(on), ..standing(Stage::Allocated) });
        assert_eq!(at(date(2025, 1, 3)), [Need::PromiseLate]);
        for due in [TODAY, date(2025, 1, 8)] {
            assert_eq!(at(due), [Need::PromiseDue]);
        }
        assert_eq!(at(date(2025, 1, 9)), [Need::New]);
        let tried = Standing { due_on: Some(date(2025, 1, 9)), attempts: 1, ..standing(Stage::Contacting) };
        assert_eq!(found(&tried), []);
    }

    #[test]
    fn after_the_first_conversation_the_promise_is_kept() {
        assert_eq!(found(&Standing { due_on: Some(date(2025, 1, 3)), ..standing(Stage::Engaged) }), []);
    }

    #[test]
    fn an_assessment_is_told_a_week_before_and_until_it_is_made() {
        let at = |on| found(&Standing { next_assessment_on: Some(on), ..standing(Stage::Supported) });
        assert_eq!(at(date(2025, 1, 14)), []);
        assert_eq!(at(date(2025, 1, 13)), [Need::Assessment]);
        assert_eq!(at(date(2024, 6, 1)), [Need::Assessment]);
    }

    #[test]
    fn what_was_agreed_counts_from_its_day_on() {
        let at = |on| found(&Standing { planned_on: Some(on), ..standing(Stage::Supported) });
        assert_eq!(at(date(2025, 1, 7)), []);
        assert_eq!(at(TODAY), [Need::Planned]);
        assert_eq!(at(date(2025, 1, 2)), [Need::Planned]);
    }

    #[test]
    fn silence_is_a_need_unless_a_day_was_agreed() {
        let quiet = Standing { last_on: Some(date(2024, 12, 2)), ..standing(Stage::Supported) };
        assert_eq!(found(&quiet), [Need::Quiet]);
        assert_eq!(found(&Standing { last_on: Some(date(2024, 12, 3)), ..quiet.clone() }), []);
        assert_eq!(found(&Standing { planned_on: Some(date(2025, 1, 9)), ..quiet }), []);
    }

    #[test]
    fn the_most_pressing_comes_first() {
        let all = Standing { due_on: Some(TODAY), replied_on: Some(TODAY), planned_on: Some(TODAY), ..standing(Stage::Contacting) };
        assert_eq!(found(&all), [Need::PromiseDue, Need::Reply, Need::Planned]);
    }
}
