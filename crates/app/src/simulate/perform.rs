//! Does what people do in the story, by the commands that forms use.

use alongside_domain::command::Command;
use alongside_domain::contact::ContactNote;
use alongside_domain::decision::Actor;
use alongside_domain::id::{PersonId, ReferralId};
use alongside_domain::notice::Telling;
use alongside_domain::person::SiteId;
use alongside_domain::supporter::{Role, StaffId};

use super::{Act, Spreadsheet};
use crate::importing::Sheet;
use crate::{App, Failure, intake, london_date, london_instant};

impl Act {
    /// What is done, in a word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Notice { .. } => "notice",
            Self::Answer { .. } => "answer",
            Self::Object { .. } => "object",
            Self::TakeBack => "take back",
            Self::Allocate { .. } => "allocate",
            Self::Contact { .. } => "contact",
            Self::Assess { .. } => "assess",
            Self::Letter { .. } => "letter",
            Self::End { .. } => "end",
        }
    }
}

impl App {
    /// Does what somebody does in the story, today.
    ///
    /// # Errors
    /// Whatever the command answers; [`Failure::NotFound`] when nobody of this number is known.
    pub fn perform(&self, site: &str, number: &str, act: Act) -> Result<(), Failure> {
        let person = intake::person_by_number(&self.store, &SiteId(site.to_owned()), number)?;
        let today = london_date(self.world.now());
        match act {
            Act::Notice { by, how, answer } => {
                let referral = self.live_referral(person)?;
                let (knows_diagnosis, told_of_support) = (true, true);
                let telling = Telling { on: today, how, knows_diagnosis, told_of_support, consents_to_outside: false, answer };
                self.command(person, Command::RecordNotice { referral, telling }, self.actor(by)?)
            }
            Act::Answer { by, kind, answer } => self.answer_question(self.open_question(person, kind)?, answer, self.actor(by)?),
            Act::Object { scope, reason } => self.command(person, Command::Object { scope, reason }, Actor::Person),
            Act::TakeBack => self.command(person, Command::TakeBackObjection, Actor::Person),
            Act::Allocate { to } => self.allocate(self.live_referral(person)?, to, self.coordinator()?),
            Act::Contact { supporter, way, outcome, minutes, note } => {
                let note = ContactNote { supporter: StaffId(supporter.to_owned()), on: today, way, outcome, minutes, note };
                self.record_contact(self.live_referral(person)?, note)
            }
            Act::Assess { supporter, instrument, answers } => {
                self.record_assessment(self.live_referral(person)?, supporter, today, instrument, answers)
            }
            Act::Letter { supporter, not_before } => {
                let not_before = london_instant(not_before.at(9, 0, 0, 0)).unwrap_or_else(|| self.world.now());
                let referral = self.live_referral(person)?;
                self.command(person, Command::QueueLetter { referral, not_before }, self.actor(supporter)?)
            }
            Act::End { by, reason } => {
                let referral = self.live_referral(person)?;
                self.command(person, Command::End { referral, reason, on: today }, self.actor(by)?)
            }
        }
    }

    /// Brings the records from before the service that the story keeps in a spreadsheet, in three sheets.
    ///
    /// # Errors
    /// Every bad row.
    pub fn import_spreadsheet(&self, sheets: &Spreadsheet) -> Result<(), Failure> {
        self.import(sheets.site, Sheet::People, sheets.people.as_bytes())?;
        self.import(sheets.site, Sheet::Referrals, sheets.referrals.as_bytes())?;
        self.import(sheets.site, Sheet::Contacts, sheets.contacts.as_bytes())?;
        Ok(())
    }

    fn live_referral(&self, person: PersonId) -> Result<ReferralId, Failure> {
        self.record(person)?.live_referral().map(|referral| referral.id).ok_or(Failure::NotFound)
    }

    fn coordinator(&self) -> Result<Actor, Failure> {
        let coordinator = self.setup.staff.values().find(|staff| staff.role == Role::Coordinator).ok_or(Failure::NotFound)?;
        self.actor(&coordinator.id.0)
    }
}
