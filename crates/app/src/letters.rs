//! Letters that are due: prepared, marked as handed on, then released. An objection that comes before the mark stops the
//! letter; a crash at any point neither loses one nor lets one leave twice.

use alongside_domain::id::OutgoingId;
use alongside_store::journal;

use crate::{App, Failure};

/// Where letters leave.
pub trait Post {
    /// Makes a letter ready, durably, without letting it leave.
    ///
    /// # Errors
    /// Where it cannot be made ready.
    fn prepare(&mut self, letter: &Letter) -> Result<(), Failure>;
    /// Lets a prepared letter leave.
    ///
    /// # Errors
    /// Where it cannot.
    fn release(&mut self, id: OutgoingId) -> Result<(), Failure>;
    /// Removes a prepared letter that must not leave.
    ///
    /// # Errors
    /// Where it cannot.
    fn discard(&mut self, id: OutgoingId) -> Result<(), Failure>;
    /// Letters that a crash left prepared.
    ///
    /// # Errors
    /// Where they cannot be told.
    fn prepared(&mut self) -> Result<Vec<OutgoingId>, Failure>;
}

/// A letter to one person, in words that give nothing away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Number of the letter.
    pub id: OutgoingId,
    /// The person's given name.
    pub given: String,
}

impl Letter {
    /// The text: it names neither a condition nor a clinic nor a charity.
    #[must_use]
    pub fn text(&self) -> String {
        let name = if self.given.is_empty() { "Hello".to_owned() } else { format!("Dear {}", self.given) };
        format!(
            "{name},\n\nWe spoke about some company and support. If you would like a call, tell us when is a good time.\n\
             If not, do nothing: we will not write again unless you ask.\n"
        )
    }
}

impl App {
    /// Hands on the letters that are due, and tells how many left.
    ///
    /// # Errors
    /// The post's or the store's; what was not handed on stays queued.
    pub fn dispatch(&self, post: &mut dyn Post) -> Result<u64, Failure> {
        self.finish_after_a_crash(post)?;
        let now = self.world.now();
        let mut left = 0;
        for due in self.store.read(|tx| journal::outgoing_due(tx, now))? {
            let (id, given) = (due.id, self.record(due.person)?.person.given.unwrap_or_default());
            post.prepare(&Letter { id, given })?;
            if self.store.write(move |tx| journal::hand_on(tx, id, now))? {
                post.release(id)?;
                left += 1;
            } else {
                post.discard(id)?;
            }
        }
        Ok(left)
    }

    fn finish_after_a_crash(&self, post: &mut dyn Post) -> Result<(), Failure> {
        for id in post.prepared()? {
            if self.store.read(|tx| journal::is_handed(tx, id))? { post.release(id)? } else { post.discard(id)? }
        }
        Ok(())
    }
}
