//! Between rows and states, for every database alike: their tables have the same columns. A hash in
//! Redis is a row too.
//!
//! What fits no state is a typed error that names the row, never a panic.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod confirmation;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod link;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod notice;
mod session;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod session_with_user;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod signing_keys;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod user;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use confirmation::{
    DecidedColumns, QueuedColumns, WaitColumns, claims, confirmation, counted, key_of_undecided,
};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use link::{LinkOrigin, link, link_counts, mails, state_columns};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use notice::notices;
pub(super) use session::{SessionColumns, session};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use session_with_user::session_with_user;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use signing_keys::{signing_keys, signing_keys_text};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use user::{kept_from_moving, known_address, user};

use crate::{clock::Timestamp, store::StoreError};

/// A column of another type, or none at all.
pub(super) struct Unreadable;

/// A row of any driver. A column that is null is `None`.
pub(super) trait Row {
    fn number(&self, column: &str) -> Result<Option<i64>, Unreadable>;
    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable>;
    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable>;
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! row {
    ($row:ty) => {
        impl Row for $row {
            fn number(&self, column: &str) -> Result<Option<i64>, Unreadable> {
                sqlx::Row::try_get(self, column).map_err(|_| Unreadable)
            }

            fn text(&self, column: &str) -> Result<Option<&str>, Unreadable> {
                sqlx::Row::try_get(self, column).map_err(|_| Unreadable)
            }

            fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable> {
                sqlx::Row::try_get(self, column).map_err(|_| Unreadable)
            }
        }
    };
}

#[cfg(feature = "sqlite")]
row!(sqlx::sqlite::SqliteRow);

#[cfg(feature = "postgres")]
row!(sqlx::postgres::PgRow);

/// A row that is being read.
pub(super) struct Reading<'r> {
    row: &'r dyn Row,
    table: &'static str,
}

impl<'r> Reading<'r> {
    pub(super) const fn new(table: &'static str, row: &'r dyn Row) -> Self {
        Self { row, table }
    }

    pub(super) fn corrupt(&self, what: &'static str) -> StoreError {
        let id = self.row.bytes("id").ok().flatten().unwrap_or_default();
        let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
        StoreError::Corrupt {
            table: self.table,
            row: id.iter().fold(String::new(), hex),
            what,
        }
    }

    pub(super) fn text(&self, column: &'static str) -> Result<&'r str, StoreError> {
        self.optional_text(column)?
            .ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn optional_text(
        &self,
        column: &'static str,
    ) -> Result<Option<&'r str>, StoreError> {
        self.row.text(column).map_err(|_| self.corrupt(column))
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn blob(&self, column: &'static str) -> Result<&'r [u8], StoreError> {
        self.optional_blob(column)?
            .ok_or_else(|| self.corrupt(column))
    }

    fn optional_blob(&self, column: &'static str) -> Result<Option<&'r [u8]>, StoreError> {
        self.row.bytes(column).map_err(|_| self.corrupt(column))
    }

    /// Bytes of a fixed number: an id or a hash.
    pub(super) fn bytes<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<[u8; N], StoreError> {
        self.optional_bytes(column)?
            .ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn optional_bytes<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<Option<[u8; N]>, StoreError> {
        let bytes = self.optional_blob(column)?;
        bytes
            .map(|bytes| bytes.try_into().map_err(|_| self.corrupt(column)))
            .transpose()
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.integer(column).map(Timestamp::from_millis)
    }

    /// A number that is never negative.
    pub(super) fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.integer(column)?).map_err(|_| self.corrupt(column))
    }

    fn integer(&self, column: &'static str) -> Result<i64, StoreError> {
        self.row
            .number(column)
            .ok()
            .flatten()
            .ok_or_else(|| self.corrupt(column))
    }
}
