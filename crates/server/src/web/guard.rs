//! What holds for every answer: who may ask by which name, and what a browser may do with what it gets.

use axum::extract::Request;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing but our own styles, pictures and scripts, in no frame, and forms go nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Refuses requests that came under another name than this machine's own, and puts the headers on every answer.
///
/// Until sign-in exists, what keeps pages private is that only this machine can ask. A page of another site that a
/// browser on this machine has open could still ask under a name of its own that leads here (DNS rebinding); its browser
/// says that name in `Host`.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut answer = if is_this_machine(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "Pages are served under this machine's own address only.\n").into_response()
    };
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

fn is_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| {
        let name = without_port(host);
        name.eq_ignore_ascii_case("localhost") || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
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
    fn only_names_of_this_machine_may_be_asked_for() {
        let allowed = |host: &str| is_this_machine(&HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]));
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "127.9.9.9:1", "[::1]", "[::1]:8080"] {
            assert!(allowed(host), "{host}");
        }
        for host in ["", "alongside.invalid", "localhost.invalid", "127.0.0.1.invalid:80", "10.0.0.1", "[::2]:80", "192.168.0.1:8080"] {
            assert!(!allowed(host), "{host}");
        }
        assert!(!is_this_machine(&HeaderMap::new()));
    }
}
