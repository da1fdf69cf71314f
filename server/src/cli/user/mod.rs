//! `vestibule user …`: people, as an operator sees them.

pub mod add;
pub mod disable;
pub mod list;
pub mod remove;
