//! What goes into a statement and what comes out of a row, the same on both engines.
//!
//! A flag is 0 or 1 (with a `CHECK` in the schema), a time is microseconds since 1970-01-01T00:00:00Z, a date is text
//! as `2024-11-05`. There are no floating-point columns.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type};
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::StoreError;

/// One parameter of a statement.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing; of no type, so that it goes into a column of any.
    Null,
    /// A number, a flag (0 or 1) or a time (microseconds).
    Integer(i64),
    /// A text without U+0000, or a date.
    Text(String),
    /// Bytes as they came.
    Blob(Vec<u8>),
}

/// Tells the kind and the length, never the content: a value in a panic or a log must not give anybody away.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Integer(_) => f.write_str("Integer"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Blob(bytes) => write!(f, "Blob({} bytes)", bytes.len()),
        }
    }
}

impl Value {
    /// The text of anything that has one, such as an identifier.
    pub fn text(source: impl fmt::Display) -> Self {
        Self::Text(source.to_string())
    }
}

macro_rules! from_numbers {
    ($($number:ty),+) => {
        $(impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Integer(i64::from(number))
            }
        })+
    };
}

from_numbers!(i64, i32, i16, i8, u32, u16, u8, bool);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

/// Microseconds; what is finer is cut off.
impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(at.as_microsecond())
    }
}

/// As `2024-11-05`.
impl From<Date> for Value {
    fn from(date: Date) -> Self {
        Self::Text(date.to_string())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The parameters of a statement, in order: `params![id, "text", None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        (&[$($crate::Value::from($value)),*] as &[$crate::Value])
    };
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A value that PostgreSQL wants as another type; says which, never what the value is.
fn unfit(value: &Value, wanted: &Type) -> Box<dyn std::error::Error + Sync + Send> {
    format!("{value:?} where {wanted} is wanted").into()
}

impl ToSql for Value {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, wanted) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT8) => number.to_sql(wanted, out),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(wanted, out),
            (Self::Integer(number), &Type::INT2) => i16::try_from(*number)?.to_sql(wanted, out),
            (Self::Text(text), _) if <&str as ToSql>::accepts(wanted) => text.as_str().to_sql(wanted, out),
            (Self::Blob(bytes), &Type::BYTEA) => bytes.as_slice().to_sql(wanted, out),
            _ => Err(unfit(self, wanted)),
        }
    }

    /// Anything: whether value and type fit is told by `to_sql`, which knows the value.
    fn accepts(_wanted: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql(wanted, out)
    }
}

/// One value of a row, as either engine gives it.
#[derive(Clone, Copy)]
enum Cell<'r> {
    Null,
    Integer(i64),
    Text(&'r str),
    Blob(&'r [u8]),
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(given: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *given {
            Type::INT8 => Self::Integer(i64::from_sql(given, raw)?),
            Type::INT4 => Self::Integer(i64::from(i32::from_sql(given, raw)?)),
            Type::INT2 => Self::Integer(i64::from(i16::from_sql(given, raw)?)),
            // What a comparison gives; SQLite gives 0 or 1.
            Type::BOOL => Self::Integer(i64::from(bool::from_sql(given, raw)?)),
            Type::BYTEA => Self::Blob(raw),
            _ => Self::Text(<&str>::from_sql(given, raw)?),
        })
    }

    fn from_sql_null(_given: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(given: &Type) -> bool {
        is_readable(given)
    }
}

/// Whether a result's type on PostgreSQL is one that a [`Row`] can be read from on both engines.
pub(crate) fn is_readable(given: &Type) -> bool {
    matches!(*given, Type::INT8 | Type::INT4 | Type::INT2 | Type::BOOL | Type::BYTEA | Type::TEXT | Type::VARCHAR)
}

/// One row of a result, read by position from 0. A value that is not of the kind asked for is
/// [`StoreError::Corrupt`], with the statement's name and the position.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    statement: &'static str,
    source: Source<'r>,
}

#[derive(Clone, Copy)]
enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r postgres::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn of_sqlite(statement: &'static str, row: &'r rusqlite::Row<'r>) -> Self {
        Self { statement, source: Source::Sqlite(row) }
    }

    pub(crate) fn of_postgres(statement: &'static str, row: &'r postgres::Row) -> Self {
        Self { statement, source: Source::Postgres(row) }
    }

    /// The error for a value at this position that the caller cannot make sense of.
    pub fn corrupt(&self, column: usize) -> StoreError {
        StoreError::Corrupt { statement: self.statement, column }
    }

    fn cell(&self, column: usize) -> Result<Cell<'r>, StoreError> {
        let cell = match self.source {
            Source::Postgres(row) => row.try_get(column).ok(),
            Source::Sqlite(row) => match row.get_ref(column) {
                Ok(ValueRef::Null) => Some(Cell::Null),
                Ok(ValueRef::Integer(number)) => Some(Cell::Integer(number)),
                Ok(ValueRef::Text(text)) => std::str::from_utf8(text).ok().map(Cell::Text),
                Ok(ValueRef::Blob(bytes)) => Some(Cell::Blob(bytes)),
                Ok(ValueRef::Real(_)) | Err(_) => None,
            },
        };
        cell.ok_or_else(|| self.corrupt(column))
    }

    /// What stands there parsed by `parse`, or nothing where nothing stands.
    fn opt<T>(&self, column: usize, parse: impl FnOnce(Cell<'r>) -> Option<T>) -> Result<Option<T>, StoreError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            cell => parse(cell).map(Some).ok_or_else(|| self.corrupt(column)),
        }
    }

    fn present<T>(&self, column: usize, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.corrupt(column))
    }

    /// A text, borrowed; or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], as for every reading below.
    pub fn opt_str(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        self.opt(column, |cell| if let Cell::Text(text) = cell { Some(text) } else { None })
    }

    /// A text, borrowed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn str(&self, column: usize) -> Result<&'r str, StoreError> {
        self.present(column, self.opt_str(column)?)
    }

    /// A text, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(self.opt_str(column)?.map(str::to_owned))
    }

    /// A text.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        self.str(column).map(str::to_owned)
    }

    /// A text that parses into a type of the domain's, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn opt_parsed<T: FromStr>(&self, column: usize) -> Result<Option<T>, StoreError> {
        self.opt_str(column)?.map(|text| text.parse().map_err(|_| self.corrupt(column))).transpose()
    }

    /// A text that parses into a type of the domain's.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn parsed<T: FromStr>(&self, column: usize) -> Result<T, StoreError> {
        self.present(column, self.opt_parsed(column)?)
    }

    /// A number, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.opt(column, |cell| if let Cell::Integer(number) = cell { Some(number) } else { None })
    }

    /// A number.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.present(column, self.opt_int(column)?)
    }

    /// A number in the range of a smaller type, such as `u32`, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], also when it is out of range.
    pub fn opt_number<N: TryFrom<i64>>(&self, column: usize) -> Result<Option<N>, StoreError> {
        self.opt_int(column)?.map(|number| N::try_from(number).map_err(|_| self.corrupt(column))).transpose()
    }

    /// A number in the range of a smaller type, such as `u32`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], also when it is out of range.
    pub fn number<N: TryFrom<i64>>(&self, column: usize) -> Result<N, StoreError> {
        self.present(column, self.opt_number(column)?)
    }

    /// A flag, kept as 0 or 1, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn opt_bool(&self, column: usize) -> Result<Option<bool>, StoreError> {
        self.opt(column, |cell| match cell {
            Cell::Integer(0) => Some(false),
            Cell::Integer(1) => Some(true),
            _ => None,
        })
    }

    /// A flag, kept as 0 or 1.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn bool(&self, column: usize) -> Result<bool, StoreError> {
        self.present(column, self.opt_bool(column)?)
    }

    /// A time, kept in microseconds, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn opt_timestamp(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        self.opt(column, |cell| match cell {
            Cell::Integer(microseconds) => Timestamp::from_microsecond(microseconds).ok(),
            _ => None,
        })
    }

    /// A time, kept in microseconds.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn timestamp(&self, column: usize) -> Result<Timestamp, StoreError> {
        self.present(column, self.opt_timestamp(column)?)
    }

    /// A date, kept as `2024-11-05`, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn opt_date(&self, column: usize) -> Result<Option<Date>, StoreError> {
        self.opt(column, |cell| match cell {
            // The parser takes more forms than we write; the length leaves the one.
            Cell::Text(text) if text.len() == "2024-11-05".len() => text.parse().ok(),
            _ => None,
        })
    }

    /// A date, kept as `2024-11-05`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn date(&self, column: usize) -> Result<Date, StoreError> {
        self.present(column, self.opt_date(column)?)
    }

    /// Bytes, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.opt(column, |cell| if let Cell::Blob(bytes) = cell { Some(bytes.to_vec()) } else { None })
    }

    /// Bytes.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.present(column, self.opt_blob(column)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_shows_its_content() {
        let shown = format!("{:?}", params![None::<i64>, 9_990_000_000_i64, "Secret", vec![1_u8, 2]]);
        assert_eq!(shown, "[Null, Integer, Text(6 bytes), Blob(2 bytes)]");
    }

    #[test]
    fn flags_times_and_dates_become_what_both_engines_keep() {
        let at: Timestamp = "2024-11-05T00:00:00.0000015Z".parse().unwrap();
        assert_eq!(Value::from(true), Value::Integer(1));
        assert_eq!(Value::from(at), Value::Integer(1_730_764_800_000_001));
        assert_eq!(Value::from(jiff::civil::date(2024, 1, 5)), Value::Text("2024-01-05".to_owned()));
        assert_eq!(Value::from(None::<Date>), Value::Null);
        assert_eq!(Value::from(Some("x")), Value::text('x'));
    }
}
