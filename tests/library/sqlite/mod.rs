//! What is true of the SQLite file itself.

mod batch;
mod checkpoint;
mod clear_text;
mod corrupt;
mod full;
mod open;
mod sweep;
