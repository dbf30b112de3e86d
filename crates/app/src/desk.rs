//! A desk: the application as one person may use it.
//!
//! Whoever signs in gets one, made anew for every request from the configuration and the database, so that a contract that
//! ended or a session that was revoked counts at once. Personal data is read at a desk only: [`Desk::disclose`] reads and
//! writes the audit in one transaction, and [`Desk::admit`] is the one way to a person's record.

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::access::{self, Action, Denied, Partner, Scope, Subject, Viewer};
use alongside_domain::command::Command;
use alongside_domain::decision::Cause;
use alongside_domain::id::{PersonId, ReferralId};
use alongside_domain::passport::{Item, Passport};
use alongside_domain::person::{Person, SiteId};
use alongside_domain::record::Record;
use alongside_domain::rules::commands;
use alongside_domain::supporter::{Basis, Role, StaffId, Supporter};
use alongside_store::audit::{self, Entry, Outcome};
use alongside_store::{Tx, people, standing};
use jiff::civil::Date;

use crate::setup::Site;
use crate::{App, Failure, london_date};

pub(crate) mod beside;
mod care;
mod caseload;
mod clinic;
mod coordination;
mod engineer;
mod glass;
mod govern;
mod lists;
mod marks;
mod opened;
mod renewals;

pub use care::{DRAFT_CHARACTERS_MAX, DraftForm};
pub use caseload::{Assessed, AssessmentPage, ContactForm, FormOf, QuestionAsked, questions};
pub use clinic::NewPerson;
pub use coordination::{Moving, chosen, field_of};
pub use glass::{GLASS_HOURS, REASON_CHARACTERS_MIN};
pub use govern::Ending;
pub use lists::ListPreview;
pub use marks::OwnDetails;
pub use opened::Whom;
pub(crate) use opened::numbers;

/// The application as one person may use it. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    app: App,
    viewer: Viewer,
}

/// Whom a page showed: what the audit line of its reading names.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    people: BTreeSet<PersonId>,
    detail: Option<String>,
    turned_away: bool,
}

impl Seen {
    /// A person whose data was read.
    pub(crate) fn person(&mut self, person: PersonId) {
        self.people.insert(person);
    }

    /// A coded detail of the line.
    pub(crate) fn detail(&mut self, code: impl Into<String>) {
        self.detail = Some(code.into());
    }
}

/// A person's record, once it was proved that its reader may do what they asked for.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The record that answers for the person, merges followed.
    pub(crate) record: Record,
    /// Whether it is shielded.
    pub(crate) shielded: bool,
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotForThisRole | Denied::NotCleared => Self::Forbidden,
            // The same answer as for what never existed.
            Denied::NotTheirs => Self::NotFound,
        }
    }
}

impl App {
    /// The desk of somebody who works here, as of now.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when nobody of this key is configured; the store's.
    pub fn desk(&self, staff: &str) -> Result<Desk, Failure> {
        let viewer = self.store.read(|tx| self.viewer(tx, staff))?;
        Ok(self.desk_of(viewer))
    }

    /// The desk of somebody whom the policy has just been told of.
    pub(crate) fn desk_of(&self, viewer: Viewer) -> Desk {
        Desk { app: self.clone(), viewer }
    }

    /// Somebody who works here as the policy sees them, as of now.
    pub(crate) fn viewer(&self, tx: &mut Tx<'_>, staff: &str) -> Result<Viewer, Failure> {
        let today = self.today_at_least(tx)?;
        let mut viewer = match (self.setup.staff.get(staff), self.setup.supporters.get(staff)) {
            (Some(member), _) => Viewer {
                staff: member.id.clone(),
                role: member.role,
                sites: member.sites.clone(),
                partner: member.partner.as_deref().map(|key| self.partner(key)),
                cleared: Passport::of_staff(member.until).cleared_on(today),
                sees_shielded: member.sees_shielded,
                glass: Vec::new(),
                own: Vec::new(),
            },
            (None, Some(supporter)) => Viewer {
                staff: supporter.id.clone(),
                role: Role::Supporter,
                sites: supporter.sites.iter().map(|(site, _)| site.clone()).collect(),
                partner: None,
                cleared: self.renewed(tx, supporter)?.cleared_on(today),
                sees_shielded: false,
                glass: Vec::new(),
                own: Vec::new(),
            },
            (None, None) => return Err(Failure::NotFound),
        };
        let glass = standing::glass_of(tx, &viewer.staff, self.world.now())?;
        viewer.glass = glass.into_iter().filter_map(|glass| glass.person).collect();
        viewer.own = self.own_records(tx, &viewer)?;
        Ok(viewer)
    }

    /// The clinicians who may be told of a person: of their clinic, and of a shielded record those who look after such.
    pub(crate) fn clinicians_for(&self, tx: &mut Tx<'_>, subject: &Subject) -> Result<Vec<StaffId>, Failure> {
        let mut clinicians = Vec::new();
        for member in self.setup.staff.values().filter(|member| member.role == Role::Clinician && member.sites.contains(&subject.site)) {
            // What somebody has opened for an hour makes them nobody's clinician.
            let viewer = Viewer { glass: Vec::new(), ..self.viewer(tx, &member.id.0)? };
            if access::may(&viewer, Action::SeeConcerns, subject).is_ok() {
                clinicians.push(viewer.staff);
            }
        }
        Ok(clinicians)
    }

    /// Today, or the latest day on which the service ran or the audit was added to, if the clock was set back: an ended
    /// contract never comes to life again.
    fn today_at_least(&self, tx: &mut Tx<'_>) -> Result<Date, Failure> {
        let today = london_date(self.world.now());
        let ran = standing::latest_day(tx)?;
        let told = audit::head(tx)?.map(|head| london_date(head.at));
        Ok([ran, told].into_iter().flatten().fold(today, Date::max))
    }

    /// A supporter with what was renewed since the configuration was written.
    pub(crate) fn renewed(&self, tx: &mut Tx<'_>, supporter: &Supporter) -> Result<Supporter, Failure> {
        let mut renewed = supporter.clone();
        standing::renewals(tx, &supporter.id)?.iter().for_each(|renewal| renew(&mut renewed, renewal));
        Ok(renewed)
    }

    /// As [`App::renewed`], all supporters at once, by key.
    pub(crate) fn all_renewed(&self, tx: &mut Tx<'_>) -> Result<BTreeMap<StaffId, Supporter>, Failure> {
        let configured = self.setup.supporters.values().map(|supporter| (supporter.id.clone(), supporter.clone()));
        let mut all: BTreeMap<_, _> = configured.collect();
        for (staff, renewal) in standing::all_renewals(tx)? {
            if let Some(supporter) = all.get_mut(&staff) {
                renew(supporter, &renewal);
            }
        }
        Ok(all)
    }

    fn partner(&self, key: &str) -> Partner {
        let supporters = self.setup.supporters.values().filter(|supporter| supporter.partner == key);
        let inside = |site: &&Site| site.partners.iter().any(|(partner, _, basis)| partner == key && *basis == Basis::Inside);
        Partner {
            supporters: supporters.map(|supporter| supporter.id.clone()).collect(),
            inside_at: self.setup.sites.values().filter(inside).map(|site| site.key.clone()).collect(),
        }
    }
}

impl Desk {
    /// The application below.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Whose desk it is.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Whether its owner may do this at all.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn may_do(&self, action: Action) -> Result<(), Failure> {
        Ok(access::may_do(&self.viewer, action)?)
    }

    /// As [`Desk::may_do`], at the door of a page: whoever is turned away there is written down.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn enter(&self, action: Action) -> Result<(), Failure> {
        let Err(refused) = self.may_do(action) else { return Ok(()) };
        self.note_refused(action, None, None)?;
        Err(refused)
    }

    /// Writes down that something was refused of which nothing else is kept.
    pub(crate) fn note_refused(&self, action: Action, site: Option<&SiteId>, detail: Option<&str>) -> Result<(), Failure> {
        let (desk, site, detail) = (self.clone(), site.cloned(), detail.map(str::to_owned));
        self.app.store.write(move |tx| {
            let seen = Seen { detail: detail.clone(), ..Seen::default() };
            desk.record(tx, action, site.clone(), Outcome::Refused, seen)
        })
    }

    /// A site at which its owner may do this.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for another site as for one that never existed.
    pub fn site(&self, action: Action, key: &str) -> Result<&Site, Failure> {
        self.may_do(action)?;
        let site = self.app.setup.sites.get(key).ok_or(Failure::NotFound)?;
        access::may_at(&self.viewer, action, &site.key)?;
        Ok(site)
    }

    /// The sites of its owner, where they may do this.
    pub fn sites(&self, action: Action) -> impl Iterator<Item = &Site> {
        self.app.setup.sites.values().filter(move |site| access::may_at(&self.viewer, action, &site.key).is_ok())
    }

    /// How a list of people of a site is narrowed for its owner.
    ///
    /// # Errors
    /// As [`Desk::site`].
    pub(crate) fn scope(&self, action: Action, site: &SiteId) -> Result<Scope, Failure> {
        Ok(access::scope(&self.viewer, action, site)?)
    }

    /// Reads personal data, and writes in the same transaction into the audit who saw whom and what for.
    ///
    /// The job may run more than once, as every write may.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the job's; the store's: what cannot be audited is not shown.
    pub(crate) fn disclose<T: Send + 'static>(
        &self,
        action: Action,
        site: Option<&SiteId>,
        mut job: impl FnMut(&mut Tx<'_>, &mut Seen) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.may_do(action)?;
        let (desk, site) = (self.clone(), site.cloned());
        self.app.store.write(move |tx| {
            let mut seen = Seen::default();
            match job(tx, &mut seen) {
                Ok(answer) => {
                    desk.record(tx, action, site.clone(), Outcome::Allowed, seen)?;
                    Ok(Ok(answer))
                }
                // Somebody who was turned away is written down as well: nothing else was kept on the way here.
                Err(failure) if seen.turned_away => {
                    desk.record(tx, action, site.clone(), Outcome::Refused, seen)?;
                    Ok(Err(failure))
                }
                Err(failure) => Err(failure),
            }
        })?
    }

    fn record(&self, tx: &mut Tx<'_>, action: Action, site: Option<SiteId>, outcome: Outcome, seen: Seen) -> Result<(), Failure> {
        let entry = Entry {
            at: self.app.world.now(),
            actor: self.viewer.actor(),
            action: action.code().to_owned(),
            purpose: action.purpose().code().to_owned(),
            site,
            outcome,
            detail: seen.detail,
            subjects: seen.people.into_iter().collect(),
        };
        audit::append(tx, &self.app.keys.audit, &entry)?;
        Ok(())
    }

    /// A person's record, if the owner of the desk may do this to them. First of all in a job: nothing is kept before it.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs, as for nobody; [`Failure::Forbidden`]; the store's.
    pub(crate) fn admit(&self, tx: &mut Tx<'_>, seen: &mut Seen, action: Action, person: PersonId) -> Result<Admitted, Failure> {
        let survivor = people::survivor(tx, person)?;
        let record = people::load(tx, survivor)?.ok_or(Failure::NotFound)?;
        let shielded = standing::is_shielded(tx, survivor)?;
        seen.person(survivor);
        match access::may(&self.viewer, action, &Subject::of(&record, shielded)) {
            Ok(_) => {
                if self.viewer.glass.contains(&survivor) {
                    seen.detail("break-glass");
                }
                Ok(Admitted { record, shielded })
            }
            Err(denied) => {
                seen.turned_away = true;
                Err(denied.into())
            }
        }
    }

    /// As [`Desk::admit`], by a referral.
    ///
    /// # Errors
    /// Those of [`Desk::admit`].
    pub(crate) fn admit_to(&self, tx: &mut Tx<'_>, seen: &mut Seen, action: Action, referral: ReferralId) -> Result<Admitted, Failure> {
        let person = people::of_referral(tx, referral)?.ok_or(Failure::NotFound)?;
        self.admit(tx, seen, action, person)
    }

    /// Does something to a person: checked, decided, kept and audited in one transaction.
    ///
    /// # Errors
    /// Those of [`Desk::admit`]; the rule that refuses it.
    pub fn act(&self, action: Action, person: PersonId, command: Command) -> Result<(), Failure> {
        let desk = self.clone();
        self.disclose(action, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, action, person)?;
            desk.decide(tx, &admitted, &command)
        })
    }

    /// As [`Desk::act`], by a referral.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub fn act_on(&self, action: Action, referral: ReferralId, command: Command) -> Result<(), Failure> {
        let desk = self.clone();
        self.disclose(action, None, move |tx, seen| {
            let admitted = desk.admit_to(tx, seen, action, referral)?;
            desk.decide(tx, &admitted, &command)
        })
    }

    /// Decides a command about somebody who was admitted to, and keeps what was decided.
    ///
    /// # Errors
    /// The rule that refuses it; the store's.
    pub(crate) fn decide(&self, tx: &mut Tx<'_>, admitted: &Admitted, command: &Command) -> Result<(), Failure> {
        let mut ids = self.app.world.ids();
        let mut ctx = self.app.context(&mut *ids, self.viewer.actor(), Cause::Form);
        let decision = commands::decide(admitted.record.clone(), command, &mut ctx)?;
        self.app.keep(tx, Some(&admitted.record), &decision)
    }

    /// Gives a referral to a supporter. The caseload is counted in the transaction that fills it.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub fn allocate(&self, referral: ReferralId, supporter: &str) -> Result<(), Failure> {
        let (desk, supporter) = (self.clone(), self.supporter(supporter)?.clone());
        self.disclose(Action::Allocate, None, move |tx, seen| {
            let admitted = desk.admit_to(tx, seen, Action::Allocate, referral)?;
            let supporter = desk.app.renewed(tx, &supporter)?;
            let caseload = people::caseload(tx, &supporter.id)?;
            desk.decide(tx, &admitted, &Command::Allocate { referral, supporter, caseload })
        })
    }

    /// A supporter whom the owner of the desk may give people to: their own partner's, where they are a partner's.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub(crate) fn supporter(&self, key: &str) -> Result<&Supporter, Failure> {
        let theirs = |supporter: &&Supporter| self.viewer.partner.as_ref().is_none_or(|partner| partner.supporters.contains(&supporter.id));
        let found = self.app.setup.supporters.get(key).filter(theirs);
        found.ok_or_else(|| Failure::invalid("supporter", "Choose a supporter"))
    }

    /// Notes that a form is carried out, in the transaction that does it; tells whether it was not before, so that what is
    /// sent twice is done once. The same form with other words, or about somebody else, is another: no word is lost. One
    /// without a number of its own is always carried out.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn once(&self, tx: &mut Tx<'_>, once: &str, says: &dyn std::fmt::Debug) -> Result<bool, Failure> {
        if once.is_empty() {
            return Ok(true);
        }
        let form = audit::keyed_digest(&self.app.keys.audit, &format!("once:{once}"), format!("{says:?}").as_bytes());
        Ok(standing::once(tx, &form, &self.viewer.staff, self.app.world.now())?)
    }

    /// The key of whoever works here.
    pub(crate) fn staff(&self) -> &StaffId {
        &self.viewer.staff
    }
}

fn renew(supporter: &mut Supporter, renewal: &standing::Renewal) {
    // A line that no item answers to renews nothing.
    if let Some(item) = Item::from_code(&renewal.item) {
        supporter.renew(item, renewal.until);
    }
}

/// The person as marks are made of them.
pub(crate) fn details(person: &Person) -> OwnDetails {
    OwnDetails {
        nhs_number: person.nhs_number.map(|held| held.number),
        given: person.given.clone().unwrap_or_default(),
        family: person.family.clone().unwrap_or_default(),
        born: person.birth_date,
    }
}
