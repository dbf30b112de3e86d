//! Every address, and who may ask for it: the one table from which the router is made.
//!
//! A route says what it needs, or it cannot be written down; the check runs before its handler. `docs/access.md` is printed
//! from this table by walking it in every role.

use std::sync::LazyLock;

use alongside_domain::access::Action;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};

use super::{
    Web, account, assets, cards, care, caseload, clinic, coordination, demo, engineer, fhir, govern, identity, invitation, launch,
    own_details, pages, personal, problem, seat, sign_in,
};

/// What somebody must have to ask for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it is the same for everybody, and about nobody.
    Nothing,
    /// A private link: whoever has it may ask.
    Link,
    /// A session.
    SignedIn,
    /// A session of somebody who may do this.
    May(Action),
    /// A token of a hospital's system.
    System,
    /// Something that another program signed, which its handler looks at.
    Signed,
    /// Nothing, in the demo; elsewhere there is no such address.
    Demo,
    /// A session, in the demo; elsewhere there is no such address.
    DemoSignedIn,
}

#[cfg(test)]
impl Needs {
    /// As it stands in `docs/access.md`.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Link => "a private link",
            Self::SignedIn => "a session",
            Self::May(action) => action.words(),
            Self::System => "a system’s token",
            Self::Signed => "another program’s signature",
            Self::Demo => "nothing, in the demo alone",
            Self::DemoSignedIn => "a session, in the demo alone",
        }
    }
}

/// An address with what it needs and who answers it.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    handler: MethodRouter<Web>,
}

/// An address that is read.
pub(crate) fn read<H, T>(path: &'static str, needs: Needs, handler: H) -> Route
where
    H: axum::handler::Handler<T, Web>,
    T: 'static,
{
    Route { method: Method::GET, path, needs, handler: get(handler) }
}

/// An address to which a form is sent.
pub(crate) fn send<H, T>(path: &'static str, needs: Needs, handler: H) -> Route
where
    H: axum::handler::Handler<T, Web>,
    T: 'static,
{
    Route { method: Method::POST, path, needs, handler: post(handler) }
}

/// An address to which a file or a resource is sent, of at most so many bytes.
pub(crate) fn send_large<H, T>(path: &'static str, needs: Needs, bytes_max: usize, handler: H) -> Route
where
    H: axum::handler::Handler<T, Web>,
    T: 'static,
{
    Route { method: Method::POST, path, needs, handler: post(handler).layer(DefaultBodyLimit::max(bytes_max)) }
}

/// An address at which something is put in the place of what is there, of at most so many bytes.
pub(crate) fn put_large<H, T>(path: &'static str, needs: Needs, bytes_max: usize, handler: H) -> Route
where
    H: axum::handler::Handler<T, Web>,
    T: 'static,
{
    Route { method: Method::PUT, path, needs, handler: put(handler).layer(DefaultBodyLimit::max(bytes_max)) }
}

/// Every address of the program.
pub(crate) fn all() -> Vec<Route> {
    use Action::{ExportFigures, FindPerson, SeeFigures, SeeMeasures, SeePerson, SeeQuarantine};
    use Needs::{Demo, DemoSignedIn, May, Nothing, Signed, SignedIn};
    let own = vec![
        read("/", SignedIn, pages::start),
        read("/figures", May(SeeFigures), pages::figures_start),
        read("/measures", May(SeeMeasures), pages::measures),
        read("/quarantined", May(SeeQuarantine), pages::quarantined),
        read("/search", May(FindPerson), pages::search_form),
        send("/search", May(FindPerson), pages::search),
        read("/sites/{site}/figures", May(SeeFigures), pages::figures),
        read("/sites/{site}/figures.json", May(ExportFigures), pages::figures_json),
        read("/sites/{site}/figures.csv", May(ExportFigures), pages::figures_csv),
        // Which of the lists somebody sees is decided by the list.
        read("/sites/{site}/worklists/{kind}", SignedIn, pages::worklist),
        read("/people/{person}", May(SeePerson), pages::person),
        read("/referrals/{referral}/why", May(SeePerson), pages::why),
        read("/sign-in/with/{provider}", Nothing, identity::begin),
        read("/sign-in/return", Nothing, identity::finish),
        send("/sign-in/ended", Signed, identity::ended),
        send("/demo/sign-in", Demo, demo::sign_in),
        send("/demo/yours", Demo, demo::yours),
        send("/demo/clock", DemoSignedIn, demo::clock),
        send("/demo/reset", Demo, demo::reset),
        send("/sign-out", SignedIn, demo::sign_out),
        read("/health", Nothing, || async { "ok" }),
        read("/theme.css", Nothing, assets::theme),
        read("/static/{hash}/{name}", Nothing, assets::asset),
        read("/assets/images/{name}", Nothing, assets::image),
    ];
    let rooms = [
        account::routes(),
        cards::routes(),
        care::routes(),
        caseload::routes(),
        clinic::routes(),
        coordination::routes(),
        engineer::routes(),
        fhir::routes(),
        govern::routes(),
        invitation::routes(),
        launch::routes(),
        own_details::routes(),
        personal::routes(),
        sign_in::routes(),
    ];
    own.into_iter().chain(rooms.into_iter().flatten()).collect()
}

/// What must somebody have to read an address of ours; none where there is no such address.
pub(crate) fn needs_of(address: &str) -> Option<Needs> {
    static READ: LazyLock<Vec<(&'static str, Needs)>> =
        LazyLock::new(|| all().into_iter().filter(|route| route.method == Method::GET).map(|route| (route.path, route.needs)).collect());
    let path = address.split(['?', '#']).next().unwrap_or_default();
    // An address that is written out goes before a pattern, as in the router.
    let exact = READ.iter().find(|(pattern, _)| *pattern == path);
    exact.or_else(|| READ.iter().find(|(pattern, _)| fits(pattern, path))).map(|(_, needs)| *needs)
}

/// Whether a path is one of a pattern such as `/people/{person}`.
pub(crate) fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

/// The router of all addresses.
pub(crate) fn router(web: &Web) -> Router<Web> {
    all().into_iter().fold(Router::new(), |router, route| {
        let check = middleware::from_fn_with_state((web.clone(), route.needs), admit);
        router.route(route.path, route.handler.route_layer(check))
    })
}

async fn admit(State((web, needs)): State<(Web, Needs)>, request: Request, next: Next) -> Response {
    match needs {
        // The clock of the demo stands still, and a limit would never be lifted again.
        Needs::Link if !web.options.demo => match web.sign_in.throttle.link(&sign_in::address(request.headers())) {
            // Whether the link opens is asked by its handler: it is in the address.
            Ok(()) => next.run(request).await,
            Err(wait) => problem::closed_for(&web, wait.seconds),
        },
        Needs::Nothing | Needs::Link | Needs::Signed => next.run(request).await,
        Needs::Demo if web.options.demo => next.run(request).await,
        Needs::DemoSignedIn if web.options.demo => seat::take(web, None, request, next).await,
        Needs::Demo | Needs::DemoSignedIn => problem::not_found(&web, None),
        Needs::System => fhir::take(web, request, next).await,
        Needs::SignedIn => seat::take(web, None, request, next).await,
        Needs::May(action) => seat::take(web, Some(action), request, next).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_by_its_pattern_and_nothing_else_is() {
        assert_eq!(needs_of("/people/per_1?done=saved#top"), Some(Needs::May(Action::SeePerson)));
        assert_eq!(needs_of("/"), Some(Needs::SignedIn));
        for nowhere in ["", "people/per_1", "/people/", "/people/per_1/", "//elsewhere", "/demo/clock", "/\\elsewhere"] {
            assert_eq!(needs_of(nowhere), None, "{nowhere}");
        }
    }
}
