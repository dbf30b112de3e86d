//! Shielded records: people who work here may be patients of the same clinic.
//!
//! Everybody who works here is asked for their own details once. Kept are keyed digests only, of two kinds that cannot be
//! joined: one by which their own record is recognised and never opened to them, and one by which any record is recognised
//! as a colleague's and closed. That somebody gave their details says nothing about them, since everybody does.

use alongside_domain::access::{Action, Viewer};
use alongside_domain::decision::Decision;
use alongside_domain::id::PersonId;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::Person;
use alongside_domain::record::Record;
use alongside_domain::supporter::StaffId;
use alongside_store::audit::keyed_digest;
use alongside_store::standing::Shielded;
use alongside_store::{Tx, journal, people, standing};
use jiff::civil::Date;

use super::{Desk, details};
use crate::{App, Failure, london_date};

/// How many marks somebody may have when they give their details: three sets of an NHS number and a name.
const MARKS_MAX: usize = 6 + OWN_RECORDS_MAX;
/// How many records of somebody stay recognised as theirs: one at each of two sites.
const OWN_RECORDS_MAX: usize = 2;

/// By what a record is recognised: an NHS number, or names and day of birth together.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnDetails {
    /// NHS number, where it is known.
    pub nhs_number: Option<NhsNumber>,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Day of birth.
    pub born: Option<Date>,
}

impl From<Shielded> for OwnDetails {
    fn from(shielded: Shielded) -> Self {
        Self {
            nhs_number: shielded.nhs_number,
            given: shielded.given.unwrap_or_default(),
            family: shielded.family.unwrap_or_default(),
            born: shielded.birth_date,
        }
    }
}

impl OwnDetails {
    /// What is digested: one text for each way to recognise somebody.
    fn texts(&self) -> Vec<String> {
        let number = self.nhs_number.map(|number| format!("nhs|{}", number.digits()));
        let named = self.born.filter(|_| !self.family.trim().is_empty());
        let name = named.map(|born| format!("name|{}|{}|{born}", people::fold(self.family.trim()), people::fold(self.given.trim())));
        number.into_iter().chain(name).collect()
    }
}

impl App {
    fn own_marks(&self, staff: &StaffId, of: &OwnDetails) -> Vec<String> {
        of.texts().iter().map(|text| keyed_digest(&self.keys.audit, &format!("own:{staff}"), text.as_bytes())).collect()
    }

    /// By which a record that was recognised once stays recognised, whatever is changed in it or given later.
    fn record_mark(&self, staff: &StaffId, person: PersonId) -> String {
        keyed_digest(&self.keys.audit, &format!("own:{staff}"), format!("record|{person}").as_bytes())
    }

    /// What stands in the places of such marks while there is no record: everybody has as many as everybody else.
    fn empty_marks(&self, staff: &StaffId) -> Vec<String> {
        let empty = |place: usize| keyed_digest(&self.keys.audit, &format!("own:{staff}"), format!("empty|{place}").as_bytes());
        (0..OWN_RECORDS_MAX).map(empty).collect()
    }

    fn shield_marks(&self, of: &OwnDetails) -> Vec<String> {
        of.texts().iter().map(|text| keyed_digest(&self.keys.audit, "shield", text.as_bytes())).collect()
    }

    /// The records that are a viewer's own, among the shielded ones of their sites.
    pub(super) fn own_records(&self, tx: &mut Tx<'_>, viewer: &Viewer) -> Result<Vec<PersonId>, Failure> {
        let marks = standing::marks(tx, &viewer.staff)?;
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let mut own = Vec::new();
        for site in &viewer.sites {
            for shielded in standing::shielded_at(tx, site)? {
                let person = shielded.person;
                let mut theirs = self.own_marks(&viewer.staff, &OwnDetails::from(shielded));
                theirs.push(self.record_mark(&viewer.staff, person));
                if theirs.iter().any(|mark| marks.contains(mark)) {
                    own.push(person);
                }
            }
        }
        Ok(own)
    }

    /// Keeps a decision, tells whoever asked for it over FHIR, and shields the record if it is of somebody who works here: in one transaction, so that there is
    /// no moment at which a colleague's record is open.
    pub(crate) fn keep(&self, tx: &mut Tx<'_>, before: Option<&Record>, decision: &Decision) -> Result<(), Failure> {
        journal::keep(tx, before, decision)?;
        self.tell_requests(tx, &decision.record, self.world.now())?;
        let person = &decision.record.person;
        if before.is_none_or(|before| recognised_by(&before.person) != recognised_by(person)) {
            self.shield_if_marked(tx, person)?;
        }
        Ok(())
    }

    /// Whether a record that says this would be shielded at once.
    pub(super) fn would_be_shielded(&self, tx: &mut Tx<'_>, said: &OwnDetails) -> Result<bool, Failure> {
        Ok(standing::is_to_be_shielded(tx, &self.shield_marks(said))?)
    }

    fn shield_if_marked(&self, tx: &mut Tx<'_>, person: &Person) -> Result<(), Failure> {
        if self.would_be_shielded(tx, &details(person))? {
            standing::shield(tx, person.id, self.world.now())?;
            self.note_whose(tx, person)?;
        }
        Ok(())
    }

    /// Keeps for whoever works here and has given these details that the record is theirs.
    fn note_whose(&self, tx: &mut Tx<'_>, person: &Person) -> Result<(), Failure> {
        let staff = self.setup.staff.values().map(|member| &member.id);
        for staff in staff.chain(self.setup.supporters.values().map(|supporter| &supporter.id)) {
            let marks = standing::marks(tx, staff)?;
            let own = self.record_mark(staff, person.id);
            if marks.contains(&own) || !self.own_marks(staff, &details(person)).iter().any(|mark| marks.contains(mark)) {
                continue;
            }
            for empty in self.empty_marks(staff) {
                if standing::replace_mark(tx, staff, &empty, &own)? {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// What of a person decides whether they are recognised.
fn recognised_by(person: &Person) -> (Option<NhsNumber>, Option<&str>, Option<&str>, Option<Date>) {
    (person.nhs_number.map(|held| held.number), person.given.as_deref(), person.family.as_deref(), person.birth_date)
}

impl Desk {
    /// Whether the owner of this desk has given their own details.
    ///
    /// # Errors
    /// The store's.
    pub fn has_given_details(&self) -> Result<bool, Failure> {
        let staff = self.staff().clone();
        self.app().store.read(|tx| Ok(!standing::marks(tx, &staff)?.is_empty()))
    }

    /// Takes the owner's own details, keeps digests of them alone, and shields the records that they match. The audit
    /// tells that they were given, and nothing about whether there was such a record. A slip can be mended by giving them
    /// again, a few times: each set closes a record to everybody here, and opens none.
    ///
    /// # Errors
    /// [`Failure::Invalid`] where names or the day of birth are missing; the store's.
    pub fn give_details(&self, own: &OwnDetails) -> Result<(), Failure> {
        let today = london_date(self.app().world.now());
        let Some(born) = own.born.filter(|born| *born < today) else {
            return Err(Failure::invalid("born", "Enter your date of birth"));
        };
        if own.family.trim().is_empty() || own.given.trim().is_empty() {
            return Err(Failure::invalid("family", "Enter your names"));
        }
        let (desk, own) = (self.clone(), own.clone());
        self.disclose(Action::SeeStart, None, move |tx, seen| {
            seen.detail("own-details-given");
            let app = desk.app();
            let marks = standing::marks(tx, desk.staff())?;
            if marks.len() >= MARKS_MAX {
                let what = "You have given your details several times. Ask your information-governance lead before you give others";
                return Err(Failure::invalid("family", what));
            }
            if marks.is_empty() {
                standing::add_marks(tx, desk.staff(), &app.empty_marks(desk.staff()))?;
            }
            standing::add_marks(tx, desk.staff(), &app.own_marks(desk.staff(), &own))?;
            standing::add_shield_marks(tx, &app.shield_marks(&own))?;
            let number = own.nhs_number.map(|number| number.digits());
            for person in standing::candidates(tx, number.as_deref(), born)? {
                if let Some(record) = people::load(tx, person)? {
                    app.shield_if_marked(tx, &record.person)?;
                }
            }
            Ok(())
        })
    }
}
