//! A provider that lies. What an honest one does is tested against a real one in `e2e/oidc.test.mjs`.

use std::collections::HashMap;
use std::sync::Arc;

use alongside_app::setup::{Extra, Setup};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::keys::write_secret;

const NOW_SECONDS: i64 = 1_736_150_400;
const CLIENT: &str = "alongside";
const ACCESS_TOKEN: &str = "an access token";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW_SECONDS + seconds).unwrap()
}

/// A key on P-256.
struct Key {
    kid: String,
    der: Vec<u8>,
    signing: EncodingKey,
}

impl Key {
    fn new(kid: &str) -> Self {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap().as_ref().to_vec();
        Self { kid: kid.to_owned(), signing: EncodingKey::from_ec_der(&der), der }
    }

    fn published(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.signing, jsonwebtoken::Algorithm::ES256).unwrap();
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).unwrap()
    }

    fn pem(&self) -> String {
        let body = base64::engine::general_purpose::STANDARD.encode(&self.der);
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    }
}

/// A token in its compact form, signed or not.
fn compact(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> String) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = sign(message.as_bytes());
    format!("{message}.{signature}")
}

fn signed(header: &Value, claims: &Value, key: &Key) -> String {
    compact(header, claims, |message| jsonwebtoken::crypto::sign(message, &key.signing, jsonwebtoken::Algorithm::ES256).unwrap())
}

/// What the provider does next.
#[derive(Default)]
struct Play {
    metadata: Value,
    keys: Vec<Value>,
    /// Answers of the token endpoint by code, each good once, with the challenge that the verifier must meet.
    codes: HashMap<String, (String, Value)>,
    keys_asked: usize,
    metadata_asked: usize,
    form: HashMap<String, String>,
    authorization: Option<String>,
    elsewhere: bool,
    padding: usize,
}

#[derive(Clone)]
struct Fake {
    issuer: String,
    play: Arc<Mutex<Play>>,
}

impl Fake {
    async fn start(key: &Key) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorise?kept=1"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "authorization_response_iss_parameter_supported": true,
        });
        let play = Play { metadata, keys: vec![key.published()], ..Play::default() };
        let fake = Self { issuer, play: Arc::new(Mutex::new(play)) };
        let pages = Router::new()
            .route("/.well-known/openid-configuration", get(Self::metadata))
            .route("/elsewhere", get(|State(fake): State<Self>| async move { fake.metadata_text() }))
            .route("/keys", get(Self::keys))
            .route("/token", post(Self::token))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, pages).await });
        fake
    }

    fn play(&self) -> MutexGuard<'_, Play> {
        self.play.lock().unwrap()
    }

    fn metadata_text(&self) -> String {
        let play = self.play();
        format!("{}{}", play.metadata, " ".repeat(play.padding))
    }

    async fn metadata(State(fake): State<Self>) -> Response {
        fake.play().metadata_asked += 1;
        if fake.play().elsewhere { Redirect::temporary("/elsewhere").into_response() } else { fake.metadata_text().into_response() }
    }

    async fn keys(State(fake): State<Self>) -> String {
        let mut play = fake.play();
        play.keys_asked += 1;
        json!({ "keys": play.keys }).to_string()
    }

    async fn token(State(fake): State<Self>, headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
        let mut play = fake.play();
        play.authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        play.form = form;
        let verifier = play.form.get("code_verifier").map(|verifier| challenge(verifier));
        let code = play.form.get("code").cloned().unwrap_or_default();
        match play.codes.remove(&code) {
            Some((challenge, answer)) if Some(&challenge) == verifier.as_ref() => answer.to_string().into_response(),
            _ => (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response(),
        }
    }
}

/// Two providers, one of which knows us by a secret and the other by a key, and this program.
struct Stage {
    trust: Fake,
    charity: Fake,
    key: Key,
    charity_key: Key,
    providers: Providers,
    _folder: TempDir,
}

impl Stage {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With further lines for the first provider.
    async fn with(settings: &str) -> Self {
        let (key, charity_key, ours) = (Key::new("k1"), Key::new("k1"), Key::new("ours"));
        let (trust, charity) = (Fake::start(&key).await, Fake::start(&charity_key).await);
        let folder = tempfile::tempdir().unwrap();
        write_secret(&folder.path().join("secret"), "hush hush\n");
        write_secret(&folder.path().join("key.pem"), &ours.pem());
        let text = format!(
            "[server]\norigin = \"https://alongside.example\"\n\
             [[identity_provider]]\nkey = \"trust\"\ntitle = \"The trust\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
             client_secret_file = \"{folder}/secret\"\nscopes = [\"profile\"]\n{settings}\n\
             [[identity_provider]]\nkey = \"charity\"\ntitle = \"The charity\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
             private_key_file = \"{folder}/key.pem\"\nkid = \"ours\"\nalg = \"ES256\"\n",
            trust.issuer,
            charity.issuer,
            folder = folder.path().display(),
        );
        let providers = Providers::from_setup(&Setup::read(&text, &Extra::default()).unwrap()).unwrap();
        Self { trust, charity, key, charity_key, providers, _folder: folder }
    }

    /// Begins a sign-in with the trust, as an honest person would, until the provider sends the browser back.
    async fn begin(&self) -> Back {
        self.begin_with("trust", &self.trust).await
    }

    async fn begin_with(&self, provider: &str, fake: &Fake) -> Back {
        let (address, cookie) = self.providers.begin(provider, Errand::Enter, at(0)).await.unwrap();
        let asked = query_of(&address);
        let claims = json!({
            "iss": fake.issuer, "sub": "ann", "aud": CLIENT, "exp": NOW_SECONDS + 300, "iat": NOW_SECONDS,
            "nonce": asked["nonce"], "sid": "s1", "auth_time": NOW_SECONDS - 30, "acr": "AAL3", "amr": ["pwd", "mfa"],
        });
        Back {
            returned: Returned {
                state: Some(asked["state"].clone()),
                code: Some("c1".into()),
                iss: Some(fake.issuer.clone()),
                error: None,
            },
            cookie: Some(cookie.value),
            header: json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" }),
            claims,
            asked,
            address,
        }
    }

    /// Finishes with a token signed by the trust.
    async fn finish(&self, back: &Back) -> Result<Finished, OidcError> {
        self.finish_with(back, signed(&back.header, &back.claims, &self.key)).await
    }

    /// Finishes with this token in the answer of the trust.
    async fn finish_with(&self, back: &Back, token: String) -> Result<Finished, OidcError> {
        self.trust.give(back, token);
        self.providers.finish(&back.returned, &back.cookies(), at(1)).await
    }
}

impl Fake {
    /// Makes the code of this sign-in good for this token.
    fn give(&self, back: &Back, token: String) {
        let answer = json!({ "id_token": token, "access_token": ACCESS_TOKEN, "token_type": "Bearer" });
        self.play().codes.insert("c1".into(), (back.asked["code_challenge"].clone(), answer));
    }
}

/// What comes back, to be changed by a test.
struct Back {
    address: String,
    asked: HashMap<String, String>,
    returned: Returned,
    cookie: Option<String>,
    header: Value,
    claims: Value,
}

impl Back {
    fn cookies(&self) -> Vec<&str> {
        // A browser may send one of another frame before it.
        ["another"].into_iter().chain(self.cookie.as_deref()).collect()
    }
}

fn query_of(address: &str) -> HashMap<String, String> {
    let url: reqwest::Url = address.parse().unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn an_honest_sign_in_gives_issuer_and_subject() {
    let stage = Stage::new().await;
    let back = stage.begin().await;
    assert!(back.address.starts_with(&format!("{}/authorise?kept=1&", stage.trust.issuer)));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "https://alongside.example/sign-in/return"),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(back.asked[name], value);
    }
    let finished = stage.finish(&back).await.unwrap();
    let identity = Identity { issuer: stage.trust.issuer.clone(), subject: "ann".into() };
    assert_eq!(finished, Finished { identity, errand: Errand::Enter, record: None });
    // RFC 6749, section 2.3.1: the parts are encoded as in a form, then joined.
    let basic = base64::engine::general_purpose::STANDARD.encode("alongside:hush+hush");
    assert_eq!(stage.trust.play().authorization.as_deref(), Some(format!("Basic {basic}").as_str()));
}

#[tokio::test]
async fn an_invitation_stays_here_and_comes_back_with_its_sign_in_alone() {
    let stage = Stage::new().await;
    let mut back = stage.begin().await;
    let (address, cookie) = stage.providers.begin("trust", Errand::Invitation("an invitation".into()), at(0)).await.unwrap();
    assert!(!address.contains("invitation"));
    assert_eq!((query_of(&address).get("prompt").map(String::as_str), back.asked.get("prompt")), (Some("login"), None));
    let other = stage.finish(&back).await.unwrap();
    assert_eq!(other.errand, Errand::Enter);
    back.asked = query_of(&address);
    back.returned.state = Some(back.asked["state"].clone());
    back.claims["nonce"] = json!(back.asked["nonce"]);
    back.cookie = Some(cookie.value);
    assert_eq!(stage.finish(&back).await.unwrap().errand, Errand::Invitation("an invitation".into()));
}

#[tokio::test]
async fn a_token_that_says_something_wrong_is_refused_each_by_its_own_name() {
    let stage = Stage::with("acr = [\"AAL3\"]\namr = [\"mfa\", \"hwk\"]\nmax_age_minutes = 15").await;
    assert!(stage.finish(&stage.begin().await).await.is_ok());
    let now = NOW_SECONDS;
    for (claim, value, refusal) in [
        ("iss", json!("https://evil.example"), OidcError::IssuerWrong),
        ("iss", json!(stage.charity.issuer), OidcError::IssuerWrong),
        ("iss", json!(format!("{}/", stage.trust.issuer)), OidcError::IssuerWrong),
        ("aud", json!("another-client"), OidcError::AudienceWrong),
        ("aud", json!([]), OidcError::AudienceWrong),
        ("aud", json!([CLIENT, "another-client"]), OidcError::AudienceWrong),
        ("azp", json!("another-client"), OidcError::PartyWrong),
        ("nonce", json!("another nonce"), OidcError::NonceWrong),
        ("nonce", Value::Null, OidcError::NonceWrong),
        ("exp", json!(now - 60), OidcError::Expired),
        ("exp", Value::Null, OidcError::TokenMalformed),
        ("exp", json!("tomorrow"), OidcError::TokenMalformed),
        ("exp", json!(1e300), OidcError::TokenMalformed),
        ("iat", json!(now + 3600), OidcError::IssuedWrong),
        ("iat", json!(now - 3600), OidcError::IssuedWrong),
        ("auth_time", json!(now - 1000), OidcError::AuthenticationOld),
        ("auth_time", json!(now + 1000), OidcError::AuthenticationOld),
        ("auth_time", Value::Null, OidcError::AuthenticationOld),
        ("acr", json!("AAL1"), OidcError::AssuranceLow),
        ("acr", Value::Null, OidcError::AssuranceLow),
        ("amr", json!(["pwd"]), OidcError::AssuranceLow),
        ("amr", json!([]), OidcError::AssuranceLow),
        ("amr", Value::Null, OidcError::AssuranceLow),
        ("amr", json!("mfa"), OidcError::TokenMalformed),
        ("at_hash", json!("of another token"), OidcError::AccessTokenWrong),
        ("sub", json!(""), OidcError::TokenMalformed),
        ("sub", Value::Null, OidcError::TokenMalformed),
        ("sub", json!(1), OidcError::TokenMalformed),
        ("sub", json!("x".repeat(256)), OidcError::TokenMalformed),
    ] {
        let mut back = stage.begin().await;
        assert_eq!((back.asked["acr_values"].as_str(), back.asked["max_age"].as_str()), ("AAL3", "900"));
        back.claims[claim] = value.clone();
        assert_eq!(stage.finish(&back).await, Err(refusal), "{claim} {value}");
    }
}

#[tokio::test]
async fn what_is_merely_unusual_in_a_token_is_taken() {
    let stage = Stage::new().await;
    let half = URL_SAFE_NO_PAD.encode(&hash(ACCESS_TOKEN)[..16]);
    for (claim, value) in [
        ("aud", json!([CLIENT])),
        ("azp", json!(CLIENT)),
        ("exp", json!(1_736_150_700.5)),
        ("at_hash", json!(half)),
        ("auth_time", Value::Null),
        ("amr", Value::Null),
        ("groups", json!(["a"])),
    ] {
        let mut back = stage.begin().await;
        back.claims[claim] = value;
        assert!(stage.finish(&back).await.is_ok(), "{claim}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_signed_by_a_published_key_is_refused() {
    let stage = Stage::new().await;
    let intruder = Key::new("k1");
    let public = stage.key.published();
    let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid });
    let with_public_key = |message: &[u8]| {
        let secret = EncodingKey::from_secret(public.to_string().as_bytes());
        jsonwebtoken::crypto::sign(message, &secret, jsonwebtoken::Algorithm::HS256).unwrap()
    };
    let by = |key: &Key, header: Value, back: &Back| signed(&header, &back.claims, key);
    type Forge<'a> = Box<dyn Fn(&Back) -> String + 'a>;
    let cases: Vec<(&str, Forge<'_>, OidcError)> = vec![
        ("none", Box::new(|back| compact(&header("none", "k1"), &back.claims, |_| String::new())), OidcError::AlgorithmRefused),
        ("None", Box::new(|back| compact(&header("None", "k1"), &back.claims, |_| String::new())), OidcError::AlgorithmRefused),
        ("HS256", Box::new(|back| compact(&header("HS256", "k1"), &back.claims, with_public_key)), OidcError::AlgorithmRefused),
        ("RS256 with a key on a curve", Box::new(|back| by(&stage.key, header("RS256", "k1"), back)), OidcError::KeyUnknown),
        ("ES384 with a key on P-256", Box::new(|back| by(&stage.key, header("ES384", "k1"), back)), OidcError::KeyUnknown),
        ("another kid", Box::new(|back| by(&intruder, header("ES256", "k2"), back)), OidcError::KeyUnknown),
        ("no kid", Box::new(|back| by(&stage.key, json!({ "alg": "ES256" }), back)), OidcError::KeyUnknown),
        ("another key", Box::new(|back| by(&intruder, header("ES256", "k1"), back)), OidcError::SignatureWrong),
        ("the other provider's key", Box::new(|back| by(&stage.charity_key, header("ES256", "k1"), back)), OidcError::SignatureWrong),
        ("no signature", Box::new(|back| compact(&header("ES256", "k1"), &back.claims, |_| String::new())), OidcError::SignatureWrong),
        (
            "a key that it brings along",
            Box::new(|back| by(&intruder, json!({ "alg": "ES256", "kid": "k1", "jwk": intruder.published() }), back)),
            OidcError::SignatureWrong,
        ),
        (
            "a key that it points to",
            Box::new(|back| {
                let keys = format!("{}/keys", stage.charity.issuer);
                by(&stage.charity_key, json!({ "alg": "ES256", "kid": "k1", "jku": keys, "x5u": keys }), back)
            }),
            OidcError::SignatureWrong,
        ),
        (
            "a critical extension",
            Box::new(|back| by(&stage.key, json!({ "alg": "ES256", "kid": "k1", "crit": ["b64"] }), back)),
            OidcError::TokenMalformed,
        ),
        (
            "a logout token",
            Box::new(|back| by(&stage.key, json!({ "alg": "ES256", "kid": "k1", "typ": "logout+jwt" }), back)),
            OidcError::TypeWrong,
        ),
        ("no token", Box::new(|_| "a.b".into()), OidcError::TokenMalformed),
        ("too much", Box::new(|_| format!("{}.e30.AA", "A".repeat(70_000))), OidcError::TokenMalformed),
    ];
    for (name, make, refusal) in cases {
        let back = stage.begin().await;
        assert_eq!(stage.finish_with(&back, make(&back)).await, Err(refusal), "{name}");
    }
    assert_eq!(stage.charity.play().keys_asked, 0, "a token made this program ask for keys elsewhere");
}

#[tokio::test]
async fn claims_changed_after_signing_are_refused() {
    let stage = Stage::new().await;
    let back = stage.begin().await;
    let token = signed(&back.header, &back.claims, &stage.key);
    let mut claims = back.claims.clone();
    claims["sub"] = json!("somebody else");
    let parts: Vec<&str> = token.split('.').collect();
    let changed = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    assert_eq!(stage.finish_with(&back, changed).await, Err(OidcError::SignatureWrong));
}

#[tokio::test]
async fn an_answer_that_is_not_to_our_question_is_refused() {
    let stage = Stage::new().await;
    type Change = fn(&mut Back);
    let cases: [(&str, Change, OidcError); 8] = [
        ("no state", |back| back.returned.state = None, OidcError::StateUnknown),
        ("another state", |back| back.returned.state = Some("guessed".into()), OidcError::StateUnknown),
        ("no cookie", |back| back.cookie = None, OidcError::OtherBrowser),
        ("another browser's cookie", |back| back.cookie = Some("another".into()), OidcError::OtherBrowser),
        ("no code", |back| back.returned.code = None, OidcError::CodeMissing),
        ("no issuer, though it says that it always has one", |back| back.returned.iss = None, OidcError::MixedUp),
        ("declined", |back| back.returned.error = Some("access_denied".into()), OidcError::Declined),
        ("another error", |back| back.returned.error = Some("server_error".into()), OidcError::ProviderRefused),
    ];
    for (name, change, refusal) in cases {
        let mut back = stage.begin().await;
        change(&mut back);
        assert_eq!(stage.finish(&back).await, Err(refusal), "{name}");
        assert!(stage.trust.play().form.is_empty(), "{name}: the code was sent");
    }
}

#[tokio::test]
async fn an_answer_of_another_issuer_than_the_one_asked_is_refused_before_the_code_is_sent() {
    let stage = Stage::new().await;
    // The mix-up: what was begun with the trust comes back as if from the charity, whose code would go to the trust.
    let mut back = stage.begin().await;
    back.returned.iss = Some(stage.charity.issuer.clone());
    assert_eq!(stage.finish(&back).await, Err(OidcError::MixedUp));
    assert!(stage.trust.play().form.is_empty() && stage.charity.play().form.is_empty());
}

#[tokio::test]
async fn a_sign_in_is_finished_once_and_in_ten_minutes() {
    let stage = Stage::new().await;
    let back = stage.begin().await;
    assert!(stage.finish(&back).await.is_ok());
    assert_eq!(stage.finish(&back).await, Err(OidcError::StateUnknown));
    let late = stage.begin().await;
    stage.trust.give(&late, signed(&late.header, &late.claims, &stage.key));
    assert_eq!(stage.providers.finish(&late.returned, &late.cookies(), at(601)).await, Err(OidcError::StateExpired));
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_of_no_use() {
    let stage = Stage::new().await;
    // A code that was used before.
    let first = stage.begin().await;
    assert!(stage.finish(&first).await.is_ok());
    let second = stage.begin().await;
    assert_eq!(stage.providers.finish(&second.returned, &second.cookies(), at(1)).await, Err(OidcError::ExchangeRefused));
    // A code that was stolen unused: its challenge belongs to another verifier.
    let (victim, thief) = (stage.begin().await, stage.begin().await);
    stage.trust.give(&victim, signed(&victim.header, &victim.claims, &stage.key));
    assert_eq!(stage.providers.finish(&thief.returned, &thief.cookies(), at(1)).await, Err(OidcError::ExchangeRefused));
    // And where the provider does not look at that: its nonce belongs to another sign-in.
    let thief = stage.begin().await;
    let token = signed(&victim.header, &victim.claims, &stage.key);
    assert_eq!(stage.finish_with(&thief, token).await, Err(OidcError::NonceWrong));
}

#[tokio::test]
async fn the_same_subject_of_another_issuer_is_somebody_else() {
    let stage = Stage::new().await;
    let ours = stage.finish(&stage.begin().await).await.unwrap().identity;
    let back = stage.begin_with("charity", &stage.charity).await;
    stage.charity.give(&back, signed(&back.header, &back.claims, &stage.charity_key));
    let theirs = stage.providers.finish(&back.returned, &back.cookies(), at(1)).await.unwrap().identity;
    assert_eq!(theirs.subject, ours.subject);
    assert_eq!((ours.issuer, theirs.issuer), (stage.trust.issuer.clone(), stage.charity.issuer.clone()));
    // And the charity cannot speak of the trust's people.
    let mut back = stage.begin_with("charity", &stage.charity).await;
    back.claims["iss"] = json!(stage.trust.issuer);
    stage.charity.give(&back, signed(&back.header, &back.claims, &stage.charity_key));
    let said = stage.providers.finish(&back.returned, &back.cookies(), at(1)).await;
    assert_eq!(said, Err(OidcError::IssuerWrong));
}

#[tokio::test]
async fn a_private_key_proves_us_to_the_provider_without_a_secret() {
    let stage = Stage::new().await;
    let back = stage.begin_with("charity", &stage.charity).await;
    stage.charity.give(&back, signed(&back.header, &back.claims, &stage.charity_key));
    stage.providers.finish(&back.returned, &back.cookies(), at(1)).await.unwrap();
    let play = stage.charity.play();
    assert_eq!(play.authorization, None);
    let assertion = &play.form["client_assertion"];
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&json!("ES256"), &json!("ours")));
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let (iat, exp) = (NOW_SECONDS + 1, NOW_SECONDS + 121);
    let expected = json!({ "iss": CLIENT, "sub": CLIENT, "aud": format!("{}/token", stage.charity.issuer), "iat": iat, "exp": exp });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&claims[name], value, "{name}");
    }
    assert_eq!(claims["jti"].as_str().unwrap().len(), 43);
}

#[tokio::test]
async fn a_secret_goes_into_the_form_where_the_provider_takes_nothing_else() {
    let stage = Stage::new().await;
    stage.trust.play().metadata["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    assert!(stage.finish(&stage.begin().await).await.is_ok());
    let play = stage.trust.play();
    assert_eq!((play.authorization.as_deref(), play.form["client_secret"].as_str()), (None, "hush hush"));
}

#[tokio::test]
async fn a_discovery_document_must_be_the_issuers_and_lead_nowhere_else() {
    for (name, value) in [
        ("issuer", "https://evil.example"),
        ("authorization_endpoint", "https://evil.example/authorise"),
        ("token_endpoint", "http://127.0.0.1:1/token"),
        ("token_endpoint", "http://169.254.169.254/latest"),
        ("jwks_uri", "file:///etc/passwd"),
        ("jwks_uri", "keys"),
    ] {
        let stage = Stage::new().await;
        stage.trust.play().metadata[name] = json!(value);
        assert_eq!(stage.providers.begin("trust", Errand::Enter, at(0)).await.unwrap_err(), OidcError::MetadataWrong, "{name} {value}");
    }
    assert_eq!(Stage::new().await.providers.begin("nobody", Errand::Enter, at(0)).await.unwrap_err(), OidcError::ProviderUnknown);
}

#[tokio::test]
async fn redirections_are_not_followed_and_answers_are_bounded() {
    let stage = Stage::new().await;
    stage.trust.play().elsewhere = true;
    assert_eq!(stage.providers.begin("trust", Errand::Enter, at(0)).await.unwrap_err(), OidcError::Unreachable);
    stage.trust.play().elsewhere = false;
    stage.trust.play().padding = 600_000;
    assert_eq!(stage.providers.begin("trust", Errand::Enter, at(10)).await.unwrap_err(), OidcError::Unreachable);
    stage.trust.play().padding = 0;
    assert!(stage.providers.begin("trust", Errand::Enter, at(20)).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_for_some_seconds() {
    let stage = Stage::new().await;
    stage.trust.play().elsewhere = true;
    for _ in 0..5 {
        assert_eq!(stage.providers.begin("trust", Errand::Enter, at(0)).await.unwrap_err(), OidcError::Unreachable);
    }
    assert_eq!(stage.trust.play().metadata_asked, 1);
}

#[tokio::test]
async fn new_keys_are_found_and_unknown_ones_ask_once_a_minute() {
    let stage = Stage::new().await;
    assert!(stage.finish(&stage.begin().await).await.is_ok());
    let newer = Key::new("k2");
    stage.trust.play().keys.push(newer.published());
    let logout = |seconds: i64| {
        let claims = json!({
            "iss": stage.trust.issuer, "aud": CLIENT, "sub": "ann", "iat": NOW_SECONDS + seconds, "exp": NOW_SECONDS + seconds + 120,
            "jti": seconds.to_string(), "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        signed(&json!({ "alg": "ES256", "kid": "k2", "typ": "logout+jwt" }), &claims, &newer)
    };
    for seconds in [2, 30, 60] {
        assert_eq!(stage.providers.ended(&logout(seconds), at(seconds)).await, Err(OidcError::KeyUnknown), "{seconds}");
    }
    assert_eq!(stage.trust.play().keys_asked, 1);
    assert!(stage.providers.ended(&logout(61), at(61)).await.is_ok());
    assert_eq!(stage.trust.play().keys_asked, 2);
}

fn logout_claims(stage: &Stage, jti: &str) -> Value {
    json!({
        "iss": stage.trust.issuer, "aud": CLIENT, "sub": "ann", "iat": NOW_SECONDS, "exp": NOW_SECONDS + 120, "jti": jti,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

fn logout_header() -> Value {
    json!({ "alg": "ES256", "kid": "k1", "typ": "logout+jwt" })
}

#[tokio::test]
async fn a_logout_token_ends_the_sessions_of_its_subject_once() {
    let stage = Stage::new().await;
    let token = signed(&logout_header(), &logout_claims(&stage, "1"), &stage.key);
    let ended = Ended { issuer: stage.trust.issuer.clone(), subject: "ann".into(), jti: "1".into() };
    assert_eq!(stage.providers.ended(&token, at(1)).await.as_ref(), Ok(&ended));
    assert_eq!(stage.providers.ended(&token, at(2)).await, Err(OidcError::LogoutReplayed));
    stage.providers.was_not_ended(&ended);
    assert_eq!(stage.providers.ended(&token, at(3)).await, Ok(ended));
}

#[tokio::test]
async fn a_logout_token_may_name_a_session_that_began_here() {
    let stage = Stage::new().await;
    let mut claims = logout_claims(&stage, "1");
    claims["sub"] = Value::Null;
    claims["sid"] = json!("s1");
    let token = signed(&logout_header(), &claims, &stage.key);
    assert_eq!(stage.providers.ended(&token, at(1)).await, Err(OidcError::LogoutUnknown));
    assert!(stage.finish(&stage.begin().await).await.is_ok());
    claims["jti"] = json!("2");
    let token = signed(&logout_header(), &claims, &stage.key);
    assert_eq!(stage.providers.ended(&token, at(1)).await.map(|ended| ended.subject).as_deref(), Ok("ann"));
}

#[tokio::test]
async fn a_logout_token_of_the_drafts_is_taken_while_it_is_new() {
    let stage = Stage::new().await;
    let mut claims = logout_claims(&stage, "1");
    claims["exp"] = Value::Null;
    let token = signed(&json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" }), &claims, &stage.key);
    assert_eq!(stage.providers.ended(&token, at(661)).await, Err(OidcError::Expired));
    assert!(stage.providers.ended(&token, at(600)).await.is_ok());
}

#[tokio::test]
async fn a_logout_token_that_says_something_wrong_ends_nothing() {
    let stage = Stage::new().await;
    for (claim, value, refusal) in [
        ("iss", json!("https://evil.example"), OidcError::ProviderUnknown),
        ("iss", json!(stage.charity.issuer), OidcError::SignatureWrong),
        ("aud", json!("another-client"), OidcError::AudienceWrong),
        ("exp", json!(NOW_SECONDS - 100), OidcError::Expired),
        ("iat", json!(NOW_SECONDS - 3600), OidcError::IssuedWrong),
        ("nonce", json!("a nonce"), OidcError::LogoutWrong),
        ("events", json!({}), OidcError::LogoutWrong),
        ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": true }), OidcError::LogoutWrong),
        ("sub", Value::Null, OidcError::LogoutWrong),
        ("jti", Value::Null, OidcError::TokenMalformed),
    ] {
        let mut claims = logout_claims(&stage, "1");
        claims[claim] = value.clone();
        let token = signed(&logout_header(), &claims, &stage.key);
        assert_eq!(stage.providers.ended(&token, at(1)).await, Err(refusal), "{claim} {value}");
    }
    let claims = logout_claims(&stage, "1");
    let mut header = logout_header();
    header["typ"] = json!("at+jwt");
    assert_eq!(stage.providers.ended(&signed(&header, &claims, &stage.key), at(1)).await, Err(OidcError::TypeWrong));
    let back = stage.begin().await;
    let id_token = signed(&back.header, &back.claims, &stage.key);
    assert_eq!(stage.providers.ended(&id_token, at(1)).await, Err(OidcError::TokenMalformed), "an ID token ends nothing");
    let unsigned = compact(&json!({ "alg": "none", "kid": "k1", "typ": "logout+jwt" }), &claims, |_| String::new());
    assert_eq!(stage.providers.ended(&unsigned, at(1)).await, Err(OidcError::AlgorithmRefused));
}

#[test]
fn a_secret_that_cannot_be_had_is_told_with_its_provider() {
    let text = "[[identity_provider]]\nkey = \"trust\"\ntitle = \"T\"\nissuer = \"https://a.example\"\nclient_id = \"c\"\n\
                client_secret_file = \"/nowhere/secret\"\n";
    let setup = Setup::read(text, &Extra::default()).unwrap();
    let Err(Failure::Invalid(problems)) = Providers::from_setup(&setup) else { panic!("it was taken") };
    assert_eq!(problems[0].place, "identity_provider trust");
}
