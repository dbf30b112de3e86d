//! Forms that were sent: who sent them is checked before what they say is read.

use alongside_app::{Failure, Invalid};
use alongside_domain::calendar::is_of_our_time;
use axum::Form;
use axum::extract::{FromRequest, Multipart, Query, Request};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;

use super::seat::Seat;
use super::{Web, problem};

/// The hidden field of every form of a session.
const TOKEN: &str = "token";

/// A form of somebody who is signed in, with the token of their session.
pub(crate) struct Posted(pub(crate) Fields);

/// A form with one file, of somebody who is signed in. The route says how large it may be.
pub(crate) struct PostedFile {
    pub(crate) fields: Fields,
    /// The bytes of the file; none where none was chosen.
    pub(crate) bytes: Vec<u8>,
}

/// A form from before anybody has signed in: its origin is checked, and it carries no token.
pub(crate) struct Open(pub(crate) Fields);

/// What a form holds. A field may stand more than once.
#[derive(Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

/// A day in three fields, as it was entered: what a form shows again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) day: String,
    pub(crate) month: String,
    pub(crate) year: String,
}

impl FromRequest<Web> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let seat = request.extensions().get::<Seat>().cloned();
        let refuse = |failure: &Failure| problem::page(web, seat.as_ref(), failure);
        let Some(expected) = seat.as_ref().map(|seat| seat.form_token.clone()) else { return Err(refuse(&Failure::Forbidden)) };
        let fields = read(request, web).await.map_err(|failure| refuse(&failure))?;
        if !is_same(&expected, fields.text(TOKEN)) {
            return Err(problem::forged(web));
        }
        Ok(Self(fields))
    }
}

impl FromRequest<Web> for PostedFile {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let seat = request.extensions().get::<Seat>().cloned();
        let Some(expected) = seat.as_ref().map(|seat| seat.form_token.clone()) else {
            return Err(problem::page(web, None, &Failure::Forbidden));
        };
        let unread = |_| Failure::invalid("list", "the file is larger than it may be, or did not arrive whole");
        let read = async {
            let (mut pairs, mut bytes) = (Vec::new(), Vec::new());
            let mut parts = Multipart::from_request(request, web).await.map_err(|_| Failure::invalid("form", "the form cannot be read"))?;
            while let Some(part) = parts.next_field().await.map_err(unread)? {
                if part.file_name().is_none() {
                    let name = part.name().unwrap_or_default().to_owned();
                    pairs.push((name, part.text().await.map_err(unread)?));
                } else if is_same(&expected, Fields(pairs.clone()).text(TOKEN)) {
                    // The token stands before the file: no byte of a forged one is kept.
                    bytes = part.bytes().await.map_err(unread)?.into();
                } else {
                    break;
                }
            }
            Ok::<_, Failure>(Self { fields: Fields(pairs), bytes })
        };
        let posted = read.await.map_err(|failure| problem::page(web, seat.as_ref(), &failure))?;
        if is_same(&expected, posted.fields.text(TOKEN)) { Ok(posted) } else { Err(problem::forged(web)) }
    }
}

impl FromRequest<Web> for Open {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        read(request, web).await.map(Self).map_err(|failure| problem::page(web, None, &failure).into_response())
    }
}

async fn read(request: Request, web: &Web) -> Result<Fields, Failure> {
    let form = Form::<Vec<(String, String)>>::from_request(request, web).await;
    let unread = || Failure::invalid("form", "the form cannot be read");
    let Form(pairs) = form.map_err(|_| unread())?;
    // Not a sign that anybody types, and one that PostgreSQL does not keep.
    if pairs.iter().any(|(_, value)| value.contains('\0')) { Err(unread()) } else { Ok(Fields(pairs)) }
}

/// Whether two texts are equal, in a time that does not tell where they differ.
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Whether a browser says that a form comes from a page of another site: by `Sec-Fetch-Site`, or where it does not know
/// that yet by `Origin`. A browser that says neither is held by the form's token and the cookie's `SameSite`.
pub(crate) fn is_from_elsewhere(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD) {
        return false;
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return false };
    let host = text(header::HOST.as_str()).unwrap_or("?");
    !origin.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host))
}

impl Day {
    pub(crate) fn of(date: Date) -> Self {
        Self { day: date.day().to_string(), month: date.month().to_string(), year: date.year().to_string() }
    }

    /// What was sent as `name-day`, `name-month` and `name-year`.
    pub(crate) fn sent(fields: &Fields, name: &str) -> Self {
        let part = |part: &str| fields.text(&format!("{name}-{part}")).to_owned();
        Self { day: part("day"), month: part("month"), year: part("year") }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.day.is_empty() && self.month.is_empty() && self.year.is_empty()
    }
}

impl Fields {
    /// What was kept of a form that was not sent; nothing where it cannot be read.
    pub(crate) fn from_text(text: &str) -> Self {
        let address = format!("/?{text}").parse::<Uri>().ok();
        address.and_then(|address| Query::try_from_uri(&address).ok()).map_or_else(Self::default, |Query(pairs)| Self(pairs))
    }

    /// A field, trimmed; empty where it does not stand.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// A field where it is filled in.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every value of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.filled(name).is_some()
    }

    /// A field that must be one of a coded enumeration.
    ///
    /// # Errors
    /// [`Invalid`] at the field, with what to do.
    pub(crate) fn coded<T>(&self, name: &str, from_code: impl Fn(&str) -> Option<T>, what_to_do: &str) -> Result<T, Invalid> {
        from_code(self.text(name)).ok_or_else(|| Invalid::new(name, what_to_do))
    }

    /// A date in three fields, `name-day`, `name-month`, `name-year`, or in one, `name`, as `2025-01-06`.
    ///
    /// # Errors
    /// [`Invalid`] at the field, with what to do.
    pub(crate) fn date(&self, name: &str, what_to_do: &str) -> Result<Date, Invalid> {
        let part = |part: &str| self.text(&format!("{name}-{part}")).to_owned();
        let whole = || self.text(name).parse::<Date>().ok();
        let parts = || Date::new(part("year").parse().ok()?, part("month").parse().ok()?, part("day").parse().ok()?).ok();
        whole().or_else(parts).filter(|date| is_of_our_time(*date)).ok_or_else(|| Invalid::new(name, what_to_do))
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`Invalid`] at the field, with what to do.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str, what_to_do: &str) -> Result<T, Invalid> {
        self.text(name).parse().map_err(|_| Invalid::new(name, what_to_do))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_form_of_another_site_is_recognised() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect::<HeaderMap>()
        };
        let host = ("host", "127.0.0.1:8080");
        for (from_elsewhere, pairs) in [
            (false, vec![host, ("sec-fetch-site", "same-origin")]),
            (true, vec![host, ("sec-fetch-site", "cross-site")]),
            (true, vec![host, ("sec-fetch-site", "same-site")]),
            (false, vec![host, ("origin", "http://127.0.0.1:8080")]),
            (true, vec![host, ("origin", "https://elsewhere.example")]),
            (true, vec![host, ("origin", "null")]),
            (false, vec![host]),
        ] {
            assert_eq!(is_from_elsewhere(&Method::POST, &headers(&pairs)), from_elsewhere, "{pairs:?}");
            assert!(!is_from_elsewhere(&Method::GET, &headers(&pairs)));
        }
    }

    #[test]
    fn fields_are_read_with_their_place() {
        let pairs =
            [("name", " Ada "), ("on-day", "6"), ("on-month", "1"), ("on-year", "2025"), ("to", "31/12"), ("way", "x"), ("way", "y")];
        let fields = Fields(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!((fields.text("name"), fields.filled("other"), fields.all("way").count()), ("Ada", None, 2));
        assert_eq!(fields.date("on", "Enter a date"), Ok(jiff::civil::date(2025, 1, 6)));
        assert_eq!(fields.date("to", "Enter a date"), Err(Invalid::new("to", "Enter a date")));
        assert!(is_same("abc", "abc") && !is_same("abc", "abd") && !is_same("abc", "ab"));
    }
}
