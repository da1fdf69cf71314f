//! Reading rows: what fits no state is a typed error that names the row, never a panic.

use crate::{clock::Timestamp, store::StoreError};
use sqlx::{Decode, Row as _, Sqlite, Type, sqlite::SqliteRow};

/// A row that is being read.
pub(super) struct Reading<'r> {
    row: &'r SqliteRow,
    table: &'static str,
}

impl<'r> Reading<'r> {
    pub(super) const fn new(table: &'static str, row: &'r SqliteRow) -> Self {
        Self { row, table }
    }

    pub(super) fn corrupt(&self, what: &'static str) -> StoreError {
        let id: Vec<u8> = self.row.try_get("id").unwrap_or_default();
        let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
        StoreError::Corrupt { table: self.table, row: id.iter().fold(String::new(), hex), what }
    }

    /// SQLite reads a null as 0 or as nothing where a number or a text is asked for, so a null is looked for first.
    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.optional(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn optional<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    pub(super) fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N], StoreError> {
        self.optional_bytes(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn optional_bytes<const N: usize>(&self, column: &'static str) -> Result<Option<[u8; N]>, StoreError> {
        let bytes: Option<&[u8]> = self.optional(column)?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| self.corrupt(column))).transpose()
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.get(column).map(Timestamp::from_millis)
    }

    /// A number that is never negative.
    pub(super) fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.get(column)?).map_err(|_| self.corrupt(column))
    }
}
