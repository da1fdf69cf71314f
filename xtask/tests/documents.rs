//! What the documents name is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Rust files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| {
        if path.is_dir() {
            sources(&path)
        } else {
            path.extension().is_some_and(|ending| ending == "rs").then_some(path).into_iter().collect()
        }
    };
    entries.flat_map(below).collect()
}

/// The names of all functions.
fn functions() -> BTreeSet<String> {
    let folders = ["src", "app/src", "server/src", "server/tests", "frontend/src", "tests", "xtask/src"];
    let mut names = BTreeSet::new();
    for path in folders.into_iter().flat_map(|folder| sources(&root().join(folder))) {
        let text = fs::read_to_string(path).unwrap();
        let is_part = |char: char| char.is_alphanumeric() || char == '_';
        names.extend(text.split("fn ").skip(1).map(|rest| rest.chars().take_while(|char| is_part(*char)).collect()));
    }
    names
}

#[test]
fn each_test_that_shows_a_requirement_of_asvs_is_there() {
    let document = fs::read_to_string(root().join("docs/SECURITY.md")).unwrap();
    let (_, after) = document.split_once("## OWASP ASVS").expect("the table");
    let table = after.split("\n## ").next().unwrap();
    let functions = functions();
    let is_name = |word: &&str| word.contains('_') && !word.chars().any(char::is_uppercase);
    let named: Vec<&str> = table.split('`').skip(1).step_by(2).filter(is_name).collect();
    let missing: Vec<_> = named.iter().filter(|name| !functions.contains(**name)).collect();
    assert!(missing.is_empty() && named.len() > 30, "{missing:?} of {}", named.len());
}
