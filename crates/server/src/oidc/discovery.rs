//! What a provider publishes about itself: its discovery document and its keys, asked seldom and kept for a while.

use std::sync::Arc;

use alongside_app::setup::IdentityProvider;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::OidcError;
use super::client::Credential;
use super::http::Http;
use super::keys::{FRESH_SECONDS_MAX, KeyRing, Pause, is_fresh};

/// One provider: how it is configured, and what is known of it.
pub(super) struct Provider {
    pub(super) settings: IdentityProvider,
    pub(super) credential: Credential,
    pub(super) http: Http,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, i64)>,
    keys: KeyRing,
    pause: Pause,
}

/// What is used of a discovery document (OpenID Connect Discovery 1.0, section 3). Every address is at the issuer's host.
pub(super) struct Metadata {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    jwks_uri: Url,
    /// Whether the provider takes a secret in the form only, and not in the header.
    pub(super) secret_in_form: bool,
    /// Whether every answer must say its issuer (RFC 9207).
    pub(super) says_issuer_in_answer: bool,
    /// How the record writes that a Patient is to be read: scopes of SMART's version 2, or of its first.
    pub(super) reads_patient: &'static str,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    capabilities: Vec<String>,
}

impl Provider {
    pub(super) fn new(settings: IdentityProvider, credential: Credential) -> Result<Self, OidcError> {
        let launch = settings.launch.iter().flat_map(|launch| std::iter::once(&launch.iss).chain(&launch.hosts));
        let addresses: Vec<&str> = std::iter::once(&settings.issuer).chain(launch).map(String::as_str).collect();
        let http = Http::at(&addresses)?;
        Ok(Self { settings, credential, http, known: Mutex::default() })
    }

    /// What the provider says of itself.
    ///
    /// # Errors
    /// When it cannot be asked, names another issuer, or leads to other hosts.
    pub(super) async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((metadata, at)) = &known.metadata
            && is_fresh(*at, now, FRESH_SECONDS_MAX)
        {
            return Ok(Arc::clone(metadata));
        }
        known.pause.may_ask(now)?;
        let metadata = known.pause.noted(self.read_metadata().await, now)?;
        let metadata = Arc::new(metadata);
        known.metadata = Some((Arc::clone(&metadata), now.as_second()));
        Ok(metadata)
    }

    /// The provider's key of this id, for this algorithm.
    ///
    /// # Errors
    /// [`OidcError::KeyUnknown`], or when the provider cannot be asked.
    pub(super) async fn key(&self, kid: &str, algorithm: Algorithm, now: Timestamp) -> Result<DecodingKey, OidcError> {
        let metadata = self.metadata(now).await?;
        let mut known = self.known.lock().await;
        let Known { keys, pause, .. } = &mut *known;
        keys.key(pause, (&self.http, &metadata.jwks_uri), kid, algorithm, now).await
    }

    async fn read_metadata(&self) -> Result<Metadata, OidcError> {
        // A record's addresses are those that it publishes beside its API (SMART App Launch 2.2, "Conformance").
        let address = match &self.settings.launch {
            Some(launch) => format!("{}/.well-known/smart-configuration", launch.iss),
            None => format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/')),
        };
        let document: Document = self.http.document(self.http.own(&address)?).await?;
        if document.issuer != self.settings.issuer {
            return Err(OidcError::MetadataWrong);
        }
        let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|known| known == method);
        Ok(Metadata {
            authorization_endpoint: self.http.own(&document.authorization_endpoint)?,
            token_endpoint: self.http.own(&document.token_endpoint)?,
            jwks_uri: self.http.own(&document.jwks_uri)?,
            secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            says_issuer_in_answer: document.authorization_response_iss_parameter_supported,
            reads_patient: if document.capabilities.iter().any(|one| one == "permission-v2") {
                "patient/Patient.r"
            } else {
                "patient/Patient.read"
            },
        })
    }
}
