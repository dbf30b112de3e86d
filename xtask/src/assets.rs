//! The page furniture: what the program embeds of nhsuk-frontend, copied into an ignored folder.
//!
//! Left out on purpose: the Frutiger font (licensed, and on another host), and the NHS logo with
//! all pictures of it (favicons, app icons, the picture for links): only NHS services may show it.

use std::fs;
use std::path::Path;

use crate::repository::Repository;
use crate::{Failure, npm};

const FOLDER: &str = "crates/server/assets";
const DIST: &str = "node_modules/nhsuk-frontend/dist/nhsuk";
const STYLES: &str = "nhsuk-frontend.min.css";
const SCRIPT: &str = "nhsuk-frontend.min.js";

/// How a remark about a source map begins, in a script and in a style sheet.
const MAPS: [&str; 2] = ["//# sourceMappingURL=", "/*# sourceMappingURL="];

/// The pictures that the style sheet refers to.
const IMAGES: [&str; 4] = ["nhsuk-icon-arrow-down.svg", "nhsuk-icon-arrow-up-down.svg", "nhsuk-icon-arrow-up.svg", "nhsuk-icon-cross.svg"];

/// Counts up when this file makes something else of the same package, so that it is made anew.
const RECIPE: &str = "recipe 2";

/// Puts the files to embed into `crates/server/assets/vendor/`, unless they are there.
///
/// # Errors
/// When npm fails, or the package does not hold what it should.
pub(crate) fn bring(repository: &Repository) -> Result<(), Failure> {
    let lock = repository.read(&format!("{FOLDER}/package-lock.json"))?;
    let wanted = format!("{RECIPE}\n{lock}");
    let vendor = repository.path(&format!("{FOLDER}/vendor"));
    let stamp = vendor.join(".stamp");
    if npm::is_stamped(&stamp, &wanted) && is_complete(&vendor) {
        return Ok(());
    }
    npm::install(repository, FOLDER, "the program embeds the styles and the script of nhsuk-frontend")?;
    copy(&repository.path(&format!("{FOLDER}/{DIST}")), &vendor)?;
    remove_packages(&repository.path(&format!("{FOLDER}/node_modules")))?;
    println!("Copied what the program embeds into {FOLDER}/vendor/.");
    npm::write_stamp(&stamp, &wanted)
}

fn is_complete(vendor: &Path) -> bool {
    let images = IMAGES.map(|image| format!("images/{image}"));
    [STYLES, SCRIPT].into_iter().chain(images.iter().map(String::as_str)).all(|file| vendor.join(file).is_file())
}

fn copy(dist: &Path, vendor: &Path) -> Result<(), Failure> {
    let images = vendor.join("images");
    fs::create_dir_all(&images).map_err(|error| at(&images, &error))?;
    write(vendor, STYLES, &styles(&read(dist, STYLES)?)?)?;
    write(vendor, SCRIPT, &script(&read(dist, SCRIPT)?)?)?;
    for image in IMAGES {
        let picture = read(&dist.join("assets/images"), image)?;
        write(&images, image, &picture)?;
    }
    Ok(())
}

/// Thousands of files that nothing needs any more, in a folder that cargo would look through.
fn remove_packages(folder: &Path) -> Result<(), Failure> {
    fs::remove_dir_all(folder).map_err(|error| at(folder, &error))
}

/// The style sheet without its font files and its source map.
///
/// # Errors
/// When it refers to another host or to a picture that we do not copy: a new version may.
fn styles(css: &str) -> Result<String, Failure> {
    let css = without_source_map(&without_font_faces(css));
    for reference in references(&css) {
        let image = reference.strip_prefix("/assets/images/");
        let known = image.is_some_and(|image| IMAGES.contains(&image));
        if !known && !reference.starts_with("data:") {
            return Err(format!("{STYLES} refers to `{reference}`, which is not embedded: see xtask/src/assets.rs"));
        }
    }
    Ok(css)
}

/// The script without its source map.
///
/// # Errors
/// When it is not the module that the pages load: nothing would say so in a browser, the parts would just stay plain.
fn script(js: &str) -> Result<String, Failure> {
    let js = without_source_map(js);
    if !(js.contains("export") && js.contains("initAll")) {
        return Err(format!("{SCRIPT} does not export `initAll`, which crates/server/assets/alongside.js calls"));
    }
    Ok(js)
}

fn without_font_faces(css: &str) -> String {
    const RULE: &str = "@font-face{";
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, rule)) = rest.split_once(RULE) {
        kept.push_str(before);
        rest = rule.split_once('}').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// A browser's tools would ask for the map, which is not embedded. The remark may end a line that holds everything else.
fn without_source_map(text: &str) -> String {
    let before = |line: &str| MAPS.iter().find_map(|map| line.split_once(map)).map_or_else(|| line.to_owned(), |(code, _)| code.to_owned());
    text.lines().map(before).filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

/// Every `url(…)` of the style sheet, without its quotes.
fn references(css: &str) -> impl Iterator<Item = &str> {
    css.split("url(").skip(1).map(|rest| {
        let end = rest.find(')').unwrap_or(rest.len());
        rest[..end].trim_matches(['"', '\''])
    })
}

fn read(folder: &Path, name: &str) -> Result<String, Failure> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(|error| at(&path, &error))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|error| at(&path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> Failure {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_left_out_and_the_rest_stays() {
        let css = "a{b:c}@font-face{src:url(https://elsewhere.invalid/f)}d{e:f}@font-face{x:y}g{}\n\
                   /*# sourceMappingURL=x.map */\n";
        assert_eq!(styles(css).unwrap(), "a{b:c}d{e:f}g{}\n");
    }

    #[test]
    fn a_script_of_one_line_stays_when_its_source_map_goes() {
        let js = "function initAll(){}export{initAll};//# sourceMappingURL=x.js.map\n";
        assert_eq!(script(js).unwrap(), "function initAll(){}export{initAll};\n");
        assert!(script("//# sourceMappingURL=x.js.map\n").is_err(), "an empty script is no script");
    }

    #[test]
    fn a_picture_that_is_copied_may_be_referred_to() {
        let css = "a{b:url(\"/assets/images/nhsuk-icon-cross.svg\")}\n";
        assert_eq!(styles(css).unwrap(), css);
    }

    #[test]
    fn another_host_or_an_unknown_picture_is_refused() {
        assert!(styles("a{b:url(https://elsewhere.invalid/x.svg)}").is_err());
        assert!(styles("a{b:url(/assets/images/favicon.svg)}").is_err());
    }

    #[test]
    fn no_picture_of_the_logo_is_copied() {
        for image in IMAGES {
            assert!(image.starts_with("nhsuk-icon-") && image.ends_with(".svg"));
            assert!(!image.contains("mask"), "the mask icon is the logo");
        }
    }
}
