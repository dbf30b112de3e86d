//! Somebody else under a number of a closed record. Whoever may not know of that record gets what a number that nobody has
//! would bring: a record of its own. Those who look after closed records are asked whether the two are one person.

use alongside_domain::decision::Context;
use alongside_domain::id::PersonId;
use alongside_domain::person::Identifier;
use alongside_domain::record::Record;
use alongside_domain::rules::merging::ask_whether_same;
use alongside_store::Tx;

use crate::{App, Failure};

/// The same numbers where a record of its own holds them, beside the one to which they belong.
pub(crate) fn beside(identifiers: &[Identifier]) -> Vec<Identifier> {
    identifiers.iter().map(|held| Identifier { system: format!("{}:beside", held.system), value: held.value.clone() }).collect()
}

impl App {
    /// Asks those who look after a closed record whether another one, which stands beside it, is the same person.
    pub(crate) fn ask_beside(&self, tx: &mut Tx<'_>, closed: &Record, other: PersonId, ctx: &mut Context<'_>) -> Result<(), Failure> {
        match ask_whether_same(closed.clone(), other, ctx) {
            Some(asked) => self.keep(tx, Some(closed), &asked),
            None => Ok(()),
        }
    }
}
