//! Everything known of one person at one site, as far as rules ask.

use crate::id::{QuestionId, ReferralId};
use crate::person::Person;
use crate::question::Question;
use crate::referral::Referral;
use crate::trigger::Trigger;

/// The unit of decision: one person with what stands open and what has been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The person.
    pub person: Person,
    /// What happened for which the service owes an answer, oldest first.
    pub triggers: Vec<Trigger>,
    /// Referrals, oldest first.
    pub referrals: Vec<Referral>,
    /// Questions, oldest first.
    pub questions: Vec<Question>,
}

impl Record {
    /// A record of whom nothing has happened yet.
    #[must_use]
    pub const fn new(person: Person) -> Self {
        Self { person, triggers: Vec::new(), referrals: Vec::new(), questions: Vec::new() }
    }

    /// The referral that is not ended, if there is one. There is never more than one.
    #[must_use]
    pub fn live_referral(&self) -> Option<&Referral> {
        self.referrals.iter().find(|referral| referral.status.is_live())
    }

    /// A referral by its id.
    #[must_use]
    pub fn referral(&self, id: ReferralId) -> Option<&Referral> {
        self.referrals.iter().find(|referral| referral.id == id)
    }

    /// A referral by its id, to change.
    pub fn referral_mut(&mut self, id: ReferralId) -> Option<&mut Referral> {
        self.referrals.iter_mut().find(|referral| referral.id == id)
    }

    /// A question by its id.
    #[must_use]
    pub fn question(&self, id: QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }
}
