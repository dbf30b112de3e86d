//! Sign-in by OpenID Connect: authorisation code with PKCE, and the back-channel logout.
//!
//! ```text
//! browser ── GET /sign-in/with/trust ──▶ begin ──▶ the provider's page, with state, nonce, challenge; and a cookie
//! browser ◀── the provider sends it back with state and code
//! browser ── GET /sign-in/return ──▶ finish: state is taken once, the cookie is this browser's, the issuer is the one
//!                                    that was asked; code → ID token; every check of `token`; Identity
//! provider ── POST /sign-in/ended ──▶ ended: whose sessions end
//! ```
//!
//! What a caller gets is an [`Identity`]: issuer and subject. Never an e-mail address: mailboxes of charities are given to
//! the next person. Sign-ins under way are held in memory: after a restart they begin again.
//!
//! Specifications: OpenID Connect Core 1.0 and Discovery 1.0, Back-Channel Logout 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` in
//! the answer), RFC 9700 (security of OAuth 2.0).

mod client;
mod discovery;
pub(crate) mod http;
pub(crate) mod keys;
mod launch;
mod pending;
#[cfg(test)]
mod tests;
pub(crate) mod token;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alongside_app::desk::NewPerson;
use alongside_app::setup::{IdentityProvider, Launch, Setup};
use alongside_app::{Failure, Invalid};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use client::Credential;
use discovery::Provider;
pub(crate) use pending::Errand;
use pending::{Begun, Pending, Remembered};
use token::{Asked, IdToken, Jws, LogoutToken};

/// Where the provider sends the browser back to.
pub(crate) const RETURN_PATH: &str = "/sign-in/return";
/// What the names of the cookies begin with that tie a sign-in under way to the browser that began it. Lax: the way back comes
/// from another site.
const BROWSER_COOKIE: &str = "__Host-alongside-sign-in-";
/// How much of a state stands in that name: enough that no two are the same.
const STATE_IN_NAME: usize = 16;
/// For how long a sign-in may be under way, in seconds: the life of that cookie, too.
pub(crate) const SIGN_IN_SECONDS_MAX: i64 = 600;
/// The words for whoever is not let in, whatever the reason: an account that is nobody's here gets the same as a token that
/// does not hold.
pub(crate) const NOT_SIGNED_IN: &str =
    "You could not be signed in with this account. Please begin again, or ask whoever runs this service for an invitation.";
/// Bytes of randomness in state, nonce, verifier and cookie.
const RANDOM_BYTES: usize = 32;

/// Who somebody is, said by a provider and checked. Issuer and subject together are the key; the subject alone is nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Issuer identifier.
    pub(crate) issuer: String,
    /// Subject identifier: never given to another person by this issuer.
    pub(crate) subject: String,
}

/// A sign-in that held, with what was laid aside when it was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    /// Who it is.
    pub(crate) identity: Identity,
    /// What it was begun for.
    pub(crate) errand: Errand,
    /// What the record says, where it is one that opens this program.
    pub(crate) record: Option<Record>,
}

/// What a hospital's record says of whoever came from it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The record.
    pub(crate) launch: Launch,
    /// Under which name the record knows whoever signed in, such as `Practitioner/123`.
    pub(crate) user: Option<String>,
    /// Who is open there, where somebody is, and it could be read.
    pub(crate) open: Option<NewPerson>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("launch", &self.launch).finish_non_exhaustive()
    }
}

/// Whose sessions a provider has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Issuer identifier.
    pub(crate) issuer: String,
    /// Subject identifier.
    pub(crate) subject: String,
    /// The logout token's own id.
    jti: String,
}

/// What ties a sign-in under way to the browser that began it: a cookie of its own for each, since a record may open two people
/// at once, in two frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrowserCookie {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// What the provider sent the browser back with.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Returned {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

impl Returned {
    /// The name of the cookie that belongs to it.
    pub(crate) fn cookie_name(&self) -> String {
        cookie_name(self.state.as_deref().unwrap_or_default())
    }
}

/// The name of the [`BrowserCookie`] of a state. Whatever a state may say that comes from outside, it is a name.
fn cookie_name(state: &str) -> String {
    let sound = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let state: String = state.chars().filter(sound).take(STATE_IN_NAME).collect();
    format!("{BROWSER_COOKIE}{state}")
}

/// Why a sign-in or a logout was refused. No variant holds anything of what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OidcError {
    /// No provider of this key, or of this issuer, is configured.
    ProviderUnknown,
    /// The provider did not answer, in time, in bounds, or with what it should.
    Unreachable,
    /// The provider's discovery document names another issuer, or leads to other hosts.
    MetadataWrong,
    /// No sign-in of this state is under way: never begun here, already used, or forgotten.
    StateUnknown,
    /// The sign-in was begun too long ago.
    StateExpired,
    /// The sign-in was begun in another browser.
    OtherBrowser,
    /// The answer comes from another issuer than the one that was asked, or does not say from which.
    MixedUp,
    /// The person, or the provider for them, declined.
    Declined,
    /// The provider refused with another error.
    ProviderRefused,
    /// The answer has no code.
    CodeMissing,
    /// The provider did not take the code, or not from us.
    ExchangeRefused,
    /// The token is no signed token, or lacks what it must have.
    TokenMalformed,
    /// The token is of another type than the one expected.
    TypeWrong,
    /// The token is unsigned, or signed in a way that is not allowed.
    AlgorithmRefused,
    /// The provider publishes no key of this id for this algorithm.
    KeyUnknown,
    /// The signature is not the key's.
    SignatureWrong,
    /// The token is of another issuer.
    IssuerWrong,
    /// The token is for somebody else, or also for somebody else.
    AudienceWrong,
    /// The token was given to another party.
    PartyWrong,
    /// The token has expired.
    Expired,
    /// The token was issued in the future, or long ago.
    IssuedWrong,
    /// The token answers another sign-in.
    NonceWrong,
    /// The person proved who they are too long ago, or nobody says when.
    AuthenticationOld,
    /// The person did not prove who they are in a way that is required here.
    AssuranceLow,
    /// The ID token does not belong to the access token beside it.
    AccessTokenWrong,
    /// The logout token ends nothing: no logout event, a nonce, nobody named.
    LogoutWrong,
    /// The logout token was used before.
    LogoutReplayed,
    /// A token of a system was used before.
    Replayed,
    /// The logout names a session that is not known here.
    LogoutUnknown,
    /// More sign-ins begin than people who work here could begin.
    TooMany,
    /// This program could not do its own part.
    Broken,
}

impl OidcError {
    /// What the page says. Few texts, so that nobody learns from them which check held.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Declined => "You were not signed in. You can try again, or choose another way to sign in.",
            Self::Unreachable | Self::MetadataWrong | Self::TooMany | Self::Broken => {
                "The sign-in service cannot be used at the moment. Please try again in a few minutes."
            }
            Self::StateUnknown | Self::StateExpired | Self::OtherBrowser => {
                "This sign-in has ended or was begun elsewhere. Please begin again."
            }
            Self::AuthenticationOld | Self::AssuranceLow => {
                "Your account did not confirm who you are in the way that is needed here. Please sign in again."
            }
            _ => NOT_SIGNED_IN,
        }
    }

    /// Whether the fault is the provider's or ours, and not of what came.
    pub(crate) fn is_outage(self) -> bool {
        matches!(self, Self::Unreachable | Self::MetadataWrong | Self::TooMany | Self::Broken)
    }

    /// The name in the log.
    fn name(self) -> &'static str {
        match self {
            Self::ProviderUnknown => "no such provider",
            Self::Unreachable => "provider unreachable",
            Self::MetadataWrong => "discovery document wrong",
            Self::StateUnknown => "state unknown",
            Self::StateExpired => "state expired",
            Self::OtherBrowser => "other browser",
            Self::MixedUp => "answer of another issuer",
            Self::Declined => "declined",
            Self::ProviderRefused => "provider refused",
            Self::CodeMissing => "no code",
            Self::ExchangeRefused => "code refused",
            Self::TokenMalformed => "token malformed",
            Self::TypeWrong => "token of another type",
            Self::AlgorithmRefused => "algorithm refused",
            Self::KeyUnknown => "key unknown",
            Self::SignatureWrong => "signature wrong",
            Self::IssuerWrong => "issuer wrong",
            Self::AudienceWrong => "audience wrong",
            Self::PartyWrong => "authorised party wrong",
            Self::Expired => "token expired",
            Self::IssuedWrong => "time of issue wrong",
            Self::NonceWrong => "nonce wrong",
            Self::AuthenticationOld => "authentication too old",
            Self::AssuranceLow => "authentication context refused",
            Self::AccessTokenWrong => "access token hash wrong",
            Self::LogoutWrong => "logout token wrong",
            Self::LogoutReplayed => "logout token used before",
            Self::Replayed => "token used before",
            Self::LogoutUnknown => "logout of an unknown session",
            Self::TooMany => "too many sign-ins begun",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for OidcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for OidcError {}

/// The configured identity providers, with the sign-ins that are under way.
#[derive(Default)]
pub(crate) struct Providers {
    by_key: BTreeMap<String, Provider>,
    redirect_uri: String,
    pending: Mutex<Pending>,
    remembered: Mutex<Remembered>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").field("keys", &self.by_key.keys()).finish_non_exhaustive()
    }
}

impl Providers {
    /// Reads the secrets of the configured providers; asks none of them anything yet.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with the place of every secret that cannot be read or used.
    pub(crate) fn from_setup(setup: &Setup) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let mut by_key = BTreeMap::new();
        for (key, settings) in &setup.identity_providers {
            match provider(settings) {
                Ok(provider) => drop(by_key.insert(key.clone(), provider)),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(Failure::Invalid(problems));
        }
        Ok(Self {
            by_key,
            redirect_uri: format!("{}{RETURN_PATH}", setup.origin()),
            pending: Mutex::default(),
            remembered: Mutex::default(),
        })
    }

    /// Begins a sign-in: the address to send the browser to, and the cookie to send along. The token of an
    /// invitation stays here until the sign-in is finished: the provider never sees it. It asks the person to prove anew
    /// who they are: the browser of a shared desk may be signed in there as a colleague.
    ///
    /// # Errors
    /// When there is no such provider, it cannot be asked where its pages are, or too many begin at once.
    pub(crate) async fn begin(&self, provider_key: &str, errand: Errand, now: Timestamp) -> Result<(String, BrowserCookie), OidcError> {
        let provider = self.by_key.get(provider_key).ok_or(OidcError::ProviderUnknown)?;
        let metadata = provider.metadata(now).await?;
        let state = random()?;
        let cookie = BrowserCookie { name: cookie_name(&state), value: random()? };
        let begun = Begun {
            provider: provider_key.to_owned(),
            browser: hash(&cookie.value),
            nonce: random()?,
            verifier: random()?,
            errand,
            at_seconds: now.as_second(),
        };
        let mut address = metadata.authorization_endpoint.clone();
        {
            let settings = &provider.settings;
            let mut query = address.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &settings.client_id)
                .append_pair("redirect_uri", &self.redirect_uri)
                .append_pair("scope", &launch::scopes(settings, &begun.errand, metadata.reads_patient))
                .append_pair("state", &state)
                .append_pair("nonce", &begun.nonce)
                .append_pair("code_challenge", &challenge(&begun.verifier))
                .append_pair("code_challenge_method", "S256");
            if !settings.acr.is_empty() {
                query.append_pair("acr_values", &settings.acr.join(" "));
            }
            match &begun.errand {
                Errand::Invitation(_) => drop(query.append_pair("prompt", "login")),
                Errand::Person(Some(handle)) => drop(query.append_pair("launch", handle)),
                Errand::Person(None) | Errand::Enter => {}
            }
            if let Some(launch) = &settings.launch {
                query.append_pair("aud", &launch.iss);
            }
            if let Some(minutes) = settings.max_age_minutes {
                query.append_pair("max_age", &(u32::from(minutes) * 60).to_string());
            }
        }
        lock(&self.pending).begin(state, begun)?;
        Ok((address.into(), cookie))
    }

    /// The key of the record that says this of itself (`iss`, SMART App Launch 2.2): no other may open this program.
    pub(crate) fn of_record(&self, iss: &str) -> Option<&str> {
        let iss = iss.trim_end_matches('/');
        let is_it = |provider: &Provider| provider.settings.launch.as_ref().is_some_and(|launch| launch.iss == iss);
        self.by_key.iter().find(|(_, provider)| is_it(provider)).map(|(key, _)| key.as_str())
    }

    /// Finishes a sign-in with what the provider sent the browser back with, and the values of its cookie, of which one must be
    /// the one that was given.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold. The sign-in is over then: another begins anew.
    pub(crate) async fn finish(&self, returned: &Returned, cookies: &[&str], now: Timestamp) -> Result<Finished, OidcError> {
        let begun = lock(&self.pending).take(returned.state.as_deref().ok_or(OidcError::StateUnknown)?, now.as_second())?;
        if !cookies.iter().any(|cookie| hash(cookie) == begun.browser) {
            return Err(OidcError::OtherBrowser);
        }
        let provider = self.by_key.get(&begun.provider).ok_or(OidcError::ProviderUnknown)?;
        let metadata = provider.metadata(now).await?;
        match &returned.iss {
            Some(issuer) if *issuer != provider.settings.issuer => return Err(OidcError::MixedUp),
            None if metadata.says_issuer_in_answer => return Err(OidcError::MixedUp),
            _ => {}
        }
        match returned.error.as_deref() {
            Some("access_denied") => return Err(OidcError::Declined),
            Some(_) => return Err(OidcError::ProviderRefused),
            None => {}
        }
        let code = returned.code.as_deref().filter(|code| !code.is_empty()).ok_or(OidcError::CodeMissing)?;
        let given = client::exchange(provider, &metadata, code, &begun.verifier, &self.redirect_uri, now).await?;
        let jws = Jws::parse(&given.id_token)?;
        let key = provider.key(jws.kid()?, jws.algorithm()?, now).await?;
        let asked = Asked { settings: &provider.settings, nonce: &begun.nonce, access_token: given.access_token.as_deref() };
        let token = IdToken::checked(&jws, &key, &asked, now)?;
        if let Some(sid) = &token.sid {
            lock(&self.remembered).session(&provider.settings.issuer, sid, &token.sub);
        }
        let record = launch::record(provider, &begun.errand, &given, token.fhir_user).await;
        let identity = Identity { issuer: provider.settings.issuer.clone(), subject: token.sub };
        Ok(Finished { identity, errand: begun.errand, record })
    }

    /// Lets a logout token be sent again: what it asked for could not be done.
    pub(crate) fn was_not_ended(&self, ended: &Ended) {
        lock(&self.remembered).forget_use(&ended.issuer, &ended.jti);
    }

    /// Reads a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6): all sessions of this identity end.
    ///
    /// # Errors
    /// Each of its own kind, whatever does not hold.
    pub(crate) async fn ended(&self, logout_token: &str, now: Timestamp) -> Result<Ended, OidcError> {
        let jws = Jws::parse(logout_token)?;
        let claimed = jws.claimed_issuer()?;
        let provider = self.by_key.values().find(|provider| provider.settings.issuer == claimed).ok_or(OidcError::ProviderUnknown)?;
        let key = provider.key(jws.kid()?, jws.algorithm()?, now).await?;
        let token = LogoutToken::checked(&jws, &key, &provider.settings, now)?;
        let issuer = provider.settings.issuer.clone();
        let mut remembered = lock(&self.remembered);
        if !remembered.first_use(&issuer, &token.jti) {
            return Err(OidcError::LogoutReplayed);
        }
        let of_session = token.sid.and_then(|sid| remembered.subject_of(&issuer, &sid));
        let subject = token.sub.or(of_session).ok_or(OidcError::LogoutUnknown)?;
        Ok(Ended { issuer, subject, jti: token.jti })
    }
}

fn provider(settings: &IdentityProvider) -> Result<Provider, Invalid> {
    let problem = |what: String| Invalid::new(format!("identity_provider {}", settings.key), what);
    let credential = Credential::read(&settings.credential).map_err(problem)?;
    Provider::new(settings.clone(), credential).map_err(|_| problem("cannot be used: no TLS client, or its issuer is no address".into()))
}

/// What a poisoned lock guards stays sound: every change under these locks is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value that nobody guesses.
fn random() -> Result<String, OidcError> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| OidcError::Broken)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The challenge of a verifier (RFC 7636, section 4.2).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash(verifier))
}
