//! SQL as constants that tests can list: one text for both engines, and a check that it is one.

/// One SQL text for both engines, with `$1`, `$2`, … for its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Where it is declared: module path and constant. Unique, and the only thing that errors tell of it.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
}

/// Declares statements as constants, and a function `all()` beside them that lists them. Once per module.
///
/// ```
/// mod notes {
///     alongside_store::statements! {
///         /// Adds a note.
///         pub(crate) const ADD_NOTE = "INSERT INTO note (id, body) VALUES ($1, $2)";
///     }
/// }
/// # fn main() {
/// assert_eq!(notes::all(), [notes::ADD_NOTE]);
/// # }
/// ```
#[macro_export]
macro_rules! statements {
    ($($(#[$meta:meta])* $vis:vis const $name:ident = $sql:expr;)+) => {
        $(
            $(#[$meta])*
            $vis const $name: $crate::Statement = $crate::Statement {
                name: concat!(module_path!(), "::", stringify!($name)),
                sql: $sql,
            };
        )+

        /// Every statement of this module, for the tests that prepare each and count which ran.
        pub fn all() -> &'static [$crate::Statement] {
            const ALL: &[$crate::Statement] = &[$($name),+];
            ALL
        }
    };
}

/// Something in a statement that the two engines understand differently, or that only one understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarrel {
    /// The statement's name.
    pub statement: &'static str,
    /// The words, and what to write instead.
    pub words: &'static str,
}

/// Words that the engines understand differently, from section 4 of the house's design, each with what to write
/// instead. [`words_at_odds`] has those that are understood alike in some company: `SUM` is NUMERIC on PostgreSQL, and
/// `LIKE` has an escape by default there and does not fold case, where SQLite folds that of ASCII.
const BANNED: &[(&str, &str)] = &[
    ("FOR UPDATE", "FOR UPDATE: writes are serialisable already"),
    ("FOR SHARE", "FOR SHARE: writes are serialisable already"),
    ("SKIP LOCKED", "SKIP LOCKED: there is one writer"),
    ("ANY(", "ANY(: one parameter for each, or a join"),
    ("ARRAY[", "ARRAY[: a row for each"),
    ("UNNEST(", "UNNEST(: a statement for each row"),
    ("::", ":: : write CAST"),
    ("ILIKE", "ILIKE: fold the search column in Rust"),
    ("GLOB", "GLOB: a range on a folded column"),
    ("SIMILAR TO", "SIMILAR TO: a range on a folded column"),
    ("REGEXP", "REGEXP: a range on a folded column"),
    ("NOW(", "NOW(: time is a parameter"),
    ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP: time is a parameter"),
    ("CURRENT_DATE", "CURRENT_DATE: time is a parameter"),
    ("CURRENT_TIME", "CURRENT_TIME: time is a parameter"),
    ("DATE(", "DATE(: dates are reckoned in Rust"),
    ("TIME(", "TIME(: times are reckoned in Rust"),
    ("DATETIME(", "DATETIME(: times are reckoned in Rust"),
    ("STRFTIME(", "STRFTIME(: times are reckoned in Rust"),
    ("JULIANDAY(", "JULIANDAY(: times are reckoned in Rust"),
    ("UNIXEPOCH(", "UNIXEPOCH(: times are reckoned in Rust"),
    ("DATE_TRUNC(", "DATE_TRUNC(: times are reckoned in Rust"),
    ("DATE_PART(", "DATE_PART(: times are reckoned in Rust"),
    ("EXTRACT(", "EXTRACT(: times are reckoned in Rust"),
    ("AGE(", "AGE(: times are reckoned in Rust"),
    ("TO_CHAR(", "TO_CHAR(: format in Rust"),
    ("TO_TIMESTAMP(", "TO_TIMESTAMP(: times are reckoned in Rust"),
    ("INTERVAL", "INTERVAL: times are reckoned in Rust"),
    ("->", "-> : what is searched has a column"),
    ("@>", "@> : what is searched has a column"),
    ("LOWER(", "LOWER(: fold the column in Rust"),
    ("UPPER(", "UPPER(: fold the column in Rust"),
    ("STRING_AGG(", "STRING_AGG(: join in Rust"),
    ("GROUP_CONCAT(", "GROUP_CONCAT(: join in Rust"),
    ("GREATEST(", "GREATEST(: write CASE"),
    ("LEAST(", "LEAST(: write CASE"),
    ("ROUND(", "ROUND(: round in Rust"),
    ("AVG(", "AVG(: divide in Rust"),
    ("IFNULL(", "IFNULL(: write COALESCE"),
    ("IIF(", "IIF(: write CASE"),
    ("RANDOM(", "RANDOM(: randomness is a parameter"),
    ("ROWID", "ROWID: name a column"),
    ("INSERT OR", "INSERT OR: write ON CONFLICT"),
    ("REPLACE INTO", "REPLACE INTO: write ON CONFLICT"),
    ("TRUE", "TRUE: a flag is 1"),
    ("FALSE", "FALSE: a flag is 0"),
    ("PRAGMA", "PRAGMA: belongs to the seam"),
    ("AS(INSERT", "a data-changing WITH: one statement for each change"),
    ("AS(UPDATE", "a data-changing WITH: one statement for each change"),
    ("AS(DELETE", "a data-changing WITH: one statement for each change"),
    ("?", "? : write $1"),
    ("X'", "X': a blob is a parameter"),
    ("E'", "E': a text with escapes is a parameter"),
];

/// What in these statements is not understood alike by both engines; empty when all is well.
pub fn quarrels(statements: &[Statement]) -> Vec<Quarrel> {
    statements
        .iter()
        .flat_map(|statement| words_at_odds(&plain(statement.sql)).into_iter().map(|words| Quarrel { statement: statement.name, words }))
        .collect()
}

fn words_at_odds(sql: &str) -> Vec<&'static str> {
    let mut found: Vec<_> = BANNED.iter().filter(|(words, _)| holds_words(sql, words)).map(|(_, instead)| *instead).collect();
    if sql.starts_with("DELETE ") && holds_words(sql, "USING") {
        found.push("DELETE … USING: write a subquery");
    }
    if parameters(sql).any(|after| after.starts_with(" IS ")) {
        found.push("$1 IS …: write CAST($1 AS …) IS …, or PostgreSQL cannot tell its type");
    }
    if sql.match_indices("SUM(").any(|(at, _)| !sql[..at].ends_with("CAST(") && !ends_in_a_word(&sql[..at])) {
        found.push("SUM(: write CAST(SUM(…) AS BIGINT)");
    }
    if holds_words(sql, "LIKE") && !holds_words(sql, "ESCAPE") {
        found.push("LIKE: on a column and a parameter folded in Rust, with ESCAPE '!'");
    }
    if sql.trim_end().ends_with(';') {
        found.push("a semicolon at the end: one statement has none");
    }
    found
}

/// What follows each `$1`, `$2`, … in a plain text.
fn parameters(sql: &str) -> impl Iterator<Item = &str> {
    sql.match_indices('$').map(|(at, _)| sql[at + 1..].trim_start_matches(|letter: char| letter.is_ascii_digit()))
}

/// Whether these words are in a plain text, and not as a part of longer ones.
fn holds_words(sql: &str, words: &str) -> bool {
    let starts_in_word = words.starts_with(is_word);
    let ends_in_word = words.ends_with(is_word);
    sql.match_indices(words).any(|(at, _)| {
        let goes_on_before = starts_in_word && ends_in_a_word(&sql[..at]);
        let goes_on_after = ends_in_word && sql[at + words.len()..].starts_with(is_word);
        !goes_on_before && !goes_on_after
    })
}

fn ends_in_a_word(text: &str) -> bool {
    text.ends_with(is_word)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// A statement in capitals, without comments, without what stands in quotes (the quotes stay), and with single spaces
/// that never touch the inside of a bracket or stand before an opening one.
fn plain(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut quote = None;
    for line in sql.lines() {
        for (at, letter) in line.char_indices() {
            match quote {
                Some(closing) if letter == closing => {
                    quote = None;
                    text.push(letter);
                }
                Some(_) => {}
                None if line[at..].starts_with("--") => break,
                None => {
                    if letter == '\'' || letter == '"' {
                        quote = Some(letter);
                    }
                    text.extend(letter.to_uppercase());
                }
            }
        }
        text.push(' ');
    }
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    spaced.replace(" (", "(").replace("( ", "(").replace(" )", ")")
}

/// The text for SQLite, where `$1` would be a named parameter: `$1` becomes `?1`, except in quotes.
pub(crate) fn numbered(sql: &str) -> String {
    let mut quoted = false;
    sql.chars()
        .map(|letter| {
            quoted ^= letter == '\'';
            if letter == '$' && !quoted { '?' } else { letter }
        })
        .collect()
}

#[cfg(debug_assertions)]
pub(crate) mod record {
    //! Which statements ran on which engine, in debug builds only, so that a test can ask whether all did on both.

    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};

    use crate::Engine;

    static RAN: Mutex<BTreeSet<(Engine, &'static str)>> = Mutex::new(BTreeSet::new());

    /// Notes that a statement ran.
    pub(crate) fn note(engine: Engine, statement: &'static str) {
        RAN.lock().unwrap_or_else(PoisonError::into_inner).insert((engine, statement));
    }

    /// The names of those that ran on an engine.
    pub(crate) fn ran(engine: Engine) -> BTreeSet<&'static str> {
        let ran = RAN.lock().unwrap_or_else(PoisonError::into_inner);
        ran.iter().filter(|(on, _)| *on == engine).map(|(_, name)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarrelled(sql: &'static str) -> Vec<&'static str> {
        quarrels(&[Statement { name: "it", sql }]).into_iter().map(|quarrel| quarrel.words).collect()
    }

    #[test]
    fn what_the_engines_understand_differently_is_found() {
        for (sql, start) in [
            ("SELECT id FROM person WHERE id = ANY ($1)", "ANY("),
            ("SELECT id FROM person FOR\n update", "FOR UPDATE"),
            ("SELECT id FROM job LIMIT 1 FOR UPDATE SKIP LOCKED", "FOR UPDATE"),
            ("SELECT id::text FROM person", "::"),
            ("SELECT id FROM person WHERE lower( family ) = $1", "LOWER("),
            ("SELECT id FROM person WHERE family like $1", "LIKE"),
            ("SELECT at FROM event WHERE at < now()", "NOW("),
            ("SELECT body ->> 'x' FROM event", "->"),
            ("SELECT id FROM person WHERE $1 IS NULL OR id = $1", "$1 IS"),
            ("SELECT SUM(minutes) FROM contact", "SUM("),
            ("DELETE FROM a USING b WHERE a.id = b.id", "DELETE"),
            ("WITH gone AS (DELETE FROM a RETURNING id) SELECT id FROM gone", "a data-changing"),
            ("INSERT OR IGNORE INTO a VALUES (1)", "INSERT OR"),
            ("SELECT id FROM a WHERE b = TRUE", "TRUE"),
            ("SELECT id FROM a;", "a semicolon"),
        ] {
            let found = quarrelled(sql);
            assert!(found.first().is_some_and(|words| words.starts_with(start)), "{sql}: {found:?}");
        }
    }

    #[test]
    fn what_both_engines_understand_is_left_alone() {
        for sql in [
            "INSERT INTO a (id, x) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET x = excluded.x",
            "UPDATE a SET v = v + 1 WHERE id = $1 AND version = $2 RETURNING version",
            "SELECT id FROM a WHERE (at, id) < ($1, $2) ORDER BY at DESC NULLS LAST, id DESC LIMIT $3",
            "SELECT CAST(SUM(minutes) AS BIGINT), COUNT(*) FILTER (WHERE seen = 1) FROM a",
            "SELECT id FROM a WHERE CAST($1 AS TEXT) IS NULL OR b IS NOT DISTINCT FROM $1",
            "SELECT id FROM a WHERE search LIKE $1 ESCAPE '!'",
            "SELECT 'lower(x) :: ?' FROM update_log -- FOR UPDATE",
            "SELECT many(x), minimal, sump FROM likely WHERE company = $1",
        ] {
            assert_eq!(quarrelled(sql), [""; 0], "{sql}");
        }
    }

    #[test]
    fn parameters_are_numbered_for_sqlite_except_in_quotes() {
        assert_eq!(numbered("SELECT $2, '$1 it''s $3', $10"), "SELECT ?2, '$1 it''s $3', ?10");
    }
}
