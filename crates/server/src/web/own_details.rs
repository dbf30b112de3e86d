//! By what somebody's own record is recognised, so that neither they nor a colleague opens it at work.

use alongside_app::desk::OwnDetails;
use alongside_app::{Desk, Failure, Invalid};
use alongside_domain::access::Action;
use alongside_domain::nhs_number::NhsNumber;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::done::Done;
use super::forms::{Fields, Posted};
use super::parts::Problems;
use super::routes::Needs::May;
use super::routes::{Route, read, send};
use super::seat::Seat;
use super::templates::Frame;
use super::{Web, fill};

/// The addresses of this page.
pub(crate) fn routes() -> Vec<Route> {
    vec![read("/account/own-details", May(Action::SeeStart), form), send("/account/own-details", May(Action::SeeStart), give)]
}

/// Nothing that was entered is shown again, not even after a mistake: the screen may be read over a shoulder.
#[derive(Template)]
#[template(path = "own_details.html")]
struct OwnDetailsPage {
    frame: Frame,
    problems: Problems,
    given: bool,
}

async fn form(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::has_given_details, |given, frame| fill(&OwnDetailsPage { frame, problems: Problems::default(), given })).await
}

async fn give(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    web.carry_out(
        seat,
        move |desk| {
            desk.give_details(&details(&fields)?)?;
            Ok(("/account/own-details".to_owned(), Done::DetailsGiven))
        },
        |desk, problems, frame| {
            let given = desk.has_given_details()?;
            fill(&OwnDetailsPage { frame, problems: Problems::new(problems), given })
        },
    )
    .await
}

fn details(fields: &Fields) -> Result<OwnDetails, Failure> {
    let number = fields.filled("nhs_number").map(|text| text.parse::<NhsNumber>());
    let number = number.transpose().map_err(|_| Invalid::new("nhs_number", "Enter the ten digits of your NHS number, or leave it empty"));
    let born = fields.date("born", "Enter your date of birth, for example 27 3 1985");
    match (number, born) {
        (Ok(nhs_number), Ok(born)) => Ok(OwnDetails {
            nhs_number,
            given: fields.text("given").to_owned(),
            family: fields.text("family").to_owned(),
            born: Some(born),
        }),
        (number, born) => Err(Failure::Invalid([number.err(), born.err()].into_iter().flatten().collect())),
    }
}

#[cfg(test)]
pub(crate) fn samples(frame: &Frame) -> Vec<(String, String)> {
    let page = |given| fill(&OwnDetailsPage { frame: frame.clone(), problems: Problems::default(), given }).unwrap();
    vec![("own details".into(), page(false)), ("own details, given".into(), page(true))]
}
