//! What a system asks for, admitted, carried out and audited in one transaction.

use std::collections::BTreeSet;

use alongside_domain::access::SystemAct;
use alongside_domain::decision::Actor;
use alongside_domain::id::PersonId;
use alongside_fhir::{Code, Issue, outcome};
use alongside_store::Tx;
use alongside_store::audit::{self, Entry, Outcome};
use serde_json::Value;

use super::kinds::{Interaction, Served, served};
use super::{Refused, Scopes, capability};
use crate::setup::FhirClient;
use crate::{App, Failure};

/// What is asked for: an interaction of the RESTful API (R4, section 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Reads the present version.
    Read {
        /// The type.
        kind: String,
        /// The id.
        id: String,
    },
    /// Reads a version.
    Vread {
        /// The type.
        kind: String,
        /// The id.
        id: String,
        /// The version's number.
        version: String,
    },
    /// Reads all versions.
    History {
        /// The type.
        kind: String,
        /// The id.
        id: String,
    },
    /// Searches.
    Search {
        /// The type.
        kind: String,
        /// Names and values of parameters.
        pairs: Vec<(String, String)>,
    },
    /// Creates.
    Create {
        /// The type.
        kind: String,
        /// The resource, as it came.
        body: String,
        /// `If-None-Exist`: the search that must find nothing.
        if_none_exist: Option<String>,
    },
    /// Updates.
    Update {
        /// The type.
        kind: String,
        /// The id.
        id: String,
        /// The resource, as it came.
        body: String,
        /// `If-Match`: the version that is changed.
        if_match: Option<String>,
    },
    /// A batch or a transaction.
    Bundle {
        /// The bundle, as it came.
        body: String,
    },
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The resource.
    pub body: Value,
    /// Its version, where versions are kept.
    pub version: Option<u32>,
    /// Since when it is so, as an instant.
    pub modified: Option<String>,
    /// Its address, relative to the base, where it was made or is already.
    pub location: Option<String>,
}

impl Reply {
    /// A resource that was found.
    pub(super) fn found(body: Value) -> Self {
        let version = body["meta"]["versionId"].as_str().and_then(|version| version.parse().ok());
        let modified = body["meta"]["lastUpdated"].as_str().map(str::to_owned);
        Self { status: 200, body, version, modified, location: None }
    }

    /// A list.
    pub(super) const fn list(body: Value) -> Self {
        Self { status: 200, body, version: None, modified: None, location: None }
    }
}

impl From<Refused> for Reply {
    fn from(refused: Refused) -> Self {
        let body = outcome::resource(&refused.issues);
        Self { status: refused.status, body, version: None, modified: None, location: refused.location }
    }
}

/// The application as one hospital's system may use it. Cheap to clone.
#[derive(Clone)]
pub struct Hatch {
    pub(super) app: App,
    pub(super) client: FhirClient,
    scopes: Scopes,
    /// The address of the API, without a slash at its end.
    pub(super) base: String,
}

/// Whom an answer was about.
#[derive(Debug, Default)]
pub(super) struct Seen {
    people: BTreeSet<PersonId>,
    act: Option<SystemAct>,
}

impl Seen {
    pub(super) fn person(&mut self, person: PersonId) {
        self.people.insert(person);
    }

    /// What was done, where it was more than reading.
    pub(super) const fn did(&mut self, act: SystemAct) {
        self.act = Some(act);
    }
}

impl App {
    /// The hatch of a system, with what its token allows.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when no such system is configured (any more).
    pub fn hatch(&self, client: &str, scopes: &str, base: &str) -> Result<Hatch, Failure> {
        let client = self.setup.fhir_clients.get(client).ok_or(Failure::NotFound)?.clone();
        // What was taken from its configuration since is taken from its token as well.
        let scopes = client.scopes.given(scopes);
        Ok(Hatch { app: self.clone(), client, scopes, base: base.to_owned() })
    }

    /// What this program can do over FHIR, for whoever asks.
    #[must_use]
    pub fn capabilities(&self, base: &str) -> Value {
        capability::statement(self, base)
    }
}

impl Hatch {
    /// Carries out what was asked for, or says what is wrong.
    #[must_use]
    pub fn answer(&self, request: Request) -> Reply {
        if let Request::Bundle { body } = &request {
            return self.bundle(body).unwrap_or_else(Reply::from);
        }
        self.alone(request).unwrap_or_else(Reply::from)
    }

    /// Carries out one interaction in a transaction of its own.
    pub(super) fn alone(&self, request: Request) -> Result<Reply, Refused> {
        self.in_one(move |hatch, tx, seen| hatch.perform(tx, seen, &request))
    }

    /// Does something in one transaction, with the line of the audit that tells of it.
    pub(super) fn in_one<T: Send + 'static>(
        &self,
        mut job: impl FnMut(&Self, &mut Tx<'_>, &mut Seen) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let hatch = self.clone();
        let done = self.app.store.write(move |tx| {
            let mut seen = Seen::default();
            let answer = job(&hatch, tx, &mut seen)?;
            if !seen.people.is_empty() || seen.act.is_some() {
                hatch.note(tx, seen, Outcome::Allowed)?;
            }
            Ok::<_, Refused>(answer)
        });
        if let Err(Refused { turned_away: Some(person), .. }) = &done {
            let (hatch, person) = (self.clone(), *person);
            self.app.store.write(move |tx| hatch.note(tx, Seen { people: [person].into(), act: None }, Outcome::Refused))?;
        }
        done
    }

    fn note(&self, tx: &mut Tx<'_>, seen: Seen, outcome: Outcome) -> Result<(), Refused> {
        let entry = Entry {
            at: self.app.world.now(),
            actor: self.actor(),
            action: seen.act.unwrap_or(SystemAct::Follow).code().to_owned(),
            purpose: alongside_domain::access::Purpose::Care.code().to_owned(),
            site: Some(self.client.system.site.clone()),
            outcome,
            detail: None,
            subjects: seen.people.into_iter().collect(),
        };
        audit::append(tx, &self.app.keys.audit, &entry)?;
        Ok(())
    }

    /// Who acts: the system, as a feed does.
    pub(super) fn actor(&self) -> Actor {
        Actor::Feed(self.client.system.key.clone())
    }

    /// A type that is served, to which the system may do this.
    pub(super) fn admit(&self, kind: &str, interaction: Interaction) -> Result<&'static Served, Refused> {
        let Some(served) = served(kind) else {
            return Err(Refused::new(404, Issue::whole(Code::NotSupported, "Resources of this type are not served here.")));
        };
        if !served.interactions.contains(&interaction) {
            let what = format!("This cannot be done to {} here.", served.name);
            return Err(Refused::new(405, Issue::whole(Code::NotSupported, what)));
        }
        if !self.scopes.allow(kind, interaction) {
            let what = format!("This needs the scope system/{}.{}", served.name, interaction.letter());
            return Err(Refused::new(403, Issue::whole(Code::Forbidden, what)));
        }
        Ok(served)
    }

    /// Carries out one interaction.
    pub(super) fn perform(&self, tx: &mut Tx<'_>, seen: &mut Seen, request: &Request) -> Result<Reply, Refused> {
        match request {
            Request::Read { kind, id } => {
                let served = self.admit(kind, Interaction::Read)?;
                self.read(tx, seen, served, id, None).map(Reply::found)
            }
            Request::Vread { kind, id, version } => {
                let served = self.admit(kind, Interaction::Vread)?;
                let version = version.parse().map_err(|_| Refused::not_found())?;
                self.read(tx, seen, served, id, Some(version)).map(Reply::found)
            }
            Request::History { kind, id } => {
                let served = self.admit(kind, Interaction::History)?;
                self.history(tx, seen, served, id).map(Reply::list)
            }
            Request::Search { kind, pairs } => {
                let served = self.admit(kind, Interaction::Search)?;
                self.search(tx, seen, served, pairs).map(Reply::list)
            }
            Request::Create { kind, body, if_none_exist } => {
                let served = self.admit(kind, Interaction::Create)?;
                self.create(tx, seen, served, body, if_none_exist.as_deref())
            }
            Request::Update { kind, id, body, if_match } => {
                let served = self.admit(kind, Interaction::Update)?;
                self.update(tx, seen, served, id, body, if_match.as_deref())
            }
            Request::Bundle { .. } => Err(Refused::new(400, Issue::whole(Code::NotSupported, "A bundle within a bundle is not taken."))),
        }
    }
}
