//! What people record at the command line: the same as by the forms of the pages, by the same rules.

use std::process::ExitCode;

use alongside_app::{App, Failure, intake, london_date};
use alongside_domain::command::Command;
use alongside_domain::contact::{ContactNote, Outcome, Way};
use alongside_domain::decision::Actor;
use alongside_domain::id::{MergeId, PersonId, QuestionId, ReferralId};
use alongside_domain::notice::{Answer, How, Telling};
use alongside_domain::person::{ObjectionReason, Scope, SiteId};
use alongside_domain::referral::EndReason;
use alongside_domain::supporter::StaffId;
use alongside_domain::{question, trigger};
use clap::{Args, Subcommand};
use jiff::civil::Date;

use crate::output::say;

/// What is recorded. Days are today where none is said; people are named by their local number at a site.
#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    /// Somebody at the clinic, or the person, asks for peer support.
    Referral {
        #[command(flatten)]
        who: Who,
        /// The clinician's key; without one, the person asks.
        #[arg(long)]
        by: Option<String>,
    },
    /// A clinician states that the person knows the diagnosis and was told about peer support.
    Notice {
        /// The referral's number.
        referral: String,
        /// The clinician's key.
        #[arg(long)]
        by: String,
        /// The day of telling.
        #[arg(long)]
        on: Option<Date>,
        /// in-person, telephone or video.
        #[arg(long)]
        how: String,
        /// The person knows the diagnosis.
        #[arg(long)]
        knows_diagnosis: bool,
        /// The person has been told about peer support.
        #[arg(long)]
        told_of_support: bool,
        /// Explicit consent that information goes outside the clinic's team.
        #[arg(long)]
        consents_to_outside: bool,
        /// no-objection, not-now, objects, or objects-outside.
        #[arg(long)]
        answer: String,
        /// With not-now: when to ask again.
        #[arg(long)]
        until: Option<Date>,
        /// With an objection: not-stated, not-interested, has-support, privacy or other.
        #[arg(long, default_value = "not-stated")]
        reason: String,
    },
    /// The person objects. Works at any time and in every state.
    Objection {
        #[command(flatten)]
        who: Who,
        /// all, or outside.
        #[arg(long, default_value = "all")]
        scope: String,
        /// not-stated, not-interested, has-support, privacy or other.
        #[arg(long, default_value = "not-stated")]
        reason: String,
    },
    /// The person takes an objection back.
    TakeBack {
        #[command(flatten)]
        who: Who,
    },
    /// Give a referral to a supporter, or to another one.
    Allocation {
        /// The referral's number.
        referral: String,
        /// The supporter's key.
        #[arg(long)]
        supporter: String,
        /// The coordinator's key.
        #[arg(long)]
        by: String,
    },
    /// A supporter's contact.
    Contact {
        /// The referral's number.
        referral: String,
        /// The supporter's key.
        #[arg(long)]
        supporter: String,
        /// The day.
        #[arg(long)]
        on: Option<Date>,
        /// face-to-face, telephone, video, message or letter.
        #[arg(long)]
        way: String,
        /// conversation, no-answer, left-message, did-not-attend or cancelled.
        #[arg(long)]
        outcome: String,
        /// Length in minutes.
        #[arg(long, default_value_t = 0)]
        minutes: u16,
        /// A few words.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// A completed assessment. Scores are computed.
    Assessment {
        /// The referral's number.
        referral: String,
        /// The supporter's key.
        #[arg(long)]
        supporter: String,
        /// The day.
        #[arg(long)]
        on: Option<Date>,
        /// The instrument, for instance phq4.
        #[arg(long)]
        instrument: String,
        /// An answer, QUESTION=NUMBER; one for each question.
        #[arg(long, value_name = "QUESTION=NUMBER")]
        answer: Vec<String>,
    },
    /// The answer to a question of the clinic's worklist.
    Answer {
        /// The question's number.
        question: String,
        /// The key of whoever answers: a clinician, or the safeguarding lead.
        #[arg(long)]
        by: String,
        /// The answer, for instance known-offer.
        #[arg(long)]
        answer: String,
    },
    /// Two records that were merged were two people after all. `alongside worklist … merges` lists merges.
    Unmerge {
        /// The merge's number.
        merge: String,
        /// The clinician's key.
        #[arg(long)]
        by: String,
    },
    /// The end of a referral.
    End {
        /// The referral's number.
        referral: String,
        /// Who ends it.
        #[arg(long)]
        by: String,
        /// completed, chose-to-stop, moved, transferred, referred-on, not-reached or entered-in-error.
        #[arg(long)]
        reason: String,
        /// The day.
        #[arg(long)]
        on: Option<Date>,
    },
}

/// A person as clinics name them.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// The site.
    #[arg(long)]
    site: String,
    /// The local number.
    #[arg(long)]
    number: String,
}

impl Who {
    fn find(&self, app: &App) -> Result<PersonId, Failure> {
        intake::person_by_number(&app.store, &SiteId(self.site.clone()), &self.number)
    }
}

/// Records it, by the rules that every form obeys.
///
/// # Errors
/// A value that is none, the rule that refuses it, or the store's failure.
pub(crate) fn run(app: &App, what: &Record) -> Result<ExitCode, Failure> {
    let today = london_date(app.world.now());
    match what {
        Record::Referral { who, by } => {
            let (kind, actor) = match by {
                Some(by) => (trigger::Kind::ClinicRequest, app.actor(by)?),
                None => (trigger::Kind::SelfReferral, Actor::Person),
            };
            app.command(who.find(app)?, Command::Refer { kind, on: today }, actor)
        }
        Record::Notice { referral, by, on, how, knows_diagnosis, told_of_support, consents_to_outside, answer, until, reason } => {
            let telling = Telling {
                on: on.unwrap_or(today),
                how: coded("how", how, How::from_code)?,
                knows_diagnosis: *knows_diagnosis,
                told_of_support: *told_of_support,
                consents_to_outside: *consents_to_outside,
                answer: answer_of(answer, *until, reason)?,
            };
            let referral = referral_of(referral)?;
            app.command(app.person_of(referral)?, Command::RecordNotice { referral, telling }, app.actor(by)?)
        }
        Record::Objection { who, scope, reason } => {
            let (scope, reason) = (coded("scope", scope, Scope::from_code)?, coded("reason", reason, ObjectionReason::from_code)?);
            app.command(who.find(app)?, Command::Object { scope, reason }, Actor::Person)
        }
        Record::TakeBack { who } => app.command(who.find(app)?, Command::TakeBackObjection, Actor::Person),
        Record::Allocation { referral, supporter, by } => app.allocate(referral_of(referral)?, supporter, app.actor(by)?),
        Record::Contact { referral, supporter, on, way, outcome, minutes, note } => {
            let note = ContactNote {
                supporter: StaffId(supporter.clone()),
                on: on.unwrap_or(today),
                way: coded("way", way, Way::from_code)?,
                outcome: coded("outcome", outcome, Outcome::from_code)?,
                minutes: *minutes,
                note: note.clone(),
            };
            app.record_contact(referral_of(referral)?, note)
        }
        Record::Assessment { referral, supporter, on, instrument, answer } => {
            let answers = answer.iter().map(|answer| pair(answer)).collect::<Result<_, _>>()?;
            app.record_assessment(referral_of(referral)?, supporter, on.unwrap_or(today), instrument, answers)
        }
        Record::Answer { question, by, answer } => {
            let id: QuestionId = question.parse().map_err(|_| Failure::invalid("question", "is not the number of a question (qst_…)"))?;
            app.answer_question(id, coded("answer", answer, question::Answer::from_code)?, app.actor(by)?)
        }
        Record::Unmerge { merge, by } => {
            let id: MergeId = merge.parse().map_err(|_| Failure::invalid("merge", "is not the number of a merge (mrg_…)"))?;
            app.undo_merge(id, app.actor(by)?)
        }
        Record::End { referral, by, reason, on } => {
            let (referral, reason) = (referral_of(referral)?, coded("reason", reason, EndReason::from_code)?);
            let on = on.unwrap_or(today);
            app.command(app.person_of(referral)?, Command::End { referral, reason, on }, app.actor(by)?)
        }
    }?;
    say("recorded");
    Ok(ExitCode::SUCCESS)
}

fn answer_of(answer: &str, until: Option<Date>, reason: &str) -> Result<Answer, Failure> {
    let reason = coded("reason", reason, ObjectionReason::from_code)?;
    match (answer, until) {
        ("no-objection", None) => Ok(Answer::NoObjection),
        ("not-now", Some(until)) => Ok(Answer::NotNow { until }),
        ("not-now", None) => Err(Failure::invalid("until", "is needed with not-now")),
        ("objects", None) => Ok(Answer::Objects { scope: Scope::All, reason }),
        ("objects-outside", None) => Ok(Answer::Objects { scope: Scope::OutsideOnly, reason }),
        (_, Some(_)) => Err(Failure::invalid("until", "goes with not-now alone")),
        _ => Err(Failure::invalid("answer", "must be no-objection, not-now, objects or objects-outside")),
    }
}

fn pair(text: &str) -> Result<(String, i64), Failure> {
    let (question, number) = text.split_once('=').ok_or_else(|| Failure::invalid("answer", "must be written QUESTION=NUMBER"))?;
    let number = number.parse().map_err(|_| Failure::invalid(question, "is not a number"))?;
    Ok((question.to_owned(), number))
}

fn referral_of(text: &str) -> Result<ReferralId, Failure> {
    text.parse().map_err(|_| Failure::invalid("referral", "is not the number of a referral (ref_…)"))
}

fn coded<T>(place: &str, code: &str, from_code: fn(&str) -> Option<T>) -> Result<T, Failure> {
    from_code(code).ok_or_else(|| Failure::invalid(place, "is not one of the values that --help lists"))
}
