//! Statements about the table `settings`: what a database remembers about itself.

/// Every setting, to be read as pairs.
pub(in crate::store) const ALL_SETTINGS: &str = "select name, value from settings";

/// Notes what a new database is for; one that has noted it keeps it. `$1`: the mode.
pub(in crate::store) const NOTE_MODE: &str =
    "insert into settings (name, value) values ('mode', $1) on conflict (name) do nothing";

/// The keys that sign assertions, as [`row::signing_keys`](crate::store::row) reads them.
pub(in crate::store) const SIGNING_KEYS: &str =
    "select value from settings where name = 'signing_keys'";

/// Keeps the first ones. `$1`: the keys.
pub(in crate::store) const INSERT_SIGNING_KEYS: &str =
    "insert into settings (name, value) values ('signing_keys', $1) on conflict (name) do nothing";

/// They were made in practice mode.
pub(in crate::store) const DELETE_SIGNING_KEYS: &str =
    "delete from settings where name = 'signing_keys'";

/// `$1`: the keys; `$2`: those that they replace.
pub(in crate::store) const REPLACE_SIGNING_KEYS: &str =
    "update settings set value = $1 where name = 'signing_keys' and value = $2";
