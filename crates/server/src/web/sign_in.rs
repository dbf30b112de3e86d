//! Sign-in: a password and then a code, or a passkey. In the demo, a click on a card.
//!
//! Whoever is refused gets one answer, whatever was wrong, and after as long; what it was stands in the audit, by a code.

use std::net::Ipv6Addr;

use alongside_app::pages::Link;
use alongside_app::{App, Failure, Invalid};
use alongside_domain::session::{Method, NotSignedIn, Session};
use alongside_domain::supporter::StaffId;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::assets::ADDRESSES;
use super::forms::{Fields, Open};
use super::parts::Problems;
use super::routes::Needs::Nothing;
use super::routes::{Route, read, send};
use super::seat::{self, SIGN_IN};
use super::templates::Frame;
use super::{Web, demo, fill, html, problem};
use crate::sign_in::passkey::Passkeys;
use crate::sign_in::password::is_of_yesterday;
use crate::sign_in::throttle::Wait;
use crate::sign_in::totp::Shared;
use crate::sign_in::waiting::WAITING_MINUTES;

/// The cookie of somebody who gave the right password and owes the code.
const HALF: &str = "__Host-alongside-half";
/// Where the code is entered.
const CODE: &str = "/sign-in/code";
/// What is said to whoever was refused, whether or not there is such a name.
const REFUSED: &str = "The user name or the password is wrong. Check both and try again";
/// The same for a code.
const CODE_REFUSED: &str = "This code is wrong, or was used before. Enter the next one that your app shows";

/// The addresses of these pages.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        read("/sign-in", Nothing, form),
        send("/sign-in/password", Nothing, password),
        read(CODE, Nothing, code_form),
        send(CODE, Nothing, code),
        send("/sign-in/passkey/ask", Nothing, ask),
        send("/sign-in/passkey", Nothing, passkey),
    ]
}

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage {
    pub(super) frame: Frame,
    pub(super) problems: Problems,
    pub(super) name: String,
    /// Whose accounts are taken, each with where it leads.
    pub(super) providers: Vec<Link>,
    pub(super) passkey_js: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
pub(super) struct CodePage {
    pub(super) frame: Frame,
    pub(super) problems: Problems,
}

async fn form(State(web): State<Web>, uri: Uri, headers: HeaderMap) -> Response {
    if web.options.demo {
        return demo::roles(State(web), uri, headers).await;
    }
    if seat::is_framed(&headers) {
        return problem::open_again(&web);
    }
    let here = web.clone();
    web.answer_anybody(move |_| again(&here, StatusCode::OK, "", Vec::new())).await
}

async fn password(State(web): State<Web>, headers: HeaderMap, Open(fields): Open) -> Response {
    let here = web.clone();
    web.answer_anybody(move |app| {
        let (name, password) = (fields.text("name"), raw(&fields, "password"));
        let problems = missing(&[("name", name, "Enter your user name"), ("password", password, "Enter your password")]);
        if !problems.is_empty() {
            return again(&here, StatusCode::UNPROCESSABLE_ENTITY, name, problems);
        }
        let staff = staff(app, name);
        if let Err(wait) = here.sign_in.throttle.password(&address(&headers), &staff.0) {
            return wait_first(&here, app, &staff, wait);
        }
        // Without codes nobody signs in by password.
        let account = app.open_account(&staff)?.filter(|account| account.totp.is_some());
        let stored = account.and_then(|account| account.password);
        if !here.sign_in.passwords.check(stored.as_deref(), password)? {
            app.note_not_signed_in(&staff, NotSignedIn::PasswordWrong)?;
            return again(&here, StatusCode::UNPROCESSABLE_ENTITY, name, vec![Invalid::new("name", REFUSED)]);
        }
        if stored.as_deref().is_some_and(is_of_yesterday) {
            app.keep_password(&staff, here.sign_in.passwords.hash(password)?)?;
        }
        let half = hexadecimal(&app.world.secret());
        here.sign_in.halves.put(half.clone(), staff, app.world.now());
        Ok(seat::with_cookies(Redirect::to(CODE).into_response(), [half_cookie(&half)]))
    })
    .await
}

async fn code_form(State(web): State<Web>, headers: HeaderMap) -> Response {
    let half = seat::cookie(&headers, HALF).unwrap_or_default();
    if web.sign_in.halves.look(&half, web.app().world.now()).is_none() {
        return Redirect::to(SIGN_IN).into_response();
    }
    let here = web.clone();
    web.answer_anybody(move |_| code_page(&here, StatusCode::OK, Vec::new())).await
}

async fn code(State(web): State<Web>, headers: HeaderMap, Open(fields): Open) -> Response {
    let here = web.clone();
    web.answer_anybody(move |app| {
        let (half, now) = (seat::cookie(&headers, HALF).unwrap_or_default(), app.world.now());
        let Some(staff) = here.sign_in.halves.look(&half, now) else { return Ok(Redirect::to(SIGN_IN).into_response()) };
        if fields.filled("code").is_none() {
            return code_page(&here, StatusCode::UNPROCESSABLE_ENTITY, vec![Invalid::new("code", "Enter the code")]);
        }
        if let Err(wait) = here.sign_in.throttle.code(&address(&headers), &staff.0) {
            return wait_first(&here, app, &staff, wait);
        }
        let shared = app.open_account(&staff)?.and_then(|account| account.totp).map(|totp| Shared::read(&totp)).transpose()?;
        let step = shared.and_then(|shared| shared.step_of(fields.text("code"), now));
        let refused = match step {
            None => Some(NotSignedIn::CodeWrong),
            Some(step) => (!app.take_step(&staff, step)?).then_some(NotSignedIn::CodeUsed),
        };
        if let Some(why) = refused {
            app.note_not_signed_in(&staff, why)?;
            return code_page(&here, StatusCode::UNPROCESSABLE_ENTITY, vec![Invalid::new("code", CODE_REFUSED)]);
        }
        // Whoever sends the same twice at once is signed in once.
        if here.sign_in.halves.take(&half, now).is_none() {
            return Ok(Redirect::to(SIGN_IN).into_response());
        }
        match enter(&here, app, &headers, &staff, Method::PasswordAndCode) {
            Err(Failure::NotFound) => again(&here, StatusCode::UNPROCESSABLE_ENTITY, "", vec![Invalid::new("name", REFUSED)]),
            entered => entered,
        }
    })
    .await
}

/// What a browser asks a device: a challenge, which names nobody.
async fn ask(State(web): State<Web>, headers: HeaderMap, Open(_): Open) -> Response {
    let here = web.clone();
    web.answer_anybody(move |app| {
        let passkeys = here.sign_in.passkeys.as_ref().ok_or(Failure::NotFound)?;
        match here.sign_in.throttle.anybody(&address(&headers)) {
            Ok(()) => Ok(json(passkeys.ask(app.world.now())?)),
            Err(wait) => Ok(problem::too_many_tries(&here, None, wait.seconds)),
        }
    })
    .await
}

async fn passkey(State(web): State<Web>, headers: HeaderMap, Open(fields): Open) -> Response {
    let here = web.clone();
    web.answer_anybody(move |app| {
        if let Err(wait) = here.sign_in.throttle.anybody(&address(&headers)) {
            return Ok(problem::too_many_tries(&here, None, wait.seconds));
        }
        match by_passkey(&here, app, fields.text("answer")) {
            Ok(staff) => enter(&here, app, &headers, &staff, Method::Passkey).or_else(|failure| match failure {
                Failure::NotFound => again(&here, StatusCode::UNPROCESSABLE_ENTITY, "", vec![Invalid::new("passkey", NO_PASSKEY)]),
                failure => Err(failure),
            }),
            Err(Failure::Invalid(problems)) => again(&here, StatusCode::UNPROCESSABLE_ENTITY, "", problems),
            Err(failure) => Err(failure),
        }
    })
    .await
}

/// The same for a passkey.
const NO_PASSKEY: &str = "This passkey was not recognised. Try again, or sign in another way";

/// Whose passkey gave an answer that proves it.
fn by_passkey(web: &Web, app: &App, answer: &str) -> Result<StaffId, Failure> {
    let passkeys = web.sign_in.passkeys.as_ref().ok_or(Failure::NotFound)?;
    let kept = app.passkey(&Passkeys::id_of(answer)?)?;
    let whose = kept.as_ref().map_or_else(|| StaffId(String::new()), |kept| kept.staff.clone());
    match passkeys.prove(answer, kept.as_ref(), app.world.now()) {
        Ok(body) => {
            let id = kept.map(|kept| kept.id).unwrap_or_default();
            app.use_passkey(&id, &body)?;
            Ok(whose)
        }
        Err(failure) => {
            app.note_not_signed_in(&whose, NotSignedIn::PasskeyWrong)?;
            Err(failure)
        }
    }
}

/// Lets somebody in who has proved who they are: a session with a new name, and the one that this browser had before ends.
pub(super) fn enter(web: &Web, app: &App, headers: &HeaderMap, staff: &StaffId, method: Method) -> Result<Response, Failure> {
    let token = app.sign_in(staff, method)?;
    arrived(web, app, headers, None)?;
    let gone = format!("{HALF}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok(seat::with_cookies(Redirect::to("/").into_response(), [seat::set_cookie(&token, headers), gone]))
}

/// Somebody has signed in here: the address is known, and what sessions this browser had before end, but for the one that goes on.
pub(super) fn arrived(web: &Web, app: &App, headers: &HeaderMap, but: Option<&Session>) -> Result<(), Failure> {
    web.sign_in.throttle.welcome(&address(headers));
    seat::end_sessions(app, headers, but)
}

/// The identity providers that are configured, each with where its sign-in begins.
pub(super) fn providers(app: &App, invitation: Option<&str>) -> Vec<Link> {
    let query = invitation.map(|token| format!("?invitation={token}")).unwrap_or_default();
    let each = app.setup.identity_providers.iter();
    each.map(|(key, provider)| Link { href: format!("/sign-in/with/{key}{query}"), words: provider.title.clone(), current: false })
        .collect()
}

/// The script of passkeys, where there are any.
pub(super) fn passkey_js(web: &Web) -> Option<&'static str> {
    web.sign_in.passkeys.as_ref().map(|_| ADDRESSES.passkey_js.as_str())
}

/// From where somebody asks. The pages are served to this machine alone, so that what stands before them (which ends TLS)
/// says in the last entry of `X-Forwarded-For` who asked it; whatever else stands there, anybody may have written.
pub(crate) fn address(headers: &HeaderMap) -> String {
    let mut lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let last = lines.next_back().and_then(|line| line.rsplit(',').next()).map(str::trim);
    let last = last.filter(|last| !last.is_empty()).unwrap_or("here");
    match last.parse::<Ipv6Addr>() {
        // Whoever has one address of version 6 has the 2⁶⁴ beside it.
        Ok(own) => Ipv6Addr::from_bits(own.to_bits() & !u128::from(u64::MAX)).to_string(),
        Err(_) => last.to_owned(),
    }
}

/// As it was typed: a password may begin with a space.
pub(super) fn raw<'a>(fields: &'a Fields, name: &'a str) -> &'a str {
    fields.all(name).next().unwrap_or_default()
}

/// Says how long to wait, and writes it down once.
pub(super) fn wait_first(web: &Web, app: &App, staff: &StaffId, wait: Wait) -> Result<Response, Failure> {
    if wait.is_first {
        app.note_not_signed_in(staff, NotSignedIn::TooManyTries)?;
    }
    Ok(problem::too_many_tries(web, None, wait.seconds))
}

pub(super) fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn again(web: &Web, status: StatusCode, name: &str, problems: Vec<Invalid>) -> Result<Response, Failure> {
    let page = SignInPage {
        frame: Frame::new(&web.options),
        problems: Problems::new(problems),
        name: name.to_owned(),
        providers: providers(&web.app(), None),
        passkey_js: passkey_js(web),
    };
    Ok(html(status, fill(&page)?))
}

fn code_page(web: &Web, status: StatusCode, problems: Vec<Invalid>) -> Result<Response, Failure> {
    let page = CodePage { frame: Frame::new(&web.options), problems: Problems::new(problems) };
    Ok(html(status, fill(&page)?))
}

fn missing(fields: &[(&str, &str, &str)]) -> Vec<Invalid> {
    fields.iter().filter(|(_, value, _)| value.is_empty()).map(|(name, _, what)| Invalid::new(*name, *what)).collect()
}

/// The key that was typed. A telephone begins it with a capital letter.
fn staff(app: &App, name: &str) -> StaffId {
    let is_known = app.setup.staff_actor(name).is_some();
    StaffId(if is_known { name.to_owned() } else { name.to_lowercase() })
}

fn half_cookie(half: &str) -> String {
    format!("{HALF}={half}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", WAITING_MINUTES * 60)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
