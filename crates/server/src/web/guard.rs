//! What holds for every answer: who may ask by which name, and what a browser may do with what it gets.

use alongside_app::Failure;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Web, forms, problem};

/// Nothing but our own styles, pictures and scripts, and forms go nowhere else. Whose frames may show us follows.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: with that, browsers say `Origin: null` of our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Where the pages of private links are.
const PRIVATE: &str = "/yours/";

/// Errors whose usual pages name this service. Under a private link they are the one page that names nothing.
const TELLING: [StatusCode; 5] =
    [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::PAYLOAD_TOO_LARGE];

/// Refuses requests that came under another name than those of this service, and forms that came from another site, and
/// puts the headers on every answer.
///
/// A page of another site that a browser has open could ask under a name of its own that leads here (DNS rebinding); its
/// browser says that name in `Host`.
pub(crate) async fn guard(State(web): State<Web>, request: Request, next: Next) -> Response {
    let private = request.uri().path().starts_with(PRIVATE);
    let mut answer = if !is_ours(request.headers(), web.options.host.as_deref()) {
        (StatusCode::MISDIRECTED_REQUEST, "Pages are served under this service's own address only.\n").into_response()
    } else if forms::is_from_elsewhere(request.method(), request.headers()) {
        problem::forged(&web)
    } else {
        next.run(request).await
    };
    if private && TELLING.contains(&answer.status()) {
        answer = problem::closed(&web, &Failure::NotFound);
    }
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // No record shows the pages of somebody's own link.
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(if private { &[] } else { &web.options.embedded_by }));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

/// The policy of contents, with the hosts whose pages may show ours: none, unless the configuration names some.
fn policy(embedded_by: &[String]) -> HeaderValue {
    let hosts = if embedded_by.is_empty() { "'none'".to_owned() } else { embedded_by.join(" ") };
    HeaderValue::from_str(&format!("{POLICY} {hosts}")).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

fn is_ours(headers: &HeaderMap, public: Option<&str>) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| is_this_machine(host) || public.is_some_and(|public| public.eq_ignore_ascii_case(host)))
}

fn is_this_machine(host: &str) -> bool {
    let name = without_port(host);
    name.eq_ignore_ascii_case("localhost") || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_that_are_named_may_show_us_in_a_frame() {
        assert!(policy(&[]).to_str().unwrap().ends_with("; frame-ancestors 'none'"));
        assert!(policy(&["https://record.example".to_owned()]).to_str().unwrap().ends_with("; frame-ancestors https://record.example"));
    }

    #[test]
    fn only_names_of_this_machine_may_be_asked_for() {
        let allowed = |host: &str| {
            is_ours(&HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]), Some("peer.example.nhs.uk"))
        };
        for host in
            ["peer.example.nhs.uk", "localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "127.9.9.9:1", "[::1]", "[::1]:8080"]
        {
            assert!(allowed(host), "{host}");
        }
        for host in ["", "alongside.invalid", "localhost.invalid", "127.0.0.1.invalid:80", "10.0.0.1", "[::2]:80", "192.168.0.1:8080"] {
            assert!(!allowed(host), "{host}");
        }
        assert!(!is_ours(&HeaderMap::new(), None));
    }
}
