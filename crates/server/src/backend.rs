//! SMART Backend Services (SMART App Launch 2.2): a hospital's system proves who it is with its own key, and gets a token.

use std::collections::BTreeMap;
use std::path::Path;

use alongside_app::setup::{ClientKeys, FhirClient, Setup};
use alongside_app::{Failure, Invalid};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use tokio::sync::Mutex;

use crate::oidc::OidcError;
use crate::oidc::http::Http;
use crate::oidc::keys::{KeyRing, Pause};
use crate::oidc::token::{ClientAssertion, ContextLink, Jws};

/// Where tokens are given.
pub(crate) const TOKEN_PATH: &str = "/oauth/token";

/// Where a link of a hospital's system leads.
pub(crate) const LINK_PATH: &str = "/launch/link";

/// Who proved it, and the number of the proof, which is good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proved {
    pub(crate) client: String,
    pub(crate) jti: String,
}

/// The systems that are configured, with their keys.
#[derive(Default)]
pub(crate) struct Clients {
    by_key: BTreeMap<String, Keys>,
    token_url: String,
    link_url: String,
}

enum Keys {
    File(KeyRing),
    Url(Box<Published>),
}

/// Keys at an address of their owner.
struct Published {
    http: Http,
    url: Url,
    known: Mutex<(KeyRing, Pause)>,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").field("keys", &self.by_key.keys()).finish_non_exhaustive()
    }
}

impl Clients {
    /// Reads the files of keys; asks nobody anything yet.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with the place of every file that cannot be read or used.
    pub(crate) fn from_setup(setup: &Setup) -> Result<Self, Failure> {
        let (mut by_key, mut problems) = (BTreeMap::new(), Vec::new());
        for (key, client) in &setup.fhir_clients {
            match Keys::of(client) {
                Ok(keys) => drop(by_key.insert(key.clone(), keys)),
                Err(what) => problems.push(Invalid::new(format!("fhir_client {key}"), what)),
            }
        }
        if !problems.is_empty() {
            return Err(Failure::Invalid(problems));
        }
        Ok(Self { by_key, token_url: format!("{}{TOKEN_PATH}", setup.origin()), link_url: format!("{}{LINK_PATH}", setup.origin()) })
    }

    /// Whose assertion it is, once everything about it holds. The client that it claims comes with a refusal, where it claims
    /// one.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(crate) async fn proved(&self, assertion: &str, now: Timestamp) -> Result<Proved, (OidcError, Option<String>)> {
        let jws = Jws::parse(assertion).map_err(|error| (error, None))?;
        let client = jws.claimed_issuer().map_err(|error| (error, None))?;
        let proved = self.check(&jws, &client, now).await;
        match proved {
            Ok(jti) => Ok(Proved { client, jti }),
            Err(error) => Err((error, Some(client))),
        }
    }

    /// What a link says by which a system opens this program, and whose it is, once everything about it holds.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(crate) async fn linked(&self, token: &str, now: Timestamp) -> Result<(String, ContextLink), OidcError> {
        let jws = Jws::parse(token)?;
        let client = jws.claimed_issuer()?;
        let keys = self.by_key.get(&client).ok_or(OidcError::ProviderUnknown)?;
        let key = keys.key(jws.kid()?, jws.algorithm()?, now).await?;
        let link = ContextLink::checked(&jws, &key, &client, &self.link_url, now)?;
        Ok((client, link))
    }

    async fn check(&self, jws: &Jws<'_>, client: &str, now: Timestamp) -> Result<String, OidcError> {
        let keys = self.by_key.get(client).ok_or(OidcError::ProviderUnknown)?;
        let key = keys.key(jws.kid()?, jws.algorithm()?, now).await?;
        ClientAssertion::checked(jws, &key, client, &self.token_url, now).map(|assertion| assertion.jti)
    }
}

impl Keys {
    fn of(client: &FhirClient) -> Result<Self, String> {
        match &client.keys {
            ClientKeys::File(path) => {
                let text = std::fs::read_to_string(Path::new(path))
                    .map_err(|error| format!("the file of its keys cannot be read: {}", error.kind()))?;
                KeyRing::read(&text)
                    .map(Self::File)
                    .map_err(|_| "the file of its keys is no key set (RFC 7517) with a public key".to_owned())
            }
            ClientKeys::Url(text) => {
                let http = Http::new(text).map_err(|_| "its keys cannot be asked for: no TLS client, or no address".to_owned())?;
                let url = http.own(text).map_err(|_| "jwks_url is no address".to_owned())?;
                Ok(Self::Url(Box::new(Published { http, url, known: Mutex::default() })))
            }
        }
    }

    async fn key(&self, kid: &str, algorithm: Algorithm, now: Timestamp) -> Result<DecodingKey, OidcError> {
        match self {
            Self::File(ring) => ring.held(kid, algorithm).ok_or(OidcError::KeyUnknown),
            Self::Url(published) => {
                let mut known = published.known.lock().await;
                let (ring, pause) = &mut *known;
                ring.key(pause, (&published.http, &published.url), kid, algorithm, now).await
            }
        }
    }
}
