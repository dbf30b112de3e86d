//! What goes into a decision and what comes out of it.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::coded;
use crate::contact::{Assessment, Contact};
use crate::id::{EventId, Ids, ImportId, MessageId, OutgoingId, PersonId, ReferralId};
use crate::policy::Policy;
use crate::record::Record;
use crate::referral::Stage;
use crate::supporter::{Role, StaffId};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A feed, by its key.
    Feed(String),
    /// Somebody who works in the service.
    Staff {
        /// Their key.
        id: StaffId,
        /// The role in which they act.
        role: Role,
    },
    /// The person supported.
    Person,
    /// Time passing.
    Clock,
    /// Somebody at the command line of the server.
    Operator,
}

impl Actor {
    /// The member of staff, where it is one.
    #[must_use]
    pub const fn staff(&self) -> Option<&StaffId> {
        match self {
            Self::Staff { id, .. } => Some(id),
            Self::Feed(_) | Self::Person | Self::Clock | Self::Operator => None,
        }
    }

    /// Whether a member of staff acts in this role.
    #[must_use]
    pub fn is(&self, wanted: Role) -> bool {
        matches!(self, Self::Staff { role, .. } if *role == wanted)
    }
}

/// By what something came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A message.
    Message(MessageId),
    /// A form that somebody filled in.
    Form,
    /// A request of a hospital's system, over FHIR.
    Request,
    /// A row of an imported spreadsheet.
    Import(ImportId),
    /// Time passing.
    Clock,
}

/// Who, when, why, and by which agreed values: everything a decision may depend on besides the record itself.
pub struct Context<'a> {
    /// Now.
    pub at: Timestamp,
    /// The day at the site's clock (Europe/London).
    pub today: Date,
    /// Who acts.
    pub actor: Actor,
    /// By what.
    pub cause: Cause,
    /// Agreed values.
    pub policy: &'a Policy,
    /// Where new ids come from.
    pub ids: &'a mut dyn Ids,
}

coded! {
    /// What happened, in the past tense: the journal's vocabulary.
    pub enum What {
        PersonAdded = "person-added", "became known to the service";
        DetailsChanged = "details-changed", "details changed";
        DiagnosisNoted = "diagnosis-noted", "a diagnosis was noted";
        TriggerNoted = "trigger-noted", "a trigger was noted";
        TriggerExcluded = "trigger-excluded", "a trigger was set aside with a reason";
        ReferralRaised = "referral-raised", "referral raised";
        ReferralJoined = "referral-joined", "a further trigger joined the referral";
        NoticeRecorded = "notice-recorded", "told about peer support";
        Released = "released", "released to the peer-support team";
        Deferred = "deferred", "deferred: not now";
        AskedAgain = "asked-again", "to be asked again";
        OptedOut = "opted-out", "opted out";
        ObjectionTakenBack = "objection-taken-back", "objection taken back";
        Allocated = "allocated", "allocated to a supporter";
        Reallocated = "reallocated", "reallocated to another supporter";
        ContactRecorded = "contact-recorded", "contact recorded";
        Engaged = "engaged", "first conversation";
        AssessmentRecorded = "assessment-recorded", "assessment recorded";
        SupportBegan = "support-began", "support began";
        Held = "held", "stopped, waits for a person";
        Resumed = "resumed", "resumed";
        Ended = "ended", "ended";
        QuestionRaised = "question-raised", "a question was raised";
        QuestionAnswered = "question-answered", "a question was answered";
        Died = "died", "died";
        AttendanceNoted = "attendance-noted", "attended clinic";
        AttendanceMissed = "attendance-missed", "missed clinic";
        AttendanceCancelled = "attendance-cancelled", "attendance cancelled";
        ResultWithdrawn = "result-withdrawn", "a result was withdrawn";
        Merged = "merged", "records merged";
        Unmerged = "unmerged", "merge taken back";
        LetterQueued = "letter-queued", "letter queued";
        LettersCancelled = "letters-cancelled", "letters cancelled";
        ImportUndone = "import-undone", "import undone";
    }
}

/// A line of the journal. Its detail is coded, never free text about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Our identifier.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// Who acted.
    pub actor: Actor,
    /// By what.
    pub cause: Cause,
    /// About whom.
    pub person: PersonId,
    /// In which referral.
    pub referral: Option<ReferralId>,
    /// What happened.
    pub what: What,
    /// The referral's stage after this event, where the event moved it.
    pub stage: Option<Stage>,
    /// A coded detail: a reason, a rule, a key.
    pub detail: Option<String>,
}

/// Something to be sent. Queued here, handed on later, cancelled by an objection or a death.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Our identifier.
    pub id: OutgoingId,
    /// To whom. One message, one person: there is no other kind.
    pub person: PersonId,
    /// In which referral.
    pub referral: ReferralId,
    /// Not before this instant.
    pub not_before: Timestamp,
}

/// What is to be done besides keeping the new state, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Queue a letter.
    Queue(Outgoing),
    /// Cancel whatever is queued for this person.
    CancelQueued(PersonId),
}

/// The answer of the rules: the new state, what happened, what to add and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The record as it is now.
    pub record: Record,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What is to be done.
    pub effects: Vec<Effect>,
    /// Contacts to keep.
    pub contacts: Vec<Contact>,
    /// Assessments to keep.
    pub assessments: Vec<Assessment>,
}

impl Decision {
    /// Nothing has happened yet.
    #[must_use]
    pub const fn unchanged(record: Record) -> Self {
        Self { record, events: Vec::new(), effects: Vec::new(), contacts: Vec::new(), assessments: Vec::new() }
    }

    /// Writes a line of the journal.
    pub fn note(&mut self, ctx: &mut Context<'_>, what: What, referral: Option<(ReferralId, Option<Stage>)>, detail: Option<&str>) {
        let id = EventId::new(ctx.ids);
        self.events.push(Event {
            id,
            at: ctx.at,
            actor: ctx.actor.clone(),
            cause: ctx.cause,
            person: self.record.person.id,
            referral: referral.map(|(id, _)| id),
            what,
            stage: referral.and_then(|(_, stage)| stage),
            detail: detail.map(str::to_owned),
        });
    }
}

coded! {
    /// Why a command was refused: the rule, in words.
    pub enum Refusal {
        NotInThisState = "not-in-this-state", "This cannot be done at the referral's present stage.";
        NotAClinician = "not-a-clinician", "Only a named clinician of the clinic can do this.";
        NotTheSafeguardingLead = "not-the-safeguarding-lead", "Only the clinic's safeguarding lead can answer this.";
        NotPermitted = "not-permitted", "This is not for your role.";
        DiagnosisNotKnownToPerson = "diagnosis-not-known", "Notice needs a statement that the person knows the diagnosis.";
        NotToldOfSupport = "not-told", "Notice needs a statement that the person has been told about peer support.";
        DateInTheFuture = "date-in-the-future", "The date is in the future.";
        DateTooEarly = "date-too-early", "The date is before the referral began.";
        DeferralTooLong = "deferral-too-long", "A deferral needs a date in the future, not further away than the agreed longest deferral.";
        OptedOut = "opted-out", "The person has opted out.";
        ConsentNeeded = "consent-needed", "This supporter works outside the clinic's team: recorded explicit consent is needed first.";
        OutsideRefused = "outside-refused", "The person objects to support from outside the clinic's team.";
        NotAtThisSite = "not-at-this-site", "The supporter does not work at this site.";
        ContractOver = "contract-over", "The supporter's honorary contract does not cover this day.";
        NotCleared = "not-cleared", "The supporter’s training or DBS check is not in date.";
        CaseloadFull = "caseload-full", "The supporter's caseload is full.";
        SameSupporter = "same-supporter", "The referral is with this supporter already.";
        NotTheirSupporter = "not-their-supporter", "The contact must be recorded by a supporter who works at this site.";
        TooManyMinutes = "too-many-minutes", "A contact is at most 600 minutes long.";
        NoteTooLong = "note-too-long", "A note has at most 2000 characters.";
        ConversationFirst = "conversation-first", "An assessment needs a first conversation.";
        Died = "died", "The person has died.";
        NothingToTakeBack = "nothing-to-take-back", "There is no objection to take back.";
        WrongAnswer = "wrong-answer", "This is not an answer to that question.";
        AlreadyAnswered = "already-answered", "The question has been answered.";
        AlreadyAcknowledged = "already-acknowledged", "Somebody has taken this on already.";
        MergedAway = "merged-away", "This record was merged into another.";
        DifferentSites = "different-sites", "Records of different sites are never merged.";
        NotFound = "not-found", "There is no such thing here.";
    }
}

impl std::error::Error for Refusal {}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("at", &self.at).field("actor", &self.actor).finish_non_exhaustive()
    }
}
