//! One handler for each address.

use alongside_app::pages::{WorklistKind, words};
use alongside_app::{App, Failure, reporting};
use alongside_domain::calendar::Quarter;
use alongside_domain::id::{PersonId, ReferralId};
use alongside_domain::measures::{Audience, Report};
use axum::Form;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::chart::Drawing;
use super::measures::DOCUMENT;
use super::templates::{
    Choice, FiguresPage, Frame, MeasuresPage, PersonPage, QuarantinedPage, SearchPage, StartPage, WhyPage, WorklistPage, drawn,
};
use super::{Web, fill, html, problem};

/// `?quarter=2024-Q4&show=all`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    quarter: Option<String>,
    show: Option<String>,
}

impl Asked {
    /// The quarter asked for, or the last that is over.
    fn quarter(&self, app: &App) -> Result<Quarter, Failure> {
        let Some(text) = &self.quarter else { return Ok(app.last_quarter()) };
        text.parse().map_err(|_| Failure::invalid("quarter", "a quarter is written like 2024-Q4"))
    }

    fn audience(&self) -> Audience {
        if self.show.as_deref() == Some("all") { Audience::Service } else { Audience::Public }
    }
}

/// `?page=2`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Paged {
    page: Option<String>,
}

impl Paged {
    fn page(&self) -> Result<u32, Failure> {
        let Some(text) = &self.page else { return Ok(1) };
        text.parse().map_err(|_| Failure::invalid("page", "a page is a whole number from 1"))
    }
}

/// What a search form holds.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    site: String,
    #[serde(default)]
    q: String,
}

type Asking<T> = Result<Query<T>, QueryRejection>;

fn query<T>(asking: Asking<T>) -> Result<T, Failure> {
    asking.map(|Query(asked)| asked).map_err(|_| Failure::invalid("address", "what stands after the question mark cannot be read"))
}

pub(crate) async fn start(State(web): State<Web>) -> Response {
    web.show(App::start_page, |page, frame| fill(&StartPage { frame: frame.at("/"), page })).await
}

pub(crate) async fn measures(State(web): State<Web>) -> Response {
    web.show(|_| Ok(()), |(), frame| fill(&MeasuresPage { frame: frame.with_start(), document: &DOCUMENT })).await
}

pub(crate) async fn figures(State(web): State<Web>, Path(site): Path<String>, asking: Asking<Asked>) -> Response {
    web.show(
        move |app| {
            let asked = query(asking)?;
            app.figures_page(&site, asked.quarter(app)?, asked.audience())
        },
        |page, frame| {
            let drawings = page.charts.iter().map(Drawing::of).collect();
            fill(&FiguresPage { frame: frame.within(&page.site, &page.site_title), page: &page, drawings })
        },
    )
    .await
}

pub(crate) async fn figures_json(State(web): State<Web>, Path(site): Path<String>, asking: Asking<Asked>) -> Response {
    file(web, site, asking, "json", "application/json", |report| Ok(reporting::to_json(report))).await
}

pub(crate) async fn figures_csv(State(web): State<Web>, Path(site): Path<String>, asking: Asking<Asked>) -> Response {
    file(web, site, asking, "csv", "text/csv; charset=utf-8", reporting::to_csv).await
}

async fn file(
    web: Web,
    site: String,
    asking: Asking<Asked>,
    ending: &'static str,
    kind: &'static str,
    write: impl FnOnce(&Report) -> Result<String, Failure> + Send + 'static,
) -> Response {
    web.answer(move |app| {
        let asked = query(asking)?;
        let quarter = asked.quarter(app)?;
        // A site that is not configured is not there; checked first, so that its key goes into the file's name unharmed.
        let site = app.setup.sites.get(&site).ok_or(Failure::NotFound)?.key.0.clone();
        let text = write(&reporting::report(app, &site, quarter, asked.audience())?)?;
        let disposition = format!("attachment; filename=\"{site}-{quarter}.{ending}\"");
        Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], text).into_response())
    })
    .await
}

pub(crate) async fn worklist(State(web): State<Web>, Path((site, kind)): Path<(String, String)>, asking: Asking<Paged>) -> Response {
    web.show(
        move |app| {
            let kind = WorklistKind::from_code(&kind).ok_or(Failure::NotFound)?;
            app.worklist_page(&site, kind, query(asking)?.page()?)
        },
        |page, frame| fill(&WorklistPage { frame: frame.within(&page.site, &page.site_title), page }),
    )
    .await
}

pub(crate) async fn quarantined(State(web): State<Web>, asking: Asking<Paged>) -> Response {
    web.show(
        move |app| app.quarantined_page(query(asking)?.page()?),
        |page, frame| {
            let total = words::counted(page.total, "message", "messages");
            fill(&QuarantinedPage { frame: frame.at("/quarantined").with_start(), page, total })
        },
    )
    .await
}

/// A person's page; a record that was merged into another leads to that one.
pub(crate) async fn person(State(web): State<Web>, Path(person): Path<String>) -> Response {
    let frame = Frame::new(web.options);
    web.answer(move |app| {
        let id: PersonId = person.parse().map_err(|_| Failure::NotFound)?;
        let page = app.person_page(id)?;
        if let Some(other) = &page.moved_to {
            return Ok(Redirect::to(other).into_response());
        }
        let filled = fill(&PersonPage { frame: frame.within(&page.site, &page.site_title), page: &page, wellbeing: drawn(&page) });
        let filled = filled.map_err(|error| Failure::Broken(format!("a template: {error}")))?;
        Ok(html(StatusCode::OK, filled))
    })
    .await
}

pub(crate) async fn why(State(web): State<Web>, Path(referral): Path<String>) -> Response {
    web.show(
        move |app| {
            let id: ReferralId = referral.parse().map_err(|_| Failure::NotFound)?;
            app.why_page(id)
        },
        |page, frame| fill(&WhyPage { frame: frame.with_start(), page }),
    )
    .await
}

pub(crate) async fn search_form(State(web): State<Web>) -> Response {
    let frame = Frame::new(web.options);
    let page = empty_search(&web.app, frame, Wanted::default());
    web.show(|_| Ok(()), move |(), _| fill(&page)).await
}

/// Searches. By POST, so that names stand in no address, no history and no log.
pub(crate) async fn search(State(web): State<Web>, form: Result<Form<Wanted>, FormRejection>) -> Response {
    let frame = Frame::new(web.options);
    web.answer(move |app| {
        let Form(wanted) = form.map_err(|_| Failure::invalid("form", "the form cannot be read"))?;
        let outcome = app.search(&wanted.site, &wanted.q);
        let mut page = empty_search(app, frame, wanted);
        let mut status = StatusCode::OK;
        match outcome {
            Ok(found) => {
                page.summary = summary(found.len());
                page.found = Some(found);
            }
            Err(Failure::Invalid(problems)) => {
                status = StatusCode::UNPROCESSABLE_ENTITY;
                page.problem = problems.into_iter().next();
            }
            Err(failure) => return Err(failure),
        }
        let filled = fill(&page).map_err(|error| Failure::Broken(format!("a template: {error}")))?;
        Ok(html(status, filled))
    })
    .await
}

fn summary(found: usize) -> String {
    if found == 0 { "Nobody found".to_owned() } else { words::counted(found as u64, "person found", "people found") }
}

fn empty_search(app: &App, frame: Frame, wanted: Wanted) -> SearchPage {
    let sites: Vec<Choice> = app.setup.sites.values().map(|site| Choice { key: site.key.0.clone(), title: site.title.clone() }).collect();
    // The first site is chosen beforehand: at most trusts there is no other.
    let first = || sites.first().map_or_else(String::new, |site| site.key.clone());
    let chosen = if wanted.site.is_empty() { first() } else { wanted.site };
    let frame = frame.at("/search").with_start();
    SearchPage { frame, sites, chosen, text: wanted.q, problem: None, found: None, summary: String::new() }
}

pub(crate) async fn nothing_here(State(web): State<Web>) -> Response {
    problem::not_found(web.options)
}

pub(crate) async fn not_allowed(State(web): State<Web>) -> Response {
    problem::not_allowed(web.options)
}
