//! `xtask/mutants.toml`: the mutants, the rule that each breaks, and the test that must fail.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::error::{At, Error, Result};

/// Where the table lies below the project's root.
pub const FILE: &str = "xtask/mutants.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MutantTable {
    mutant: Vec<MutantRow>,
}

/// A row as written in the file: a single edit is part of the row itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MutantRow {
    name: String,
    rule: u8,
    breaks: String,
    test: String,
    file: Option<String>,
    find: Option<String>,
    replace: Option<String>,
    #[serde(default)]
    edits: Vec<Edit>,
}

/// A place in a file that a mutant changes.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The file, below the project's root.
    pub file: String,
    /// The text there, which occurs exactly once.
    pub find: String,
    /// The text that replaces it.
    pub replace: String,
}

/// A mutant.
#[derive(Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its name.
    pub name: String,
    /// The number of the rule that it breaks.
    pub rule: u8,
    /// What would be wrong.
    pub breaks: String,
    /// The arguments of the `cargo test` that has to fail.
    pub test: Vec<String>,
    /// What it changes.
    pub edits: Vec<Edit>,
}

impl Mutant {
    /// Reads the table of the project in `root`.
    pub fn all(root: &Path) -> Result<Vec<Self>> {
        let path = root.join(FILE);
        Self::read(&fs::read_to_string(&path).at(&path)?)
    }

    fn read(text: &str) -> Result<Vec<Self>> {
        let table: MutantTable =
            toml::from_str(text).map_err(|error| Error::new(format!("{FILE}: {error}")))?;
        table.mutant.into_iter().map(Self::from_row).collect()
    }

    fn from_row(row: MutantRow) -> Result<Self> {
        let MutantRow {
            name,
            rule,
            breaks,
            test,
            file,
            find,
            replace,
            mut edits,
        } = row;
        match (file, find, replace) {
            (Some(file), Some(find), Some(replace)) if edits.is_empty() => edits.push(Edit {
                file,
                find,
                replace,
            }),
            (None, None, None) if !edits.is_empty() => {}
            _ => {
                let wanted = "wants either `file`, `find` and `replace`, or a list of `edits`";
                return Err(Error::new(format!("{FILE}: {name} {wanted}")));
            }
        }
        let test: Vec<_> = test.split_whitespace().map(str::to_owned).collect();
        if test.is_empty() {
            return Err(Error::new(format!("{FILE}: {name} names no test")));
        }
        Ok(Self {
            name,
            rule,
            breaks,
            test,
            edits,
        })
    }

    /// Changes the files of the project in `root`.
    pub fn apply(&self, root: &Path) -> Result {
        for edit in &self.edits {
            let path = root.join(&edit.file);
            let changed = edit.apply(&fs::read_to_string(&path).at(&path)?)?;
            fs::write(&path, changed).at(&path)?;
        }
        Ok(())
    }
}

impl Edit {
    /// The text with the change.
    fn apply(&self, text: &str) -> Result<String> {
        match text.match_indices(&self.find).count() {
            1 if self.find != self.replace => Ok(text.replacen(&self.find, &self.replace, 1)),
            1 => Err(Error::new("`find` and `replace` are the same")),
            times => Err(Error::new(format!(
                "`find` stands {times} times in {}, not once",
                self.file
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use super::{Edit, FILE, Mutant};
    use crate::workspace;

    /// A table of one row that ends in these lines.
    fn read(lines: &str) -> Result<Vec<Mutant>, String> {
        let row = format!("[[mutant]]\nname = \"x\"\nrule = 4\nbreaks = \"the fence\"\n{lines}");
        Mutant::read(&row).map_err(|error| error.to_string())
    }

    #[test]
    fn each_mutant_of_the_project_finds_its_places_and_names_a_rule() {
        let mut names = BTreeSet::new();
        let mut wrong = Vec::new();
        for mutant in Mutant::all(&workspace::root()).expect("the table can be read") {
            let mut files = BTreeMap::new();
            for edit in &mutant.edits {
                let path = workspace::root().join(&edit.file);
                let text = files
                    .entry(path.clone())
                    .or_insert_with(|| fs::read_to_string(path).unwrap_or_default());
                match edit.apply(text) {
                    Ok(changed) => *text = changed,
                    Err(error) => wrong.push(format!("{}: {error}", mutant.name)),
                }
            }
            if !(1..=11).contains(&mutant.rule) || mutant.breaks.is_empty() {
                wrong.push(format!("{}: it says no rule", mutant.name));
            }
            if !names.insert(mutant.name.clone()) {
                wrong.push(format!("{}: there are two", mutant.name));
            }
        }
        assert!(
            wrong.is_empty() && names.len() > 100,
            "{FILE}, {} mutants: {wrong:#?}",
            names.len()
        );
    }

    #[test]
    fn a_row_has_one_edit_or_a_list_of_them() {
        let edit = |find: &str| Edit {
            file: "a.rs".to_owned(),
            find: find.to_owned(),
            replace: "c".to_owned(),
        };
        let row = "test = \"--lib worker::\"\nfile = \"a.rs\"\nfind = \"b\"\nreplace = \"c\"\n";
        let one = read(row).expect("a row of one edit");
        assert_eq!(one[0].edits, [edit("b")]);
        assert_eq!(one[0].test, ["--lib", "worker::"]);
        let list = "test = \"--lib\"\n[[mutant.edits]]\nfile = \"a.rs\"\nfind = \"b\"\nreplace = \"c\"\n\
                    [[mutant.edits]]\nfile = \"a.rs\"\nfind = \"d\"\nreplace = \"c\"\n";
        assert_eq!(
            read(list).expect("a row of two")[0].edits,
            [edit("b"), edit("d")]
        );
    }

    #[test]
    fn a_row_that_proves_nothing_is_refused() {
        let edit = "file = \"a.rs\"\nfind = \"b\"\nreplace = \"c\"\n";
        for (row, said) in [
            (format!("test = \"\"\n{edit}"), "names no test"),
            (
                "test = \"--lib\"\nfile = \"a.rs\"\nfind = \"b\"\n".to_owned(),
                "either `file`",
            ),
            ("test = \"--lib\"\n".to_owned(), "either `file`"),
            (format!("tests = \"--lib\"\n{edit}"), "unknown field"),
        ] {
            let error = read(&row).expect_err("it is refused");
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn what_is_to_be_found_stands_there_once() {
        let edit = Edit {
            file: "a.rs".to_owned(),
            find: "fence".to_owned(),
            replace: "hedge".to_owned(),
        };
        assert_eq!(
            edit.apply("a fence here").ok().as_deref(),
            Some("a hedge here")
        );
        for text in ["", "a fence and a fence"] {
            assert!(edit.apply(text).is_err(), "{text}");
        }
    }
}
