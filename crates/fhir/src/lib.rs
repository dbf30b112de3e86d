//! FHIR R4 (4.0.1): what is read and written of it, and nothing of ours.
//!
//! Resources that come in are JSON text: [`reading`] takes them apart with `fhirkit`, which finds every problem with its
//! place, and gives them as plain JSON values whose types hold. Those that go out are built by [`resource`] from plain
//! values. [`search`] reads parameters from a list of those that are allowed; everything else is refused. [`outcome`] says
//! what is wrong, with a place, and never with what stood there.

pub mod bundle;
pub mod outcome;
pub mod questionnaire;
pub mod reading;
pub mod resource;
pub mod search;

pub use outcome::{Code, Issue};
