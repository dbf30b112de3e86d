//! The hospital's record opens this program beside a person: by SMART App Launch, or by a link that it signed.

use alongside_app::desk::{NewPerson, Whom};
use alongside_app::{App, Failure};
use alongside_domain::access::Action;
use alongside_domain::person::SiteId;
use alongside_domain::session::Session;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::identity::{arrived_beside, lead_to, nobody, refuse};
use super::routes::Needs::{Nothing, Signed};
use super::routes::{Route, read};
use super::{Web, clinic, problem, seat};
use crate::backend::LINK_PATH;
use crate::oidc::{Errand, Finished};

/// How many people wait at once to be referred from a record, in all and in one session.
pub(super) const OPENED_MAX: (usize, usize) = (256, 8);
/// The longest handle of a launch.
const HANDLE_BYTES_MAX: usize = 4096;

/// Somebody whom a record has open and who is not here yet.
#[derive(Clone)]
pub(super) struct Opened {
    /// The site whose record it is.
    pub(super) site: SiteId,
    /// What the record says of them.
    pub(super) person: NewPerson,
}

/// The addresses of this room.
pub(crate) fn routes() -> Vec<Route> {
    vec![read("/launch", Nothing, begin), read(LINK_PATH, Signed, link)]
}

/// `?iss=…&launch=…` (SMART App Launch 2.2, "Launch App: EHR Launch"); without `launch` somebody chooses the person there.
#[derive(Default, Deserialize)]
struct Begin {
    iss: Option<String>,
    launch: Option<String>,
}

#[derive(Default, Deserialize)]
struct Linked {
    #[serde(default)]
    token: String,
}

async fn begin(State(web): State<Web>, asked: Result<Query<Begin>, QueryRejection>, headers: HeaderMap) -> Response {
    let Begin { iss, launch } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let known = iss.and_then(|iss| web.options.identity.of_record(&iss).map(str::to_owned));
    match known {
        Some(provider) if launch.as_ref().is_none_or(|handle| handle.len() <= HANDLE_BYTES_MAX) => {
            lead_to(&web, &provider, Errand::Person(launch), &headers).await
        }
        // A record that is not configured learns nothing, not even that this program is here for records.
        _ => problem::not_found(&web, None),
    }
}

/// Takes somebody in by a link that the record signed, and on to the person: the link itself is not kept by the browser.
async fn link(State(web): State<Web>, asked: Result<Query<Linked>, QueryRejection>, headers: HeaderMap) -> Response {
    let Linked { token } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let (client, link) = match web.options.clients.linked(&token, web.app().world.now()).await {
        Ok(held) => held,
        Err(why) => return refuse(&web, why),
    };
    let here = web.clone();
    web.answer_anybody(move |app| {
        let token = match app.sign_in_by_link(&client, &link.sub, &link.jti) {
            Ok(token) => token,
            Err(Failure::NotFound | Failure::Forbidden) => return Ok(nobody(&here)),
            Err(failure) => return Err(failure),
        };
        let (session, cookie) = arrived_beside(&here, app, &headers, &token)?;
        let site = app.setup.fhir_clients.get(&client).ok_or(Failure::NotFound)?.system.site.clone();
        let person = NewPerson { number: link.patient.trim().to_owned(), birth_date: Some(link.birthdate), ..NewPerson::default() };
        Ok(seat::with_cookies(person_page(&here, app, &session, Opened { site, person })?, cookie))
    })
    .await
}

/// The page to which a finished sign-in leads: the person whom the record has open, or the day.
pub(super) fn first_page(web: &Web, app: &App, session: &Session, finished: Finished) -> Result<Response, Failure> {
    let Some(record) = finished.record else { return Ok(Redirect::to("/").into_response()) };
    if let Some(user) = &record.user {
        app.note_known_as(&record.launch.iss, user, &session.staff)?;
    }
    match (record.open, finished.errand) {
        (Some(person), _) => person_page(web, app, session, Opened { site: record.launch.site, person }),
        (None, Errand::Person(_)) => Ok(Redirect::to("/search").into_response()),
        (None, Errand::Enter | Errand::Invitation(_)) => Ok(Redirect::to("/").into_response()),
    }
}

fn person_page(web: &Web, app: &App, session: &Session, opened: Opened) -> Result<Response, Failure> {
    let desk = app.desk(&session.staff.0)?;
    match desk.whom(&opened.site, &opened.person) {
        Ok(Whom::Here(person)) => Ok(Redirect::to(&format!("/people/{person}")).into_response()),
        Ok(Whom::Differs) => Ok(problem::another_person(web)),
        // Whoever refers nobody can look for others.
        Ok(Whom::Nobody) if desk.sites(Action::Refer).all(|site| site.key != opened.site) => Ok(Redirect::to("/search").into_response()),
        Ok(Whom::Nobody) => {
            // A number for each: two people may be open at once, in two frames of one session.
            let number = clinic::secret(&desk);
            web.opened.keep(&number, &session.digest, opened, app.world.now());
            Ok(Redirect::to(&format!("/clinic/refer/opened/{number}")).into_response())
        }
        // A role that looks for nobody has its day.
        Err(Failure::Forbidden) => Ok(Redirect::to("/").into_response()),
        Err(failure) => Err(failure),
    }
}
