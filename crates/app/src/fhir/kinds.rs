//! The types that are served, and what may be done to each: the one table from which requests are admitted, scopes are read
//! and the CapabilityStatement is written.

use alongside_fhir::search::{Kind as Takes, Parameter};

/// What may be done to a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// Read the present version.
    Read,
    /// Read a version.
    Vread,
    /// Read all versions.
    History,
    /// Search.
    Search,
    /// Create.
    Create,
    /// Update.
    Update,
}

impl Interaction {
    /// Its code (R4, "TypeRestfulInteraction").
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::History => "history-instance",
            Self::Search => "search-type",
            Self::Create => "create",
            Self::Update => "update",
        }
    }

    /// The letter of a scope that allows it (SMART App Launch 2.2, section "Scopes for requesting FHIR Resources").
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Read | Self::Vread | Self::History => 'r',
            Self::Search => 's',
            Self::Create => 'c',
            Self::Update => 'u',
        }
    }
}

/// A type that is served.
#[derive(Debug)]
pub struct Served {
    /// Its name.
    pub name: &'static str,
    /// What may be done.
    pub interactions: &'static [Interaction],
    /// Whether versions are kept, and an update must say which one it changes.
    pub versioned: bool,
    /// What may be searched by.
    pub parameters: &'static [Parameter],
    /// What may come along.
    pub includes: &'static [&'static str],
    /// What refers to it and may come along.
    pub revincludes: &'static [&'static str],
    /// What a reader of the CapabilityStatement must know.
    pub documentation: &'static str,
}

/// What every search takes.
pub(super) const ALWAYS: &[Parameter] = &[
    Parameter { name: "_id", kind: Takes::Token },
    Parameter { name: "_count", kind: Takes::Count },
    Parameter { name: "_format", kind: Takes::Format },
    Parameter { name: PAGE, kind: Takes::Page },
];

/// The parameter that leads to a further page.
pub(super) const PAGE: &str = "page";

const OF_REQUESTS: [Interaction; 5] =
    [Interaction::Read, Interaction::Vread, Interaction::History, Interaction::Search, Interaction::Update];
const REQUEST_INCLUDES: &[&str] = &["ServiceRequest:patient"];
const TASK_INCLUDES: &[&str] = &["Task:focus", "Task:patient"];
const TASK_OF_FOCUS: &[&str] = &["Task:focus"];

/// The types, in the order of their names.
pub static SERVED: [Served; 8] = [
    Served {
        name: "HealthcareService",
        interactions: &[Interaction::Read, Interaction::Search],
        versioned: false,
        parameters: &[],
        includes: &[],
        revincludes: &[],
        documentation: "The service of a site: whom requests are made to.",
    },
    Served {
        name: "Location",
        interactions: &[Interaction::Read, Interaction::Search],
        versioned: false,
        parameters: &[],
        includes: &[],
        revincludes: &[],
        documentation: "The site.",
    },
    Served {
        name: "Organization",
        interactions: &[Interaction::Read, Interaction::Search],
        versioned: false,
        parameters: &[Parameter { name: "identifier", kind: Takes::Token }],
        includes: &[],
        revincludes: &[],
        documentation: "The organisation that runs the site.",
    },
    Served {
        name: "Patient",
        interactions: &[Interaction::Read, Interaction::Search],
        versioned: false,
        parameters: &[Parameter { name: "identifier", kind: Takes::Token }],
        includes: &[],
        revincludes: &[],
        documentation: "Only people of whom this client asked for support. A search needs _id or identifier. A Patient is taken \
                        contained in a ServiceRequest, or with one in a transaction: nobody is kept for whom nothing is asked.",
    },
    Served {
        name: "Questionnaire",
        interactions: &[Interaction::Read, Interaction::Search],
        versioned: false,
        parameters: &[Parameter { name: "url", kind: Takes::Uri }, Parameter { name: "version", kind: Takes::Token }],
        includes: &[],
        revincludes: &[],
        documentation: "The questionnaires that are asked here, with weights and calculated scores (SDC 4.0.0).",
    },
    Served {
        name: "QuestionnaireResponse",
        interactions: &[Interaction::Read, Interaction::Search, Interaction::Create],
        versioned: false,
        parameters: &[
            Parameter { name: "identifier", kind: Takes::Token },
            Parameter { name: "patient", kind: Takes::Reference("Patient") },
            Parameter { name: "subject", kind: Takes::Reference("Patient") },
            Parameter { name: "based-on", kind: Takes::Reference("ServiceRequest") },
            Parameter { name: "questionnaire", kind: Takes::Uri },
        ],
        includes: &[],
        revincludes: &[],
        documentation: "A person's own answers, brought by this client with a ServiceRequest of its own. Every score is computed here; \
                        one that differs is refused. A search needs _id, patient or subject.",
    },
    Served {
        name: "ServiceRequest",
        interactions: &[
            Interaction::Read,
            Interaction::Vread,
            Interaction::History,
            Interaction::Search,
            Interaction::Create,
            Interaction::Update,
        ],
        versioned: true,
        parameters: &[
            Parameter { name: "identifier", kind: Takes::Token },
            Parameter { name: "patient", kind: Takes::Reference("Patient") },
            Parameter { name: "subject", kind: Takes::Reference("Patient") },
            Parameter { name: "status", kind: Takes::Token },
            Parameter { name: "_lastUpdated", kind: Takes::Date },
            Parameter { name: "_include", kind: Takes::Include(REQUEST_INCLUDES) },
            Parameter { name: "_revinclude", kind: Takes::Include(TASK_OF_FOCUS) },
        ],
        includes: REQUEST_INCLUDES,
        revincludes: TASK_OF_FOCUS,
        documentation: "What this client asked for. An update may only set the status to revoked.",
    },
    Served {
        name: "Task",
        interactions: &OF_REQUESTS,
        versioned: true,
        parameters: &[
            Parameter { name: "identifier", kind: Takes::Token },
            Parameter { name: "patient", kind: Takes::Reference("Patient") },
            Parameter { name: "subject", kind: Takes::Reference("Patient") },
            Parameter { name: "focus", kind: Takes::Reference("ServiceRequest") },
            Parameter { name: "status", kind: Takes::Token },
            Parameter { name: "business-status", kind: Takes::Token },
            Parameter { name: "modified", kind: Takes::Date },
            Parameter { name: "_lastUpdated", kind: Takes::Date },
            Parameter { name: "_include", kind: Takes::Include(TASK_INCLUDES) },
        ],
        includes: TASK_INCLUDES,
        revincludes: &[],
        documentation: "The work on each ServiceRequest: it is there as soon as the request is, under the same id. An update may \
                        only set the status to cancelled; in a transaction a Task of a request in it is taken for that one.",
    },
];

/// A type that is served, by its name.
#[must_use]
pub(super) fn served(name: &str) -> Option<&'static Served> {
    SERVED.iter().find(|served| served.name == name)
}
