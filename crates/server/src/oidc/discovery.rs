//! What a provider publishes about itself: its discovery document and its keys, asked seldom and kept for a while.

use std::sync::Arc;

use alongside_app::setup::IdentityProvider;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::OidcError;
use super::client::Credential;
use super::http::Http;

/// For how long the documents are kept.
const FRESH_SECONDS_MAX: i64 = 3600;
/// Between two readings of the keys because a token named one that is not among them.
const REFETCH_SECONDS_MIN: i64 = 60;
/// After a reading that failed, nobody reads again for this long: whoever hammers at the sign-in does not hammer the provider.
const PAUSE_SECONDS: i64 = 5;
/// The most keys of a provider that are looked at.
const KEYS_MAX: usize = 100;

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
    keys: Option<(Vec<Jwk>, i64)>,
    failed_at_seconds: Option<i64>,
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
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl Provider {
    pub(super) fn new(settings: IdentityProvider, credential: Credential) -> Result<Self, OidcError> {
        let http = Http::new(&settings.issuer)?;
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
        known.may_ask(now)?;
        let metadata = known.noted(self.read_metadata().await, now)?;
        let metadata = Arc::new(metadata);
        known.metadata = Some((Arc::clone(&metadata), now.as_second()));
        Ok(metadata)
    }

    /// The provider's key of this id, for this algorithm. One that is not known makes the keys be read again, at most once
    /// a minute: so a provider may change its keys, and nobody else can make us ask without end.
    ///
    /// # Errors
    /// [`OidcError::KeyUnknown`], or when the provider cannot be asked.
    pub(super) async fn key(&self, kid: &str, algorithm: Algorithm, now: Timestamp) -> Result<DecodingKey, OidcError> {
        let metadata = self.metadata(now).await?;
        let mut known = self.known.lock().await;
        let found = known.key(kid, algorithm);
        let must_ask = match (&known.keys, &found) {
            (Some((_, at)), Some(_)) => !is_fresh(*at, now, FRESH_SECONDS_MAX),
            (Some((_, at)), None) => !is_fresh(*at, now, REFETCH_SECONDS_MIN),
            (None, _) => true,
        };
        if !must_ask {
            return found.ok_or(OidcError::KeyUnknown);
        }
        known.may_ask(now)?;
        let set = self.http.document::<KeySet>(metadata.jwks_uri.clone()).await;
        let set = known.noted(set, now)?;
        // A key that this program cannot read is another program's.
        let keys = set.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok()).collect();
        known.keys = Some((keys, now.as_second()));
        known.key(kid, algorithm).ok_or(OidcError::KeyUnknown)
    }

    async fn read_metadata(&self) -> Result<Metadata, OidcError> {
        let address = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
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
        })
    }
}

impl Known {
    fn may_ask(&self, now: Timestamp) -> Result<(), OidcError> {
        let paused = self.failed_at_seconds.is_some_and(|at| is_fresh(at, now, PAUSE_SECONDS));
        if paused { Err(OidcError::Unreachable) } else { Ok(()) }
    }

    /// The same answer, with a failure noted.
    fn noted<T>(&mut self, answer: Result<T, OidcError>, now: Timestamp) -> Result<T, OidcError> {
        self.failed_at_seconds = answer.is_err().then(|| now.as_second());
        answer
    }

    fn key(&self, kid: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        let (keys, _) = self.keys.as_ref()?;
        let key = keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid) && suits(key, algorithm))?;
        DecodingKey::from_jwk(key).ok()
    }
}

fn is_fresh(at_seconds: i64, now: Timestamp, seconds: i64) -> bool {
    (0..seconds).contains(&now.as_second().saturating_sub(at_seconds))
}

/// Whether a key is one for signatures of this algorithm: a public RSA key is no secret of an HMAC.
fn suits(key: &Jwk, algorithm: Algorithm) -> bool {
    let for_signatures = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let (of_kind, name) = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => (true, KeyAlgorithm::RS256),
        (AlgorithmParameters::RSA(_), Algorithm::RS384) => (true, KeyAlgorithm::RS384),
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => (curve.curve == EllipticCurve::P256, KeyAlgorithm::ES256),
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES384) => (curve.curve == EllipticCurve::P384, KeyAlgorithm::ES384),
        _ => return false,
    };
    for_signatures && of_kind && key.common.key_algorithm.is_none_or(|own| own == name)
}
