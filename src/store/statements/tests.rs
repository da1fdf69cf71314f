//! What both databases can be told alike stands in `statements/`, and only there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The Rust files in and below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The texts between quotation marks in a Rust file, but for comments.
fn literals(source: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code: Vec<&str> = source.lines().filter(is_code).collect();
    let code = code.join("\n").replace("\\\"", "'");
    code.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// A part of a statement with one space between words and `?` for each parameter, or `None` for a
/// text that is no SQL.
fn normalised(literal: &str) -> Option<String> {
    let words = literal.replace('\\', " ");
    let words: Vec<_> = words.split_whitespace().collect();
    let mut text = String::new();
    let mut parameter = false;
    for character in words.join(" ").chars() {
        parameter = match character {
            '?' | '$' => true,
            digit => parameter && digit.is_ascii_digit(),
        };
        match character {
            '$' => text.push('?'),
            digit if parameter && digit.is_ascii_digit() => {}
            other => text.push(other),
        }
    }
    let first_words = [
        "select ",
        "insert into ",
        "update ",
        "delete from ",
        "with ",
        "from ",
    ];
    let is_sql =
        first_words.iter().any(|word| text.starts_with(word)) && text.len() > "select ".len();
    is_sql.then_some(text)
}

/// The statements, or parts of them, that one adapter holds.
fn statements(adapter: &str) -> BTreeSet<String> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let files = files(&store.join(adapter));
    let sources = files.iter().map(|file| fs::read_to_string(file).unwrap());
    let literals = sources.flat_map(|source| literals(&source));
    literals
        .filter_map(|literal| normalised(&literal))
        .collect()
}

#[test]
fn no_statement_stands_in_both_adapters() {
    let sqlite = statements("sqlite");
    let postgres = statements("postgres");
    assert!(
        sqlite.len() > 10 && postgres.len() > 10,
        "no statements found"
    );
    let both: Vec<_> = sqlite.intersection(&postgres).collect();
    assert!(
        both.is_empty(),
        "these belong into src/store/statements: {both:#?}"
    );
}

#[test]
fn statements_differ_by_more_than_their_placeholders() {
    let sqlite = normalised("select a\n    from b where c = ?1 and d = ?");
    assert_eq!(
        sqlite,
        normalised("select a from b where c = $12 and d = $2")
    );
    assert_eq!(normalised("a user was not written"), None);
    let source = "// \"select 1 from a\"\nlet b = \"select 2 from b\";";
    assert_eq!(literals(source), ["select 2 from b"]);
}
