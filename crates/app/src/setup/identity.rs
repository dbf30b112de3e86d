//! Identity providers, and the address under which this program's pages are reached: what sign-in by OpenID Connect needs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use alongside_domain::person::SiteId;
use serde::Deserialize;

use super::{Reader, Site};

/// The most identity providers: a trust's, a charity's, CIS2, and some to spare.
const PROVIDERS_MAX: usize = 16;
/// The most characters of a key, which stands in the address of the sign-in.
const KEY_CHARACTERS_MAX: usize = 40;
/// The most characters of a title, which stands on a button.
const TITLE_CHARACTERS_MAX: usize = 80;
/// The most characters of any other value.
const VALUE_CHARACTERS_MAX: usize = 500;
/// The most scopes, and the most values of `acr` and of `amr`.
const LIST_MAX: usize = 16;
/// The longest time since the person proved who they are, in minutes: no session lives longer.
const MAX_AGE_MINUTES_MAX: u16 = 12 * 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityProviderFile {
    key: String,
    title: String,
    issuer: String,
    client_id: String,
    client_secret_file: Option<String>,
    private_key_file: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    acr: Vec<String>,
    #[serde(default)]
    amr: Vec<String>,
    max_age_minutes: Option<u16>,
    launch: Option<LaunchFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaunchFile {
    iss: String,
    site: String,
    local_identifier: String,
    #[serde(default)]
    hosts: Vec<String>,
}

/// Somebody who says who a person is: an OpenID Provider. Their users are known by issuer and subject, never by e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Key: lower-case letters, digits and hyphens; stands in the address of the sign-in.
    pub key: String,
    /// Title on the button.
    pub title: String,
    /// Issuer identifier, exactly as the provider writes it (OpenID Connect Discovery 1.0, section 3).
    pub issuer: String,
    /// What the provider calls this program.
    pub client_id: String,
    /// How this program proves to the provider that it is this program.
    pub credential: ClientCredential,
    /// Scopes that are asked for; `openid` is always among them.
    pub scopes: Vec<String>,
    /// Authentication context classes of which one is required. Empty: any.
    pub acr: Vec<String>,
    /// Authentication methods (RFC 8176, such as `mfa`) of which one is required. Empty: any.
    pub amr: Vec<String>,
    /// Minutes since the person proved who they are, at most (1 to 720). None: the provider's own session suffices.
    pub max_age_minutes: Option<u16>,
    /// The hospital's record whose users these are, where it opens this program for a person (SMART App Launch 2.2).
    pub launch: Option<Launch>,
}

/// A hospital's record that opens this program beside a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The address of its FHIR API, exactly as it says it in `iss` when it opens this program.
    pub iss: String,
    /// The site whose record it is.
    pub site: SiteId,
    /// The system (`Identifier.system`) of the hospital's own numbers in it.
    pub local_identifier: String,
    /// Scheme and host of its addresses, where they are at another host than the issuer and `iss`.
    pub hosts: Vec<String>,
}

/// How this program proves to an identity provider that it is this program. The secret itself stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredential {
    /// A shared secret: `client_secret_basic`, or `client_secret_post` where the provider takes nothing else.
    Secret {
        /// The file that holds it.
        file: String,
    },
    /// A private key: `private_key_jwt` (RFC 7523), as NHS CIS2 wants it.
    PrivateKey {
        /// The file that holds it, as PKCS #8 in PEM.
        file: String,
        /// The key's id, as it was registered with the provider.
        kid: String,
        /// The signature's algorithm.
        algorithm: SigningAlgorithm,
    },
}

impl ClientCredential {
    /// The file that holds the secret or the key.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::Secret { file } | Self::PrivateKey { file, .. } => file,
        }
    }

    /// The same, with another path.
    #[must_use]
    pub fn with_file(self, file: String) -> Self {
        match self {
            Self::Secret { .. } => Self::Secret { file },
            Self::PrivateKey { kid, algorithm, .. } => Self::PrivateKey { file, kid, algorithm },
        }
    }
}

/// Algorithm of a signature (RFC 7518, section 3.1): those with which this program signs, and which it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl SigningAlgorithm {
    /// The algorithm of this name, if it is one of ours. There is no symmetric one, and no `none`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "RS384" => Some(Self::Rs384),
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            _ => None,
        }
    }
}

/// Whether `text` is `https://host[:port][/path]`, or the same with `http` at a loopback host: there nobody listens in between.
pub(super) fn web_address(text: &str) -> Result<(), &'static str> {
    let (plain, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return Err("must begin with https://"),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = host_of(authority);
    let sound = |character: char| character.is_ascii_alphanumeric() || "-._~:/[]%".contains(character);
    if host.is_empty() || !rest.chars().all(sound) || text.chars().count() > VALUE_CHARACTERS_MAX {
        return Err("must be an address of the web without user, query or fragment");
    }
    if plain && !is_loopback(host) {
        return Err("must begin with https://; plain http is for a loopback address alone");
    }
    Ok(())
}

/// The host of `host[:port]`, without the brackets of IPv6; empty when it is not one.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        let Some((host, port)) = rest.split_once(']') else { return "" };
        return if port.is_empty() || port.strip_prefix(':').is_some_and(is_port) { host } else { "" };
    }
    match authority.split_once(':') {
        Some((host, port)) if is_port(port) => host,
        Some(_) => "",
        None => authority,
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

pub(super) fn is_key(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= KEY_CHARACTERS_MAX && text.bytes().all(sound)
}

/// Whether `text` has printable ASCII without spaces and quotes, as a scope must (RFC 6749, appendix A.4).
pub(super) fn is_word(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !text.is_empty() && text.len() <= VALUE_CHARACTERS_MAX && text.bytes().all(sound)
}

/// What is said of a system of identifiers that is none.
pub(super) const NO_SYSTEM: &str = "must be an absolute address, such as https://hospital.example/id/mrn";

/// Whether `text` can be an `Identifier.system`.
pub(super) fn is_system(text: &str) -> bool {
    is_word(text) && text.contains(':') && !text.contains('|')
}

impl Reader {
    pub(super) fn identity_providers(
        &mut self,
        files: &[IdentityProviderFile],
        sites: &BTreeMap<String, Site>,
    ) -> BTreeMap<String, IdentityProvider> {
        if files.len() > PROVIDERS_MAX {
            self.say("identity_provider".into(), &format!("there may be at most {PROVIDERS_MAX}"));
        }
        let mut providers = BTreeMap::new();
        let (mut issuers, mut records) = (BTreeSet::new(), BTreeSet::new());
        for (index, file) in files.iter().enumerate() {
            let place = format!("identity_provider[{index}]");
            self.provider_values(&place, file);
            if !issuers.insert(file.issuer.clone()) {
                self.say(format!("{place}.issuer"), "stands twice: a person is known by issuer and subject");
            }
            let launch = file.launch.as_ref().map(|launch| self.launch(&format!("{place}.launch"), launch, sites));
            if launch.as_ref().is_some_and(|launch| !records.insert(launch.iss.clone())) {
                self.say(format!("{place}.launch.iss"), "stands twice: a record is known by it");
            }
            let Some(credential) = self.credential(&place, file) else { continue };
            let provider = IdentityProvider {
                key: file.key.clone(),
                title: file.title.clone(),
                issuer: file.issuer.clone(),
                client_id: file.client_id.clone(),
                credential,
                scopes: with_openid(&file.scopes),
                acr: file.acr.clone(),
                amr: file.amr.clone(),
                max_age_minutes: file.max_age_minutes,
                launch,
            };
            if providers.insert(file.key.clone(), provider).is_some() {
                self.say(format!("{place}.key"), "stands twice");
            }
        }
        providers
    }

    fn provider_values(&mut self, place: &str, file: &IdentityProviderFile) {
        if !is_key(&file.key) {
            self.say(format!("{place}.key"), &format!("must be 1 to {KEY_CHARACTERS_MAX} lower-case letters, digits and hyphens"));
        }
        if file.title.trim().is_empty() || file.title.chars().count() > TITLE_CHARACTERS_MAX {
            self.say(format!("{place}.title"), &format!("must have 1 to {TITLE_CHARACTERS_MAX} characters"));
        }
        if let Err(what) = web_address(&file.issuer) {
            self.say(format!("{place}.issuer"), what);
        }
        if !is_word(&file.client_id) {
            self.say(format!("{place}.client_id"), "must be one word of printable ASCII");
        }
        for (name, words) in [("scopes", &file.scopes), ("acr", &file.acr), ("amr", &file.amr)] {
            if words.len() > LIST_MAX || !words.iter().all(|word| is_word(word)) {
                self.say(format!("{place}.{name}"), &format!("must be at most {LIST_MAX} words of printable ASCII"));
            }
        }
        if file.max_age_minutes.is_some_and(|minutes| !(1..=MAX_AGE_MINUTES_MAX).contains(&minutes)) {
            self.say(format!("{place}.max_age_minutes"), &format!("must be between 1 and {MAX_AGE_MINUTES_MAX}"));
        }
    }

    fn launch(&mut self, place: &str, file: &LaunchFile, sites: &BTreeMap<String, Site>) -> Launch {
        for (name, address) in [("iss", &file.iss)].into_iter().chain(file.hosts.iter().map(|host| ("hosts", host))) {
            if let Err(what) = web_address(address) {
                self.say(format!("{place}.{name}"), what);
            }
        }
        if file.hosts.len() > LIST_MAX {
            self.say(format!("{place}.hosts"), &format!("must be at most {LIST_MAX}"));
        }
        if !sites.contains_key(&file.site) {
            self.say(format!("{place}.site"), "is not configured");
        }
        if !is_system(&file.local_identifier) {
            self.say(format!("{place}.local_identifier"), NO_SYSTEM);
        }
        Launch {
            iss: file.iss.trim_end_matches('/').to_owned(),
            site: SiteId(file.site.clone()),
            local_identifier: file.local_identifier.clone(),
            hosts: file.hosts.clone(),
        }
    }

    fn credential(&mut self, place: &str, file: &IdentityProviderFile) -> Option<ClientCredential> {
        match (&file.client_secret_file, &file.private_key_file) {
            (Some(secret), None) => {
                if file.kid.is_some() || file.alg.is_some() {
                    self.say(format!("{place}.client_secret_file"), "has no kid and no alg: those are a private key's");
                }
                Some(ClientCredential::Secret { file: secret.clone() })
            }
            (None, Some(key)) => {
                let algorithm = file.alg.as_deref().and_then(SigningAlgorithm::from_name);
                if algorithm.is_none() {
                    self.say(format!("{place}.alg"), "must be RS256, RS384, ES256 or ES384");
                }
                let kid = file.kid.as_ref().filter(|kid| is_word(kid));
                if kid.is_none() {
                    self.say(format!("{place}.kid"), "must be the id under which the key is registered");
                }
                Some(ClientCredential::PrivateKey { file: key.clone(), kid: kid?.clone(), algorithm: algorithm? })
            }
            _ => {
                self.say(place.to_owned(), "needs either client_secret_file or private_key_file");
                None
            }
        }
    }
}

fn with_openid(scopes: &[String]) -> Vec<String> {
    let mut all = vec!["openid".to_owned()];
    all.extend(scopes.iter().filter(|scope| *scope != "openid").cloned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::{Extra, Setup};

    const TRUST: &str = r#"
        [server]
        origin = "https://alongside.example"
        [[identity_provider]]
        key = "trust"
        title = "The trust"
        issuer = "https://login.example/tenant/v2.0"
        client_id = "alongside"
        client_secret_file = "secret"
        scopes = ["openid", "profile"]
        [[identity_provider]]
        key = "cis2"
        title = "NHS CIS2"
        issuer = "https://am.example:443/openam/oauth2"
        client_id = "1234.apps.example"
        private_key_file = "key.pem"
        kid = "k1"
        alg = "RS384"
        acr = ["AAL3"]
        amr = ["mfa"]
        max_age_minutes = 15
        [identity_provider.launch]
        iss = "https://record.example/r4/"
        site = "north"
        local_identifier = "https://north.example/id/mrn"
        hosts = ["https://am.example"]
        [[site]]
        key = "north"
        title = "North"
        organisations = [{ code = "RAP" }]
    "#;

    fn places(text: &str) -> Vec<String> {
        Setup::read(text, &Extra::default()).unwrap_err().into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn identity_providers_are_read_and_openid_is_always_asked_for() {
        let setup = Setup::read(TRUST, &Extra::default()).unwrap();
        assert_eq!(setup.origin(), "https://alongside.example");
        assert_eq!(setup.identity_providers["trust"].scopes, ["openid", "profile"]);
        let cis2 = &setup.identity_providers["cis2"];
        let launch = cis2.launch.as_ref().unwrap();
        assert_eq!((launch.iss.as_str(), launch.site.0.as_str()), ("https://record.example/r4", "north"));
        assert_eq!((cis2.scopes.as_slice(), cis2.max_age_minutes), (&["openid".to_owned()][..], Some(15)));
        assert_eq!((cis2.acr.as_slice(), cis2.amr.as_slice()), (&["AAL3".to_owned()][..], &["mfa".to_owned()][..]));
        let key = ClientCredential::PrivateKey { file: "key.pem".into(), kid: "k1".into(), algorithm: SigningAlgorithm::Rs384 };
        assert_eq!(cis2.credential, key);
    }

    #[test]
    fn what_is_wrong_with_an_identity_provider_has_its_place() {
        for (from, to, place) in [
            ("key = \"trust\"", "key = \"The trust\"", "identity_provider[0].key"),
            ("key = \"cis2\"", "key = \"trust\"", "identity_provider[1].key"),
            ("title = \"The trust\"", "title = \" \"", "identity_provider[0].title"),
            ("https://login.example/tenant/v2.0", "http://login.example", "identity_provider[0].issuer"),
            ("https://login.example/tenant/v2.0", "https://login.example?tenant", "identity_provider[0].issuer"),
            ("https://login.example/tenant/v2.0", "https://user@login.example", "identity_provider[0].issuer"),
            ("https://login.example/tenant/v2.0", "https://am.example:443/openam/oauth2", "identity_provider[1].issuer"),
            ("client_id = \"alongside\"", "client_id = \"a b\"", "identity_provider[0].client_id"),
            ("client_secret_file = \"secret\"", "", "identity_provider[0]"),
            ("client_secret_file = \"secret\"", "client_secret_file = \"a\"\nprivate_key_file = \"b\"", "identity_provider[0]"),
            ("kid = \"k1\"", "", "identity_provider[1].kid"),
            ("alg = \"RS384\"", "alg = \"HS256\"", "identity_provider[1].alg"),
            ("alg = \"RS384\"", "alg = \"none\"", "identity_provider[1].alg"),
            ("[\"openid\", \"profile\"]", "[\"open id\"]", "identity_provider[0].scopes"),
            ("[\"mfa\"]", "[\"two words\"]", "identity_provider[1].amr"),
            ("max_age_minutes = 15", "max_age_minutes = 0", "identity_provider[1].max_age_minutes"),
            ("https://record.example/r4/", "http://record.example", "identity_provider[1].launch.iss"),
            ("https://am.example\"]", "am.example\"]", "identity_provider[1].launch.hosts"),
            ("site = \"north\"", "site = \"south\"", "identity_provider[1].launch.site"),
            ("https://north.example/id/mrn", "mrn", "identity_provider[1].launch.local_identifier"),
        ] {
            assert_eq!(places(&TRUST.replace(from, to)), [place], "{to}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for fine in ["http://127.0.0.1:1", "http://[::1]:80/x", "http://localhost", "https://a.example", "https://[2001:db8::1]:8443"] {
            assert_eq!(web_address(fine), Ok(()), "{fine}");
        }
        for bad in [
            "http://10.0.0.1",
            "http://localhost.example",
            "http://127.0.0.1@evil.example",
            "https://",
            "https://a:b",
            "ftp://a",
            "https://a\\b",
        ] {
            assert!(web_address(bad).is_err(), "{bad}");
        }
    }
}
