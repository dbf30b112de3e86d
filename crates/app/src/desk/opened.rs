//! A person whom the hospital's record has open beside us: who that is here. Told by the hospital's number alone, and only
//! while the date of birth and the NHS number agree: two windows side by side must be about one person.

use alongside_domain::access::Action;
use alongside_domain::id::PersonId;
use alongside_domain::person::{Identifier, SiteId};
use alongside_domain::sending::Ordered;
use alongside_fhir::resource::NHS_NUMBER;
use alongside_store::{Tx, people, standing};
use serde_json::Value;

use super::beside::beside;
use super::{Desk, NewPerson, Seen};
use crate::Failure;
use crate::fhir::name_of;
use crate::importing::identifier;
use crate::intake::load;

/// Who is open in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Somebody of ours.
    Here(PersonId),
    /// Nobody whom the owner of the desk may know of.
    Nobody,
    /// Somebody of ours has this number, and another date of birth or another NHS number.
    Differs,
}

/// The numbers under which somebody of this hospital number may be held: it itself, and the one of a record that stands beside
/// a closed one.
pub(crate) fn numbers(site: &SiteId, number: &str) -> impl Iterator<Item = Identifier> + use<> {
    let number = identifier(site, number.trim());
    let stands_beside = beside(std::slice::from_ref(&number));
    std::iter::once(number).chain(stands_beside)
}

impl NewPerson {
    /// What a Patient of a hospital's FHIR API says, with the hospital's number of that system. None without a number.
    #[must_use]
    pub fn of_patient(patient: &Value, local_identifier: &str) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::trim).unwrap_or_default().to_owned();
        let numbers: Vec<&Value> = patient["identifier"].as_array().into_iter().flatten().collect();
        let of =
            |system: &str| numbers.iter().find(|held| held["system"] == *system && held["use"] != "old").map(|held| text(&held["value"]));
        let number = of(local_identifier).filter(|number| !number.is_empty())?;
        let name = name_of(patient);
        let telephones = patient["telecom"].as_array().into_iter().flatten();
        let telephone = telephones.filter(|held| held["system"] == "phone" && held["use"] != "old").map(|held| text(&held["value"])).next();
        Some(Self {
            number,
            nhs_number: of(NHS_NUMBER).unwrap_or_default(),
            given: text(&name["given"][0]),
            family: text(&name["family"]),
            birth_date: patient["birthDate"].as_str().and_then(|day| day.parse().ok()),
            telephone: telephone.unwrap_or_default(),
        })
    }
}

impl Desk {
    /// Who is here whom a record has open.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for a role that looks for nobody; the store's.
    pub fn whom(&self, site: &SiteId, open: &NewPerson) -> Result<Whom, Failure> {
        let (desk, at, open) = (self.clone(), site.clone(), open.clone());
        self.disclose(Action::FindPerson, Some(site), move |tx, seen| desk.look_up(tx, seen, &at, &open))
    }

    fn look_up(&self, tx: &mut Tx<'_>, seen: &mut Seen, site: &SiteId, open: &NewPerson) -> Result<Whom, Failure> {
        seen.detail("opened-by-record");
        for held in numbers(site, &open.number) {
            let Some(found) = people::find(tx, site, std::slice::from_ref(&held), None)?.first().copied() else { continue };
            let record = load(tx, found)?;
            // Somebody whose record is closed to them is nobody of whom they have heard.
            if !self.is_theirs(Action::SeePerson, &record, standing::is_shielded(tx, found)?) {
                continue;
            }
            seen.person(found);
            let opened = Ordered { identifier: held, birth_date: open.birth_date, nhs_number: open.nhs_number.parse().ok() };
            return Ok(if opened.agrees_with(&record.person) { Whom::Here(found) } else { Whom::Differs });
        }
        Ok(Whom::Nobody)
    }
}

#[cfg(test)]
mod tests {
    use alongside_domain::trigger::Kind;
    use alongside_store::testing::both_engines;
    use jiff::civil::date;
    use serde_json::json;

    use super::*;
    use crate::testing::service;

    fn patient() -> Value {
        json!({
            "resourceType": "Patient",
            "identifier": [
                { "system": "https://north.example/id/mrn", "value": "OLD", "use": "old" },
                { "system": "https://north.example/id/mrn", "value": " 123 " },
                { "system": NHS_NUMBER, "value": "9990000123" },
            ],
            "name": [{ "family": "Was", "use": "old" }, { "use": "official", "family": "Okafor", "given": ["Miriam", "E"] }],
            "birthDate": "1980-05-02",
            "telecom": [{ "system": "email", "value": "m@example.org" }, { "system": "phone", "value": "020 7946 0000" }],
        })
    }

    #[test]
    fn a_patient_is_read_by_the_number_that_was_agreed() {
        let open = NewPerson::of_patient(&patient(), "https://north.example/id/mrn").unwrap();
        assert_eq!((open.number.as_str(), open.given.as_str(), open.family.as_str()), ("123", "Miriam", "Okafor"));
        assert_eq!((open.birth_date, open.telephone.as_str()), (Some(date(1980, 5, 2)), "020 7946 0000"));
        assert!(NewPerson::of_patient(&patient(), "https://elsewhere.example/id/mrn").is_none());
        assert!(NewPerson::of_patient(&json!([]), "x").is_none());
    }

    #[test]
    fn who_is_open_is_told_by_number_where_all_agrees_and_closed_records_are_nobody() {
        both_engines(|store| {
            let (app, _) = service(store);
            let open = NewPerson::of_patient(&patient(), "https://north.example/id/mrn").unwrap();
            let site = SiteId("north".into());
            let ada = app.desk("nurse-ada").unwrap();
            assert_eq!(ada.whom(&site, &open).unwrap(), Whom::Nobody);
            ada.refer_new("north", &NewPerson { nhs_number: String::new(), ..open.clone() }, Kind::ClinicRequest, "").unwrap();
            let Whom::Here(person) = ada.whom(&site, &open).unwrap() else { panic!("she is here") };
            assert!(ada.may_open(person).unwrap());
            let other = NewPerson { birth_date: Some(date(1980, 5, 3)), ..open.clone() };
            assert_eq!(ada.whom(&site, &other).unwrap(), Whom::Differs);
            let unsaid = NewPerson { birth_date: None, ..open.clone() };
            assert_eq!(ada.whom(&site, &unsaid).unwrap(), Whom::Here(person));
            assert_eq!(ada.whom(&SiteId("south".into()), &open).unwrap(), Whom::Nobody);
            // A number that a merge left on the record that was joined is theirs still.
            ada.refer_new("north", &NewPerson { number: "124".into(), ..unsaid.clone() }, Kind::ClinicRequest, "").unwrap();
            let merge = "MSH|^~\\&|CF|RAP|TIE|RAP|20240402093500||ADT^A40|1|P|2.4\rEVN|A40|20240402093500\r\
                         PID|1||123^^^RAP^MR||Okafor^Miriam||19800502\rMRG|124^^^RAP^MR\r";
            assert_eq!(app.receive(&app.setup.feeds["north"], merge.as_bytes()).fate, crate::intake::Fate::Applied);
            assert_eq!(ada.whom(&site, &NewPerson { number: "124".into(), ..open.clone() }).unwrap(), Whom::Here(person));
            let at = app.world.now();
            app.store.write(move |tx| standing::shield(tx, person, at)).unwrap();
            for said in [&open, &other] {
                assert_eq!(ada.whom(&site, said).unwrap(), Whom::Nobody, "a colleague is nobody");
            }
        });
    }
}
