//! Styles and pictures, embedded. Their addresses contain a hash of what they are, so a browser may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

static BASE: Asset =
    Asset { name: "nhsuk-frontend.min.css", kind: CSS, bytes: include_bytes!("../../assets/vendor/nhsuk-frontend.min.css") };
static OWN: Asset = Asset { name: "alongside.css", kind: CSS, bytes: include_bytes!("../../assets/alongside.css") };
static MARK: Asset = Asset { name: "mark.svg", kind: SVG, bytes: include_bytes!("../../assets/mark.svg") };

macro_rules! image {
    ($name:literal) => {
        Asset { name: $name, kind: SVG, bytes: include_bytes!(concat!("../../assets/vendor/images/", $name)) }
    };
}

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
    pub(crate) icon: String,
}

pub(crate) static ADDRESSES: LazyLock<Addresses> =
    LazyLock::new(|| Addresses { base_css: BASE.address(), own_css: OWN.address(), icon: MARK.address() });

impl Asset {
    fn address(&self) -> String {
        format!("/static/{:016x}/{}", fnv_1a(self.bytes), self.name)
    }

    fn answer(&self, lasting: &'static str) -> Response {
        ([(header::CONTENT_TYPE, self.kind), (header::CACHE_CONTROL, lasting)], self.bytes).into_response()
    }
}

/// An asset by its hash and name. An old hash is not found: its page is gone as well.
pub(crate) async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let address = format!("/static/{hash}/{name}");
    let found = [(&BASE, &ADDRESSES.base_css), (&OWN, &ADDRESSES.own_css), (&MARK, &ADDRESSES.icon)];
    let asset = found.into_iter().find(|(_, own)| **own == address);
    asset.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |(asset, _)| asset.answer("public, max-age=31536000, immutable"))
}

/// A picture of the style sheet.
pub(crate) async fn image(Path(name): Path<String>) -> Response {
    let image = IMAGES.iter().find(|image| image.name == name);
    image.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |image| image.answer("public, max-age=86400"))
}

/// FNV-1a of 64 bits: tells one build's file from another's. It guards nothing.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
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
        let css = std::str::from_utf8(OWN.bytes).unwrap();
        for foreign in ["http:", "https:", "//", "@import", "@font-face"] {
            assert!(!css.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn every_picture_that_the_styles_name_is_served() {
        let css = std::str::from_utf8(BASE.bytes).unwrap();
        let named: Vec<&str> = css.split("/assets/images/").skip(1).filter_map(|rest| rest.split(['"', '\'', ')']).next()).collect();
        assert!(!named.is_empty());
        for name in named {
            assert!(IMAGES.iter().any(|image| image.name == name), "{name}");
        }
    }
}
