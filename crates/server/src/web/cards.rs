//! Cards beside the record (CDS Hooks 2.0). A clinician's screen never gets an error of ours: what goes wrong in here is said to
//! the log, and no card is shown. What the record did wrong is said to the record.

use std::sync::Arc;
use std::time::Duration;

use alongside_app::Failure;
use alongside_app::cards::{CardRequest, discovery};
use alongside_domain::card::Hook;
use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Web;
use super::routes::Needs::{Nothing, Signed};
use super::routes::{Route, read, send_large};
use crate::oidc::OidcError;

/// The largest question: a Patient and some orders.
const QUESTION_BYTES_MAX: usize = 512 * 1024;
/// After this, no card is better than a late one.
const ANSWER_MAX: Duration = Duration::from_millis(400);

/// The addresses of this room.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        read("/cds-services", Nothing, services),
        send_large("/cds-services/{service}", Signed, QUESTION_BYTES_MAX, cards),
        send_large("/cds-services/{service}/feedback", Signed, QUESTION_BYTES_MAX, feedback),
    ]
}

/// What is used of a question; the rest is not even kept in memory.
#[derive(Deserialize)]
struct Question {
    hook: String,
    context: Context,
    #[serde(default)]
    prefetch: Prefetch,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    user_id: String,
    patient_id: String,
    #[serde(default)]
    draft_orders: Value,
}

#[derive(Default, Deserialize)]
struct Prefetch {
    #[serde(default)]
    patient: Value,
}

async fn services(State(web): State<Web>) -> Response {
    json_of(StatusCode::OK, &discovery(&web.app().service_name()))
}

async fn cards(State(web): State<Web>, Path(service): Path<String>, request: Request) -> Response {
    tokio::time::timeout(ANSWER_MAX, answered(&web, &service, request)).await.unwrap_or_else(|_| silent("no card in time"))
}

async fn answered(web: &Web, service: &str, request: Request) -> Response {
    let Received { hook, client, body } = match received(web, service, request).await {
        Ok(received) => received,
        Err(answer) if answer.status().is_server_error() => return silent("what is needed for a card could not be had"),
        Err(answer) => return answer,
    };
    let question = match serde_json::from_slice::<Question>(&body) {
        Ok(question) if question.hook == hook.code() => question,
        Ok(_) => return refused(StatusCode::BAD_REQUEST, "This service is for another hook."),
        Err(wrong) => {
            let what = format!("Line {}, column {} is not as it should be.", wrong.line(), wrong.column());
            return refused(StatusCode::BAD_REQUEST, &what);
        }
    };
    let patient = question.prefetch.patient;
    if patient["resourceType"] != "Patient" || patient["id"] != question.context.patient_id {
        return refused(StatusCode::PRECONDITION_FAILED, "The Patient of the context must come along, as prefetch “patient”.");
    }
    let asked = CardRequest {
        hook,
        user: question.context.user_id,
        patient_id: question.context.patient_id,
        patient,
        draft_orders: question.context.draft_orders,
    };
    // It goes when nobody waits any more.
    let waiting = Arc::new(());
    let (app, asker) = (web.app(), Arc::downgrade(&waiting));
    let found = tokio::task::spawn_blocking(move || app.cards(&client, asked, move || asker.strong_count() > 0)).await;
    drop(waiting);
    match found {
        Ok(Ok(found)) => json_of(StatusCode::OK, &json!({ "cards": found })),
        Ok(Err(why)) => silent(&why.to_string()),
        Err(_) => silent("a question for cards gave up"),
    }
}

async fn feedback(State(web): State<Web>, Path(service): Path<String>, request: Request) -> Response {
    let Received { client, body, .. } = match received(&web, &service, request).await {
        Ok(received) => received,
        Err(answer) => return answer,
    };
    let Ok(said) = serde_json::from_slice::<Value>(&body) else { return refused(StatusCode::BAD_REQUEST, "This is no JSON.") };
    let app = web.app();
    match tokio::task::spawn_blocking(move || app.take_feedback(&client, &said)).await {
        Ok(Ok(())) => json_of(StatusCode::OK, &json!({})),
        Ok(Err(Failure::Invalid(problems))) => {
            let what: Vec<String> = problems.iter().map(|problem| format!("{} {}", problem.place, problem.what)).collect();
            refused(StatusCode::BAD_REQUEST, &what.join("; "))
        }
        _ => later(),
    }
}

/// What came to a service of ours from a record that proved who it is.
struct Received {
    hook: Hook,
    client: String,
    body: Bytes,
}

async fn received(web: &Web, service: &str, request: Request) -> Result<Received, Response> {
    let hook = Hook::from_code(service).ok_or_else(|| refused(StatusCode::NOT_FOUND, "There is no such service."))?;
    let client = proved(web, request.uri(), request.headers()).await?;
    let body = Bytes::from_request(request, web).await;
    let body = body.map_err(|rejection| refused(rejection.status(), "This is not whole, or too large."))?;
    Ok(Received { hook, client, body })
}

/// Which system asks: by the token that it signed for this address.
async fn proved(web: &Web, uri: &Uri, headers: &HeaderMap) -> Result<String, Response> {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = said.and_then(|said| said.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else { return Err(unproved()) };
    let (here, token, path) = (web.clone(), token.trim().to_owned(), uri.path().to_owned());
    // Keys that are slow to come are there for the next question: nobody who gives up takes them away.
    let proving = tokio::spawn(async move { here.options.clients.asks_for_cards(&token, &path, here.app().world.now()).await });
    let why = match proving.await {
        Ok(Ok(client)) => return Ok(client),
        Ok(Err(why)) => why,
        Err(_) => OidcError::Broken,
    };
    tracing::warn!(%why, "a record that asked for cards did not prove who it is");
    Err(if why.is_outage() { later() } else { unproved() })
}

fn unproved() -> Response {
    let mut answer = refused(StatusCode::UNAUTHORIZED, "A token that the record signed for this address is needed.");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    answer
}

/// No card, and a line in the log.
fn silent(what: &str) -> Response {
    tracing::error!(what, "no card could be made");
    json_of(StatusCode::OK, &json!({ "cards": [] }))
}

fn later() -> Response {
    refused(StatusCode::SERVICE_UNAVAILABLE, "Try again.")
}

fn refused(status: StatusCode, what: &str) -> Response {
    json_of(status, &json!({ "message": what }))
}

fn json_of(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
