//! Break-glass: a closed record is opened by somebody who knows its number and says why, for some hours, and information
//! governance is told.

use alongside_domain::access::{Action, Reach, reach};
use alongside_domain::id::{GlassId, PersonId};
use alongside_store::standing::{self, Glass};
use alongside_store::{Tx, people};
use jiff::SignedDuration;

use super::{Desk, Seen};
use crate::importing::identifier;
use crate::{Failure, Invalid};

/// How long a record that was opened by break-glass stays open, in hours: a clinic's morning.
pub const GLASS_HOURS: i64 = 4;
/// The shortest reason, in characters: one that information governance can judge.
pub const REASON_CHARACTERS_MIN: usize = 20;
/// The longest.
const REASON_CHARACTERS_MAX: usize = 500;
/// The code of the reason: at present there is one, care of the person.
const CARE: &str = "care";

/// What is answered when there is no such record, and when it is one that nothing opens.
const NO_SUCH_RECORD: &str = "There is no closed record under this number that you can open";

impl Desk {
    /// Whether the owner of this desk may open closed records of people at all.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]: engineers break glass over messages, not over people.
    pub fn may_break_glass(&self) -> Result<(), Failure> {
        self.may_do(Action::BreakGlass)?;
        if reach(self.viewer().role, Action::BreakGlass) == Reach::Clinic { Ok(()) } else { Err(Failure::Forbidden) }
    }

    /// Opens one closed record for [`GLASS_HOURS`], and writes down by whom and why. The audit tells of every attempt.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Invalid`] at `site`, `number`, `reason`: the same for a number that is nobody's, for
    /// a record that is open anyway, and for their own.
    pub fn break_glass(&self, site: &str, number: &str, reason: &str, once: &str) -> Result<PersonId, Failure> {
        self.may_break_glass()?;
        let site = self.site(Action::BreakGlass, site).map_err(|_| Failure::invalid("site", "Choose a site"))?.key.clone();
        let (number, reason) = (number.trim().to_owned(), reason.trim().to_owned());
        check(&number, &reason)?;
        let (desk, once, at) = (self.clone(), once.to_owned(), site.clone());
        self.disclose(Action::BreakGlass, Some(&at), move |tx, seen| {
            let found = people::find(tx, &site, &[identifier(&site, &number)], None)?;
            let person = desk.closed(tx, seen, &found)?;
            if desk.once(tx, &once, &person)? {
                let (now, mut ids) = (desk.app().world.now(), desk.app().world.ids());
                let glass = Glass {
                    id: GlassId::new(&mut *ids),
                    staff: desk.staff().clone(),
                    site: site.clone(),
                    person: Some(person),
                    message: None,
                    reason: CARE.to_owned(),
                    words: reason.clone(),
                    at: now,
                    until: now + SignedDuration::from_hours(GLASS_HOURS),
                    reviewed: None,
                };
                standing::break_glass(tx, &glass)?;
            }
            Ok(person)
        })
    }

    /// The one closed record among those found that the owner of the desk may open.
    fn closed(&self, tx: &mut Tx<'_>, seen: &mut Seen, found: &[PersonId]) -> Result<PersonId, Failure> {
        let refused = || Failure::invalid("number", NO_SUCH_RECORD);
        seen.turned_away = true;
        let [one] = found else { return Err(refused()) };
        let admitted = self.admit(tx, seen, Action::BreakGlass, *one).map_err(|_| refused())?;
        let is_open = self.is_theirs(Action::SeePerson, &admitted.record, admitted.shielded);
        // Opened before: opening it again lengthens it, and is told again.
        if is_open && !self.viewer().glass.contains(&admitted.record.person.id) {
            return Err(refused());
        }
        seen.turned_away = false;
        Ok(admitted.record.person.id)
    }
}

fn check(number: &str, reason: &str) -> Result<(), Failure> {
    let mut problems = Vec::new();
    if number.is_empty() {
        problems.push(Invalid::new("number", "Enter the whole hospital number"));
    }
    let length = reason.chars().count();
    if length < REASON_CHARACTERS_MIN {
        problems.push(Invalid::new("reason", format!("Say why, in at least {REASON_CHARACTERS_MIN} characters")));
    } else if length > REASON_CHARACTERS_MAX {
        problems.push(Invalid::new("reason", format!("Say why in at most {REASON_CHARACTERS_MAX} characters")));
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Invalid(problems)) }
}
