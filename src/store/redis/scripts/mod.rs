//! The scripts: each a change, or a read of more than one key, in one piece.

use redis::Script;

/// The scripts, each with what all of them share before it.
#[derive(Debug)]
pub(super) struct Scripts {
    pub by_id: Script,
    pub by_secret: Script,
    pub insert: Script,
    pub replace: Script,
    pub delete: Script,
    pub of_user: Script,
    pub delete_of_user: Script,
    pub sweep: Script,
}

macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(include_str!("keys.lua"), include_str!($file)))
    };
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            by_id: script!("by_id.lua"),
            by_secret: script!("by_secret.lua"),
            insert: script!("insert.lua"),
            replace: script!("replace.lua"),
            delete: script!("delete.lua"),
            of_user: script!("of_user.lua"),
            delete_of_user: script!("delete_of_user.lua"),
            sweep: script!("sweep.lua"),
        }
    }
}
