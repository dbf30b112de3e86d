//! An invitation: its holder chooses a password and sets up one-time codes, or takes it up with an account elsewhere.

use alongside_app::accounts::Credentials;
use alongside_app::pages::Link;
use alongside_app::{App, Failure, Invalid};
use alongside_domain::session::Method;
use alongside_domain::supporter::StaffId;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::forms::{Fields, Open};
use super::parts::Problems;
use super::routes::Needs::Nothing;
use super::routes::{Route, read, send};
use super::sign_in::{address, enter, hexadecimal, providers, raw};
use super::templates::Frame;
use super::{Web, fill, html, problem};
use crate::sign_in::password::check_choice;
use crate::sign_in::totp::Shared;

/// The addresses of this page.
pub(crate) fn routes() -> Vec<Route> {
    vec![read("/invitation/{token}", Nothing, form), send("/invitation/{token}", Nothing, accept)]
}

#[derive(Template)]
#[template(path = "invitation.html")]
pub(super) struct InvitationPage {
    pub(super) frame: Frame,
    pub(super) problems: Problems,
    pub(super) name: String,
    pub(super) key: String,
    pub(super) token: String,
    /// Under which name the key of the codes waits.
    pub(super) enrolment: String,
    /// The key of the codes, in groups.
    pub(super) secret: String,
    /// The same, to be scanned: SVG of our own making.
    pub(super) picture: String,
    pub(super) providers: Vec<Link>,
}

async fn form(State(web): State<Web>, headers: HeaderMap, Path(token): Path<String>) -> Response {
    let here = web.clone();
    web.answer_anybody(move |app| {
        if let Err(wait) = here.sign_in.throttle.anybody(&address(&headers)) {
            return Ok(problem::too_many_tries(&here, None, wait.seconds));
        }
        let Some(invitation) = app.invitation(&token)? else { return Ok(problem::invitation_over(&here)) };
        let (enrolment, shared) = begin(&here, app)?;
        let page = page(&here, app, &invitation.staff, &token, &enrolment, &shared, Vec::new())?;
        Ok(html(StatusCode::OK, page))
    })
    .await
}

async fn accept(State(web): State<Web>, headers: HeaderMap, Path(token): Path<String>, Open(fields): Open) -> Response {
    let here = web.clone();
    web.answer_anybody(move |app| {
        if let Err(wait) = here.sign_in.throttle.anybody(&address(&headers)) {
            return Ok(problem::too_many_tries(&here, None, wait.seconds));
        }
        let Some(invitation) = app.invitation(&token)? else { return Ok(problem::invitation_over(&here)) };
        let again = |enrolment: &str, shared: &Shared, problems: Vec<Invalid>| {
            let page = page(&here, app, &invitation.staff, &token, enrolment, shared, problems)?;
            Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page))
        };
        let enrolment = fields.text("enrolment");
        let Some(shared) = here.sign_in.enrolments.look(enrolment, app.world.now()) else {
            let (enrolment, shared) = begin(&here, app)?;
            let what = "This page was open for too long. Remove this service from your app, scan the new picture, and enter its code";
            return again(&enrolment, &shared, vec![Invalid::new("code", what)]);
        };
        match chosen(&here, app, &invitation.staff, &shared, &fields) {
            Err(Failure::Invalid(problems)) => again(enrolment, &shared, problems),
            Err(failure) => Err(failure),
            Ok(credentials) => match app.accept_invitation(&token, credentials) {
                Ok(staff) => {
                    here.sign_in.enrolments.take(enrolment, app.world.now());
                    enter(&here, app, &headers, &staff, Method::PasswordAndCode)
                }
                // Used in another window meanwhile.
                Err(Failure::NotFound) => Ok(problem::invitation_over(&here)),
                Err(failure) => Err(failure),
            },
        }
    })
    .await
}

/// A new key of one-time codes, which waits for its first code.
fn begin(web: &Web, app: &App) -> Result<(String, Shared), Failure> {
    let (enrolment, shared) = (hexadecimal(&app.world.secret()), Shared::new(app.world.secret())?);
    web.sign_in.enrolments.put(enrolment.clone(), shared.clone(), app.world.now());
    Ok((enrolment, shared))
}

/// What was chosen, if the password is fit and the code proves that the app has the key.
fn chosen(web: &Web, app: &App, staff: &StaffId, shared: &Shared, fields: &Fields) -> Result<Credentials, Failure> {
    let password = raw(fields, "password");
    let unfit = check_choice(password, &staff.0, &app.setup.name_of(&staff.0)).err();
    let step = shared.step_of(fields.text("code"), app.world.now());
    match (unfit, step) {
        (None, Some(totp_step)) => {
            let password = web.sign_in.passwords.hash(password)?;
            Ok(Credentials { password, totp: shared.to_text(), totp_step })
        }
        (unfit, step) => {
            let unfit = unfit.map(|unfit| Invalid::new("password", unfit.words()));
            let no_code = step.is_none().then(|| Invalid::new("code", "Enter the 6 digits that the app shows now"));
            Err(Failure::Invalid(unfit.into_iter().chain(no_code).collect()))
        }
    }
}

fn page(
    web: &Web,
    app: &App,
    staff: &StaffId,
    token: &str,
    enrolment: &str,
    shared: &Shared,
    problems: Vec<Invalid>,
) -> Result<String, Failure> {
    fill(&InvitationPage {
        frame: Frame::new(&web.options),
        problems: Problems::new(problems),
        name: app.setup.name_of(&staff.0),
        key: staff.0.clone(),
        token: token.to_owned(),
        enrolment: enrolment.to_owned(),
        secret: shared.to_groups(),
        picture: shared.qr_svg(&staff.0)?,
        providers: providers(app, Some(token)),
    })
}
