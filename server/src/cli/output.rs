//! A command's result, for people or for programs.

use serde_json::Value;

/// A command's result.
#[derive(Debug)]
pub struct CommandOutput {
    /// One line for people.
    pub line: String,
    /// One object for programs.
    pub json: Value,
}

impl CommandOutput {
    /// What goes to the standard output.
    pub fn say(&self, json: bool) -> String {
        if json {
            self.json.to_string()
        } else {
            self.line.clone()
        }
    }
}
