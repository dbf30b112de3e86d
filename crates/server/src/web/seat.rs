//! Who asks: the session of a request, and the desk that belongs to it.

use alongside_app::{App, Desk, Failure, accounts};
use alongside_domain::access::Action;
use alongside_domain::session::{Ended, Session};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::done::Done;
use super::{Web, problem};

/// The cookie of a session. `__Host-` binds it to this host, to all of its paths, and to a secure channel.
pub(crate) const COOKIE: &str = "__Host-alongside";

/// Where somebody signs in.
pub(crate) const SIGN_IN: &str = "/sign-in";

/// A signed-in request: put in place by the check of its route, and by nothing else.
#[derive(Clone)]
pub(crate) struct Seat {
    /// What its owner may do.
    pub(crate) desk: Desk,
    /// The session.
    pub(crate) session: Session,
    /// What every form of this session carries.
    pub(crate) form_token: String,
    /// What was just done, to be said at the top of the page.
    pub(crate) done: Option<Done>,
    /// The path that was asked for.
    pub(crate) path: String,
    /// Whether the page is shown in a frame, beside one person.
    pub(crate) framed: bool,
    /// How many uses of break-glass wait for their review.
    pub(crate) to_review: u64,
    /// How many concerns wait to be taken on.
    pub(crate) concerns: u64,
}

impl FromRequestParts<Web> for Seat {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, StatusCode> {
        // A handler that wants a seat on a route that needs none is a mistake, and is answered by nothing.
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::FORBIDDEN)
    }
}

/// The values of a cookie. There can be more than one: where the page around a frame is of our own site, a browser sends the
/// frame's beside the one of our other pages.
pub(crate) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// The value of a cookie that no frame has.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    cookies(headers, name).next().map(str::to_owned)
}

/// The sessions of a browser.
pub(crate) fn sessions(app: &App, headers: &HeaderMap) -> Result<Vec<Session>, Failure> {
    cookies(headers, COOKIE).filter_map(|token| app.session(token).transpose()).collect()
}

/// Ends the sessions of a browser, but for one that goes on.
pub(crate) fn end_sessions(app: &App, headers: &HeaderMap, but: Option<&Session>) -> Result<(), Failure> {
    let ends = sessions(app, headers)?.into_iter().filter(|before| but.is_none_or(|kept| kept.digest != before.digest));
    ends.into_iter().try_for_each(|before| app.end_session(&before.digest, Ended::SignedOut))
}

/// Whether a browser shows us in a frame of another page.
pub(crate) fn is_framed(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|shown| shown == "iframe" || shown == "frame")
}

/// The header that gives a browser a cookie, for all of our pages and none of anybody else's. Lax: a browser comes back from a
/// sign-in elsewhere. In a frame it is the frame's own, apart for every page that frames us (CHIPS): no cookie of another
/// site's, which browsers refuse. That the form came from our own page, the guard asks of every browser.
pub(crate) fn to_set(name: &str, value: &str, seconds: Option<i64>, headers: &HeaderMap) -> String {
    let whose = if is_framed(headers) { "SameSite=None; Partitioned" } else { "SameSite=Lax" };
    let life = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    format!("{name}={value}; Path=/; Secure; HttpOnly; {whose}{life}")
}

/// The header that gives a browser its session.
pub(crate) fn set_cookie(token: &accounts::SecretToken, headers: &HeaderMap) -> String {
    to_set(COOKIE, token.reveal(), None, headers)
}

/// The header that takes it away.
pub(crate) fn clear_cookie(headers: &HeaderMap) -> String {
    to_set(COOKIE, "", Some(0), headers)
}

/// An answer that gives a browser cookies, or takes some away.
pub(crate) fn with_cookies(mut answer: Response, cookies: impl IntoIterator<Item = String>) -> Response {
    // They are hexadecimal and words of ours: each is a header.
    for cookie in cookies.into_iter().filter_map(|cookie| HeaderValue::from_str(&cookie).ok()) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// Runs a request for somebody who is signed in and, where an action is named, may do it.
pub(crate) async fn take(web: Web, action: Option<Action>, mut request: Request, next: Next) -> Response {
    let tokens: Vec<String> = cookies(request.headers(), COOKIE).map(str::to_owned).collect();
    let (path, method, framed) = (request.uri().path().to_owned(), request.method().clone(), is_framed(request.headers()));
    let done = Done::of(request.uri(), request.headers());
    let asked = web.clone();
    let found = tokio::task::spawn_blocking(move || {
        let Some(seat) = find(&asked, tokens)? else { return Ok(None) };
        let seat = Seat { done, path, framed, ..seat };
        let allowed = action.map_or(Ok(()), |action| seat.desk.enter(action));
        Ok(Some((seat, allowed)))
    });
    let found = found.await.unwrap_or_else(|_| Err(Failure::Broken("a session could not be looked up".into())));
    match found {
        // In a frame nobody types a password: the page around it may be anybody's.
        Ok(None) if framed => problem::open_again(&web),
        Ok(None) => sign_in_first(&method),
        Ok(Some((seat, allowed))) => match allowed {
            Ok(()) => {
                if let Some(stage) = web.options.stage.as_ref().filter(|_| method == Method::GET) {
                    stage.note_read(&seat.desk.viewer().staff, &seat.path);
                }
                request.extensions_mut().insert(seat);
                next.run(request).await
            }
            Err(failure) => problem::page(&web, Some(&seat), &failure),
        },
        Err(failure) => problem::page(&web, None, &failure),
    }
}

fn find(web: &Web, tokens: Vec<String>) -> Result<Option<Seat>, Failure> {
    let app = web.app();
    let mut held = tokens.into_iter().filter_map(|token| Some(app.session(&token).transpose()?.map(|session| (token, session))));
    let Some((token, session)) = held.next().transpose()? else { return Ok(None) };
    let desk = app.desk(&session.staff.0)?;
    Ok(Some(Seat {
        to_review: desk.glass_to_review()?,
        concerns: desk.concerns_open()?,
        desk,
        session,
        form_token: accounts::form_token(&token),
        done: None,
        path: String::new(),
        framed: false,
    }))
}

/// Whoever reads is led to the sign-in; a form that was sent is refused, since it would be lost on the way.
fn sign_in_first(method: &Method) -> Response {
    if matches!(*method, Method::GET | Method::HEAD) {
        Redirect::to(SIGN_IN).into_response()
    } else {
        (StatusCode::UNAUTHORIZED, "Your session has ended. Sign in again; nothing was changed.\n").into_response()
    }
}
