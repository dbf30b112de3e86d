//! One handler for each address.

use alongside_app::pages::{WorklistKind, words};
use alongside_app::{App, Desk, Failure, reporting};
use alongside_domain::access::Action;
use alongside_domain::calendar::Quarter;
use alongside_domain::id::{PersonId, ReferralId};
use alongside_domain::measures::{Audience, Report};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::chart::Drawing;
use super::forms::Posted;
use super::measures::DOCUMENT;
use super::seat::Seat;
use super::templates::{
    Choice, FiguresPage, FiguresStartPage, Frame, MeasuresPage, PersonPage, QuarantinedPage, SearchPage, WhyPage, WorklistPage, drawn,
};
use super::{Web, fhir, fill, page, problem};

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
#[derive(Default)]
struct Wanted {
    site: String,
    q: String,
}

pub(super) type Asking<T> = Result<Query<T>, QueryRejection>;

pub(super) fn query<T>(asking: Asking<T>) -> Result<T, Failure> {
    asking.map(|Query(asked)| asked).map_err(|_| Failure::invalid("address", "what stands after the question mark cannot be read"))
}

/// Leads everybody to where their day begins.
pub(crate) async fn start(State(web): State<Web>, seat: Seat) -> Response {
    let frame = Frame::of(&web, &seat);
    match frame.nav.first() {
        // What was just done is said there.
        Some(first) => seat.done.map_or_else(|| Redirect::to(&first.href).into_response(), |done| super::lead_to(&first.href, done)),
        // Contract, training or check are not in date: nothing is open but this explanation.
        None => problem::page(&web, Some(&seat), &Failure::Forbidden),
    }
}

pub(crate) async fn figures_start(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::figures_start_page, |page, frame| fill(&FiguresStartPage { frame, page })).await
}

pub(crate) async fn measures(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, |_| Ok(()), |(), frame| fill(&MeasuresPage { frame, document: &DOCUMENT })).await
}

pub(crate) async fn figures(State(web): State<Web>, seat: Seat, Path(site): Path<String>, asking: Asking<Asked>) -> Response {
    web.show(
        seat,
        move |desk| {
            let asked = query(asking)?;
            desk.figures_page(&site, asked.quarter(desk.app())?, asked.audience())
        },
        |page, frame| {
            let frame = frame.under(&[("/figures", "Figures")]);
            let drawings = page.charts.iter().map(Drawing::of).collect();
            fill(&FiguresPage { frame, page: &page, drawings })
        },
    )
    .await
}

pub(crate) async fn figures_json(State(web): State<Web>, seat: Seat, Path(site): Path<String>, asking: Asking<Asked>) -> Response {
    file(web, seat, site, asking, "json", "application/json", |report| Ok(reporting::to_json(report))).await
}

pub(crate) async fn figures_csv(State(web): State<Web>, seat: Seat, Path(site): Path<String>, asking: Asking<Asked>) -> Response {
    file(web, seat, site, asking, "csv", "text/csv; charset=utf-8", reporting::to_csv).await
}

async fn file(
    web: Web,
    seat: Seat,
    site: String,
    asking: Asking<Asked>,
    ending: &'static str,
    kind: &'static str,
    write: impl FnOnce(&Report) -> Result<String, Failure> + Send + 'static,
) -> Response {
    web.answer(seat, move |desk| {
        let asked = query(asking)?;
        let quarter = asked.quarter(desk.app())?;
        // A site that is not theirs is not there; checked first, so that its key goes into the file's name unharmed.
        let site = desk.site(Action::ExportFigures, &site)?.key.0.clone();
        let text = write(&desk.export_report(&site, quarter, asked.audience())?)?;
        let disposition = format!("attachment; filename=\"{site}-{quarter}.{ending}\"");
        Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], text).into_response())
    })
    .await
}

pub(crate) async fn worklist(
    State(web): State<Web>,
    seat: Seat,
    Path((site, kind)): Path<(String, String)>,
    asking: Asking<Paged>,
) -> Response {
    web.show(
        seat,
        move |desk| {
            let kind = WorklistKind::from_code(&kind).ok_or(Failure::NotFound)?;
            desk.worklist_page(&site, kind, query(asking)?.page()?)
        },
        |page, frame| fill(&WorklistPage { frame, page }),
    )
    .await
}

pub(crate) async fn quarantined(State(web): State<Web>, seat: Seat, asking: Asking<Paged>) -> Response {
    web.show(
        seat,
        move |desk| desk.quarantined_page(query(asking)?.page()?),
        |page, frame| {
            let total = words::counted(page.total, "message", "messages");
            fill(&QuarantinedPage { frame, page, total })
        },
    )
    .await
}

/// A person's page; a record that was merged into another leads to that one.
pub(crate) async fn person(State(web): State<Web>, seat: Seat, Path(person): Path<String>) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let id: PersonId = person.parse().map_err(|_| Failure::NotFound)?;
        let page = desk.person_page(id)?;
        if let Some(other) = &page.moved_to {
            return Ok(Redirect::to(other).into_response());
        }
        let filled = fill(&PersonPage { frame, page: &page, wellbeing: drawn(&page) });
        super::page(StatusCode::OK, filled)
    })
    .await
}

pub(crate) async fn why(State(web): State<Web>, seat: Seat, Path(referral): Path<String>) -> Response {
    web.show(
        seat,
        move |desk| {
            let id: ReferralId = referral.parse().map_err(|_| Failure::NotFound)?;
            desk.why_page(id)
        },
        |page, frame| fill(&WhyPage { frame, page }),
    )
    .await
}

pub(crate) async fn search_form(State(web): State<Web>, seat: Seat) -> Response {
    web.show(
        seat,
        |desk| Ok((sites(desk), desk.may_break_glass().is_ok())),
        |(sites, closed), frame| fill(&empty_search(sites, closed, frame, Wanted::default())),
    )
    .await
}

/// Searches. By POST, so that names stand in no address, no history and no log.
pub(crate) async fn search(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let wanted = Wanted { site: fields.text("site").to_owned(), q: fields.text("q").to_owned() };
        let outcome = desk.search(&wanted.site, &wanted.q);
        let mut found = empty_search(sites(desk), desk.may_break_glass().is_ok(), frame, wanted);
        let mut status = StatusCode::OK;
        match outcome {
            Ok(people) => {
                found.summary = summary(people.len());
                found.found = Some(people);
            }
            Err(Failure::Invalid(problems)) => {
                status = StatusCode::UNPROCESSABLE_ENTITY;
                found.problem = problems.into_iter().next();
            }
            Err(failure) => return Err(failure),
        }
        page(status, fill(&found))
    })
    .await
}

fn summary(found: usize) -> String {
    if found == 0 { "Nobody found".to_owned() } else { words::counted(found as u64, "person found", "people found") }
}

/// The sites where somebody may look for people.
fn sites(desk: &Desk) -> Vec<Choice> {
    desk.sites(Action::FindPerson).map(|site| Choice { key: site.key.0.clone(), title: site.title.clone() }).collect()
}

fn empty_search(sites: Vec<Choice>, closed: bool, frame: Frame, wanted: Wanted) -> SearchPage {
    // The first site is chosen beforehand: at most trusts there is no other.
    let first = || sites.first().map_or_else(String::new, |site| site.key.clone());
    let chosen = if wanted.site.is_empty() { first() } else { wanted.site };
    SearchPage { frame, sites, chosen, text: wanted.q, problem: None, found: None, summary: String::new(), closed }
}

pub(crate) async fn nothing_here(State(web): State<Web>, uri: Uri) -> Response {
    if fhir::is_api(&uri) {
        return fhir::nothing_here();
    }
    problem::not_found(&web, None)
}

pub(crate) async fn not_allowed(State(web): State<Web>, uri: Uri) -> Response {
    if fhir::is_api(&uri) {
        return fhir::not_allowed();
    }
    problem::not_allowed(&web)
}
