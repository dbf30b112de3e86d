//! A failure as a page. No page tells what somebody entered, and none tells what broke: that is in the log, by its number.

use alongside_app::Failure;
use alongside_app::accounts::INVITATION_HOURS;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::seat::Seat;
use super::templates::{ClosedPage, Frame, ProblemPage};
use super::{Web, fill, html};

/// The page of a failure: see section 5 of the house's design for the table.
pub(crate) fn page(web: &Web, seat: Option<&Seat>, failure: &Failure) -> Response {
    let (status, title, lines, reference) = match failure {
        Failure::Invalid(problems) => {
            let lines = problems.iter().map(|problem| format!("{}: {}.", problem.place, problem.what)).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, "There is a problem with what was asked", lines, None)
        }
        Failure::Refused(refusal) => (StatusCode::CONFLICT, "That cannot be done", vec![refusal.words().to_owned()], None),
        Failure::Forbidden if seat.is_some_and(|seat| !seat.desk.viewer().cleared) => {
            let line = "Your contract, training or check is not in date. “Your account”, behind your name, says which; your coordinator can renew it. \
                        Nobody you support is forgotten: the coordinator sees them."
                .to_owned();
            (StatusCode::FORBIDDEN, "Nothing is open to you at present", vec![line], None)
        }
        Failure::Forbidden => {
            let line = "It is for another role. If you need it for your work, ask your coordinator or manager.".to_owned();
            (StatusCode::FORBIDDEN, "This is not open to you", vec![line], None)
        }
        Failure::NotFound => return not_found(web, seat),
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
    show(ProblemPage { frame: around(web, seat), title, lines, reference }, status)
}

fn around(web: &Web, seat: Option<&Seat>) -> Frame {
    seat.map_or_else(|| Frame::new(&web.options), |seat| Frame { flash: None, ..Frame::of(web, seat) })
}

pub(crate) fn not_found(web: &Web, seat: Option<&Seat>) -> Response {
    let lines = vec!["If you typed the address, check it. If you followed a link, what it led to may have gone.".to_owned()];
    show(ProblemPage { frame: around(web, seat), title: "Page not found", lines, reference: None }, StatusCode::NOT_FOUND)
}

pub(crate) fn not_allowed(web: &Web) -> Response {
    let lines = vec!["This address can be read; nothing can be sent to it.".to_owned()];
    show(
        ProblemPage { frame: around(web, None), title: "That cannot be done here", lines, reference: None },
        StatusCode::METHOD_NOT_ALLOWED,
    )
}

/// Somebody who was not signed in with an account elsewhere, in words that do not tell which check did not hold.
pub(crate) fn not_signed_in(web: &Web, status: StatusCode, line: &str) -> Response {
    let lines = vec![line.to_owned()];
    show(ProblemPage { frame: around(web, None), title: "You were not signed in", lines, reference: None }, status)
}

/// A session that has ended in a frame of the hospital's record.
pub(crate) fn open_again(web: &Web) -> Response {
    let lines = vec!["Open it again from the person’s record. Nothing was changed.".to_owned()];
    show(ProblemPage { frame: around(web, None), title: "Your session has ended", lines, reference: None }, StatusCode::UNAUTHORIZED)
}

/// Somebody whom the record has open, and whose details here are others.
pub(crate) fn another_person(web: &Web) -> Response {
    let lines = vec![
        "The date of birth or the NHS number in the record is not the one that is held here under the same hospital number. \
         Nobody is shown, so that nothing is written down about somebody else."
            .to_owned(),
        "Check whom the record has open. If the details were corrected there, they arrive here with the hospital’s next message."
            .to_owned(),
    ];
    show(ProblemPage { frame: around(web, None), title: "The details do not agree", lines, reference: None }, StatusCode::CONFLICT)
}

/// Too many tries: how long to wait, whoever asks, so that nobody learns which names there are.
pub(crate) fn too_many_tries(web: &Web, seat: Option<&Seat>, seconds: u64) -> Response {
    let time = match seconds {
        1 => "1 second".to_owned(),
        0..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    };
    let lines = vec![
        format!("Wait {time}, then try again. This protects your account from people who guess."),
        "If it was not you who tried, tell whoever runs this service.".to_owned(),
    ];
    let page = ProblemPage { frame: around(web, seat), title: "Too many tries", lines, reference: None };
    let mut answer = show(page, StatusCode::TOO_MANY_REQUESTS);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// An invitation that was used, is too old, was replaced, or never was: the same for all.
pub(crate) fn invitation_over(web: &Web) -> Response {
    let lines = vec![format!(
        "It works once, within {INVITATION_HOURS} hours, and a newer one replaces it. Ask whoever sent it to you for another."
    )];
    let page = ProblemPage { frame: around(web, None), title: "This invitation cannot be used", lines, reference: None };
    show(page, StatusCode::NOT_FOUND)
}

/// A form that did not come from one of our own pages of this session.
pub(crate) fn forged(web: &Web) -> Response {
    let lines = vec![
        "The form did not come from a page of this session. Go back, open the page anew, and try again. Nothing was changed.".to_owned(),
    ];
    show(ProblemPage { frame: around(web, None), title: "That cannot be done", lines, reference: None }, StatusCode::FORBIDDEN)
}

/// Too many requests for private links from one place.
pub(crate) fn closed_for(web: &Web, seconds: u64) -> Response {
    let page =
        ClosedPage { frame: Frame::new(&web.options), title: "Please try again later", words: "Wait a minute, then open the page again." };
    let mut answer = html(StatusCode::TOO_MANY_REQUESTS, fill(&page).unwrap_or_else(|_| page.title.to_owned()));
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// A failure on the page of a private link: without the program's name, and the same for every link that does not open.
pub(crate) fn closed(web: &Web, failure: &Failure) -> Response {
    let (status, title, words) = match failure {
        Failure::Busy | Failure::Unavailable(_) | Failure::Broken(_) => {
            tracing::error!(reference = reference(web), what = %failure, "a private page could not be made");
            (StatusCode::SERVICE_UNAVAILABLE, "Please try again later", "Something is not working at the moment. Nothing was changed.")
        }
        Failure::Refused(_) => (StatusCode::CONFLICT, "That is not possible now", "Tell somebody of the team at your next visit."),
        Failure::NotFound | Failure::Forbidden | Failure::Invalid(_) => {
            (StatusCode::NOT_FOUND, "This page is closed", "Pages like this close after some weeks. Ask for a new one at your next visit.")
        }
    };
    let page = ClosedPage { frame: Frame::new(&web.options), title, words };
    html(status, fill(&page).unwrap_or_else(|_| title.to_owned()))
}

fn show(page: ProblemPage, status: StatusCode) -> Response {
    html(status, fill(&page).unwrap_or_else(|_| page.title.to_owned()))
}

/// Eight characters that stand in the log beside what broke.
fn reference(web: &Web) -> String {
    format!("{:08X}", web.app().world.ids().next() & 0xffff_ffff)
}
