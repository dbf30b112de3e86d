//! Passkeys (WebAuthn level 3): a full sign-in, because the device makes sure of the person (user verification is required).

use alongside_app::{Failure, Invalid};
use alongside_store::accounts;
use jiff::Timestamp;
use passki::{
    AuthenticationCredential, AuthenticationOptions, AuthenticationState, ClientData, Passki, RegistrationCredential, RegistrationOptions,
    RegistrationState, ResidentKeyRequirement, StoredPasskey, UserVerificationRequirement,
};
use serde::Serialize;

use super::waiting::{WAITING_MINUTES, Waiting};

/// Milliseconds that a browser waits for somebody to touch their device.
const TIMEOUT_MS: u64 = WAITING_MINUTES.unsigned_abs() * 60_000;

/// The passkeys of one address: challenges that were sent, each taken once.
pub(crate) struct Passkeys {
    library: Passki,
    registering: Waiting<RegistrationState>,
    signing_in: Waiting<AuthenticationState>,
}

/// A passkey that was made: its id and what is kept of it.
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) body: String,
}

impl Passkeys {
    /// Passkeys for pages at an origin; none when its host is an address in numbers, which browsers refuse.
    pub(crate) fn new(origin: &str) -> Option<Self> {
        let (_, host) = origin.split_once("://")?;
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
            return None;
        }
        let library = Passki::new(host, &[origin], "Alongside");
        Some(Self { library, registering: Waiting::default(), signing_in: Waiting::default() })
    }

    /// Begins to make a passkey in a session: what goes to the browser, as JSON. `handle` is random: it lands on the device.
    ///
    /// # Errors
    /// [`Failure::Broken`] when a passkey that is kept cannot be read.
    pub(crate) fn begin(
        &self,
        session: &str,
        key: &str,
        name: &str,
        known: &[accounts::Passkey],
        handle: [u8; 32],
        now: Timestamp,
    ) -> Result<String, Failure> {
        let known = known.iter().map(|passkey| read(&passkey.body)).collect::<Result<Vec<_>, _>>()?;
        let mut options = RegistrationOptions::default();
        options.timeout = TIMEOUT_MS;
        options.resident_key = ResidentKeyRequirement::Required;
        options.user_verification = UserVerificationRequirement::Required;
        options.exclude_credentials = Some(&known);
        let begun = self.library.start_passkey_registration(&handle, key, name, options);
        let (challenge, state) = begun.map_err(|_| Failure::Broken("a passkey cannot be begun".into()))?;
        self.registering.put(session.to_owned(), state, now);
        json(&challenge)
    }

    /// Finishes making a passkey in the session in which it was begun.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when the answer is none to what was asked.
    pub(crate) fn finish(&self, session: &str, answer: &str, now: Timestamp) -> Result<Made, Failure> {
        let state = self.registering.take(session, now).ok_or_else(too_late)?;
        let credential: RegistrationCredential = serde_json::from_str(answer).map_err(|_| not_taken())?;
        let passkey = self.library.finish_passkey_registration(&credential, &state).map_err(|_| not_taken())?;
        Ok(Made { id: Passki::base64_encode(&passkey.credential_id), body: json(&passkey)? })
    }

    /// Begins a sign-in by whichever passkey the device has: what goes to the browser, as JSON.
    ///
    /// # Errors
    /// Never but for a fault of the library.
    pub(crate) fn ask(&self, now: Timestamp) -> Result<String, Failure> {
        let mut options = AuthenticationOptions::default();
        options.timeout = TIMEOUT_MS;
        options.user_verification = UserVerificationRequirement::Required;
        let begun = self.library.start_passkey_authentication(&[], options);
        let (challenge, state) = begun.map_err(|_| Failure::Broken("a passkey cannot be asked for".into()))?;
        self.signing_in.put(challenge.challenge.clone(), state, now);
        json(&challenge)
    }

    /// Which passkey an answer says it is by. Nothing is proved yet.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when it is no answer.
    pub(crate) fn id_of(answer: &str) -> Result<String, Failure> {
        let credential: AuthenticationCredential = serde_json::from_str(answer).map_err(|_| not_taken())?;
        let id = Passki::base64_decode(&credential.raw_id).map_err(|_| not_taken())?;
        Ok(Passki::base64_encode(&id))
    }

    /// Proves an answer against the passkey that is kept, and gives what to keep of it now: its counter moved.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when it proves nothing: an old challenge, another origin, another key, a person not verified, a
    /// counter that did not move (a copy of the key).
    pub(crate) fn prove(&self, answer: &str, kept: Option<&accounts::Passkey>, now: Timestamp) -> Result<String, Failure> {
        let credential: AuthenticationCredential = serde_json::from_str(answer).map_err(|_| not_taken())?;
        let said = ClientData::from_base64(&credential.response.client_data_json).map_err(|_| not_taken())?;
        // The challenge is used up whoever answers.
        let state = self.signing_in.take(&said.challenge, now).ok_or_else(too_late)?;
        let mut passkey = read(&kept.ok_or_else(not_taken)?.body)?;
        let proved = self.library.finish_passkey_authentication(&credential, &state, &passkey).map_err(|_| not_taken())?;
        if proved.credential_id != passkey.credential_id {
            return Err(not_taken());
        }
        passkey.counter = proved.counter;
        json(&passkey)
    }
}

fn read(body: &str) -> Result<StoredPasskey, Failure> {
    serde_json::from_str(body).map_err(|_| Failure::Broken("a passkey that is kept cannot be read".into()))
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|_| Failure::Broken("a passkey cannot be written".into()))
}

fn too_late() -> Failure {
    Failure::Invalid(vec![Invalid::new("passkey", "That took too long. Try again")])
}

fn not_taken() -> Failure {
    Failure::Invalid(vec![Invalid::new("passkey", "This passkey was not recognised. Try again, or sign in another way")])
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    const ORIGIN: &str = "https://alongside.example";

    fn passkeys() -> Passkeys {
        Passkeys::new(ORIGIN).unwrap()
    }

    fn challenge(begun: &str) -> String {
        let begun: Value = serde_json::from_str(begun).unwrap();
        begun["challenge"].as_str().unwrap().to_owned()
    }

    fn answer(challenge: &str, origin: &str) -> String {
        let client = json!({ "type": "webauthn.get", "challenge": challenge, "origin": origin }).to_string();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "rawId": text(b"key"),
            "response": { "clientDataJSON": text(client.as_bytes()), "authenticatorData": text(&[0; 37]), "signature": text(&[0; 64]) },
        })
        .to_string()
    }

    #[test]
    fn an_address_in_numbers_has_no_passkeys() {
        assert!(Passkeys::new("http://localhost:8080").is_some_and(|it| it.library.rp_id == "localhost"));
        assert!(Passkeys::new("https://a.example").is_some_and(|it| it.library.rp_id == "a.example"));
        for wrong in ["http://127.0.0.1:8080", "http://[::1]:8080", "nowhere"] {
            assert!(Passkeys::new(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_device_must_make_sure_of_the_person_and_gets_no_name_for_a_handle() {
        let passkeys = passkeys();
        let made: Value = serde_json::from_str(&passkeys.begin("s", "ada", "Ada", &[], [9; 32], Timestamp::UNIX_EPOCH).unwrap()).unwrap();
        assert_eq!(made["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(made["user"]["id"], URL_SAFE_NO_PAD.encode([9; 32]));
        let asked: Value = serde_json::from_str(&passkeys.ask(Timestamp::UNIX_EPOCH).unwrap()).unwrap();
        assert_eq!((&asked["userVerification"], &asked["allowCredentials"]), (&json!("required"), &json!([])));
    }

    #[test]
    fn a_challenge_is_answered_once_in_time_and_in_the_session_that_asked() {
        let (passkeys, now) = (passkeys(), Timestamp::UNIX_EPOCH);
        let late = now + jiff::SignedDuration::from_mins(WAITING_MINUTES);
        passkeys.begin("mine", "ada", "Ada", &[], [9; 32], now).unwrap();
        let refused = |session: &str, at| passkeys.finish(session, "{}", at).map(drop).unwrap_err();
        assert_eq!(refused("another", now), too_late());
        assert_eq!(refused("mine", now), not_taken());
        assert_eq!(refused("mine", now), too_late());
        let asked = challenge(&passkeys.ask(now).unwrap());
        assert_eq!(passkeys.prove(&answer(&asked, ORIGIN), None, late), Err(too_late()));
        let asked = challenge(&passkeys.ask(now).unwrap());
        assert_eq!(passkeys.prove(&answer(&asked, ORIGIN), None, now), Err(not_taken()));
        assert_eq!(passkeys.prove(&answer(&asked, ORIGIN), None, now), Err(too_late()));
        assert_eq!(passkeys.prove(&answer("AAAA", ORIGIN), None, now), Err(too_late()));
    }

    #[test]
    fn an_answer_with_a_signature_of_nothing_proves_nothing() {
        let (passkeys, now) = (passkeys(), Timestamp::UNIX_EPOCH);
        let mut stored = StoredPasskey::default();
        stored.credential_id = b"key".to_vec();
        stored.algorithm = -7;
        let kept = accounts::Passkey {
            id: URL_SAFE_NO_PAD.encode(b"key"),
            staff: alongside_domain::supporter::StaffId("ada".into()),
            body: serde_json::to_string(&stored).unwrap(),
            added_at: now,
            used_at: None,
        };
        for origin in [ORIGIN, "https://elsewhere.example"] {
            let asked = challenge(&passkeys.ask(now).unwrap());
            assert_eq!(Passkeys::id_of(&answer(&asked, origin)).unwrap(), kept.id);
            assert_eq!(passkeys.prove(&answer(&asked, origin), Some(&kept), now), Err(not_taken()));
        }
        assert!(Passkeys::id_of("{").is_err());
    }
}
