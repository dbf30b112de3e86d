//! FHIR R4 over HTTP: an address and its headers become a request at a hatch, and its answer a resource.

use alongside_app::fhir::{Bearer, Hatch, Reply, Request, SERVED, TOKEN_SECONDS};
use alongside_app::{App, Failure};
use alongside_fhir::{Code, Issue, outcome};
use axum::Form;
use axum::extract::rejection::{FormRejection, StringRejection};
use axum::extract::{FromRequestParts, Path, RawForm, RawQuery, Request as Asked, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{error, warn};

use super::Web;
use super::routes::{Needs, Route, put_large, read, send, send_large};
use crate::backend::TOKEN_PATH;

/// Where the API is.
const BASE_PATH: &str = "/fhir/r4";
/// The most bytes of a resource or a bundle.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const CONTENT_TYPE: &str = "application/fhir+json";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) fn routes() -> Vec<Route> {
    use Needs::{Nothing, Signed, System};
    vec![
        read("/fhir/r4/metadata", Nothing, metadata),
        read("/fhir/r4/.well-known/smart-configuration", Nothing, smart_configuration),
        send("/oauth/token", Signed, token),
        send_large("/fhir/r4", System, BODY_BYTES_MAX, bundle),
        // As some clients write it.
        send_large("/fhir/r4/", System, BODY_BYTES_MAX, bundle),
        read("/fhir/r4/{type}", System, search),
        send("/fhir/r4/{type}/_search", System, search_by_form),
        send_large("/fhir/r4/{type}", System, BODY_BYTES_MAX, create),
        read("/fhir/r4/{type}/{id}", System, read_one),
        put_large("/fhir/r4/{type}/{id}", System, BODY_BYTES_MAX, update),
        read("/fhir/r4/{type}/{id}/_history", System, history),
        read("/fhir/r4/{type}/{id}/_history/{version}", System, vread),
    ]
}

/// Whether an address is one of the API, and so answered by resources and not by pages.
pub(super) fn is_api(uri: &Uri) -> bool {
    uri.path() == BASE_PATH || uri.path().starts_with("/fhir/")
}

/// The address of the API.
fn base(app: &App) -> String {
    format!("{}{BASE_PATH}", app.setup.origin())
}

/// A refusal that no hatch has made.
pub(super) fn refused(status: StatusCode, code: Code, what: &str) -> Response {
    let body = outcome::resource(&[Issue::whole(code, what)]);
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response()
}

/// A request with a good token: put in place by the check of its route, and by nothing else.
#[derive(Clone)]
pub(super) struct Counter {
    bearer: Bearer,
}

impl FromRequestParts<Web> for Counter {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, StatusCode> {
        // A handler that wants one on a route that needs none is a mistake, and is answered by nothing.
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::FORBIDDEN)
    }
}

/// Runs a request of a system that has a good token.
pub(super) async fn take(web: Web, mut request: Asked, next: Next) -> Response {
    let said = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = said.and_then(|said| said.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token.and_then(|(_, token)| web.app().bearer(token.trim())) {
        Some(bearer) => {
            request.extensions_mut().insert(Counter { bearer });
            next.run(request).await
        }
        None => {
            let mut answer = refused(StatusCode::UNAUTHORIZED, Code::Login, "A token of this service is needed, and it must be good.");
            let challenge = if said.is_some() { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            answer
        }
    }
}

/// Carries out a request at the hatch, on a thread that may block.
async fn at_hatch(web: Web, counter: Counter, headers: HeaderMap, request: Request) -> Response {
    if !speaks_json(&headers) {
        return refused(StatusCode::NOT_ACCEPTABLE, Code::NotSupported, "JSON is spoken here.");
    }
    let app = web.app();
    let work = tokio::task::spawn_blocking(move || {
        let base = base(&app);
        let reply = app.hatch(&counter.bearer.client, &counter.bearer.scopes, &base).map(|hatch: Hatch| hatch.answer(request));
        (reply, base)
    });
    match work.await {
        Ok((Ok(reply), base)) => {
            if reply.status >= 500 {
                error!(status = reply.status, "a request over FHIR was not carried out");
            }
            answered(&reply, &base, &headers)
        }
        Ok((Err(Failure::NotFound), _)) => refused(StatusCode::UNAUTHORIZED, Code::Login, "This system is not configured any more."),
        Ok((Err(_), _)) | Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, Code::Exception, "Something is broken in here."),
    }
}

fn speaks_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    accepted.is_empty() || accepted.contains("json") || accepted.contains("*/*") || accepted.contains("application/*")
}

/// The answer over HTTP (R4, section 3.1.0).
fn answered(reply: &Reply, base: &str, asked: &HeaderMap) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let tag = reply.version.map(|version| format!("W/\"{version}\""));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = tag.as_deref().is_some_and(|tag| known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag)));
    let is_minimal = asked.get("prefer").and_then(|value| value.to_str().ok()).is_some_and(|prefer| prefer.contains("return=minimal"));
    let mut answer = if is_known && status == StatusCode::OK {
        StatusCode::NOT_MODIFIED.into_response()
    } else if is_minimal && status.is_success() && reply.version.is_some() && asked.contains_key(header::CONTENT_TYPE) {
        status.into_response()
    } else {
        (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], reply.body.to_string()).into_response()
    };
    let location = reply.location.as_ref().map(|location| format!("{base}/{location}"));
    let modified = reply
        .modified
        .as_deref()
        .and_then(|at| at.parse::<Timestamp>().ok())
        .map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let headers: [(HeaderName, Option<String>); 3] = [(header::ETAG, tag), (header::LOCATION, location), (header::LAST_MODIFIED, modified)];
    for (name, value) in headers {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

async fn metadata(State(web): State<Web>) -> Response {
    let app = web.app();
    let body = app.capabilities(&base(&app));
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response()
}

/// What a client must know to get a token (SMART App Launch 2.2, "Conformance").
async fn smart_configuration(State(web): State<Web>) -> Response {
    let scopes = SERVED.iter().map(|served| {
        let mut letters: Vec<char> = served.interactions.iter().map(|interaction| interaction.letter()).collect();
        letters.sort_by_key(|letter| "cruds".find(*letter));
        letters.dedup();
        format!("system/{}.{}", served.name, letters.into_iter().collect::<String>())
    });
    plain(
        StatusCode::OK,
        &json!({
            "token_endpoint": format!("{}{TOKEN_PATH}", web.app().setup.origin()),
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": scopes.collect::<Vec<_>>(),
            "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        }),
    )
}

#[derive(Debug, Default, Deserialize)]
struct TokenForm {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    client_assertion_type: String,
    #[serde(default)]
    client_assertion: String,
    #[serde(default)]
    scope: String,
}

/// Gives a token (RFC 6749, section 4.4, with RFC 7523).
async fn token(State(web): State<Web>, form: Result<Form<TokenForm>, FormRejection>) -> Response {
    let Ok(Form(form)) = form else { return no_token("invalid_request", "This needs a form.") };
    if form.grant_type != "client_credentials" {
        return no_token("unsupported_grant_type", "Only client_credentials is.");
    }
    if form.client_assertion_type != ASSERTION_TYPE {
        return no_token("invalid_request", "client_assertion_type must be that of a JWT.");
    }
    let app = web.app();
    let proved = match web.options.clients.proved(&form.client_assertion, app.world.now()).await {
        Ok(proved) => proved,
        Err((why, client)) => {
            warn!(%why, "a system did not prove who it is");
            if let Some(client) = client {
                let noted = tokio::task::spawn_blocking(move || app.note_no_token(&client)).await;
                if !matches!(noted, Ok(Ok(()))) {
                    error!("that a system did not prove who it is could not be written down");
                }
            }
            return no_token("invalid_client", "The assertion does not hold.");
        }
    };
    let given = tokio::task::spawn_blocking(move || app.give_token(&proved.client, &proved.jti, &form.scope)).await;
    match given {
        Ok(Ok(given)) => {
            let scope = given.scopes.to_string();
            let body = json!({ "access_token": given.token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": scope });
            plain(StatusCode::OK, &body)
        }
        Ok(Err(Failure::Invalid(_))) => no_token("invalid_scope", "Nothing of what was asked for may be asked for by this client."),
        Ok(Err(Failure::Forbidden | Failure::NotFound)) => no_token("invalid_client", "The assertion does not hold."),
        Ok(Err(_)) | Err(_) => refused_token(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "Try again."),
    }
}

fn no_token(error: &str, what: &str) -> Response {
    let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    refused_token(status, error, what)
}

fn refused_token(status: StatusCode, error: &str, what: &str) -> Response {
    plain(status, &json!({ "error": error, "error_description": what }))
}

/// An answer that is JSON and no resource.
fn plain(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn bundle(State(web): State<Web>, counter: Counter, headers: HeaderMap, body: Result<String, StringRejection>) -> Response {
    match resource_of(&headers, body) {
        Ok(body) => at_hatch(web, counter, headers, Request::Bundle { body }).await,
        Err(answer) => *answer,
    }
}

async fn search(
    State(web): State<Web>,
    counter: Counter,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let pairs = pairs(query.as_deref().unwrap_or_default().as_bytes());
    at_hatch(web, counter, headers, Request::Search { kind, pairs }).await
}

async fn search_by_form(
    State(web): State<Web>,
    counter: Counter,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    form: Result<RawForm, axum::extract::rejection::RawFormRejection>,
) -> Response {
    let Ok(RawForm(form)) = form else {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::NotSupported, "A search that is sent is a form.");
    };
    let mut all = pairs(query.as_deref().unwrap_or_default().as_bytes());
    all.extend(pairs(&form));
    at_hatch(web, counter, headers, Request::Search { kind, pairs: all }).await
}

async fn create(
    State(web): State<Web>,
    counter: Counter,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Result<String, StringRejection>,
) -> Response {
    let if_none_exist = text(&headers, "if-none-exist");
    match resource_of(&headers, body) {
        Ok(body) => at_hatch(web, counter, headers, Request::Create { kind, body, if_none_exist }).await,
        Err(answer) => *answer,
    }
}

async fn update(
    State(web): State<Web>,
    counter: Counter,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<String, StringRejection>,
) -> Response {
    let if_match = text(&headers, "if-match");
    match resource_of(&headers, body) {
        Ok(body) => at_hatch(web, counter, headers, Request::Update { kind, id, body, if_match }).await,
        Err(answer) => *answer,
    }
}

async fn read_one(State(web): State<Web>, counter: Counter, Path((kind, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    at_hatch(web, counter, headers, Request::Read { kind, id }).await
}

async fn history(State(web): State<Web>, counter: Counter, Path((kind, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    at_hatch(web, counter, headers, Request::History { kind, id }).await
}

async fn vread(
    State(web): State<Web>,
    counter: Counter,
    Path((kind, id, version)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    at_hatch(web, counter, headers, Request::Vread { kind, id, version }).await
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The names and values of a query or a form.
fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// The resource that was sent: JSON, in UTF-8, in bounds.
fn resource_of(headers: &HeaderMap, body: Result<String, StringRejection>) -> Result<String, Box<Response>> {
    let kind = text(headers, "content-type").unwrap_or_default().to_ascii_lowercase();
    let is_json = ["application/fhir+json", "application/json", "text/json"].iter().any(|known| kind.starts_with(known));
    if !is_json {
        return Err(Box::new(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::NotSupported, "Send JSON, as application/fhir+json.")));
    }
    body.map_err(|rejection| {
        let status = rejection.status();
        let large = status == StatusCode::PAYLOAD_TOO_LARGE;
        let (code, what) =
            if large { (Code::TooLong, "This is larger than 1 MiB.") } else { (Code::Invalid, "This is not UTF-8, or not whole.") };
        Box::new(refused(status, code, what))
    })
}

/// What is answered for what no route of the API is.
pub(super) fn nothing_here() -> Response {
    refused(StatusCode::NOT_FOUND, Code::NotSupported, "There is no such address here.")
}

/// What is answered where an address does not take a method.
pub(super) fn not_allowed() -> Response {
    refused(StatusCode::METHOD_NOT_ALLOWED, Code::NotSupported, "This is not done here.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says_stands_in_its_headers() {
        let reply = Reply {
            status: 200,
            body: Value::Null,
            version: Some(3),
            modified: Some("2025-01-06T08:30:00.123456Z".into()),
            location: Some("Task/1/_history/3".into()),
        };
        let asked = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            answered(&reply, "https://here.example/fhir/r4", &pairs.collect())
        };
        let answer = asked(&[]);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("etag"), "W/\"3\"");
        assert_eq!(header("last-modified"), "Mon, 06 Jan 2025 08:30:00 GMT");
        assert_eq!(header("location"), "https://here.example/fhir/r4/Task/1/_history/3");
        assert_eq!(asked(&[("if-none-match", "W/\"2\", W/\"3\"")]).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(asked(&[("if-none-match", "W/\"2\"")]).status(), StatusCode::OK);
        for (accept, speaks) in
            [("application/fhir+json", true), ("*/*", true), ("text/html, application/*;q=0.8", true), ("application/fhir+xml", false)]
        {
            assert_eq!(speaks_json(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])), speaks, "{accept}");
        }
    }
}
