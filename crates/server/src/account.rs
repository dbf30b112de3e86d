//! `alongside account`: who may sign in here, said by an operator at the machine. Nobody has a password until they choose it.

use std::process::ExitCode;

use alongside_app::accounts::INVITATION_HOURS;
use alongside_app::sign_in::AccountLine;
use alongside_app::{App, Failure, london_time};
use alongside_domain::session::{Ended, Method};
use alongside_domain::supporter::StaffId;
use clap::Subcommand;
use jiff::Timestamp;

use crate::output::{remark, say};

/// What is done with an account. Each names somebody by their key in the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Print a link by which somebody chooses how to sign in, for the first time or anew. It works once, within a day.
    Invite {
        /// The key of a member of staff or a supporter.
        key: String,
    },
    /// Let somebody in no more, and end their sessions at once.
    Suspend {
        /// Their key.
        key: String,
    },
    /// Let somebody in again.
    Reinstate {
        /// Their key.
        key: String,
    },
    /// List everybody who is configured, with what they can sign in with.
    List,
    /// Link an account of an identity provider to somebody, where its subject is known beforehand. Otherwise invite them.
    Link {
        /// Their key.
        key: String,
        /// The key of the provider.
        #[arg(long)]
        provider: String,
        /// The subject, exactly as the provider says it.
        #[arg(long)]
        subject: String,
    },
    /// Take all links of somebody to accounts elsewhere away, and end their sessions.
    Unlink {
        /// Their key.
        key: String,
    },
    /// List the accounts elsewhere that are somebody's: provider and subject.
    Links {
        /// Their key.
        key: String,
    },
    /// Sessions of somebody.
    Sessions {
        #[command(subcommand)]
        what: Sessions,
    },
}

/// What is done with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// List somebody's sessions: since when, last used, how signed in.
    List {
        /// Their key.
        key: String,
    },
    /// End all of somebody's sessions, at once.
    End {
        /// Their key.
        key: String,
    },
}

/// Carries it out.
///
/// # Errors
/// [`Failure::Invalid`] when nobody of this key is configured; the store's.
pub(crate) fn run(app: &App, what: &Account) -> Result<ExitCode, Failure> {
    match what {
        Account::Invite { key } => {
            let token = app.invite(&staff(app, key)?, "operator")?;
            say(&format!("{}/invitation/{}", app.setup.origin(), token.reveal()));
            remark(&format!("Give this link to nobody but them. It works once, within {INVITATION_HOURS} hours."));
        }
        Account::Suspend { key } => {
            app.suspend(&staff(app, key)?)?;
            say("suspended; their sessions have ended");
        }
        Account::Reinstate { key } => {
            app.reinstate(&staff(app, key)?)?;
            say("reinstated");
        }
        Account::List => app.account_lines()?.iter().for_each(|line| say(&in_words(line))),
        Account::Sessions { what: Sessions::List { key } } => {
            for session in app.sessions_of(&staff(app, key)?)? {
                say(&format!("since {}  last used {}  {}", wall(session.created_at), wall(session.seen_at), session.method.words()));
            }
        }
        Account::Link { key, provider, subject } => {
            let issuer = app.setup.identity_providers.get(provider).map(|provider| &provider.issuer);
            // A hospital's system that signs links is its own issuer, by its key.
            let issuer = issuer.or_else(|| app.setup.fhir_clients.get_key_value(provider).map(|(key, _)| key));
            let unknown = || Failure::invalid("provider", "no identity provider or FHIR client of this key is configured");
            app.connect(issuer.ok_or_else(unknown)?, subject, &staff(app, key)?)?;
            say("linked");
        }
        Account::Unlink { key } => {
            let links = app.disconnect(&staff(app, key)?)?;
            say(&format!("{links} unlinked; their sessions have ended"));
        }
        Account::Links { key } => {
            for (issuer, subject) in app.identities_of(&staff(app, key)?)? {
                say(&format!("{issuer}  {subject}"));
            }
        }
        Account::Sessions { what: Sessions::End { key } } => {
            let ended = app.end_sessions_of(&staff(app, key)?, None, Ended::EndedByOperator)?;
            say(&format!("{ended} ended"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn wall(at: Timestamp) -> String {
    london_time(at).strftime("%Y-%m-%d %H:%M").to_string()
}

fn in_words(line: &AccountLine) -> String {
    let mut ways = Vec::new();
    if line.has_password {
        ways.push(Method::PasswordAndCode.words().to_owned());
    }
    ways.extend(counted(line.passkeys, "passkey", "passkeys"));
    ways.extend(counted(line.elsewhere, "account elsewhere", "accounts elsewhere"));
    let ways = if ways.is_empty() { "cannot sign in yet".to_owned() } else { ways.join(", ") };
    let sessions = counted(line.sessions, "session", "sessions").map(|sessions| format!("  {sessions}")).unwrap_or_default();
    let suspended = line.suspended_at.map(|at| format!("  SUSPENDED since {}", wall(at))).unwrap_or_default();
    format!("{}  {}  {ways}{sessions}{suspended}", line.staff, line.role.words())
}

/// `2 passkeys`; nothing for none.
fn counted(count: usize, one: &str, more: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {more}")),
    }
}

/// Somebody who is configured: a key that was mistyped is said to be wrong, and not to have no sessions.
fn staff(app: &App, key: &str) -> Result<StaffId, Failure> {
    app.actor(key).map_err(|_| Failure::invalid("key", "nobody of this key is configured"))?;
    Ok(StaffId(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use alongside_app::testing::service;
    use alongside_domain::supporter::Role;
    use alongside_store::testing;

    use super::*;

    #[test]
    fn an_operator_can_shut_somebody_out_at_once_and_a_mistyped_key_is_told() {
        testing::both_engines(|store| {
            let (app, _) = service(store);
            let ada = StaffId("nurse-ada".into());
            let token = app.open_session(&ada, Method::Demo).unwrap();
            let key = || "nurse-ada".to_owned();
            let sessions = |what| Account::Sessions { what };
            let end = |key: &str| sessions(Sessions::End { key: key.to_owned() });
            for what in [sessions(Sessions::List { key: key() }), end("nurse-ada"), Account::Invite { key: key() }, Account::List] {
                assert!(run(&app, &what).is_ok(), "{what:?}");
            }
            assert_eq!(app.session(token.reveal()).unwrap(), None);
            run(&app, &Account::Suspend { key: key() }).unwrap();
            assert!(app.open_session(&ada, Method::Demo).is_err());
            assert!(run(&app, &Account::Invite { key: key() }).is_err(), "first they are reinstated");
            run(&app, &Account::Reinstate { key: key() }).unwrap();
            assert!(app.open_session(&ada, Method::Demo).is_ok());
            for what in [sessions(Sessions::List { key: "nurse-adda".into() }), end("nurse-adda")] {
                assert!(matches!(run(&app, &what), Err(Failure::Invalid(_))), "{what:?}");
            }
        });
    }

    #[test]
    fn the_list_says_what_somebody_signs_in_with() {
        let line = |has_password, passkeys, elsewhere, sessions, suspended_at| AccountLine {
            staff: StaffId("ada".into()),
            role: Role::Clinician,
            has_password,
            passkeys,
            elsewhere,
            suspended_at,
            sessions,
        };
        assert_eq!(in_words(&line(false, 0, 0, 0, None)), "ada  clinician  cannot sign in yet");
        let suspended = in_words(&line(true, 2, 1, 1, Some(Timestamp::UNIX_EPOCH)));
        assert_eq!(
            suspended,
            "ada  clinician  password and code, 2 passkeys, 1 account elsewhere  1 session  SUSPENDED since 1970-01-01 01:00"
        );
        assert_eq!(in_words(&line(false, 1, 2, 0, None)), "ada  clinician  1 passkey, 2 accounts elsewhere");
    }
}
