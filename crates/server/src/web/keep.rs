//! Where a sending by script leads: a script sees that it was sent on, and not where to.

use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// A form that must outlive a lost connection is sent by `alongside.js` with this header.
const KEEP: HeaderName = HeaderName::from_static("x-keep");
/// Where to, in the answer to such a sending.
const TO: HeaderName = HeaderName::from_static("x-to");

/// Turns the answer "go there" (303) to a sending by script into 204 with the place in `x-to`.
pub(crate) async fn keep(request: Request, next: Next) -> Response {
    let by_script = request.headers().contains_key(KEEP);
    let answer = next.run(request).await;
    if by_script { told(answer) } else { answer }
}

fn told(mut answer: Response) -> Response {
    let Some(to) = answer.headers_mut().remove(header::LOCATION) else { return answer };
    let mut headers = HeaderMap::new();
    headers.insert(TO, to);
    for cookie in answer.headers().get_all(header::SET_COOKIE) {
        headers.append(header::SET_COOKIE, cookie.clone());
    }
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use axum::response::Redirect;

    use super::*;

    #[test]
    fn a_script_is_told_where_to_and_the_cookies_stay() {
        let mut answer = Redirect::to("/people/1").into_response();
        answer.headers_mut().insert(header::SET_COOKIE, header::HeaderValue::from_static("a=b"));
        let told = told(answer);
        assert_eq!(told.status(), StatusCode::NO_CONTENT);
        assert_eq!((&told.headers()[TO], &told.headers()[header::SET_COOKIE]), (&"/people/1".parse().unwrap(), &"a=b".parse().unwrap()));
        assert!(!told.headers().contains_key(header::LOCATION));
    }

    #[test]
    fn an_answer_that_leads_nowhere_stays_as_it_is() {
        let told = told((StatusCode::UNPROCESSABLE_ENTITY, "wrong").into_response());
        assert_eq!(told.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!told.headers().contains_key(TO));
    }
}
