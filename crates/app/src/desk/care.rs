//! Safe contact, concerns, answers by private link, and forms that are not finished yet.

use alongside_domain::access::{Action, Subject};
use alongside_domain::coded;
use alongside_domain::concern::{Cannot, Concern, ConcernForm, State};
use alongside_domain::decision::Refusal;
use alongside_domain::field;
use alongside_domain::id::{ConcernId, PersonId, ReplyId};
use alongside_domain::safe_contact::{SafeContact, SafeContactForm};
use alongside_domain::supporter::{Role, StaffId};
use alongside_store::care::{self, ContactVersion};

use super::Desk;
use crate::Failure;

/// The most characters of a form that is not finished.
pub const DRAFT_CHARACTERS_MAX: usize = 8_000;

coded! {
    /// The forms about a person that survive a lost connection.
    pub enum DraftForm {
        Contact = "contact", "a contact";
        Assessment = "assessment", "an assessment";
        Concern = "concern", "a concern";
        SafeContact = "safe-contact", "safe contact";
    }
}

impl DraftForm {
    /// What its writer must be allowed to do.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Contact => Action::RecordContact,
            Self::Assessment => Action::RecordAssessment,
            Self::Concern => Action::RaiseConcern,
            Self::SafeContact => Action::SetSafeContact,
        }
    }
}

impl Desk {
    /// Records how somebody may be contacted. Earlier versions are kept.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every wrong field; those of [`Desk::act`].
    pub fn set_safe_contact(&self, person: PersonId, form: &SafeContactForm) -> Result<(), Failure> {
        self.may_do(Action::SetSafeContact)?;
        let contact = SafeContact::new(form)?;
        let desk = self.clone();
        self.disclose(Action::SetSafeContact, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::SetSafeContact, person)?;
            let version = ContactVersion { contact: contact.clone(), set_by: desk.staff().clone(), at: desk.app().world.now() };
            care::set_contact(tx, admitted.record.person.id, &version)?;
            care::drop_draft(tx, desk.staff(), admitted.record.person.id, DraftForm::SafeContact.code())?;
            Ok(())
        })
    }

    /// The clinicians with whom a concern about somebody can be raised: key and name.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub fn concern_goes_to(&self, person: PersonId) -> Result<Vec<(String, String)>, Failure> {
        let desk = self.clone();
        self.disclose(Action::RaiseConcern, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::RaiseConcern, person)?;
            let clinicians = desk.app().clinicians_for(tx, &Subject::of(&admitted.record, admitted.shielded))?;
            Ok(clinicians.into_iter().map(|key| (key.0.clone(), desk.app().setup.name_of(&key.0))).collect())
        })
    }

    /// Raises a concern about somebody with a clinician. At any time, whatever the state of the referral; the same form twice
    /// is one concern.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every wrong field; those of [`Desk::act`].
    pub fn raise_concern(&self, person: PersonId, form: &ConcernForm, once: &str) -> Result<(), Failure> {
        let (desk, form, once) = (self.clone(), form.clone(), once.to_owned());
        self.disclose(Action::RaiseConcern, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::RaiseConcern, person)?;
            let clinicians = desk.app().clinicians_for(tx, &Subject::of(&admitted.record, admitted.shielded))?;
            let (id, now) = (admitted.record.person.id, desk.app().world.now());
            let mut ids = desk.app().world.ids();
            let concern = Concern::raise(&form, id, desk.staff(), now, &clinicians, &mut *ids)?;
            if desk.once(tx, &once, &(id, &form))? {
                care::raise(tx, &concern)?;
                care::drop_draft(tx, desk.staff(), id, DraftForm::Concern.code())?;
            }
            Ok(())
        })
    }

    /// Takes a concern on, as a clinician of the clinic. Tells the site.
    ///
    /// # Errors
    /// [`Refusal::NotAClinician`], [`Refusal::AlreadyAcknowledged`]; [`Failure::Invalid`]; those of [`Desk::act`].
    pub fn acknowledge(&self, id: ConcernId, words: &str) -> Result<String, Failure> {
        let (desk, words) = (self.clone(), words.to_owned());
        self.disclose(Action::SeeConcerns, None, move |tx, seen| {
            let mut concern = care::concern(tx, id)?.ok_or(Failure::NotFound)?;
            let site = desk.admit(tx, seen, Action::SeeConcerns, concern.person)?.record.person.site;
            seen.detail("acknowledged");
            // Who was let in as a clinician may take it on: the policy has asked about site and shield.
            let clinicians: &[StaffId] = if desk.viewer().role == Role::Clinician { std::slice::from_ref(desk.staff()) } else { &[] };
            concern.acknowledge(desk.staff(), desk.app().world.now(), &words, clinicians).map_err(|cannot| match cannot {
                Cannot::Refused(refusal) => Failure::from(refusal),
                Cannot::Invalid(problem) => Failure::from(problem),
            })?;
            if let State::Acknowledged(acknowledged) = &concern.state
                && !care::acknowledge(tx, id, acknowledged)?
            {
                return Err(Refusal::AlreadyAcknowledged.into());
            }
            Ok(site.0)
        })
    }

    /// Notes that an answer by private link was seen to. Again is no error.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub fn handle_reply(&self, id: ReplyId) -> Result<(), Failure> {
        let desk = self.clone();
        self.disclose(Action::SeeTeamLists, None, move |tx, seen| {
            let reply = care::reply(tx, id)?.ok_or(Failure::NotFound)?;
            desk.admit(tx, seen, Action::SeeTeamLists, reply.person)?;
            if desk.viewer().role == Role::Supporter && !reply.kind.is_for_supporter() {
                return Err(Failure::NotFound);
            }
            seen.detail("reply-handled");
            care::handle_reply(tx, id, desk.staff(), desk.app().world.now())?;
            Ok(())
        })
    }

    /// Keeps a form about somebody that is not finished, for its writer alone.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when it is too long; those of [`Desk::act`].
    pub fn save_draft(&self, person: PersonId, form: DraftForm, body: &str) -> Result<(), Failure> {
        let body = field::words("body", body, DRAFT_CHARACTERS_MAX)?;
        self.at_draft(person, form, move |tx, desk, id| {
            Ok(care::save_draft(tx, desk.staff(), id, form.code(), &body, desk.app().world.now())?)
        })
    }

    /// A form about somebody that was not finished.
    ///
    /// # Errors
    /// Those of [`Desk::act`]: with access to the person, access to what was written about them ends.
    pub fn draft(&self, person: PersonId, form: DraftForm) -> Result<Option<String>, Failure> {
        self.at_draft(person, form, move |tx, desk, id| Ok(care::draft(tx, desk.staff(), id, form.code())?.map(|(body, _)| body)))
    }

    /// Forgets a form about somebody: it was sent, or is not wanted.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub fn drop_draft(&self, person: PersonId, form: DraftForm) -> Result<(), Failure> {
        self.at_draft(person, form, move |tx, desk, id| Ok(care::drop_draft(tx, desk.staff(), id, form.code())?))
    }

    fn at_draft<T: Send + 'static>(
        &self,
        person: PersonId,
        form: DraftForm,
        job: impl Fn(&mut alongside_store::Tx<'_>, &Desk, PersonId) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let desk = self.clone();
        self.disclose(form.action(), None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, form.action(), person)?;
            seen.detail("draft");
            job(tx, &desk, admitted.record.person.id)
        })
    }
}
