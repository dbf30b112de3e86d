//! The pages: an address becomes a question to `app`, and its answer a page.
//!
//! Handlers are thin. Each parses what came, asks a desk on a thread that may block, and fills in a template. Who may ask is
//! in the table of routes, and checked before a handler runs. Every page works without a script, nothing comes from another
//! host, and no answer is kept by a browser or on the way to it.

mod account;
mod assets;
mod cards;
mod care;
mod caseload;
mod chart;
mod clinic;
mod coordination;
mod demo;
mod done;
mod engineer;
mod fhir;
mod forms;
mod govern;
mod guard;
mod held;
mod identity;
mod invitation;
mod keep;
mod launch;
mod measures;
mod own_details;
mod pages;
mod parts;
mod personal;
mod problem;
mod routes;
#[cfg(test)]
mod samples;
mod seat;
mod sign_in;
mod templates;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;

use std::sync::Arc;

use alongside_app::{App, Desk, Failure};
use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use done::Done;
use seat::Seat;
use templates::Frame;
pub(crate) use templates::Theme;

use crate::backend::Clients;
use crate::current::Current;
use crate::oidc::Providers;
use crate::sign_in::SignIn;
use crate::stage::Stage;

/// The most bytes of a form; the clinic's list is larger and says so at its route.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// How many lists wait at once to be taken.
const LISTS_MAX: usize = 16;

/// How the pages are served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Whether this is the demo: then every page says so, and one click signs in.
    pub(crate) demo: bool,
    /// The demo's clock and its beginning, where it has them.
    pub(crate) stage: Option<Arc<Stage>>,
    /// The host name under which the pages are reached, beside this machine's own.
    pub(crate) host: Option<String>,
    /// The service's own look.
    pub(crate) theme: Theme,
    /// The hosts whose pages may show ours in a frame.
    pub(crate) embedded_by: Vec<String>,
    /// With whose accounts people may sign in.
    pub(crate) identity: Arc<Providers>,
    /// The hospitals' systems that ask over FHIR.
    pub(crate) clients: Arc<Clients>,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Web {
    app: Current,
    pub(crate) options: Arc<Options>,
    /// Lists that were looked at and not yet taken.
    held: Arc<held::Held<(String, Vec<u8>)>>,
    /// People whom a hospital's record has open and who are not here yet.
    opened: Arc<held::Held<launch::Opened>>,
    /// What waits while people sign in.
    pub(crate) sign_in: Arc<SignIn>,
}

/// The router of all pages.
pub(crate) fn router(app: impl Into<Current>, options: Options) -> Router {
    let app = app.into();
    let sign_in = Arc::new(SignIn::new(&app.get()));
    if !options.demo {
        sign_in.passwords.prepare();
    }
    let held = Arc::new(held::Held::with_room_for(LISTS_MAX, 1));
    let (most, of_one) = launch::OPENED_MAX;
    let opened = Arc::new(held::Held::with_room_for(most, of_one));
    let web = Web { app, options: Arc::new(options), held, opened, sign_in };
    routes::router(&web)
        .fallback(pages::nothing_here)
        .method_not_allowed_fallback(pages::not_allowed)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn(keep::keep))
        .layer(middleware::from_fn_with_state(web.clone(), guard::guard))
        // No other site's page can make a browser ask for ours with its cookie and measure the answer (SameSite, and a
        // token in every form), so what is secret in a page may be packed together with what somebody typed.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .with_state(web)
}

impl Web {
    /// The application as it is now: the demo puts another in its place when it begins again.
    pub(crate) fn app(&self) -> App {
        self.app.get()
    }

    /// Asks a desk for a model and makes a page of it, both on a thread that may block.
    pub(crate) async fn show<M>(
        self,
        seat: Seat,
        ask: impl FnOnce(&Desk) -> Result<M, Failure> + Send + 'static,
        dress: impl FnOnce(M, Frame) -> Result<String, Failure> + Send + 'static,
    ) -> Response
    where
        M: 'static,
    {
        let frame = Frame::of(&self, &seat);
        self.answer(seat, move |desk| {
            let model = ask(desk)?;
            page(StatusCode::OK, dress(model, frame))
        })
        .await
    }

    /// Does something at a desk, and leads to the page that tells what was done. What is wrong with the form is told by
    /// `again`, which makes the form's page anew with what was entered; other failures become their page.
    pub(crate) async fn carry_out(
        self,
        seat: Seat,
        work: impl FnOnce(&Desk) -> Result<(String, Done), Failure> + Send + 'static,
        again: impl FnOnce(&Desk, Vec<alongside_app::Invalid>, Frame) -> Result<String, Failure> + Send + 'static,
    ) -> Response {
        let frame = Frame::of(&self, &seat);
        self.answer(seat, move |desk| match work(desk) {
            Ok((to, done)) => Ok(lead_to(&to, done)),
            Err(Failure::Invalid(problems)) => Ok(html(StatusCode::UNPROCESSABLE_ENTITY, again(desk, problems, frame)?)),
            Err(failure) => Err(failure),
        })
        .await
    }

    /// Answers from a thread that may block; a failure, also a panic, becomes its page.
    pub(crate) async fn answer(self, seat: Seat, work: impl FnOnce(&Desk) -> Result<Response, Failure> + Send + 'static) -> Response {
        let desk = seat.desk.clone();
        let answer = tokio::task::spawn_blocking(move || work(&desk)).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::Broken("a page gave up".into())));
        answer.unwrap_or_else(|failure| problem::page(&self, Some(&seat), &failure))
    }

    /// Answers somebody who came by a private link. What goes wrong is told in as few words as all else.
    pub(crate) async fn answer_link(self, work: impl FnOnce(&App) -> Result<Response, Failure> + Send + 'static) -> Response {
        let app = self.app();
        let answer = tokio::task::spawn_blocking(move || work(&app)).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::Broken("a page gave up".into())));
        answer.unwrap_or_else(|failure| problem::closed(&self, &failure))
    }

    /// Answers somebody who has no desk: before sign-in.
    pub(crate) async fn answer_anybody(self, work: impl FnOnce(&App) -> Result<Response, Failure> + Send + 'static) -> Response {
        let app = self.app();
        let answer = tokio::task::spawn_blocking(move || work(&app)).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::Broken("a page gave up".into())));
        answer.unwrap_or_else(|failure| problem::page(&self, None, &failure))
    }
}

/// Leads to a page that says what was done.
pub(crate) fn lead_to(path: &str, done: Done) -> Response {
    let mark = if path.contains('?') { '&' } else { '?' };
    let (path, place) = path.split_once('#').map_or((path, String::new()), |(path, place)| (path, format!("#{place}")));
    Redirect::to(&format!("{path}{mark}done={done}{place}")).into_response()
}

/// An answer of a page that was filled in.
///
/// # Errors
/// [`Failure::Broken`] when it could not be.
pub(crate) fn page(status: StatusCode, filled: Result<String, Failure>) -> Result<Response, Failure> {
    filled.map(|page| html(status, page))
}

pub(crate) fn html(status: StatusCode, page: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Fills in a template.
///
/// # Errors
/// [`Failure::Broken`].
pub(crate) fn fill(template: &impl Template) -> Result<String, Failure> {
    template.render().map_err(|error| Failure::Broken(format!("a template: {error}")))
}
