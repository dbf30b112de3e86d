//! (placeholder until the web helper's file lands)
use alongside_app::App;
pub(crate) struct Options { pub(crate) demo: bool }
pub(crate) fn router(_app: App, _options: Options) -> axum::Router { axum::Router::new() }
