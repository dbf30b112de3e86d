//! Break-glass: a closed record, or the text of a message, opened with a reason and for a time, and looked at afterwards.

use crate::coded;

coded! {
    /// What information governance finds about a use of break-glass.
    pub enum Finding {
        Justified = "justified", "justified";
        NotJustified = "not-justified", "not justified";
    }
}

/// The fewest characters of a reason: enough for a sentence, so that "x" is no reason.
pub const REASON_CHARS_MIN: usize = 20;
/// The most characters of a reason or a note.
pub const WORDS_CHARS_MAX: usize = 500;
/// Hours for which the text of a message is open: long enough to find a mistake in it, and no longer.
pub const MESSAGE_OPEN_HOURS: i64 = 1;
