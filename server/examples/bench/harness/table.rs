//! The table that the bench prints, and its copy for programs.

use serde::Serialize;
use serde_json::Value;
use std::{
    env, fs,
    sync::{Mutex, PoisonError},
};

/// Names the file of the copy; without it there is none.
const COPY: &str = "VESTIBULE_BENCH_JSON";

/// A line of the table.
#[derive(Serialize)]
struct Row {
    figure: String,
    /// A number, or the text of several.
    value: Value,
    #[serde(skip_serializing_if = "str::is_empty")]
    goal: String,
}

static ROWS: Mutex<Vec<Row>> = Mutex::new(Vec::new());

/// Prints the names of the columns.
pub fn head() {
    print("figure", "here", "aim");
}

/// Prints one line of the table, and keeps it for the copy.
pub fn row(figure: &str, here: &str, aim: &str) {
    print(figure, here, aim);
    let row = Row {
        figure: figure.to_owned(),
        value: serde_json::from_str(here).unwrap_or_else(|_| here.into()),
        goal: aim.to_owned(),
    };
    ROWS.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(row);
}

/// Writes the copy: an array of an object for each line.
pub fn write_copy() {
    let rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(file) = env::var_os(COPY).filter(|_| !rows.is_empty()) else {
        return;
    };
    let copy = serde_json::to_string_pretty(&*rows).expect("rows are plain");
    fs::write(file, copy + "\n").expect("the file of the copy can be written");
}

fn print(figure: &str, here: &str, aim: &str) {
    println!("{figure:<58} {here:>12} {aim:>12}");
}
