//! The pages: an address becomes a question to `app`, and its answer a page.
//!
//! Handlers are thin. Each parses what came, asks on a thread that may block, and fills in a template. There is no script
//! on any page, nothing comes from another host, and no answer is kept by a browser or on the way to it.

mod assets;
mod chart;
mod guard;
mod measures;
mod pages;
mod problem;
#[cfg(test)]
mod samples;
mod templates;
#[cfg(test)]
mod tests;

use alongside_app::{App, Failure};
use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use templates::Frame;

/// The most bytes of a form: a site and the text of a search.
const FORM_BYTES_MAX: usize = 4096;

/// How the pages are served.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// Whether this is the demo: then every page says so.
    pub(crate) demo: bool,
}

/// What handlers share.
#[derive(Clone)]
struct Web {
    app: App,
    options: Options,
}

/// The router of all pages.
pub(crate) fn router(app: App, options: Options) -> Router {
    let web = Web { app, options };
    Router::new()
        .route("/", get(pages::start))
        .route("/measures", get(pages::measures))
        .route("/quarantined", get(pages::quarantined))
        .route("/search", get(pages::search_form).post(pages::search))
        .route("/sites/{site}/figures", get(pages::figures))
        .route("/sites/{site}/figures.json", get(pages::figures_json))
        .route("/sites/{site}/figures.csv", get(pages::figures_csv))
        .route("/sites/{site}/worklists/{kind}", get(pages::worklist))
        .route("/people/{person}", get(pages::person))
        .route("/referrals/{referral}/why", get(pages::why))
        .route("/health", get(|| async { "ok" }))
        .route("/static/{hash}/{name}", get(assets::asset))
        .route("/assets/images/{name}", get(assets::image))
        .fallback(pages::nothing_here)
        .method_not_allowed_fallback(pages::not_allowed)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn(guard::guard))
        .with_state(web)
}

impl Web {
    /// Asks `app` for a model and makes a page of it, both on a thread that may block.
    async fn show<M>(
        self,
        ask: impl FnOnce(&App) -> Result<M, Failure> + Send + 'static,
        dress: impl FnOnce(M, Frame) -> askama::Result<String> + Send + 'static,
    ) -> Response
    where
        M: 'static,
    {
        let frame = Frame::new(self.options);
        self.answer(move |app| {
            let model = ask(app)?;
            let page = dress(model, frame).map_err(|error| Failure::Broken(format!("a template: {error}")))?;
            Ok(html(StatusCode::OK, page))
        })
        .await
    }

    /// Answers from a thread that may block; a failure, also a panic, becomes its page.
    async fn answer(self, work: impl FnOnce(&App) -> Result<Response, Failure> + Send + 'static) -> Response {
        let app = self.app.clone();
        let answer = tokio::task::spawn_blocking(move || work(&app)).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::Broken("a page gave up".into())));
        answer.unwrap_or_else(|failure| problem::page(&self, &failure))
    }
}

fn html(status: StatusCode, page: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Fills in a template.
fn fill(template: &impl Template) -> askama::Result<String> {
    template.render()
}
