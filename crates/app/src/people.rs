//! Why: what led to a referral, from the message to the notice.

use alongside_domain::decision::{Actor, Event};
use alongside_domain::id::ReferralId;
use alongside_domain::referral::Referral;
use alongside_domain::trigger::Trigger;
use alongside_store::{Tx, journal, messages, reading};

use crate::{App, Failure, london_time};

/// The answer to "why was this person referred?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The referral.
    pub referral: Referral,
    /// Its triggers, each with the message that brought it, where one did.
    pub triggers: Vec<(Trigger, Option<messages::Line>)>,
    /// What happened to it, oldest first.
    pub events: Vec<Event>,
}

impl App {
    /// Why a referral exists, and what became of it.
    ///
    /// # Errors
    /// [`Failure::NotFound`], or the store's.
    pub fn why(&self, id: ReferralId) -> Result<Why, Failure> {
        self.store.read(|tx| why_of(tx, id))
    }

    /// Who acted, in words.
    #[must_use]
    pub fn actor_words(&self, actor: &Actor) -> String {
        match actor {
            Actor::Feed(feed) => format!("feed {feed}"),
            Actor::Staff { id, role } => format!("{}, {}", self.setup.name_of(&id.0), role.words()),
            Actor::Person => "the person".to_owned(),
            Actor::Clock => "the clock".to_owned(),
            Actor::Operator => "an operator".to_owned(),
        }
    }
}

pub(crate) fn why_of(tx: &mut Tx<'_>, id: ReferralId) -> Result<Why, Failure> {
    let referral = reading::referral(tx, id)?.ok_or(Failure::NotFound)?;
    let mut triggers = Vec::new();
    for trigger in reading::triggers_of(tx, id)? {
        let message = match trigger.message {
            Some(message) => messages::read(tx, message)?,
            None => None,
        };
        triggers.push((trigger, message));
    }
    Ok(Why { referral, triggers, events: journal::of_referral(tx, id)? })
}

impl Why {
    /// The answer as text, without names of the person or results.
    #[must_use]
    pub fn to_text(&self, app: &App) -> String {
        let mut lines = vec![format!("{}: {}, at {}", self.referral.id, self.referral.status.stage().words(), self.referral.site)];
        for (trigger, message) in &self.triggers {
            if let Some(message) = message {
                let at = london_time(message.received_at).strftime("%Y-%m-%d %H:%M");
                lines.push(format!(
                    "message   {} {} from feed {}, control id {}, received {at}",
                    message.id, message.kind, message.feed, message.control_id
                ));
            }
            lines.push(format!("rule      {}: {}", trigger.rule, trigger.rule.words()));
            lines.push(format!("trigger   {} on {}", trigger.kind.words(), trigger.on));
        }
        match &self.referral.notice {
            Some(notice) => {
                let by = app.setup.name_of(&notice.by.0);
                lines.push(format!("notice    told {} on {}, recorded by {by}", notice.how.words(), notice.on));
            }
            None => lines.push("notice    not recorded yet: only the clinic sees this referral".to_owned()),
        }
        lines.push("decisions".to_owned());
        for event in &self.events {
            let at = london_time(event.at).strftime("%Y-%m-%d %H:%M");
            let stage = event.stage.map(|stage| format!(" → {}", stage.words())).unwrap_or_default();
            let detail = event.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            lines.push(format!("  {at}  {}{detail}{stage}, by {}", event.what.words(), app.actor_words(&event.actor)));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
