//! A failure as a page. No page tells what somebody entered, and none tells what broke: that is in the log, by its number.

use alongside_app::Failure;
use axum::http::StatusCode;
use axum::response::Response;

use super::templates::{Frame, ProblemPage};
use super::{Web, fill, html};

/// The page of a failure: see section 5 of the house's design for the table.
pub(crate) fn page(web: &Web, failure: &Failure) -> Response {
    let (status, title, lines, reference) = match failure {
        Failure::Invalid(problems) => {
            let lines = problems.iter().map(|problem| format!("{}: {}.", problem.place, problem.what)).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, "There is a problem with what was asked", lines, None)
        }
        Failure::Refused(refusal) => (StatusCode::CONFLICT, "That cannot be done", vec![refusal.words().to_owned()], None),
        Failure::NotFound => return not_found(web.options),
        Failure::Busy => {
            let line = "Too much is going on at this moment. Try again in a minute; nothing was changed.".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, "The service is busy", vec![line], None)
        }
        Failure::Unavailable(what) => {
            let reference = reference(web);
            tracing::error!(reference, what, "the database is not available");
            let line = "The service cannot reach what it has recorded. Try again in some minutes; nothing was changed.".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, "The service is not available", vec![line], Some(reference))
        }
        Failure::Broken(what) => {
            let reference = reference(web);
            tracing::error!(reference, what, "a page could not be made");
            let line = "Something is broken on our side. Nothing was changed.".to_owned();
            (StatusCode::INTERNAL_SERVER_ERROR, "Sorry, there is a problem with the service", vec![line], Some(reference))
        }
    };
    show(ProblemPage { frame: Frame::new(web.options), title, lines, reference }, status)
}

pub(crate) fn not_found(options: super::Options) -> Response {
    let lines = vec!["If you typed the address, check it. If you followed a link, what it led to may have gone.".to_owned()];
    show(ProblemPage { frame: Frame::new(options), title: "Page not found", lines, reference: None }, StatusCode::NOT_FOUND)
}

pub(crate) fn not_allowed(options: super::Options) -> Response {
    let lines = vec!["This address can be read; nothing can be sent to it.".to_owned()];
    show(
        ProblemPage { frame: Frame::new(options), title: "That cannot be done here", lines, reference: None },
        StatusCode::METHOD_NOT_ALLOWED,
    )
}

fn show(page: ProblemPage, status: StatusCode) -> Response {
    html(status, fill(&page).unwrap_or_else(|_| page.title.to_owned()))
}

/// Eight characters that stand in the log beside what broke.
fn reference(web: &Web) -> String {
    format!("{:08X}", web.app.world.ids().next() & 0xffff_ffff)
}
