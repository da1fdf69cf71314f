//! The SQL that SQLite and PostgreSQL share: each statement stands once, under its name.
//!
//! Parameters are `$1`, `$2` and so on, which both databases read. What only one of them can say,
//! such as `for update skip locked` or `json_each`, stands in its own folder, `sqlite/` or
//! `postgres/`.
//!
//! Columns are listed once for each table, by a macro named after what they are read into. No
//! statement says `select *`: a column that a later version adds is never sent to this one.

mod confirmations;
mod links;
mod mails;
mod notices;
mod sessions;
mod settings;
mod users;

pub(super) use confirmations::*;
pub(super) use links::*;
pub(super) use mails::*;
pub(super) use notices::*;
pub(super) use sessions::*;
pub(super) use settings::*;
pub(super) use users::*;

#[cfg(test)]
mod tests;
