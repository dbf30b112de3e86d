//! A spreadsheet as cells with a line and a heading: text, delimiter, quotes, and what is wrong with any of it.
//!
//! The `csv` crate is not used here: it gives the line of a blank line before a row as the row's own, and takes a
//! quotation mark that is never closed without a word. Whoever mends a bad row needs the right line.

use std::iter::Peekable;
use std::str::{Chars, FromStr};

use jiff::civil::Date;

use crate::Invalid;

/// The largest file, in bytes: 64 MiB, some hundred thousand rows.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most rows.
const ROWS_MAX: usize = 200_000;
/// The most columns.
const COLUMNS_MAX: usize = 256;
/// The longest cell, in characters; the longest note has 2000.
const CELL_CHARACTERS_MAX: usize = 10_000;
/// How many problems are listed before the rest is only counted.
const PROBLEMS_MAX: usize = 500;
/// No date of a service's records is before this year.
const YEAR_MIN: i16 = 1900;

/// A column of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    /// The heading.
    pub(super) name: &'static str,
    /// Another heading that is taken for it, or nothing.
    pub(super) also: &'static str,
    /// Whether a sheet without it is refused.
    pub(super) required: bool,
}

/// A column that must be there.
pub(super) const fn needed(name: &'static str) -> Column {
    Column { name, also: "", required: true }
}

/// A column that may be there.
pub(super) const fn optional(name: &'static str) -> Column {
    Column { name, also: "", required: false }
}

impl Column {
    /// The same with another heading that is taken for it.
    pub(super) const fn or(self, also: &'static str) -> Self {
        Self { also, ..self }
    }
}

/// Problems by line, so many as are worth reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Problems {
    found: Vec<(u64, Invalid)>,
    unlisted: u64,
}

impl Problems {
    /// A problem of a cell.
    pub(super) fn cell(&mut self, line: u64, column: &str, what: impl Into<String>) {
        self.push(line, Invalid::new(format!("line {line}, column \"{column}\""), what));
    }

    /// A problem of a line.
    pub(super) fn line(&mut self, line: u64, what: impl Into<String>) {
        self.push(line, Invalid::new(format!("line {line}"), what));
    }

    /// A problem of the file.
    pub(super) fn file(&mut self, what: impl Into<String>) {
        self.push(0, Invalid::new("file", what));
    }

    fn push(&mut self, line: u64, problem: Invalid) {
        if self.found.len() < PROBLEMS_MAX {
            self.found.push((line, problem));
        } else {
            self.unlisted += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.found.len() + usize::try_from(self.unlisted).unwrap_or(usize::MAX)
    }

    /// The problems in the order of the file.
    pub(super) fn into_list(mut self) -> Vec<Invalid> {
        self.found.sort_by_key(|(line, _)| *line);
        let mut list: Vec<_> = self.found.into_iter().map(|(_, problem)| problem).collect();
        if self.unlisted > 0 {
            list.push(Invalid::new("file", format!("has {} more problems", self.unlisted)));
        }
        list
    }
}

/// A row with the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    cells: Vec<String>,
}

/// A sheet: its rows below headings that are known.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The known name of each column; empty for a column without a heading.
    names: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// How many rows there are, good and bad.
    pub(super) seen: u64,
}

impl Table {
    /// Reads a file. `further` are headings that this sheet takes besides its columns.
    pub(super) fn read(bytes: &[u8], columns: &[Column], further: &[&str], problems: &mut Problems) -> Self {
        let rows = decode(bytes).and_then(|text| split(&text));
        let mut rows = match rows {
            Ok(rows) => rows.into_iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty())),
            Err(problem) => {
                problems.push(0, problem);
                return Self::default();
            }
        };
        let Some(heading) = rows.next() else {
            problems.file("is empty");
            return Self::default();
        };
        let before = problems.len();
        let names = names(&heading, columns, further, problems);
        if problems.len() > before {
            return Self::default();
        }
        let mut table = Self { names, ..Self::default() };
        for row in rows {
            table.seen += 1;
            table.take(row, problems);
        }
        if table.rows.is_empty() && problems.len() == before {
            problems.file("has no rows below its headings");
        }
        table
    }

    /// Takes a row that has as many cells as there are headings; empty ones beyond them do no harm.
    fn take(&mut self, mut row: Row, problems: &mut Problems) {
        while row.cells.len() > self.names.len() && row.cells.last().is_some_and(String::is_empty) {
            row.cells.pop();
        }
        if row.cells.len() != self.names.len() {
            problems.line(row.line, format!("has {} cells where the headings are {}", row.cells.len(), self.names.len()));
            return;
        }
        let before = problems.len();
        for (name, cell) in self.names.iter().zip(&row.cells) {
            if name.is_empty() && !cell.is_empty() {
                problems.line(row.line, "has a cell in a column without a heading");
            }
            if cell.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
                problems.cell(row.line, name, "holds a character that is not text");
            }
        }
        if problems.len() == before {
            self.rows.push(row);
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The text of a cell; empty where the column is absent.
    pub(super) fn text<'a>(&self, row: &'a Row, name: &str) -> &'a str {
        let column = self.names.iter().position(|known| known == name);
        column.and_then(|column| row.cells.get(column)).map_or("", String::as_str)
    }
}

/// What each heading is, by the names that a sheet knows.
fn names(heading: &Row, columns: &[Column], further: &[&str], problems: &mut Problems) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(heading.cells.len());
    for (index, cell) in heading.cells.iter().enumerate() {
        let folded = cell.to_lowercase().replace(' ', "_");
        let column = columns.iter().find(|column| column.name == folded || (!column.also.is_empty() && column.also == folded));
        let name = column.map(|column| column.name).or_else(|| further.iter().copied().find(|name| *name == cell.to_lowercase()));
        match name {
            _ if cell.is_empty() => names.push(String::new()),
            Some(name) if names.iter().any(|known| known == name) => {
                problems.cell(heading.line, name, "stands twice");
                names.push(String::new());
            }
            Some(name) => names.push(name.to_owned()),
            None => {
                problems.line(heading.line, format!("the heading of column {} is none of this sheet's (see docs/import.md)", index + 1));
                names.push(String::new());
            }
        }
    }
    for column in columns.iter().filter(|column| column.required && names.iter().all(|name| name != column.name)) {
        problems.line(heading.line, format!("the column \"{}\" is missing", column.name));
    }
    names
}

/// UTF-8, with or without its mark, or else the Windows code page in which spreadsheets are saved.
fn decode(bytes: &[u8]) -> Result<String, Invalid> {
    let refuse = |what: &str| Err(Invalid::new("file", what));
    if bytes.len() > FILE_BYTES_MAX {
        return refuse("is larger than 64 MiB: split it");
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return refuse("is a workbook: save the sheet as CSV (UTF-8)");
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return refuse("is UTF-16: save the sheet as CSV (UTF-8)");
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => {
            alongside_hl7v2::Charset::WINDOWS_1252.decode(bytes).ok_or_else(|| Invalid::new("file", "is neither UTF-8 nor Windows-1252"))
        }
    }
}

/// Splits a text into rows of trimmed cells.
fn split(text: &str) -> Result<Vec<Row>, Invalid> {
    let mut reader = Reader { chars: text.chars().peekable(), delimiter: delimiter(text), line: 1 };
    let mut rows = Vec::new();
    while let Some(row) = reader.row()? {
        rows.push(row);
        if rows.len() > ROWS_MAX {
            return Err(Invalid::new("file", format!("has more than {ROWS_MAX} rows: split it")));
        }
    }
    Ok(rows)
}

/// What separates cells: whichever of comma, semicolon and tab the heading line has most of.
fn delimiter(text: &str) -> char {
    let heading = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |wanted: char| heading.chars().filter(|c| *c == wanted).count();
    // Of equals the last wins: the comma.
    [';', '\t', ','].into_iter().max_by_key(|wanted| count(*wanted)).unwrap_or(',')
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    delimiter: char,
    line: u64,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Option<Row>, Invalid> {
        if self.chars.peek().is_none() {
            return Ok(None);
        }
        let mut row = Row { line: self.line, cells: Vec::new() };
        loop {
            row.cells.push(self.cell(row.cells.len() + 1)?);
            if row.cells.len() > COLUMNS_MAX {
                return Err(Invalid::new(format!("line {}", row.line), format!("has more than {COLUMNS_MAX} columns")));
            }
            if self.chars.next_if_eq(&self.delimiter).is_none() {
                self.end_of_line();
                return Ok(Some(row));
            }
        }
    }

    /// Reads a line's end, if there is one, in any of its three forms.
    fn end_of_line(&mut self) -> bool {
        let carriage = self.chars.next_if_eq(&'\r').is_some();
        let ended = self.chars.next_if_eq(&'\n').is_some() || carriage;
        self.line += u64::from(ended);
        ended
    }

    /// Reads a cell up to its delimiter, a line's end or the end of the text.
    fn cell(&mut self, number: usize) -> Result<String, Invalid> {
        while self.chars.next_if_eq(&' ').is_some() {}
        let mut cell = String::new();
        if self.chars.next_if_eq(&'"').is_some() {
            self.quoted(number, &mut cell)?;
            while self.chars.next_if_eq(&' ').is_some() {}
            return match self.chars.peek() {
                Some(next) if *next != self.delimiter && !matches!(next, '\r' | '\n') => {
                    Err(self.problem(number, "goes on after a closing quotation mark"))
                }
                _ => Ok(cell.trim().to_owned()),
            };
        }
        let delimiter = self.delimiter;
        while let Some(next) = self.chars.next_if(|next| *next != delimiter && !matches!(next, '\r' | '\n')) {
            cell.push(next);
            self.check_length(number, &cell)?;
        }
        Ok(cell.trim().to_owned())
    }

    fn quoted(&mut self, number: usize, cell: &mut String) -> Result<(), Invalid> {
        let unclosed = self.problem(number, "begins with a quotation mark that is never closed");
        loop {
            if self.end_of_line() {
                cell.push('\n');
                continue;
            }
            match self.chars.next() {
                None => return Err(unclosed),
                Some('"') if self.chars.next_if_eq(&'"').is_none() => return Ok(()),
                Some(next) => cell.push(next),
            }
            self.check_length(number, cell)?;
        }
    }

    /// In bytes, of which a character has at most four: counting characters anew for each would take its square.
    fn check_length(&self, number: usize, cell: &str) -> Result<(), Invalid> {
        if cell.len() <= CELL_CHARACTERS_MAX * 4 {
            return Ok(());
        }
        Err(self
            .problem(number, &format!("is longer than {CELL_CHARACTERS_MAX} characters, or a quotation mark before it is never closed")))
    }

    fn problem(&self, number: usize, what: &str) -> Invalid {
        Invalid::new(format!("line {}, column {number}", self.line), what)
    }
}

/// Reads the cells of one row, gathering what is wrong.
pub(super) struct Cells<'a> {
    pub(super) table: &'a Table,
    pub(super) row: &'a Row,
    pub(super) today: Date,
    pub(super) problems: &'a mut Problems,
}

impl<'a> Cells<'a> {
    /// The text of a cell, where it is not empty.
    pub(super) fn some(&self, name: &str) -> Option<&'a str> {
        Some(self.table.text(self.row, name)).filter(|text| !text.is_empty())
    }

    /// The text of a cell that must not be empty.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        let text = self.some(name);
        if text.is_none() {
            self.say(name, "is empty");
        }
        text
    }

    /// A day that is not in the future.
    pub(super) fn past(&mut self, name: &str) -> Option<Date> {
        let today = self.today;
        let date = self.date(name)?;
        if date > today {
            self.say(name, "is in the future");
            return None;
        }
        Some(date)
    }

    /// A past day that must be there.
    pub(super) fn needed_past(&mut self, name: &str) -> Option<Date> {
        self.text(name)?;
        self.past(name)
    }

    /// A day, as 2024-03-28 or 28/03/2024.
    pub(super) fn date(&mut self, name: &str) -> Option<Date> {
        let text = self.some(name)?;
        let read = ["%Y-%m-%d", "%d/%m/%Y"].into_iter().find_map(|format| Date::strptime(format, text).ok());
        let date = read.filter(|date| date.year() >= YEAR_MIN);
        if date.is_none() {
            self.say(name, "is not a date as 2024-03-28 or 28/03/2024");
        }
        date
    }

    pub(super) fn yes_or_no(&mut self, name: &str) -> Option<bool> {
        match self.some(name)?.to_lowercase().as_str() {
            "yes" | "y" | "true" | "1" => Some(true),
            "no" | "n" | "false" | "0" => Some(false),
            _ => {
                self.say(name, "is neither yes nor no");
                None
            }
        }
    }

    /// One of some codes.
    pub(super) fn code<T>(&mut self, name: &str, from_code: impl Fn(&str) -> Option<T>, codes: &str) -> Option<T> {
        let text = self.some(name)?.to_lowercase().replace(' ', "-");
        let read = from_code(&text);
        if read.is_none() {
            self.say(name, format!("is none of {codes}"));
        }
        read
    }

    /// A code that must be there.
    pub(super) fn needed_code<T>(&mut self, name: &str, from_code: impl Fn(&str) -> Option<T>, codes: &str) -> Option<T> {
        self.text(name)?;
        self.code(name, from_code, codes)
    }

    /// A whole number.
    pub(super) fn number<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let read = self.some(name)?.parse().ok();
        if read.is_none() {
            self.say(name, "is not a whole number that is possible here");
        }
        read
    }

    pub(super) fn say(&mut self, name: &str, what: impl Into<String>) {
        self.problems.cell(self.row.line, name, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: [Column; 3] = [needed("local_number"), optional("note"), needed("on").or("day")];

    type Lines = Vec<(u64, Vec<String>)>;

    /// The rows with their lines, and the problems as place and reason.
    fn read(bytes: &[u8]) -> (Lines, Vec<(String, String)>) {
        let mut problems = Problems::default();
        let table = Table::read(bytes, &COLUMNS, &[], &mut problems);
        let rows = table.rows.into_iter().map(|row| (row.line, row.cells)).collect();
        (rows, problems.into_list().into_iter().map(|problem| (problem.place, problem.what)).collect())
    }

    fn one(line: u64, cells: [&str; 3]) -> Lines {
        vec![(line, cells.map(str::to_owned).into())]
    }

    #[test]
    fn commas_semicolons_and_tabs_are_told_apart_by_the_headings() {
        for delimiter in [",", ";", "\t"] {
            let text = format!("Local number{delimiter}NOTE{delimiter}Day\r\n7{delimiter}\"a, b; c\td\"{delimiter}x\r\n");
            assert_eq!(read(text.as_bytes()), (one(2, ["7", "a, b; c\td", "x"]), vec![]), "{delimiter:?}");
        }
    }

    #[test]
    fn lines_are_counted_through_blank_lines_and_quotes() {
        let text = "\n\nlocal_number,note,on\r\n\r\n,,\r1,\"two\r\nlines and a \"\"quote\"\"\",x\n\n2,,y,,\n";
        let (rows, problems) = read(text.as_bytes());
        assert_eq!(problems, []);
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [6, 9]);
        assert_eq!(rows[0].1[1], "two\nlines and a \"quote\"");
    }

    #[test]
    fn a_mark_and_the_windows_code_page_are_read() {
        let marked = "\u{feff}local_number,note,on\n1,é,x\n";
        assert_eq!(read(marked.as_bytes()), (one(2, ["1", "é", "x"]), vec![]));
        assert_eq!(read(b"local_number,note,on\n1,\xe9\x80,x\n"), (one(2, ["1", "é€", "x"]), vec![]));
    }

    #[test]
    fn a_cell_that_looks_like_a_formula_is_text() {
        assert_eq!(read(b"local_number,note,on\n1,\"=HYPERLINK(\"\"x\"\")\",x\n"), (one(2, ["1", "=HYPERLINK(\"x\")", "x"]), vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_never_its_content() {
        let heading = "local_number,note,on\n";
        for (text, place) in [
            (String::new(), "file"),
            (heading.to_owned(), "file"),
            ("PK\u{3}\u{4}SECRET".to_owned(), "file"),
            (format!("{heading}SECRET,a\n"), "line 2"),
            (format!("{heading}SECRET,a,b,c\n"), "line 2"),
            (format!("{heading}1,SEC\0RET,b\n"), "line 2, column \"note\""),
            (format!("{heading}1,a,b\n2,\"SECRET,b\n"), "line 3, column 2"),
            (format!("{heading}1,\"a\"SECRET,b\n"), "line 2, column 2"),
            ("local_number,SECRET,on\n1,a,b\n".to_owned(), "line 1"),
            ("local_number,note,note\n1,a,b\n".to_owned(), "line 1, column \"note\""),
            ("local_number,note\n1,a\n".to_owned(), "line 1"),
            ("local_number,note,on,\n1,a,b,SECRET\n".to_owned(), "line 2"),
        ] {
            let (rows, problems) = read(text.as_bytes());
            assert_eq!(rows, [], "{text:?}");
            assert_eq!(problems.first().map(|(place, _)| place.as_str()), Some(place), "{text:?}");
            assert!(problems.iter().all(|(place, what)| !place.contains("SECRET") && !what.contains("SECRET")), "{problems:?}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_cleanly() {
        let long = format!("local_number,note,on\n1,{},b\n", "a".repeat(1_000_000));
        let wide = format!("local_number,note,on{}\n", ",x".repeat(100_000));
        let large = vec![b' '; FILE_BYTES_MAX + 1];
        for bytes in [long.as_bytes(), wide.as_bytes(), &large] {
            let (rows, problems) = read(bytes);
            assert_eq!((rows.len(), problems.len()), (0, 1), "{problems:?}");
        }
    }

    #[test]
    fn of_many_problems_the_rest_is_counted() {
        let text = format!("local_number,note,on\n{}", "1,2\n".repeat(PROBLEMS_MAX + 7));
        let (_, problems) = read(text.as_bytes());
        assert_eq!(problems.len(), PROBLEMS_MAX + 1);
        assert_eq!(problems[PROBLEMS_MAX].1, "has 7 more problems");
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_quoted_cell_reads_back(cell in "[^\u{0}-\u{1f}\u{7f}-\u{9f}]{1,40}") {
            let text = format!("local_number,note,on\n1,\"{}\",x\n", cell.replace('"', "\"\""));
            prop_assert_eq!(read(text.as_bytes()), (one(2, ["1", cell.trim(), "x"]), vec![]));
        }
    }
}
