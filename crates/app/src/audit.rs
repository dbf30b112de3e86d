//! The audit as a whole: its newest line, and whether it is as it was written.

use alongside_store::audit::{self, AuditKey, Head, Verdict};

use crate::{App, Failure};

/// The secrets of an installation. They are kept in a file of their own, never in the database.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Under which the lines of the audit are chained.
    pub audit: AuditKey,
}

impl App {
    /// The newest line of the audit: what is written down outside the database.
    ///
    /// # Errors
    /// The store's.
    pub fn audit_head(&self) -> Result<Option<Head>, Failure> {
        Ok(self.store.read(audit::head)?)
    }

    /// Walks the whole audit, on one stable state. `heads` are those that were written down outside.
    ///
    /// # Errors
    /// The store's. That something was tampered with is no error.
    pub fn verify_audit(&self, heads: &[Head]) -> Result<Verdict, Failure> {
        Ok(self.store.read(|tx| audit::verify(tx, &self.keys.audit, heads))?)
    }
}
