//! Somebody's own account: sessions, password, passkeys.

use alongside_app::pages::OwnAccount;
use alongside_app::pages::words::Urgency;
use alongside_app::{Desk, Failure, Invalid};
use alongside_domain::session::{Ended, Session};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::done::Done;
use super::forms::{Fields, Posted};
use super::parts::Problems;
use super::routes::Needs::SignedIn;
use super::routes::{Route, read, send};
use super::seat::Seat;
use super::sign_in::{address, json, passkey_js, raw};
use super::templates::Frame;
use super::{Web, fill, html, lead_to, problem};
use crate::sign_in::password::check_choice;

const ACCOUNT: &str = "/account";

/// The addresses of these pages.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        read(ACCOUNT, SignedIn, page),
        send("/account/sessions/end", SignedIn, end_session),
        send("/account/sessions/end-others", SignedIn, end_others),
        send("/account/password", SignedIn, change_password),
        send("/account/passkeys/ask", SignedIn, ask),
        send("/account/passkeys", SignedIn, add_passkey),
        send("/account/passkeys/remove", SignedIn, remove_passkey),
    ]
}

#[derive(Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage {
    pub(super) frame: Frame,
    pub(super) problems: Problems,
    pub(super) page: OwnAccount,
    pub(super) passkey_js: Option<&'static str>,
    /// Whether it is shown in a frame: there nobody types a password, since the page around it may be anybody's.
    pub(super) framed: bool,
}

async fn page(State(web): State<Web>, seat: Seat) -> Response {
    let (session, passkey_js, framed) = (seat.session.clone(), passkey_js(&web), seat.framed);
    web.show(
        seat,
        move |desk| desk.account_page(&session),
        move |page, frame| fill(&AccountPage { frame, problems: Problems::default(), page, passkey_js, framed }),
    )
    .await
}

/// Does something to the account of whoever asks, and leads back to it; what is wrong with the form is told there.
async fn carry_out(web: Web, seat: Seat, work: impl FnOnce(&Desk, &Session) -> Result<Done, Failure> + Send + 'static) -> Response {
    let (passkey_js, session, framed) = (passkey_js(&web), seat.session.clone(), seat.framed);
    let asked = session.clone();
    web.carry_out(
        seat,
        move |desk| Ok((ACCOUNT.to_owned(), work(desk, &session)?)),
        move |desk, problems, frame| {
            let page = desk.account_page(&asked)?;
            fill(&AccountPage { frame, problems: Problems::new(problems), page, passkey_js, framed })
        },
    )
    .await
}

async fn end_session(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    carry_out(web, seat, move |desk, session| {
        desk.app().end_own_session(&session.staff, fields.text("session"))?;
        Ok(Done::SessionEnded)
    })
    .await
}

async fn end_others(State(web): State<Web>, seat: Seat, Posted(_): Posted) -> Response {
    carry_out(web, seat, |desk, session| {
        desk.app().end_sessions_of(&session.staff, Some(&session.digest), Ended::EndedByOwner)?;
        Ok(Done::SessionsEnded)
    })
    .await
}

async fn change_password(State(web): State<Web>, seat: Seat, headers: HeaderMap, Posted(fields): Posted) -> Response {
    let (here, asked) = (web.clone(), seat.clone());
    web.answer(seat, move |desk| {
        if asked.framed {
            return Err(Failure::Forbidden);
        }
        // Whoever sits down at an open session must not find the password by trying.
        if let Err(wait) = here.sign_in.throttle.password(&address(&headers), &asked.session.staff.0) {
            return Ok(problem::too_many_tries(&here, Some(&asked), wait.seconds));
        }
        match changed(&here, desk, &asked.session, &fields) {
            Ok(()) => Ok(lead_to(ACCOUNT, Done::PasswordChanged)),
            Err(Failure::Invalid(problems)) => {
                let page = desk.account_page(&asked.session)?;
                let (frame, passkey_js) = (Frame::of(&here, &asked), passkey_js(&here));
                let page = fill(&AccountPage { frame, problems: Problems::new(problems), page, passkey_js, framed: false })?;
                Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page))
            }
            Err(failure) => Err(failure),
        }
    })
    .await
}

fn changed(web: &Web, desk: &Desk, session: &Session, fields: &Fields) -> Result<(), Failure> {
    let (app, staff) = (desk.app(), &session.staff);
    let stored = app.open_account(staff)?.and_then(|account| account.password).ok_or(Failure::NotFound)?;
    let (current, password) = (raw(fields, "current"), raw(fields, "password"));
    let is_wrong = !web.sign_in.passwords.check(Some(&stored), current)?;
    if is_wrong {
        app.note_wrong_password(staff)?;
    }
    let wrong = is_wrong.then(|| Invalid::new("current", "This is not your current password"));
    let unfit = check_choice(password, &staff.0, &app.setup.name_of(&staff.0)).err();
    let problems: Vec<_> = wrong.into_iter().chain(unfit.map(|unfit| Invalid::new("password", unfit.words()))).collect();
    if !problems.is_empty() {
        return Err(Failure::Invalid(problems));
    }
    app.change_password(staff, web.sign_in.passwords.hash(password)?, &session.digest)
}

/// What a browser asks a device to make.
async fn ask(State(web): State<Web>, seat: Seat, Posted(_): Posted) -> Response {
    let (here, session) = (web.clone(), seat.session.clone());
    web.answer(seat, move |desk| {
        let app = desk.app();
        let now = fresh(desk, &session)?;
        let passkeys = here.sign_in.passkeys.as_ref().ok_or(Failure::NotFound)?;
        let (key, name, known) = (&session.staff.0, app.setup.name_of(&session.staff.0), app.passkeys_of(&session.staff)?);
        Ok(json(passkeys.begin(&session.digest, key, &name, &known, app.world.secret(), now)?))
    })
    .await
}

async fn add_passkey(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let here = web.clone();
    carry_out(web, seat, move |desk, session| {
        let now = fresh(desk, session)?;
        let passkeys = here.sign_in.passkeys.as_ref().ok_or(Failure::NotFound)?;
        let made = passkeys.finish(&session.digest, fields.text("answer"), now)?;
        desk.app().add_passkey(&session.staff, &made.id, &made.body)?;
        Ok(Done::PasskeyAdded)
    })
    .await
}

async fn remove_passkey(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    carry_out(web, seat, move |desk, session| {
        desk.app().remove_passkey(&session.staff, fields.text("passkey"))?;
        Ok(Done::PasskeyRemoved)
    })
    .await
}

/// Now, if the session is so young that its owner surely sits before it.
fn fresh(desk: &Desk, session: &Session) -> Result<jiff::Timestamp, Failure> {
    let now = desk.app().world.now();
    let again = "Sign in again with your password or a passkey, then add the passkey";
    if session.is_fresh(now) { Ok(now) } else { Err(Failure::invalid("passkey", again)) }
}
