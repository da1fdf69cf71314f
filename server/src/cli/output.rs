//! A command's result, for people or for programs.

use serde_json::Value;
use std::io::{self, Write};

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

/// A list that is written while it is read: a line for each entry, or one array of objects.
pub struct ListOutput<'w> {
    out: &'w mut (dyn Write + Send),
    json: bool,
    is_empty: bool,
}

impl<'w> ListOutput<'w> {
    /// An empty list, on `out`.
    pub fn new(out: &'w mut (dyn Write + Send), json: bool) -> Self {
        Self {
            out,
            json,
            is_empty: true,
        }
    }

    /// Writes one more entry: its `line`, or with `json` its `object`.
    pub fn write(
        &mut self,
        line: impl FnOnce() -> String,
        object: impl FnOnce() -> Value,
    ) -> Result<(), String> {
        let before = if self.is_empty { "[" } else { "," };
        self.is_empty = false;
        if self.json {
            write!(self.out, "{before}\n{}", object())
        } else {
            writeln!(self.out, "{}", line())
        }
        .map_err(unwritable)
    }

    /// Ends the list.
    pub fn end(self) -> Result<(), String> {
        let end = if self.is_empty { "[]" } else { "\n]" };
        let ended = if self.json {
            writeln!(self.out, "{end}")
        } else {
            Ok(())
        };
        ended.and_then(|()| self.out.flush()).map_err(unwritable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the argument of map_err")]
fn unwritable(error: io::Error) -> String {
    format!("the standard output cannot be written: {error}")
}
