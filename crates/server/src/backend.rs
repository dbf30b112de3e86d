//! SMART Backend Services (SMART App Launch 2.2): a hospital's system proves who it is with its own key, and gets a token.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::PoisonError;

use alongside_app::cards::CARDS_PATH;
use alongside_app::setup::{ClientKeys, FhirClient, Setup};
use alongside_app::{Failure, Invalid};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::oidc::OidcError;
use crate::oidc::http::Http;
use crate::oidc::keys::{KeyRing, Pause};
use crate::oidc::token::{CardToken, ClientAssertion, ContextLink, Jws};

/// Where tokens are given.
pub(crate) const TOKEN_PATH: &str = "/oauth/token";

/// Where a link of a hospital's system leads.
pub(crate) const LINK_PATH: &str = "/launch/link";

/// The most tokens that are remembered as used: a thousand in every second of five minutes.
const USED_MAX: usize = 300_000;
/// For how long after its end a token is remembered: clocks may differ by a minute.
const USED_SECONDS_MORE: i64 = 120;

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
    /// Clients that open people by links that they sign.
    open_people: BTreeSet<String>,
    /// Clients that ask for cards, by issuer: key, and where their keys are.
    by_cds_issuer: BTreeMap<String, (String, Option<String>)>,
    cards_url: String,
    used: std::sync::Mutex<Used>,
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
        let asks =
            |client: &FhirClient| Some((client.cds_issuer.clone()?, (client.system.key.clone(), client.keys.url().map(str::to_owned))));
        Ok(Self {
            by_key,
            open_people: setup.fhir_clients.values().filter(|client| client.opens_people).map(|client| client.system.key.clone()).collect(),
            by_cds_issuer: setup.fhir_clients.values().filter_map(asks).collect(),
            cards_url: format!("{}{CARDS_PATH}", setup.origin()),
            used: std::sync::Mutex::default(),
            token_url: format!("{}{TOKEN_PATH}", setup.origin()),
            link_url: format!("{}{LINK_PATH}", setup.origin()),
        })
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
        let keys = self.by_key.get(&client).filter(|_| self.open_people.contains(&client)).ok_or(OidcError::ProviderUnknown)?;
        let key = keys.key(jws.kid()?, jws.algorithm()?, now).await?;
        let link = ContextLink::checked(&jws, &key, &client, &self.link_url, now)?;
        Ok((client, link))
    }

    /// Which system asks for cards at the service of this path, once everything about its token holds.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(crate) async fn asks_for_cards(&self, token: &str, path: &str, now: Timestamp) -> Result<String, OidcError> {
        let jws = Jws::parse(token)?;
        let issuer = jws.claimed_issuer()?;
        let (client, jku) = self.by_cds_issuer.get(&issuer).ok_or(OidcError::ProviderUnknown)?;
        let keys = self.by_key.get(client).ok_or(OidcError::ProviderUnknown)?;
        let key = keys.key(jws.kid()?, jws.algorithm()?, now).await?;
        let own = format!("{}{}", self.cards_url, path.strip_prefix(CARDS_PATH).unwrap_or_default());
        let token = CardToken::checked(&jws, &key, (&issuer, jku.as_deref()), &[&own, &self.cards_url], now)?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.is_first(&format!("{client} {}", token.jti), token.exp, now) { Ok(client.clone()) } else { Err(OidcError::Replayed) }
    }

    async fn check(&self, jws: &Jws<'_>, client: &str, now: Timestamp) -> Result<String, OidcError> {
        let keys = self.by_key.get(client).ok_or(OidcError::ProviderUnknown)?;
        let key = keys.key(jws.kid()?, jws.algorithm()?, now).await?;
        ClientAssertion::checked(jws, &key, client, &self.token_url, now).map(|assertion| assertion.jti)
    }
}

/// Tokens that were used and would still be good. A restart forgets them: then one can be used twice within its minutes, and
/// brings the same card again.
#[derive(Default)]
struct Used(HashMap<[u8; 32], i64>);

impl Used {
    /// Whether a token comes for the first time. While more are good than can be kept, none is taken.
    fn is_first(&mut self, token: &str, exp: i64, now: Timestamp) -> bool {
        if self.0.len() >= USED_MAX {
            self.0.retain(|_, until| *until + USED_SECONDS_MORE > now.as_second());
        }
        self.0.len() < USED_MAX && self.0.insert(Sha256::digest(token.as_bytes()).into(), exp).is_none()
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
