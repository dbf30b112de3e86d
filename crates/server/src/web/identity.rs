//! Sign-in with an account elsewhere: to the provider, back from it, and its word that somebody has left. A hospital's record
//! that opens this program for a person comes the same way (`launch`).
//!
//! The protocol stands in `oidc`, whose an account is in `app::identities`. What is refused gets one page with few texts, and
//! the log the check that did not hold.

use alongside_app::accounts::SecretToken;
use alongside_app::{App, Failure};
use alongside_domain::session::{Ended, Session};
use axum::Form;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::seat;
use super::sign_in::arrived;
use super::{Web, launch, problem};
use crate::oidc::{Errand, NOT_SIGNED_IN, OidcError, Returned, SIGN_IN_SECONDS_MAX};

/// `?invitation=…`, on the way from an invitation's page.
#[derive(Default, Deserialize)]
pub(crate) struct Begin {
    invitation: Option<String>,
}

/// What a provider sends when somebody has left.
#[derive(Deserialize)]
pub(crate) struct Left {
    logout_token: String,
}

/// Leads to a provider's own page.
pub(crate) async fn begin(
    State(web): State<Web>,
    Path(provider): Path<String>,
    asked: Result<Query<Begin>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let invitation = asked.map(|Query(asked)| asked.invitation).unwrap_or_default();
    if invitation.is_some() && is_led_from_elsewhere(&headers) {
        // Another site would have whoever opens it taken for somebody whom it has an invitation of.
        return problem::forged(&web);
    }
    lead_to(&web, &provider, invitation.map_or(Errand::Enter, Errand::Invitation), &headers).await
}

/// Leads to the page of a provider on an errand.
pub(super) async fn lead_to(web: &Web, provider: &str, errand: Errand, headers: &HeaderMap) -> Response {
    match web.options.identity.begin(provider, errand, web.app().world.now()).await {
        Ok((address, cookie)) => {
            let cookie = seat::to_set(&cookie.name, &cookie.value, Some(SIGN_IN_SECONDS_MAX), headers);
            seat::with_cookies(Redirect::to(&address).into_response(), [cookie])
        }
        Err(OidcError::ProviderUnknown) => problem::not_found(web, None),
        Err(why) => refuse(web, why),
    }
}

/// Takes somebody back from a provider's page, with a session if everything holds.
pub(crate) async fn finish(State(web): State<Web>, returned: Result<Query<Returned>, QueryRejection>, headers: HeaderMap) -> Response {
    let returned = returned.map(|Query(returned)| returned).unwrap_or_default();
    let (name, now) = (returned.cookie_name(), web.app().world.now());
    let cookies: Vec<&str> = seat::cookies(&headers, &name).collect();
    let gone = (!cookies.is_empty()).then(|| seat::to_set(&name, "", Some(0), &headers));
    let answer = match web.options.identity.finish(&returned, &cookies, now).await {
        Ok(finished) => {
            let (here, headers) = (web.clone(), headers.clone());
            web.answer_anybody(move |app| {
                let (issuer, subject) = (&finished.identity.issuer, &finished.identity.subject);
                let opened = match &finished.errand {
                    Errand::Invitation(invitation) => app.take_up_with(invitation, issuer, subject),
                    Errand::Enter | Errand::Person(_) => app.sign_in_with(issuer, subject),
                };
                let token = match opened {
                    Ok(token) => token,
                    // Nobody's, suspended, used up, somebody else's: all the same to whoever stands outside.
                    Err(Failure::NotFound | Failure::Invalid(_)) => return Ok(nobody(&here)),
                    Err(failure) => return Err(failure),
                };
                let (session, cookie) = match &finished.errand {
                    Errand::Person(_) => arrived_beside(&here, app, &headers, &token)?,
                    Errand::Enter | Errand::Invitation(_) => {
                        arrived(&here, app, &headers, None)?;
                        (opened_by(app, &token)?, Some(seat::set_cookie(&token, &headers)))
                    }
                };
                Ok(seat::with_cookies(launch::first_page(&here, app, &session, finished)?, cookie))
            })
            .await
        }
        Err(why) => refuse(&web, why),
    };
    seat::with_cookies(answer, gone)
}

/// The session that was just opened.
fn opened_by(app: &App, token: &SecretToken) -> Result<Session, Failure> {
    app.session(token.reveal())?.ok_or_else(|| Failure::Broken("a session that was just opened is not there".into()))
}

/// Somebody opens a person from their record: the session that they go on with, and its cookie where it is a new one. Whoever was
/// in already, in the same way, stays in the session that they have: beside the person of another frame there may be a form that
/// they have not sent yet, which a new session would refuse.
pub(super) fn arrived_beside(web: &Web, app: &App, headers: &HeaderMap, token: &SecretToken) -> Result<(Session, Option<String>), Failure> {
    let new = opened_by(app, token)?;
    let before = seat::sessions(app, headers)?;
    let (kept, cookie) = match before.into_iter().find(|before| before.staff == new.staff && before.method == new.method) {
        Some(before) => {
            app.end_session(&new.digest, Ended::SignedOut)?;
            (before, None)
        }
        None => (new, Some(seat::set_cookie(token, headers))),
    };
    arrived(web, app, headers, Some(&kept))?;
    Ok((kept, cookie))
}

/// Somebody whose account elsewhere is nobody's here.
pub(super) fn nobody(web: &Web) -> Response {
    tracing::warn!(reason = "not linked or not open", "a sign-in with an account elsewhere was refused");
    problem::not_signed_in(web, StatusCode::FORBIDDEN, NOT_SIGNED_IN)
}

/// Ends sessions because a provider says so (OpenID Connect Back-Channel Logout 1.0, sections 2.5 to 2.8). A server asks, and
/// no browser: what it sends proves itself by its signature.
pub(crate) async fn ended(State(web): State<Web>, sent: Result<Form<Left>, FormRejection>) -> Response {
    let Ok(Form(left)) = sent else { return not_ended(OidcError::TokenMalformed) };
    let app = web.app();
    let ended = match web.options.identity.ended(&left.logout_token, app.world.now()).await {
        Ok(ended) => ended,
        Err(why) => return not_ended(why),
    };
    let whose = ended.clone();
    match tokio::task::spawn_blocking(move || app.end_by_issuer(&whose.issuer, &whose.subject)).await {
        Ok(Ok(_)) => StatusCode::OK.into_response(),
        _ => {
            web.options.identity.was_not_ended(&ended);
            not_ended(OidcError::Broken)
        }
    }
}

/// Section 2.8: whatever the reason, 400, with an error as of OAuth.
fn not_ended(why: OidcError) -> Response {
    tracing::warn!(reason = %why, "a logout by an identity provider was refused");
    let error = if why.is_outage() { "temporarily_unavailable" } else { "invalid_request" };
    let body = format!("{{\"error\":\"{error}\"}}");
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) fn refuse(web: &Web, why: OidcError) -> Response {
    tracing::warn!(reason = %why, "a sign-in with an account elsewhere was refused");
    let status = match why {
        OidcError::TooMany => StatusCode::TOO_MANY_REQUESTS,
        why if why.is_outage() => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    problem::not_signed_in(web, status, why.words())
}

/// Whether a browser says that a link was followed on a page of another site.
fn is_led_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}
