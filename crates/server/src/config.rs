//! The configuration file, with the folders that it names.

use std::path::{Path, PathBuf};

use alongside_app::setup::{ClientKeys, Extra, Setup};
use alongside_app::{Failure, Invalid};
use alongside_store::{DatabaseUrl, Engine};

use crate::mllp::tls;

/// The commented default configuration.
pub(crate) const DEFAULT: &str = include_str!("default.toml");

/// Reads a configuration file; without one, the default, which has no sites and no feeds.
///
/// # Errors
/// [`Failure::Invalid`] with every problem and its place.
pub(crate) fn load(path: Option<&Path>) -> Result<Setup, Failure> {
    let Some(path) = path else { return read(DEFAULT, Path::new(".")) };
    let (text, beside) = text_of(path)?;
    read(&text, beside)
}

fn read(text: &str, beside: &Path) -> Result<Setup, Failure> {
    let server = Setup::server(text).map_err(Failure::Invalid)?;
    let extra =
        Extra { profiles: folder(server.profiles.as_deref(), beside)?, instruments: folder(server.instruments.as_deref(), beside)? };
    let mut setup = Setup::read(text, &extra).map_err(Failure::Invalid)?;
    let server = &mut setup.server;
    let named = server.stylesheet.iter_mut().chain(server.letters.iter_mut());
    for file in [&mut server.keys, &mut server.audit_heads].into_iter().chain(named) {
        *file = beside.join(&*file).display().to_string();
    }
    // What is no address is told when it is opened; one of a server keeps its text, which may hold a password.
    if let Ok(url) = server.database.parse::<DatabaseUrl>()
        && url.engine() == Engine::Sqlite
    {
        server.database = url.beside(beside).to_string();
    }
    for tls in setup.feeds.values_mut().filter_map(|feed| feed.tls.as_mut()) {
        for file in [&mut tls.certificate, &mut tls.key, &mut tls.clients] {
            *file = beside.join(&*file).display().to_string();
        }
        // A certificate that cannot be read keeps its listener from being opened, and no other command from its work.
        tls.ends_on = tls::ends_on(tls).ok();
    }
    for provider in setup.identity_providers.values_mut() {
        let file = beside.join(provider.credential.file()).to_string_lossy().into_owned();
        provider.credential = provider.credential.clone().with_file(file);
    }
    for client in setup.fhir_clients.values_mut() {
        if let ClientKeys::File(file) = &mut client.keys {
            *file = beside.join(&*file).display().to_string();
        }
    }
    Ok(setup)
}

/// The profiles of a configuration's folder: name and text.
///
/// # Errors
/// As [`load`].
pub(crate) fn profiles(path: Option<&Path>) -> Result<Vec<(String, String)>, Failure> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let (text, beside) = text_of(path)?;
    let server = Setup::server(&text).map_err(Failure::Invalid)?;
    folder(server.profiles.as_deref(), beside)
}

/// A configuration's text, and the folder at which its paths begin.
fn text_of(path: &Path) -> Result<(String, &Path), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("cannot be read: {}", error.kind());
        Failure::Invalid(vec![Invalid::new(path.display().to_string(), what)])
    })?;
    Ok((text, path.parent().unwrap_or(Path::new("."))))
}

/// The TOML files of a folder: name without ending, and text.
fn folder(name: Option<&str>, beside: &Path) -> Result<Vec<(String, String)>, Failure> {
    let Some(name) = name else { return Ok(Vec::new()) };
    let folder = beside.join(name);
    let problem = |path: &Path, error: &std::io::Error| {
        Failure::Invalid(vec![Invalid::new(path.display().to_string(), format!("cannot be read: {}", error.kind()))])
    };
    let entries = std::fs::read_dir(&folder).map_err(|error| problem(&folder, &error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|error| problem(path, &error))?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok((name, text))
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_begins_beside_the_configuration() {
        let (folder, elsewhere) = (Path::new("/srv/alongside"), "postgres://alongside@db/alongside");
        let read = |text: &str| read(&format!("[server]\n{text}"), folder).unwrap().server;
        let server = read("letters = \"letters\"");
        assert_eq!(server.database, "sqlite:/srv/alongside/alongside.db");
        assert_eq!((server.keys.as_str(), server.letters.as_deref()), ("/srv/alongside/alongside.keys", Some("/srv/alongside/letters")));
        for (written, read_as) in [
            ("sqlite:/var/a.db", "sqlite:/var/a.db"),
            ("sqlite:///var/a.db", "sqlite:/var/a.db"),
            ("sqlite://a.db", "sqlite:/srv/alongside/a.db"),
            ("a.db", "sqlite:/srv/alongside/a.db"),
        ] {
            assert_eq!(read(&format!("database = \"{written}\"")).database, read_as, "{written}");
        }
        assert_eq!(read(&format!("database = \"{elsewhere}\"")).database, elsewhere);
    }

    #[test]
    fn the_default_configuration_is_valid_and_documents_every_key() {
        let setup = load(None).unwrap();
        assert!(setup.sites.is_empty());
        for key in [
            "database",
            "http",
            "metrics",
            "origin",
            "name",
            "stylesheet",
            "embedded_by",
            "letters",
            "keys",
            "audit_heads",
            "profiles",
            "instruments",
            "quarantine_days",
            "message_mib_max",
            "gap_months",
            "adult_age",
            "idle_minutes",
            "absolute_hours",
            "issuer",
            "client_id",
            "client_secret_file",
            "private_key_file",
            "kid",
            "alg",
            "scopes",
            "acr",
            "amr",
            "max_age_minutes",
            "local_identifier",
            "jwks_file",
            "jwks_url",
            "codes",
        ] {
            assert!(DEFAULT.contains(key), "{key} is not in the default configuration");
        }
    }
}
