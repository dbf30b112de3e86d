//! Says what to do when the page furniture that the program embeds is missing.

use std::path::Path;

fn main() {
    let furniture = "assets/vendor/nhsuk-frontend.min.css";
    println!("cargo::rerun-if-changed={furniture}");
    if !Path::new(furniture).is_file() {
        println!("cargo::error=crates/server/{furniture} is missing: run `cargo xtask setup --for demo`");
    }
}
