//! Statements about the table `settings`: what a database remembers about itself.

/// Every setting, to be read as pairs.
pub(in crate::store) const ALL_SETTINGS: &str = "select name, value from settings";

/// Notes what a new database is for; one that has noted it keeps it. `$1`: the mode.
pub(in crate::store) const NOTE_MODE: &str =
    "insert into settings (name, value) values ('mode', $1) on conflict (name) do nothing";
