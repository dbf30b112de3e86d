//! Who may do what to whom: one policy, which denies whatever it does not name.
//!
//! [`reach`] is the table: every role and every action, by name, with no wildcard arm, so that a new action is a decision
//! about every role. It is printed into `docs/access.md`. [`may`] applies the table to one person, [`scope`] to a list,
//! [`may_at`] to a site, and [`may_do`] to what is about none of these. What they allow is proved by a value that only
//! they make.

use crate::coded;
use crate::id::PersonId;
use crate::person::SiteId;
use crate::record::Record;
use crate::referral::{Audience, Status};
use crate::supporter::{Role, StaffId};

coded! {
    /// What for. Every action has one purpose, and the audit tells it.
    pub enum Purpose {
        Work = "work", "the work itself";
        Care = "care", "care of this person";
        Coordination = "coordination", "running the service";
        Reporting = "reporting", "figures";
        Governance = "governance", "information governance";
        Integration = "integration", "connections to the hospitals";
    }
}

coded! {
    /// What can be done by those who sign in.
    pub enum Action {
        SeeStart = "see-start", "see their start page, their own sessions and their own documents";
        SeeMeasures = "see-measures", "read how figures are defined";
        SeeClinicLists = "see-clinic-lists", "see who awaits notice, is deferred or opted out";
        SeeQuestions = "see-questions", "see questions that messages could not answer";
        SeeTeamLists = "see-team-lists", "see lists of people who were released to the team";
        FindPerson = "find-person", "look for a person by name or number";
        SeePerson = "see-person", "open a person's page";
        SeeNotes = "see-notes", "read what was written about contacts";
        SeeWellbeing = "see-wellbeing", "see wellbeing scores";
        Refer = "refer", "refer a person";
        RecordNotice = "record-notice", "record that a person was told";
        RecordObjection = "record-objection", "record an objection, or that it was taken back";
        Defer = "defer", "record “not now”";
        AnswerQuestion = "answer-question", "answer a question";
        UploadList = "upload-list", "upload the clinic's list";
        Allocate = "allocate", "give a referral to a supporter";
        SeeCapacity = "see-capacity", "see what each supporter has to do";
        SeePassports = "see-passports", "see contracts, training and checks of supporters";
        KeepPassports = "keep-passports", "record that a contract, training or check was renewed";
        RecordContact = "record-contact", "record a contact";
        RecordAssessment = "record-assessment", "record an assessment";
        SetSafeContact = "set-safe-contact", "record how somebody may be contacted";
        RaiseConcern = "raise-concern", "raise a concern";
        SeeConcerns = "see-concerns", "see concerns, and acknowledge them";
        MakeLink = "make-link", "make a person's private link, or end it";
        QueueLetter = "queue-letter", "have a letter sent";
        EndReferral = "end-referral", "end a referral";
        SeeFigures = "see-figures", "see figures of a quarter, small numbers kept back";
        SeeOwnFigures = "see-own-figures", "see figures with small numbers";
        ExportFigures = "export-figures", "take figures away as a file";
        SeeAccess = "see-access", "see who saw or changed what";
        SeeEntitled = "see-entitled", "see who may see what, and until when";
        ReviewGlass = "review-glass", "review uses of break-glass";
        EndSessions = "end-sessions", "end somebody’s sessions, and suspend or reinstate them";
        BreakGlass = "break-glass", "open a closed record with a reason";
        SeeFeeds = "see-feeds", "see how the hospitals' feeds are doing";
        SeeQuarantine = "see-quarantine", "see where a message that was set aside has its problem";
        Replay = "replay", "have a message that was set aside read again";
        SeeRaw = "see-raw", "read the text of a message that was set aside, after break-glass";
    }
}

impl Action {
    /// What this is done for.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::SeeStart | Self::SeeMeasures => Purpose::Work,
            Self::SeeClinicLists
            | Self::SeeQuestions
            | Self::FindPerson
            | Self::SeePerson
            | Self::SeeNotes
            | Self::SeeWellbeing
            | Self::Refer
            | Self::RecordNotice
            | Self::RecordObjection
            | Self::Defer
            | Self::AnswerQuestion
            | Self::UploadList
            | Self::RecordContact
            | Self::RecordAssessment
            | Self::SetSafeContact
            | Self::RaiseConcern
            | Self::SeeConcerns
            | Self::MakeLink
            | Self::QueueLetter
            | Self::EndReferral
            | Self::BreakGlass => Purpose::Care,
            Self::SeeTeamLists | Self::Allocate | Self::SeeCapacity | Self::SeePassports | Self::KeepPassports => Purpose::Coordination,
            Self::SeeFigures | Self::SeeOwnFigures | Self::ExportFigures => Purpose::Reporting,
            Self::SeeAccess | Self::SeeEntitled | Self::ReviewGlass | Self::EndSessions => Purpose::Governance,
            Self::SeeFeeds | Self::SeeQuarantine | Self::Replay | Self::SeeRaw => Purpose::Integration,
        }
    }

    /// Whether it changes something; otherwise it is a look. Of a person's timeline this tells who changed the record.
    #[must_use]
    pub const fn changes(self) -> bool {
        match self {
            Self::SeeStart
            | Self::SeeMeasures
            | Self::SeeClinicLists
            | Self::SeeQuestions
            | Self::SeeTeamLists
            | Self::FindPerson
            | Self::SeePerson
            | Self::SeeNotes
            | Self::SeeWellbeing
            | Self::SeeCapacity
            | Self::SeePassports
            | Self::SeeConcerns
            | Self::SeeFigures
            | Self::SeeOwnFigures
            | Self::ExportFigures
            | Self::SeeAccess
            | Self::SeeEntitled
            | Self::BreakGlass
            | Self::SeeFeeds
            | Self::SeeQuarantine
            | Self::SeeRaw => false,
            Self::Refer
            | Self::RecordNotice
            | Self::RecordObjection
            | Self::Defer
            | Self::AnswerQuestion
            | Self::UploadList
            | Self::Allocate
            | Self::KeepPassports
            | Self::RecordContact
            | Self::RecordAssessment
            | Self::SetSafeContact
            | Self::RaiseConcern
            | Self::MakeLink
            | Self::QueueLetter
            | Self::EndReferral
            | Self::ReviewGlass
            | Self::EndSessions
            | Self::Replay => true,
        }
    }
}

coded! {
    /// How far an action reaches for a role.
    pub enum Reach {
        Nobody = "nobody", "–";
        Service = "service", "yes";
        Sites = "sites", "own sites, no person";
        Clinic = "clinic", "own sites";
        ShieldedOnly = "shielded-only", "own sites, shielded people only";
        Released = "released", "own sites, after release";
        Caseload = "caseload", "own caseload";
    }
}

/// The table: how far an action reaches for a role.
#[must_use]
pub const fn reach(role: Role, action: Action) -> Reach {
    use Reach::{Caseload, Clinic, Nobody, Released, Service, ShieldedOnly, Sites};
    // In the order of `Role::ALL`.
    let [clinician, safeguarding, supporter, coordinator, manager, governance, engineer] = match action {
        Action::SeeStart | Action::SeeMeasures => [Service; 7],
        Action::SeeClinicLists => [Clinic, Nobody, Nobody, Nobody, Nobody, Nobody, Nobody],
        Action::SeeQuestions => [Clinic, Clinic, Nobody, Nobody, Nobody, Nobody, Nobody],
        Action::SeeTeamLists => [Clinic, Nobody, Caseload, Released, Nobody, Nobody, Nobody],
        Action::FindPerson => [Clinic, Clinic, Caseload, Released, Nobody, Nobody, Nobody],
        Action::SeePerson => [Clinic, Clinic, Caseload, Released, Nobody, Nobody, Nobody],
        Action::SeeNotes => [Nobody, Nobody, Caseload, Released, Nobody, Nobody, Nobody],
        Action::SeeWellbeing => [Clinic, Nobody, Caseload, Released, Nobody, Nobody, Nobody],
        Action::Refer => [Clinic, Nobody, Nobody, Nobody, Nobody, Nobody, Nobody],
        Action::RecordNotice => [Clinic, Nobody, Nobody, Nobody, Nobody, Nobody, Nobody],
        Action::RecordObjection => [Clinic, Clinic, Caseload, Released, Nobody, Nobody, Nobody],
        Action::Defer => [Clinic, Nobody, Caseload, Released, Nobody, Nobody, Nobody],
        Action::AnswerQuestion => [Clinic, Clinic, Nobody, Nobody, Nobody, Nobody, Nobody],
        Action::UploadList => [Sites, Nobody, Nobody, Nobody, Nobody, Nobody, Nobody],
        Action::Allocate => [ShieldedOnly, Nobody, Nobody, Released, Nobody, Nobody, Nobody],
        Action::SeeCapacity => [Nobody, Nobody, Nobody, Sites, Nobody, Nobody, Nobody],
        Action::SeePassports => [Nobody, Nobody, Nobody, Sites, Nobody, Sites, Nobody],
        Action::KeepPassports => [Nobody, Nobody, Nobody, Sites, Nobody, Nobody, Nobody],
        Action::RecordContact => [Nobody, Nobody, Caseload, Nobody, Nobody, Nobody, Nobody],
        Action::RecordAssessment => [Nobody, Nobody, Caseload, Nobody, Nobody, Nobody, Nobody],
        Action::SetSafeContact => [Clinic, Nobody, Caseload, Released, Nobody, Nobody, Nobody],
        Action::RaiseConcern => [Clinic, Clinic, Caseload, Released, Nobody, Nobody, Nobody],
        Action::SeeConcerns => [Clinic, Clinic, Nobody, Nobody, Nobody, Nobody, Nobody],
        Action::MakeLink => [Clinic, Nobody, Caseload, Nobody, Nobody, Nobody, Nobody],
        Action::QueueLetter => [Nobody, Nobody, Caseload, Released, Nobody, Nobody, Nobody],
        Action::EndReferral => [Clinic, Nobody, Caseload, Released, Nobody, Nobody, Nobody],
        Action::SeeFigures => [Sites, Nobody, Sites, Sites, Sites, Sites, Nobody],
        Action::SeeOwnFigures => [Sites, Nobody, Nobody, Sites, Nobody, Nobody, Nobody],
        Action::ExportFigures => [Nobody, Nobody, Nobody, Sites, Sites, Sites, Nobody],
        Action::SeeAccess => [Nobody, Nobody, Nobody, Nobody, Nobody, Clinic, Nobody],
        Action::SeeEntitled => [Nobody, Nobody, Nobody, Nobody, Nobody, Sites, Nobody],
        Action::ReviewGlass | Action::EndSessions => [Nobody, Nobody, Nobody, Nobody, Nobody, Sites, Nobody],
        Action::BreakGlass => [Clinic, Clinic, Nobody, Nobody, Nobody, Nobody, Sites],
        Action::SeeFeeds | Action::SeeQuarantine | Action::Replay | Action::SeeRaw => {
            [Nobody, Nobody, Nobody, Nobody, Nobody, Nobody, Sites]
        }
    };
    match role {
        Role::Clinician => clinician,
        Role::SafeguardingLead => safeguarding,
        Role::Supporter => supporter,
        Role::Coordinator => coordinator,
        Role::Manager => manager,
        Role::InformationGovernance => governance,
        Role::IntegrationEngineer => engineer,
    }
}

coded! {
    /// What a hospital's system does over FHIR: in the audit, beside the actions of people.
    pub enum SystemAct {
        Ask = "ask-by-system", "ask for support of a person";
        Follow = "follow-by-system", "see how far what it asked for has come";
        Withdraw = "withdraw-by-system", "withdraw what it asked for";
        Answers = "answers-by-system", "bring a person's own answers to a questionnaire";
    }
}

/// A hospital's system that asks over FHIR. It acts at one site, for nobody who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Its key.
    pub key: String,
    /// The site whose patients it speaks of.
    pub site: SiteId,
}

/// Whether a system may see and withdraw a request: one that it made itself, at its site. So it learns of nobody of whom it
/// did not tell, whether a record is closed to colleagues or not.
///
/// # Errors
/// [`Denied::NotTheirs`].
pub fn may_follow(system: &System, asked_by: &str, site: &SiteId) -> Result<(), Denied> {
    if asked_by == system.key && *site == system.site { Ok(()) } else { Err(Denied::NotTheirs) }
}

/// The partner organisation of somebody who looks after one partner's part only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its supporters.
    pub supporters: Vec<StaffId>,
    /// The sites where it works inside the clinic's team, and so may learn of people whom nobody supports yet.
    pub inside_at: Vec<SiteId>,
}

/// Somebody who has signed in, with everything that the policy asks about them. Made anew for every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub staff: StaffId,
    /// In which role.
    pub role: Role,
    /// Where they work.
    pub sites: Vec<SiteId>,
    /// Set for a partner's own staff: they see that partner's part only.
    pub partner: Option<Partner>,
    /// Whether contract, training and check are in date today. Otherwise nothing about anybody is open.
    pub cleared: bool,
    /// Whether they look after shielded records.
    pub sees_shielded: bool,
    /// The people whose record they opened by break-glass, as long as that lasts.
    pub glass: Vec<PersonId>,
    /// Their own records. Nobody opens their own record as staff.
    pub own: Vec<PersonId>,
}

impl Viewer {
    /// The viewer as whoever acts in a decision.
    #[must_use]
    pub fn actor(&self) -> crate::decision::Actor {
        crate::decision::Actor::Staff { id: self.staff.clone(), role: self.role }
    }

    fn works_at(&self, site: &SiteId) -> bool {
        self.sites.contains(site)
    }
}

/// A person, as far as the policy asks about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who.
    pub person: PersonId,
    /// Whose clinic they attend.
    pub site: SiteId,
    /// Whether nothing about them was released to the team.
    pub clinic_only: bool,
    /// The supporter who has their referral.
    pub supporter: Option<StaffId>,
    /// Whether their referral waits for a supporter.
    pub unallocated: bool,
    /// Whether the record may be one of somebody who works here.
    pub shielded: bool,
}

impl Subject {
    /// What the policy asks about a person. The referral that counts is the live one, or the latest: so that somebody who
    /// was supported before and is referred again is the clinic's alone until they were told again.
    #[must_use]
    pub fn of(record: &Record, shielded: bool) -> Self {
        let current = record.live_referral().or_else(|| record.referrals.last());
        Self {
            person: record.person.id,
            site: record.person.site.clone(),
            clinic_only: current.is_none_or(|referral| referral.audience() == Audience::ClinicOnly),
            supporter: current.and_then(|referral| referral.status.supporter().cloned()),
            unallocated: current.is_some_and(|referral| referral.status == Status::Open),
            shielded,
        }
    }
}

/// Why something is denied. About a person or a site it is never told: the answer is that there is no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The role does not do this at all.
    NotForThisRole,
    /// Contract, training or check are not in date.
    NotCleared,
    /// Another site, another's caseload, before release, shielded, their own.
    NotTheirs,
}

/// That somebody may do something to a person. Only [`may`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    action: Action,
    person: PersonId,
    site: SiteId,
}

impl Proof {
    /// What is allowed.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// To whom.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// At which site.
    #[must_use]
    pub const fn site(&self) -> &SiteId {
        &self.site
    }
}

/// Whether somebody may do something at all: what a page's address is checked against before anything is read.
///
/// # Errors
/// [`Denied::NotForThisRole`], [`Denied::NotCleared`].
pub fn may_do(viewer: &Viewer, action: Action) -> Result<(), Denied> {
    match reach(viewer.role, action) {
        Reach::Nobody => Err(Denied::NotForThisRole),
        // Somebody whose contract has ended still learns that it has, and by whom it is renewed.
        Reach::Service => Ok(()),
        Reach::Sites | Reach::Clinic | Reach::ShieldedOnly | Reach::Released | Reach::Caseload if viewer.cleared => Ok(()),
        Reach::Sites | Reach::Clinic | Reach::ShieldedOnly | Reach::Released | Reach::Caseload => Err(Denied::NotCleared),
    }
}

/// Whether somebody may do something at a site that is about no person.
///
/// # Errors
/// Those of [`may_do`]; [`Denied::NotTheirs`] for another site.
pub fn may_at(viewer: &Viewer, action: Action, site: &SiteId) -> Result<(), Denied> {
    may_do(viewer, action)?;
    if viewer.works_at(site) { Ok(()) } else { Err(Denied::NotTheirs) }
}

/// Whether somebody may do something to a person.
///
/// # Errors
/// Those of [`may_at`]; [`Denied::NotTheirs`] for their own record, one that is shielded from them, one that is not released,
/// and one of another's caseload.
pub fn may(viewer: &Viewer, action: Action, subject: &Subject) -> Result<Proof, Denied> {
    may_at(viewer, action, &subject.site)?;
    let theirs = match reach(viewer.role, action) {
        Reach::Nobody | Reach::Service | Reach::Sites => false,
        Reach::Clinic => true,
        Reach::ShieldedOnly => subject.shielded,
        Reach::Released => !subject.clinic_only && is_partners(viewer, subject),
        Reach::Caseload => !subject.clinic_only && subject.supporter.as_ref() == Some(&viewer.staff),
    };
    // Breaking the glass is how a shielded record is opened, so the shield does not stop that; their own nothing opens.
    let shut = subject.shielded && action != Action::BreakGlass && !sees_through_shield(viewer, action, subject);
    if !theirs || shut || viewer.own.contains(&subject.person) {
        return Err(Denied::NotTheirs);
    }
    Ok(Proof { action, person: subject.person, site: subject.site.clone() })
}

/// What is opened for some hours makes no link that opens for weeks.
fn sees_through_shield(viewer: &Viewer, action: Action, subject: &Subject) -> bool {
    let glass = action != Action::MakeLink && viewer.glass.contains(&subject.person);
    viewer.sees_shielded || glass || subject.supporter.as_ref() == Some(&viewer.staff)
}

fn is_partners(viewer: &Viewer, subject: &Subject) -> bool {
    let Some(partner) = &viewer.partner else { return true };
    match &subject.supporter {
        Some(supporter) => partner.supporters.contains(supporter),
        None => subject.unallocated && partner.inside_at.contains(&subject.site),
    }
}

/// Which lines of a list somebody sees: what a query is narrowed by, so that counts tell no more than lists do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The site.
    pub site: SiteId,
    /// Also people of whom nothing was released.
    pub before_release: bool,
    /// Only people of these supporters, where set.
    pub supporters: Option<Vec<StaffId>>,
    /// Beside those of `supporters`, people whom nobody supports yet.
    pub unallocated: bool,
    /// Also all shielded people; otherwise of those only the ones in `glass` and the viewer's own caseload.
    pub shielded: bool,
    /// The viewer, to whom their own caseload is open.
    pub viewer: StaffId,
    /// People opened by break-glass.
    pub glass: Vec<PersonId>,
    /// The viewer's own records: never.
    pub own: Vec<PersonId>,
}

impl Scope {
    /// Everybody of a site: for the operator at the server, who owns the database anyway.
    #[must_use]
    pub fn of_operator(site: SiteId) -> Self {
        Self {
            site,
            before_release: true,
            supporters: None,
            unallocated: true,
            shielded: true,
            viewer: StaffId(String::new()),
            glass: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Whether a line about this person is in the list: what the store's queries say in SQL.
    #[must_use]
    pub fn holds(&self, subject: &Subject) -> bool {
        let own_caseload = subject.supporter.as_ref() == Some(&self.viewer);
        let theirs = self.supporters.as_ref().is_none_or(|these| match &subject.supporter {
            Some(supporter) => these.contains(supporter),
            None => self.unallocated && subject.unallocated,
        });
        subject.site == self.site
            && (self.before_release || !subject.clinic_only)
            && theirs
            && (!subject.shielded || self.shielded || own_caseload || self.glass.contains(&subject.person))
            && !self.own.contains(&subject.person)
    }
}

/// How a list of people of a site is narrowed.
///
/// # Errors
/// Those of [`may_at`].
pub fn scope(viewer: &Viewer, action: Action, site: &SiteId) -> Result<Scope, Denied> {
    may_at(viewer, action, site)?;
    let all = Scope {
        site: site.clone(),
        before_release: false,
        supporters: None,
        unallocated: false,
        shielded: viewer.sees_shielded,
        viewer: viewer.staff.clone(),
        glass: viewer.glass.clone(),
        own: viewer.own.clone(),
    };
    match reach(viewer.role, action) {
        Reach::Nobody | Reach::Service | Reach::Sites | Reach::ShieldedOnly => Err(Denied::NotForThisRole),
        Reach::Clinic => Ok(Scope { before_release: true, ..all }),
        Reach::Released => Ok(match &viewer.partner {
            None => all,
            Some(partner) => Scope { supporters: Some(partner.supporters.clone()), unallocated: partner.inside_at.contains(site), ..all },
        }),
        Reach::Caseload => Ok(Scope { supporters: Some(vec![viewer.staff.clone()]), ..all }),
    }
}

/// The table as it stands in `docs/access.md`: a row an action, a column a role.
#[must_use]
pub fn table() -> String {
    let roles: Vec<String> = Role::ALL.iter().map(|role| role.words().to_owned()).collect();
    let mut lines = vec![format!("| what | purpose | {} |", roles.join(" | ")), format!("|{}", " --- |".repeat(roles.len() + 2))];
    for action in Action::ALL {
        let cells: Vec<&str> = Role::ALL.iter().map(|role| reach(*role, *action).words()).collect();
        lines.push(format!("| {} | {} | {} |", action.words(), action.purpose().words(), cells.join(" | ")));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn viewer(role: Role) -> Viewer {
        Viewer {
            staff: StaffId("me".into()),
            role,
            sites: vec![SiteId("here".into())],
            partner: None,
            cleared: true,
            sees_shielded: false,
            glass: Vec::new(),
            own: Vec::new(),
        }
    }

    fn subject() -> Subject {
        Subject {
            person: PersonId(1),
            site: SiteId("here".into()),
            clinic_only: false,
            supporter: Some(StaffId("me".into())),
            unallocated: false,
            shielded: false,
        }
    }

    #[test]
    fn a_system_sees_what_it_asked_for_at_its_site_and_nothing_else() {
        let system = System { key: "record".into(), site: SiteId("here".into()) };
        assert_eq!(may_follow(&system, "record", &SiteId("here".into())), Ok(()));
        assert_eq!(may_follow(&system, "another", &SiteId("here".into())), Err(Denied::NotTheirs));
        assert_eq!(may_follow(&system, "record", &SiteId("there".into())), Err(Denied::NotTheirs));
    }

    #[test]
    fn the_first_two_sentences_hold_in_the_table() {
        for action in Action::ALL {
            for role in [Role::Manager, Role::InformationGovernance, Role::IntegrationEngineer] {
                assert!(
                    !matches!(reach(role, *action), Reach::Released | Reach::Caseload)
                        && (reach(role, *action) != Reach::Clinic || *action == Action::SeeAccess),
                    "{role} must see no person by {action}"
                );
            }
            assert_ne!(reach(Role::Supporter, *action), Reach::Clinic, "{action}");
            assert_ne!(reach(Role::Coordinator, *action), Reach::Clinic, "{action}: a coordinator learns of nobody before release");
        }
        assert_eq!(reach(Role::Clinician, Action::RecordNotice), Reach::Clinic);
    }

    #[test]
    fn every_action_is_somebodys() {
        for action in Action::ALL {
            assert!(Role::ALL.iter().any(|role| reach(*role, *action) != Reach::Nobody), "{action}");
        }
    }

    #[test]
    fn another_site_is_nobodys() {
        for (role, action) in Role::ALL.iter().flat_map(|role| Action::ALL.iter().map(move |action| (*role, *action))) {
            let there = Subject { site: SiteId("there".into()), ..subject() };
            assert!(may(&viewer(role), action, &there).is_err(), "{role} {action}");
            assert!(scope(&viewer(role), action, &there.site).is_err(), "{role} {action}");
        }
    }

    #[test]
    fn whoever_is_not_cleared_learns_nothing_about_anybody() {
        for (role, action) in Role::ALL.iter().flat_map(|role| Action::ALL.iter().map(move |action| (*role, *action))) {
            let lapsed = Viewer { cleared: false, ..viewer(role) };
            assert!(may(&lapsed, action, &subject()).is_err(), "{role} {action}");
            assert!(may_at(&lapsed, action, &subject().site).is_err() || reach(role, action) == Reach::Service, "{role} {action}");
        }
    }

    #[test]
    fn nobody_opens_their_own_record_by_any_means() {
        for (role, action) in Role::ALL.iter().flat_map(|role| Action::ALL.iter().map(move |action| (*role, *action))) {
            let own = Viewer { own: vec![PersonId(1)], sees_shielded: true, glass: vec![PersonId(1)], ..viewer(role) };
            assert!(may(&own, action, &subject()).is_err(), "{role} {action}");
        }
    }

    #[test]
    fn a_shielded_record_opens_to_those_who_look_after_it_alone() {
        let shielded = Subject { shielded: true, supporter: None, ..subject() };
        let nurse = viewer(Role::Clinician);
        assert_eq!(may(&nurse, Action::SeePerson, &shielded), Err(Denied::NotTheirs));
        assert!(may(&nurse, Action::BreakGlass, &shielded).is_ok());
        assert!(may(&Viewer { glass: vec![PersonId(1)], ..nurse.clone() }, Action::SeePerson, &shielded).is_ok());
        assert!(may(&Viewer { sees_shielded: true, ..nurse.clone() }, Action::SeePerson, &shielded).is_ok());
        assert!(may(&Viewer { sees_shielded: true, ..nurse.clone() }, Action::Allocate, &shielded).is_ok());
        assert!(may(&Viewer { sees_shielded: true, ..nurse }, Action::Allocate, &subject()).is_err());
        let theirs = Subject { supporter: Some(StaffId("me".into())), ..shielded };
        assert!(may(&viewer(Role::Supporter), Action::SeePerson, &theirs).is_ok());
    }

    #[test]
    fn a_partners_coordinator_sees_the_partners_part() {
        let partner = |inside_at: Vec<SiteId>| Some(Partner { supporters: vec![StaffId("theirs".into())], inside_at });
        let inside = Viewer { partner: partner(vec![SiteId("here".into())]), ..viewer(Role::Coordinator) };
        let outside = Viewer { partner: partner(Vec::new()), ..inside.clone() };
        let waiting = Subject { supporter: None, unallocated: true, ..subject() };
        let theirs = Subject { supporter: Some(StaffId("theirs".into())), ..subject() };
        assert!(may(&inside, Action::SeePerson, &waiting).is_ok());
        assert!(may(&outside, Action::SeePerson, &waiting).is_err(), "outside the team nobody is known before they are allocated");
        assert!(may(&outside, Action::SeePerson, &theirs).is_ok());
        assert!(may(&inside, Action::SeePerson, &subject()).is_err(), "another partner's");
    }

    proptest! {
        #[test]
        fn a_list_holds_whom_its_reader_may_see_and_nobody_else(
            role in 0..Role::ALL.len(), action in 0..Action::ALL.len(), site in 0..2_u8, clinic_only: bool, supporter in 0..3_u8,
            unallocated: bool, shielded: bool, sees_shielded: bool, glass: bool, own: bool, partner in 0..3_u8, cleared: bool,
        ) {
            let here = SiteId("here".into());
            let who = Viewer {
                sees_shielded,
                cleared,
                glass: if glass { vec![PersonId(1)] } else { Vec::new() },
                own: if own { vec![PersonId(1)] } else { Vec::new() },
                partner: (partner > 0).then(|| Partner {
                    supporters: vec![StaffId("theirs".into())],
                    inside_at: if partner > 1 { vec![here.clone()] } else { Vec::new() },
                }),
                ..viewer(Role::ALL[role])
            };
            let supporter = [None, Some(StaffId("me".into())), Some(StaffId("theirs".into()))][usize::from(supporter)].clone();
            let about = Subject {
                site: if site == 0 { here.clone() } else { SiteId("there".into()) },
                unallocated: unallocated && supporter.is_none(),
                clinic_only, supporter, shielded, ..subject()
            };
            let action = Action::ALL[action];
            // A list is never narrowed to the shielded, and breaking the glass is about one person.
            prop_assume!(reach(who.role, action) != Reach::ShieldedOnly && action != Action::BreakGlass);
            let held = scope(&who, action, &here).is_ok_and(|scope| scope.holds(&about));
            prop_assert_eq!(held, may(&who, action, &about).is_ok());
        }
    }
}
