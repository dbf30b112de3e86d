//! This program as a client: how it proves that it is itself, and how it turns a code into tokens.

use std::fmt;
use std::path::Path;

use alongside_app::setup::{ClientCredential, SigningAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

use super::discovery::{Metadata, Provider};
use super::{OidcError, random};
use crate::keys::secret;

/// The most bytes of a secret's file.
const SECRET_BYTES_MAX: usize = 16 * 1024;
/// For how long an assertion about ourselves is good. CIS2 takes at most five minutes.
const ASSERTION_SECONDS: i64 = 120;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A secret or a private key, read from its file. Its `Debug` shows neither.
pub(super) enum Credential {
    Secret(String),
    PrivateKey { key: EncodingKey, kid: String, algorithm: Algorithm },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret",
            Self::PrivateKey { .. } => "PrivateKey",
        })
    }
}

impl Credential {
    /// Reads a credential's file.
    ///
    /// # Errors
    /// What is wrong with it, in words without any of it.
    pub(super) fn read(configured: &ClientCredential) -> Result<Self, String> {
        let text = secret(Path::new(configured.file()));
        let text = text.and_then(|text| text.ok_or("is missing".into())).map_err(|what| format!("the file of its secret {what}"))?;
        if text.trim().is_empty() || text.len() > SECRET_BYTES_MAX {
            return Err(format!("its secret must have 1 to {SECRET_BYTES_MAX} bytes"));
        }
        match configured {
            ClientCredential::Secret { .. } => Ok(Self::Secret(text.trim_end_matches(['\r', '\n']).to_owned())),
            ClientCredential::PrivateKey { kid, algorithm, .. } => Self::private_key(text.as_bytes(), kid, *algorithm),
        }
    }

    fn private_key(pem: &[u8], kid: &str, algorithm: SigningAlgorithm) -> Result<Self, String> {
        let (key, algorithm) = match algorithm {
            SigningAlgorithm::Rs256 => (EncodingKey::from_rsa_pem(pem), Algorithm::RS256),
            SigningAlgorithm::Rs384 => (EncodingKey::from_rsa_pem(pem), Algorithm::RS384),
            SigningAlgorithm::Es256 => (EncodingKey::from_ec_pem(pem), Algorithm::ES256),
            SigningAlgorithm::Es384 => (EncodingKey::from_ec_pem(pem), Algorithm::ES384),
        };
        let wrong = || "its private key must be PKCS #8 in PEM, of the algorithm's kind".to_owned();
        let key = key.map_err(|_| wrong())?;
        // A key of another curve shows when it is first used: better now than at somebody's sign-in.
        jsonwebtoken::crypto::sign(b"", &key, algorithm).map_err(|_| wrong())?;
        Ok(Self::PrivateKey { key, kid: kid.to_owned(), algorithm })
    }
}

/// What a code was exchanged for.
#[derive(Deserialize)]
pub(super) struct Given {
    pub(super) id_token: String,
    pub(super) access_token: Option<String>,
    /// Who is open in the record (SMART App Launch 2.2, "Launch context arrives with your access_token").
    pub(super) patient: Option<String>,
}

/// A claim about ourselves (RFC 7523, section 3).
#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
}

/// Exchanges a code (RFC 6749, section 4.1.3, with the verifier of RFC 7636).
///
/// # Errors
/// When the provider cannot be reached or does not take the code.
pub(super) async fn exchange(
    provider: &Provider,
    metadata: &Metadata,
    code: &str,
    verifier: &str,
    redirect_uri: &str,
    now: Timestamp,
) -> Result<Given, OidcError> {
    let client_id = provider.settings.client_id.as_str();
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
        ("client_id", client_id),
    ];
    let (mut basic, assertion);
    basic = None;
    match &provider.credential {
        Credential::Secret(secret) if metadata.secret_in_form => form.push(("client_secret", secret)),
        Credential::Secret(secret) => basic = Some(basic_header(client_id, secret)),
        Credential::PrivateKey { key, kid, algorithm } => {
            assertion = signed_assertion(client_id, metadata.token_endpoint.as_str(), key, kid, *algorithm, now)?;
            form.push(("client_assertion_type", ASSERTION_TYPE));
            form.push(("client_assertion", &assertion));
        }
    }
    let (taken, body) = provider.http.form(metadata.token_endpoint.clone(), &form, basic).await?;
    if !taken {
        return Err(OidcError::ExchangeRefused);
    }
    serde_json::from_slice(&body).map_err(|_| OidcError::ExchangeRefused)
}

/// `client_secret_basic`: both parts are encoded as in a form first (RFC 6749, section 2.3.1).
fn basic_header(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", form_encoded(client_id), form_encoded(secret))))
}

fn form_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

/// `private_key_jwt`. The audience is the token endpoint, as CIS2 wants it; it is the issuer's own, so no other provider can
/// have us sign an assertion for this one.
fn signed_assertion(
    client_id: &str,
    audience: &str,
    key: &EncodingKey,
    kid: &str,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<String, OidcError> {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
    let iat = now.as_second();
    let claims = Assertion { iss: client_id, sub: client_id, aud: audience, jti: random()?, iat, exp: iat + ASSERTION_SECONDS };
    jsonwebtoken::encode(&header, &claims, key).map_err(|_| OidcError::Broken)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::keys::write_secret;

    #[test]
    fn a_secret_with_odd_characters_survives_the_header() {
        // RFC 6749, appendix B: " %&+£€".
        assert_eq!(form_encoded(" %&+£€"), "+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(basic_header("a:b", "c d"), format!("Basic {}", STANDARD.encode("a%3Ab:c+d")));
    }

    #[test]
    fn a_secret_is_read_without_its_line_end_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            write_secret(&path, text);
            path.to_string_lossy().into_owned()
        };
        let secret = Credential::read(&ClientCredential::Secret { file: file("secret", "hush \r\n") }).unwrap();
        assert!(matches!(&secret, Credential::Secret(text) if text == "hush "));
        assert!(!format!("{secret:?}").contains("hush"));
        assert!(Credential::read(&ClientCredential::Secret { file: file("empty", "\n") }).is_err());
        let open = file("open", "hush");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Credential::read(&ClientCredential::Secret { file: open }).is_err_and(|what| what.contains("chmod 600")));
        assert!(Credential::read(&ClientCredential::Secret { file: folder.path().join("none").to_string_lossy().into() }).is_err());
        let key = ClientCredential::PrivateKey { file: file("key", "no key, hush"), kid: "k".into(), algorithm: SigningAlgorithm::Es256 };
        assert!(!Credential::read(&key).unwrap_err().contains("hush"));
    }
}
