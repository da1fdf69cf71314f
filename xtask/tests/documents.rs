//! What the documents name is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The folders that the project's own files are in.
const FOLDERS: [&str; 16] = [
    ".cargo",
    ".ci",
    "app",
    "broker",
    "docs",
    "end2end",
    "examples",
    "frontend",
    "fuzz",
    "migrations",
    "protocol",
    "server",
    "src",
    "style",
    "tests",
    "xtask",
];
/// Folders that are made, and hold nothing of ours.
const MADE: [&str; 4] = ["target", "node_modules", "artefacts", "pkg"];

/// The files below `folder` whose names have one of these endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let below = |path: PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if MADE.contains(&name.as_str()) {
                Vec::new()
            } else {
                files(&path, endings)
            }
        } else {
            let ending = path
                .extension()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            endings
                .contains(&ending.as_str())
                .then_some(path)
                .into_iter()
                .collect()
        }
    };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(below)
        .collect()
}

/// The Rust files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, &["rs"])
}

/// What tells about the project, by its file: the documents, and the headers of all modules.
fn prose() -> Vec<(PathBuf, String)> {
    let mut prose = vec![root().join("README.md")];
    prose.extend(files(&root().join("docs"), &["md"]));
    let mut prose: Vec<_> = prose
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap(), path))
        .collect();
    for path in FOLDERS
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
    {
        let text = fs::read_to_string(&path).unwrap();
        let header: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("//!"))
            .collect();
        prose.push((header.join("\n"), path));
    }
    prose.into_iter().map(|(text, path)| (path, text)).collect()
}

/// The words in code font, but for blocks of code.
fn code(text: &str) -> Vec<&str> {
    let outside_blocks = text.split("```").step_by(2);
    outside_blocks
        .flat_map(|text| text.split('`').skip(1).step_by(2))
        .filter(|word| !word.contains([' ', '\n']))
        .collect()
}

/// Whether the word is a path in the project: it begins with one of its folders, or is a Rust file
/// with a folder.
fn is_path(word: &str) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    let is_below = word.contains('/') && FOLDERS.contains(&first);
    is_below
        || word.contains('/')
            && Path::new(word)
                .extension()
                .is_some_and(|ending| ending == "rs")
}

fn is_constant(word: &str) -> bool {
    let is_letter = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
    word.contains('_')
        && word.starts_with(|char: char| char.is_ascii_uppercase())
        && word.chars().all(is_letter)
}

/// The names of all functions.
fn functions() -> BTreeSet<String> {
    let folders = [
        "src",
        "app/src",
        "broker/src",
        "broker/tests",
        "protocol/src",
        "server/src",
        "server/tests",
        "frontend/src",
        "tests",
        "xtask/src",
    ];
    let mut names = BTreeSet::new();
    for path in folders
        .into_iter()
        .flat_map(|folder| sources(&root().join(folder)))
    {
        let text = fs::read_to_string(path).unwrap();
        let is_part = |char: char| char.is_alphanumeric() || char == '_';
        names.extend(
            text.split("fn ")
                .skip(1)
                .map(|rest| rest.chars().take_while(|char| is_part(*char)).collect()),
        );
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
    let named: Vec<&str> = table
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(is_name)
        .collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !functions.contains(**name))
        .collect();
    assert!(
        missing.is_empty() && named.len() > 30,
        "{missing:?} of {}",
        named.len()
    );
}

#[test]
fn the_protocol_shows_its_validators_as_they_are_and_they_are_short() {
    let document = fs::read_to_string(root().join("docs/PROTOCOL.md")).unwrap();
    let listings: Vec<&str> = document.split("```").skip(1).step_by(2).collect();
    for (language, file) in [("python", "later.py"), ("js", "later.mjs")] {
        let text = fs::read_to_string(root().join("examples/validators").join(file)).unwrap();
        let listing = format!("{language}\n{text}");
        assert!(listings.contains(&&*listing), "{file} is another");
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 30, "{file} has {lines} lines");
    }
}

#[test]
fn each_path_that_is_named_is_there() {
    let mut missing = Vec::new();
    let mut named = 0;
    for (from, text) in prose() {
        for word in code(&text).into_iter().filter(|word| is_path(word)) {
            named += 1;
            if !root().join(word).exists() {
                missing.push((from.clone(), word.to_owned()));
            }
        }
    }
    assert!(missing.is_empty() && named > 50, "{missing:#?} of {named}");
}

#[test]
fn each_constant_that_is_named_is_there() {
    let endings = ["rs", "js", "toml", "sql", "sh"];
    let mut words = BTreeSet::new();
    for path in FOLDERS
        .iter()
        .flat_map(|folder| files(&root().join(folder), &endings))
    {
        let text = fs::read_to_string(path).unwrap();
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with("//!"))
            .collect::<Vec<_>>()
            .join("\n");
        words.extend(
            text.split(|char: char| !char.is_alphanumeric() && char != '_')
                .map(str::to_owned),
        );
    }
    // Each secret may be read from a file.
    let is_there =
        |word: &str| words.contains(word) || words.contains(word.trim_end_matches("_FILE"));
    let mut missing = Vec::new();
    let mut named = 0;
    for (from, text) in prose() {
        for word in code(&text).into_iter().filter(|word| is_constant(word)) {
            named += 1;
            if !is_there(word) {
                missing.push((from.clone(), word.to_owned()));
            }
        }
    }
    assert!(missing.is_empty() && named > 50, "{missing:#?} of {named}");
}
