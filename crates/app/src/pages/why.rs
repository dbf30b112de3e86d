//! Why a person was referred: message, rule, decision, notice.

use alongside_domain::access::Action;
use alongside_domain::contact;
use alongside_domain::decision::{Actor, Cause, Event, What};
use alongside_domain::id::ReferralId;
use alongside_domain::notice::How;
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::question;
use alongside_domain::referral::{EndReason, HoldReason};
use alongside_domain::trigger::{Exclusion, Kind, Trigger};
use alongside_store::messages;
use jiff::civil::Date;

use super::words;
use crate::desk::Desk;
use crate::people::{Why, why_of};
use crate::{App, Failure};

/// The page that answers "why was this person referred?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyPage {
    /// The referral's id.
    pub referral: String,
    /// The person's page.
    pub person: String,
    /// Title of the site.
    pub site_title: String,
    /// `newly diagnosed`.
    pub reason: String,
    /// Where the referral stands.
    pub stage: String,
    /// Whether only the clinic may see it.
    pub clinic_only: bool,
    /// Message, rule, decision, notice, in this order.
    pub steps: Vec<Step>,
    /// Everything that happened since, oldest first: when, what, by whom.
    pub since: Vec<(String, String, String)>,
}

/// One step of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `The message`, `The rule`, `The decision`, `The notice`.
    pub heading: &'static str,
    /// What it says, in sentences.
    pub sentences: Vec<String>,
    /// Details: term and value.
    pub details: Vec<(&'static str, String)>,
}

impl Desk {
    /// The page that answers why a referral exists.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for none, and for one of somebody who is not theirs; the store's.
    pub fn why_page(&self, id: ReferralId) -> Result<WhyPage, Failure> {
        let desk = self.clone();
        self.disclose(Action::SeePerson, None, move |tx, seen| {
            desk.admit_to(tx, seen, Action::SeePerson, id)?;
            Ok(desk.app().why_words(id, why_of(tx, id)?))
        })
    }
}

impl App {
    fn why_words(&self, id: ReferralId, why: Why) -> WhyPage {
        let site = self.setup.sites.get(&why.referral.site.0);
        let audience = why.referral.audience();
        WhyPage {
            referral: id.to_string(),
            person: format!("/people/{}", why.referral.person),
            site_title: site.map_or_else(|| why.referral.site.0.clone(), |site| site.title.clone()),
            reason: why.referral.reason.words().to_owned(),
            stage: words::sentence(why.referral.status.stage().words()),
            clinic_only: audience == alongside_domain::referral::Audience::ClinicOnly,
            steps: self.steps(&why),
            since: why.events.iter().map(|event| self.event_line(event)).collect(),
        }
    }

    fn steps(&self, why: &Why) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (trigger, message) in &why.triggers {
            steps.push(self.origin_step(trigger, message.as_ref(), &why.events));
            steps.push(rule_step(trigger));
        }
        if let Some(raised) = why.events.iter().find(|event| event.what == What::ReferralRaised) {
            steps.push(self.decision_step(raised));
        }
        steps.push(self.notice_step(why));
        steps
    }

    /// Where it came from: the message, or the form or list that took its place.
    fn origin_step(&self, trigger: &Trigger, message: Option<&messages::Line>, events: &[Event]) -> Step {
        let Some(message) = message else {
            let cause = events.iter().find(|event| event.at == trigger.at).map_or(Cause::Form, |event| event.cause);
            let from = match cause {
                Cause::Import(id) => format!("No message: a row of an imported spreadsheet ({id})."),
                Cause::Message(_) | Cause::Form => "No message: somebody filled in a form.".to_owned(),
                Cause::Request => "No message: a system of the hospital asked, by its own order.".to_owned(),
                Cause::Clock => "No message: a day had come.".to_owned(),
            };
            return Step { heading: "The cause", sentences: vec![from], details: Vec::new() };
        };
        Step {
            heading: "The message",
            sentences: vec![format!("{} sent a message.", self.feed_words(&message.feed))],
            details: vec![
                ("Type", message.kind.clone()),
                ("Received", words::moment(message.received_at)),
                ("Sender’s number", message.control_id.clone()),
                ("Our number", message.id.to_string()),
            ],
        }
    }

    fn decision_step(&self, raised: &Event) -> Step {
        let stage = raised.stage.map(|stage| format!("It began as “{}”.", stage.words()));
        let by = format!("A referral was raised on {}.", words::moment(raised.at));
        Step {
            heading: "The decision",
            sentences: [Some(by), stage].into_iter().flatten().collect(),
            details: vec![("By", self.actor_sentence(raised))],
        }
    }

    fn notice_step(&self, why: &Why) -> Step {
        let heading = "The notice";
        let Some(notice) = &why.referral.notice else {
            let sentence = "Not recorded yet. Until a clinician records that the person knows the diagnosis and has been told about \
                            peer support, only the clinic sees this referral.";
            return Step { heading, sentences: vec![sentence.to_owned()], details: Vec::new() };
        };
        let told = format!("The person knows the diagnosis and was told about peer support {}.", notice.how.words());
        let mut details = vec![("Told on", words::day(notice.on)), ("Recorded by", self.setup.name_of(&notice.by.0))];
        if let Some(released) = why.referral.released_on {
            details.push(("Released to the team", words::day(released)));
        }
        let consent = if why.referral.consents_to_outside { "given" } else { "not asked, or not given" };
        details.push(("Consent to partners outside the clinic’s team", consent.to_owned()));
        Step { heading, sentences: vec![told], details }
    }

    fn event_line(&self, event: &Event) -> (String, String, String) {
        (words::moment(event.at), self.event_words(event), self.actor_sentence(event))
    }

    /// Who acted, to stand alone.
    pub(super) fn actor_sentence(&self, event: &Event) -> String {
        match &event.actor {
            Actor::Feed(feed) => self.feed_words(feed),
            actor => words::sentence(&self.actor_words(actor)),
        }
    }

    /// What happened, with its detail.
    pub(super) fn event_words(&self, event: &Event) -> String {
        let what = words::sentence(event.what.words());
        self.detail_words(event).map_or_else(|| what.clone(), |detail| format!("{what}: {detail}"))
    }

    /// A coded detail in words; `None` where there is none, or none that a page should show.
    fn detail_words(&self, event: &Event) -> Option<String> {
        let detail = event.detail.as_deref()?;
        let coded = |words: Option<&'static str>| words.map(str::to_owned);
        match event.what {
            What::TriggerNoted | What::ReferralRaised | What::ReferralJoined => coded(Kind::from_code(detail).map(Kind::words)),
            What::TriggerExcluded => coded(Exclusion::from_code(detail).map(Exclusion::words)),
            What::NoticeRecorded => coded(How::from_code(detail).map(How::words)),
            What::Deferred => detail.parse::<Date>().ok().map(|until| format!("until {}", words::day(until))),
            What::OptedOut => {
                coded(ObjectionReason::from_code(detail).map(ObjectionReason::words).or_else(|| Scope::from_code(detail).map(Scope::words)))
            }
            What::Allocated | What::Reallocated => Some(self.setup.name_of(detail)),
            What::ContactRecorded => coded(contact::Outcome::from_code(detail).map(contact::Outcome::words)),
            What::AssessmentRecorded => Some(self.instrument_title(detail)),
            What::Held => coded(HoldReason::from_code(detail).map(HoldReason::words)),
            What::Ended => coded(EndReason::from_code(detail).map(EndReason::words)),
            What::QuestionRaised => coded(question::Kind::from_code(detail).map(question::Kind::words)),
            What::QuestionAnswered => coded(question::Answer::from_code(detail).map(question::Answer::words)),
            What::DiagnosisNoted => match detail {
                "new" => Some("new".to_owned()),
                "known" => Some("known before".to_owned()),
                _ => Some("the messages cannot tell whether it is new".to_owned()),
            },
            What::PersonAdded
            | What::DetailsChanged
            | What::Released
            | What::AskedAgain
            | What::ObjectionTakenBack
            | What::Engaged
            | What::SupportBegan
            | What::Resumed
            | What::Died
            | What::AttendanceNoted
            | What::AttendanceMissed
            | What::AttendanceCancelled
            | What::ResultWithdrawn
            | What::Merged
            | What::Unmerged
            | What::LetterQueued
            | What::LettersCancelled
            | What::ImportUndone => None,
        }
    }

    pub(super) fn instrument_title(&self, id: &str) -> String {
        self.setup.instruments.get(id).map_or_else(|| id.to_owned(), |instrument| instrument.definition().title.clone())
    }
}

fn rule_step(trigger: &Trigger) -> Step {
    Step {
        heading: "The rule",
        sentences: vec![format!("{}.", words::sentence(trigger.rule.words()))],
        details: vec![
            ("Rule", trigger.rule.code().to_owned()),
            ("What happened", words::sentence(trigger.kind.words())),
            ("On", words::day(trigger.on)),
        ],
    }
}

#[cfg(test)]
mod tests {
    use crate::pages::testing;

    #[test]
    fn the_answer_goes_from_the_message_by_the_rule_and_the_decision_to_the_notice() {
        let (app, person, _database) = testing::with_somebody_awaiting_notice();
        let record = app.record(person).unwrap();
        let page = app.desk("nurse-aoife").unwrap().why_page(record.referrals[0].id).unwrap();
        let headings: Vec<_> = page.steps.iter().map(|step| step.heading).collect();
        assert_eq!(headings, ["The message", "The rule", "The decision", "The notice"]);
        assert_eq!(page.steps[0].details[0], ("Type", "ORU^R01".to_owned()));
        assert_eq!(page.steps[1].details[0].1, "confirmed-result");
        assert!(page.clinic_only && page.steps[3].details.is_empty());
    }

    #[test]
    fn no_step_of_the_answer_names_the_person() {
        let (app, person, _database) = testing::with_somebody_awaiting_notice();
        let record = app.record(person).unwrap();
        let page = format!("{:?}", app.desk("nurse-aoife").unwrap().why_page(record.referrals[0].id).unwrap());
        for secret in [&record.person.given, &record.person.family].into_iter().flatten() {
            assert!(!page.contains(secret.as_str()));
        }
    }
}
