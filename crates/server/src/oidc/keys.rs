//! Somebody else's public keys (RFC 7517), by their ids: read seldom, and kept for a while.

use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use serde::Deserialize;

use super::OidcError;
use super::http::Http;

/// For how long what was read is kept.
pub(super) const FRESH_SECONDS_MAX: i64 = 3600;
/// Between two readings of the keys because a token named one that is not among them.
const REFETCH_SECONDS_MIN: i64 = 60;
/// After a reading that failed, nobody reads again for this long: whoever hammers at us does not hammer them.
const PAUSE_SECONDS: i64 = 5;
/// The most keys of one owner that are looked at.
const KEYS_MAX: usize = 100;

/// The keys of one owner, as far as they are known.
#[derive(Default)]
pub(crate) struct KeyRing {
    keys: Option<(Vec<Jwk>, i64)>,
}

/// After a reading that failed, the next one waits.
#[derive(Default)]
pub(crate) struct Pause {
    failed_at_seconds: Option<i64>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl KeyRing {
    /// Reads a key set from a text, such as a file's.
    ///
    /// # Errors
    /// When it is none, or has no key that can be used.
    pub(crate) fn read(text: &str) -> Result<Self, OidcError> {
        let set: KeySet = serde_json::from_str(text).map_err(|_| OidcError::MetadataWrong)?;
        let ring = Self { keys: Some((usable(set), 0)) };
        if ring.keys.as_ref().is_some_and(|(keys, _)| !keys.is_empty()) { Ok(ring) } else { Err(OidcError::MetadataWrong) }
    }

    /// The key of this id, for this algorithm, without asking anybody.
    pub(crate) fn held(&self, kid: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        let (keys, _) = self.keys.as_ref()?;
        let key = keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid) && suits(key, algorithm))?;
        DecodingKey::from_jwk(key).ok()
    }

    /// The key of this id, for this algorithm. One that is not known makes the keys be read again, at most once a minute: so
    /// their owner may change them, and nobody else can make us ask without end.
    ///
    /// # Errors
    /// [`OidcError::KeyUnknown`], or when they cannot be asked for.
    pub(crate) async fn key(
        &mut self,
        pause: &mut Pause,
        (http, url): (&Http, &Url),
        kid: &str,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<DecodingKey, OidcError> {
        let found = self.held(kid, algorithm);
        let must_ask = match (&self.keys, &found) {
            (Some((_, at)), Some(_)) => !is_fresh(*at, now, FRESH_SECONDS_MAX),
            (Some((_, at)), None) => !is_fresh(*at, now, REFETCH_SECONDS_MIN),
            (None, _) => true,
        };
        if must_ask {
            pause.may_ask(now)?;
            let set = pause.noted(http.document::<KeySet>(url.clone()).await, now)?;
            self.keys = Some((usable(set), now.as_second()));
            return self.held(kid, algorithm).ok_or(OidcError::KeyUnknown);
        }
        found.ok_or(OidcError::KeyUnknown)
    }
}

impl Pause {
    /// Whether somebody may be asked again.
    ///
    /// # Errors
    /// [`OidcError::Unreachable`] shortly after they could not be.
    pub(super) fn may_ask(&self, now: Timestamp) -> Result<(), OidcError> {
        let paused = self.failed_at_seconds.is_some_and(|at| is_fresh(at, now, PAUSE_SECONDS));
        if paused { Err(OidcError::Unreachable) } else { Ok(()) }
    }

    /// The same answer, with a failure noted.
    pub(super) fn noted<T>(&mut self, answer: Result<T, OidcError>, now: Timestamp) -> Result<T, OidcError> {
        self.failed_at_seconds = answer.is_err().then(|| now.as_second());
        answer
    }
}

/// A key that this program cannot read is another program's.
fn usable(set: KeySet) -> Vec<Jwk> {
    set.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok()).collect()
}

pub(super) fn is_fresh(at_seconds: i64, now: Timestamp, seconds: i64) -> bool {
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
