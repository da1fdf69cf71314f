//! A table of figures, and its copy for programs: both as the server's own bench has them.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::error::{At, Result};

/// A line of the copy.
#[derive(Serialize)]
struct TableRow {
    figure: String,
    /// A number, or a text.
    value: Value,
    #[serde(skip_serializing_if = "str::is_empty")]
    goal: String,
}

/// A table, which is printed as it grows.
pub struct Table(Vec<TableRow>);

impl Table {
    /// Prints the names of the columns.
    pub fn new() -> Self {
        print("figure", "here", "goal");
        Self(Vec::new())
    }

    /// Prints one line, and keeps it for the copy.
    pub fn row(&mut self, figure: &str, here: &str, goal: &str) {
        print(figure, here, goal);
        self.0.push(TableRow {
            figure: figure.to_owned(),
            value: serde_json::from_str(here).unwrap_or_else(|_| here.into()),
            goal: goal.to_owned(),
        });
    }

    /// Says how many processes want a processor, beside which the figures were measured.
    pub fn load(&mut self, when: &str) {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown");
        self.row(&format!("load of the machine {when}"), load, "");
    }

    /// Writes the copy: an array of an object for each line.
    pub fn write_copy(&self, file: &Path) -> Result {
        let copy = serde_json::to_string_pretty(&self.0).unwrap_or_default();
        fs::write(file, copy + "\n").at(file)
    }
}

fn print(figure: &str, here: &str, goal: &str) {
    println!("{figure:<58} {here:>12} {goal:>12}");
}
