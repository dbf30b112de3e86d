//! How somebody may be contacted without giving anything away: said first on every page about them.
//!
//! No number and no address stand here: those are the record's. What stands here is what a stranger at the other end may
//! learn, which is nothing.

use crate::coded;
use crate::field::{Problem, needed, words};

coded! {
    /// By what to get in touch.
    pub enum Channel {
        Sms = "sms", "text message";
        Call = "call", "telephone call";
        Email = "email", "email";
        Letter = "letter", "letter";
        App = "app", "message in an app";
        /// They get in touch themselves.
        Nothing = "none", "do not contact: they get in touch";
    }
}

coded! {
    /// When.
    pub enum Hours {
        Mornings = "mornings", "mornings";
        Afternoons = "afternoons", "afternoons";
        Evenings = "evenings", "evenings";
        Weekends = "weekends", "weekends";
    }
}

/// The longest name to say.
pub const NAME_CHARACTERS_MAX: usize = 40;
/// The longest words about hours, and about who may answer.
pub const LINE_CHARACTERS_MAX: usize = 80;
/// The longest notes.
pub const NOTES_CHARACTERS_MAX: usize = 200;

/// What is given to be kept, not yet checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SafeContactForm {
    /// By what; must be chosen.
    pub channel: Option<Channel>,
    /// When; none chosen is at any hour.
    pub hours: Vec<Hours>,
    /// More about hours, in words.
    pub hours_words: String,
    /// Who else may answer.
    pub who_may_answer: String,
    /// Whether a message may be left; must be chosen.
    pub voicemail: Option<bool>,
    /// What name to say when somebody answers.
    pub name_to_say: String,
    /// What else matters.
    pub notes: String,
}

/// How somebody may be contacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeContact {
    /// By what.
    pub channel: Channel,
    /// When, each once, in the order of the day; none is at any hour.
    pub hours: Vec<Hours>,
    /// More about hours, in words; may be empty.
    pub hours_words: String,
    /// Who else may answer; empty is nobody but they themselves.
    pub who_may_answer: String,
    /// Whether a message may be left.
    pub voicemail: bool,
    /// What name to say when somebody answers; needed for calls.
    pub name_to_say: String,
    /// What else matters; may be empty.
    pub notes: String,
}

impl SafeContact {
    /// Checks what was given.
    ///
    /// # Errors
    /// Every field with what is wrong.
    pub fn new(form: &SafeContactForm) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut line = |outcome: Result<String, Problem>| {
            outcome.unwrap_or_else(|problem| {
                problems.push(problem);
                String::new()
            })
        };
        let name = if form.channel == Some(Channel::Call) {
            needed("name_to_say", &form.name_to_say, NAME_CHARACTERS_MAX, "Enter the name to say when somebody answers")
        } else {
            words("name_to_say", &form.name_to_say, NAME_CHARACTERS_MAX)
        };
        let name_to_say = line(name);
        let hours_words = line(words("hours_words", &form.hours_words, LINE_CHARACTERS_MAX));
        let who_may_answer = line(words("who_may_answer", &form.who_may_answer, LINE_CHARACTERS_MAX));
        let notes = line(words("notes", &form.notes, NOTES_CHARACTERS_MAX));
        if form.channel.is_none() {
            problems.push(Problem::new("channel", "Choose how to get in touch"));
        }
        if form.voicemail.is_none() {
            problems.push(Problem::new("voicemail", "Choose whether a message may be left"));
        }
        let mut hours = form.hours.clone();
        hours.sort_unstable();
        hours.dedup();
        match (form.channel, form.voicemail) {
            (Some(channel), Some(voicemail)) if problems.is_empty() => {
                Ok(Self { channel, hours, hours_words, who_may_answer, voicemail, name_to_say, notes })
            }
            _ => Err(problems),
        }
    }

    /// What was given, to be changed in a form.
    #[must_use]
    pub fn form(&self) -> SafeContactForm {
        SafeContactForm {
            channel: Some(self.channel),
            hours: self.hours.clone(),
            hours_words: self.hours_words.clone(),
            who_may_answer: self.who_may_answer.clone(),
            voicemail: Some(self.voicemail),
            name_to_say: self.name_to_say.clone(),
            notes: self.notes.clone(),
        }
    }

    /// When, in words: `evenings and weekends, after 6pm`, `at any hour`.
    #[must_use]
    pub fn when(&self) -> String {
        let hours: Vec<&str> = self.hours.iter().map(|hours| hours.words()).collect();
        let chosen = match hours.split_last() {
            None if self.hours_words.is_empty() => return "at any hour".to_owned(),
            None => String::new(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        };
        let separator = if chosen.is_empty() || self.hours_words.is_empty() { "" } else { ", " };
        format!("{chosen}{separator}{}", self.hours_words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> SafeContactForm {
        SafeContactForm {
            channel: Some(Channel::Call),
            hours: vec![Hours::Weekends, Hours::Evenings, Hours::Weekends],
            voicemail: Some(false),
            name_to_say: " Sam from the book club ".into(),
            ..SafeContactForm::default()
        }
    }

    #[test]
    fn what_is_given_is_tidied_and_reads_back() {
        let kept = SafeContact::new(&form()).unwrap();
        assert_eq!(
            (kept.hours.as_slice(), kept.name_to_say.as_str()),
            ([Hours::Evenings, Hours::Weekends].as_slice(), "Sam from the book club")
        );
        assert_eq!(SafeContact::new(&kept.form()), Ok(kept));
    }

    #[test]
    fn every_wrong_field_is_told() {
        let fields = |form: &SafeContactForm| -> Vec<&str> {
            SafeContact::new(form).unwrap_err().into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(fields(&SafeContactForm::default()), ["channel", "voicemail"]);
        assert_eq!(fields(&SafeContactForm { name_to_say: "  ".into(), ..form() }), ["name_to_say"]);
        let long = |count: usize| "é".repeat(count);
        assert_eq!(fields(&SafeContactForm { name_to_say: long(41), notes: long(201), ..form() }), ["name_to_say", "notes"]);
        assert_eq!(
            fields(&SafeContactForm { hours_words: long(81), who_may_answer: long(81), ..form() }),
            ["hours_words", "who_may_answer"]
        );
        let at_most =
            SafeContactForm { name_to_say: long(40), notes: long(200), hours_words: long(80), who_may_answer: long(80), ..form() };
        assert!(SafeContact::new(&at_most).is_ok());
    }

    #[test]
    fn hours_are_a_phrase() {
        let when = |hours: &[Hours], words: &str| {
            SafeContact::new(&SafeContactForm { hours: hours.to_vec(), hours_words: words.into(), ..form() }).unwrap().when()
        };
        assert_eq!(when(&[], ""), "at any hour");
        assert_eq!(when(&[], "never on Fridays"), "never on Fridays");
        assert_eq!(when(&[Hours::Evenings], ""), "evenings");
        assert_eq!(when(&[Hours::Mornings, Hours::Evenings, Hours::Weekends], "after ten"), "mornings, evenings and weekends, after ten");
    }
}
