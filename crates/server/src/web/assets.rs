//! Styles and pictures, embedded. Their addresses contain a hash of what they are, so a browser may keep them for ever.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Web, problem};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: Cow<'static, [u8]>,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const OWN_CSS: &str = concat!(include_str!("../../assets/alongside.css"), include_str!("../../assets/demo.css"));

macro_rules! asset {
    ($name:literal, $kind:expr, $folder:literal) => {
        Asset { name: $name, kind: $kind, bytes: Cow::Borrowed(include_bytes!(concat!("../../assets/", $folder, $name))) }
    };
}

macro_rules! image {
    ($name:literal) => {
        asset!($name, SVG, "vendor/images/")
    };
}

static BASE: Asset = asset!("nhsuk-frontend.min.css", CSS, "vendor/");
static PARTS: Asset = asset!("nhsuk-frontend.min.js", JS, "vendor/");
static OWN_JS: Asset = asset!("alongside.js", JS, "");
static PASSKEY_JS: Asset = asset!("passkey.js", JS, "");
static MARK: Asset = asset!("mark.svg", SVG, "");
static PLAIN: Asset = asset!("plain.svg", SVG, "");
static OWN: LazyLock<Asset> =
    LazyLock::new(|| Asset { name: "alongside.css", kind: CSS, bytes: Cow::Owned(plain_values_first(OWN_CSS).into_bytes()) });

/// The pictures that the style sheet of nhsuk-frontend refers to, under addresses of its choice.
static IMAGES: [Asset; 4] = [
    image!("nhsuk-icon-arrow-down.svg"),
    image!("nhsuk-icon-arrow-up-down.svg"),
    image!("nhsuk-icon-arrow-up.svg"),
    image!("nhsuk-icon-cross.svg"),
];

/// The addresses of what every page needs.
pub(crate) struct Addresses {
    pub(crate) base_css: String,
    pub(crate) own_css: String,
    /// The script of the parts of nhsuk-frontend, which our own loads where a page has such a part.
    pub(crate) parts_js: String,
    pub(crate) own_js: String,
    /// The script of passkeys, which our own loads where a form names it.
    pub(crate) passkey_js: String,
    pub(crate) icon: String,
    /// The picture in the tab of a private page: it says nothing.
    pub(crate) plain_icon: String,
}

pub(crate) static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| Addresses {
    base_css: BASE.address(),
    own_css: OWN.address(),
    parts_js: PARTS.address(),
    own_js: OWN_JS.address(),
    passkey_js: PASSKEY_JS.address(),
    icon: MARK.address(),
    plain_icon: PLAIN.address(),
});

impl Asset {
    fn address(&self) -> String {
        format!("/static/{:016x}/{}", fnv_1a(&self.bytes), self.name)
    }

    fn answer(&self, lasting: &'static str) -> Response {
        ([(header::CONTENT_TYPE, self.kind), (header::CACHE_CONTROL, lasting)], self.bytes.to_vec()).into_response()
    }
}

/// An asset by its hash and name. An old hash is not found: its page is gone as well.
pub(crate) async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let address = format!("/static/{hash}/{name}");
    let all = &*ADDRESSES;
    let found = [
        (&BASE, &all.base_css),
        (&*OWN, &all.own_css),
        (&PARTS, &all.parts_js),
        (&OWN_JS, &all.own_js),
        (&PASSKEY_JS, &all.passkey_js),
        (&MARK, &all.icon),
        (&PLAIN, &all.plain_icon),
    ];
    let asset = found.into_iter().find(|(_, own)| **own == address);
    asset.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |(asset, _)| asset.answer("public, max-age=31536000, immutable"))
}

/// A picture of the style sheet.
pub(crate) async fn image(Path(name): Path<String>) -> Response {
    let image = IMAGES.iter().find(|image| image.name == name);
    image.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |image| image.answer("public, max-age=86400"))
}

/// Says every value that stands in a custom property plainly first, for browsers within hospital records that are too old
/// for custom properties: they drop the second declaration and keep the first.
fn plain_values_first(css: &str) -> String {
    let values = custom_properties(css);
    let mut out = String::with_capacity(css.len() * 5 / 4);
    let mut rest = css;
    while let Some(end) = rest.find([';', '{', '}']) {
        let (piece, after) = rest.split_at(end);
        if after.starts_with(['}', ';'])
            && let Some(plain) = in_plain_values(piece, &values)
        {
            out.push_str(&plain);
            out.push(';');
        }
        let (mark, after) = after.split_at(1);
        out.push_str(piece);
        out.push_str(mark);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The custom properties of `:root`, with their values.
fn custom_properties(css: &str) -> Vec<(&str, &str)> {
    let root = css.split_once(":root {").and_then(|(_, rest)| rest.split_once('}')).map_or("", |(root, _)| root);
    root.split(';').filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// A declaration with the values in place of the properties; `None` when it names no property, or one without a value.
fn in_plain_values(declaration: &str, values: &[(&str, &str)]) -> Option<String> {
    let mut out = String::new();
    let mut rest = declaration;
    while let Some((before, named)) = rest.split_once("var(") {
        let (name, after) = named.split_once(')')?;
        let (_, value) = values.iter().find(|(property, _)| *property == name.trim())?;
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    (rest.len() < declaration.len()).then_some(out)
}

/// FNV-1a of 64 bits: tells one build's file from another's. It guards nothing.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The service's own style sheet.
pub(crate) async fn theme(State(web): State<Web>) -> Response {
    match &web.options.theme.sheet {
        Some(sheet) => ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], sheet.clone()).into_response(),
        None => problem::not_found(&web, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the FNV reference code.
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn our_own_styles_refer_to_no_other_host() {
        for foreign in ["http:", "https:", "//", "@import", "@font-face"] {
            assert!(!OWN_CSS.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn an_old_browser_is_told_every_colour_plainly_first() {
        let css = ":root { --ink: #111; --line: #ddd; }\na { color: var(--ink); border: 1px solid var(--line) }\nb { top: 0 }";
        let told = ":root { --ink: #111; --line: #ddd; }\na { color: #111; color: var(--ink); border: 1px solid #ddd ; \
                    border: 1px solid var(--line) }\nb { top: 0 }";
        assert_eq!(plain_values_first(css), told);
        let own = plain_values_first(OWN_CSS);
        let (named, values) = (OWN_CSS.matches(": var(--").count(), custom_properties(OWN_CSS));
        assert!(named > 50 && values.len() > 10, "{named} {}", values.len());
        for declaration in own.split([';', '{', '}']).filter(|piece| piece.contains("var(--")) {
            let plain = in_plain_values(declaration, &values).expect(declaration);
            assert!(own.contains(&format!("{plain};")), "{declaration}");
        }
    }

    #[test]
    fn our_script_is_small_keeps_nothing_in_the_browser_and_asks_nobody_else() {
        for (script, most) in [(&OWN_JS, 6_200), (&PASSKEY_JS, 3_000)] {
            let js = std::str::from_utf8(&script.bytes).unwrap();
            assert!(js.len() < most, "{} bytes", js.len());
            for refused in
                ["localStorage", "sessionStorage", "indexedDB", "document.cookie", "innerHTML", "eval(", "http:", "https:", "caches"]
            {
                assert!(!js.contains(refused), "{refused}");
            }
        }
    }

    #[test]
    fn the_script_of_the_parts_is_there_and_is_a_module() {
        let js = std::str::from_utf8(&PARTS.bytes).unwrap();
        assert!(js.len() > 10_000 && js.contains("initAll") && js.contains("export"), "run the set-up: {} bytes", js.len());
        assert!(!js.contains("sourceMappingURL"));
    }

    #[test]
    fn every_picture_that_the_styles_name_is_served() {
        let css = std::str::from_utf8(&BASE.bytes).unwrap();
        let named: Vec<&str> = css.split("/assets/images/").skip(1).filter_map(|rest| rest.split(['"', '\'', ')']).next()).collect();
        assert!(!named.is_empty());
        for name in named {
            assert!(IMAGES.iter().any(|image| image.name == name), "{name}");
        }
    }
}
