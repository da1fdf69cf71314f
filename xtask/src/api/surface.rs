//! What the crates let other programs see, line by line, as rustdoc tells it.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::fs;
use std::iter;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::changes::subject;
use crate::error::{At, Error, Result};
use crate::{process, workspace};

/// The crates of which `vestibule-server` shows some types under its own name.
const SHOWN: [&str; 2] = ["vestibule", "vestibule-protocol"];

/// Traits that every type has, unless its author has thought of a reason, and that change with its
/// private parts. `Send` and `Sync` are not among them: a program feels their loss.
const EVERYWHERE: [&str; 5] = [
    "core::marker::Freeze for ",
    "core::marker::StructuralPartialEq for ",
    "core::marker::Unpin for ",
    "core::marker::UnsafeUnpin for ",
    "core::panic::unwind_safe::",
];

/// Has rustdoc describe the crates as JSON.
///
/// That is unstable, so the variable that lets a stable toolchain do it is set for rustdoc, and for
/// it alone: build scripts look at it, and everything would be compiled once more.
pub fn describe() -> Result {
    let scratch = workspace::scratch();
    fs::create_dir_all(&scratch).at(&scratch)?;
    let rustdoc = scratch.join("rustdoc");
    let script = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";
    fs::write(&rustdoc, script).at(&rustdoc)?;
    fs::set_permissions(&rustdoc, fs::Permissions::from_mode(0o755)).at(&rustdoc)?;
    let mut doc = process::cargo();
    doc.current_dir(workspace::root())
        .arg("doc")
        .args(workspace::NATIVE)
        .args(["--exclude", "vestibule-app", "--lib", "--no-deps"])
        .env("RUSTDOC", rustdoc)
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json");
    process::run(&mut doc)
}

/// What `package` lets other programs see.
///
/// What it shows of other crates of ours stands there under the names by which it does, so that
/// these crates may move it. What needs anything else of them is left out.
pub fn lines(package: &str) -> Result<Vec<String>> {
    let description = Description::read(package)?;
    let mut names = Vec::new();
    let mut shown = Vec::new();
    for from in SHOWN {
        let reexports = description.reexports_from(from);
        if reexports.is_empty() {
            continue;
        }
        let from = Description::read(from)?;
        for (path, name) in reexports {
            let id = from.id_of(&path)?;
            for item in from.all_of(id) {
                if item.id == id {
                    names.push((subject(&item.line).to_owned(), name.clone()));
                }
                shown.push(item.line.clone());
            }
            names.push((path, name));
        }
    }
    let own = description
        .items
        .iter()
        .map(|item| renamed(&item.line, &names));
    let shown = shown.iter().map(|line| renamed(line, &names));
    let shown = shown.filter(|line| !is_of_shown(line));
    let mut seen = HashSet::new();
    Ok(own
        .chain(shown)
        .filter(|line| seen.insert(line.clone()))
        .collect())
}

/// Whether a line names something of the crates of which only some things are shown.
fn is_of_shown(line: &str) -> bool {
    let mut words = line.split(|letter| !is_in_path(letter));
    words.any(|word| {
        let top = word.split("::").next().unwrap_or_default();
        top != word && SHOWN.iter().any(|shown| crate_name(shown) == top)
    })
}

/// The line with these paths under other names.
fn renamed(line: &str, names: &[(String, String)]) -> String {
    let words = line.split_inclusive(|letter| !is_in_path(letter));
    words
        .map(|word| {
            let other = names.iter().find_map(|(path, name)| {
                let rest = word.strip_prefix(path.as_str())?;
                let is_longer = rest.starts_with(|letter| is_in_path(letter) && letter != ':');
                (!is_longer).then(|| format!("{name}{rest}"))
            });
            other.unwrap_or_else(|| word.to_owned())
        })
        .collect()
}

fn is_in_path(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == ':'
}

/// How code spells the name of a crate.
fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}

/// One crate, as rustdoc describes it.
struct Description {
    items: Vec<Item>,
    /// All of it: items do not say where a re-export comes from.
    json: Value,
}

/// Something that other programs see.
struct Item {
    id: u32,
    /// What it belongs to.
    parent: Option<u32>,
    line: String,
}

impl Description {
    fn read(package: &str) -> Result<Self> {
        let path = workspace::target()
            .join("doc")
            .join(crate_name(package) + ".json");
        let unreadable = |error: &dyn Display| {
            Error::new(format!(
                "{}: {error}; another version of the crate `public-api` may read it",
                path.display()
            ))
        };
        let text = fs::read_to_string(&path).at(&path)?;
        let json = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
        let api = public_api::Builder::from_rustdoc_json(&path)
            .omit_blanket_impls(true)
            .build()
            .map_err(|error| unreadable(&error))?;
        let mut items: Vec<_> = api
            .items()
            .map(|item| Item {
                id: item.id().0,
                parent: item.parent_id().map(|id| id.0),
                line: item.to_string(),
            })
            .collect();
        let impls: HashSet<_> = items
            .iter()
            .filter(|item| item.line.starts_with("impl") && item.line.contains(" for "))
            .map(|item| item.id)
            .collect();
        items.retain(|item| {
            // The functions of a trait are the same wherever it is implemented.
            let is_of_impl = item.parent.is_some_and(|parent| impls.contains(&parent));
            let is_repeated = is_of_impl && item.line.contains("fn ");
            !is_repeated && !EVERYWHERE.iter().any(|part| item.line.contains(part))
        });
        Ok(Self { items, json })
    }

    /// What this crate re-exports from the crate `shown`: the path there, and the name here.
    fn reexports_from(&self, shown: &str) -> Vec<(String, String)> {
        let top = crate_name(shown) + "::";
        let reexports = self.items.iter().filter_map(|item| {
            let import = &self.json["index"][item.id.to_string()]["inner"]["use"];
            let path = path_of(&self.json["paths"][import["id"].to_string()])?;
            Some((path, subject(&item.line).to_owned()))
        });
        reexports
            .filter(|(path, _)| path.starts_with(&top))
            .collect()
    }

    /// The id of what is defined at this path.
    fn id_of(&self, path: &str) -> Result<u32> {
        let mut paths = self.json["paths"].as_object().into_iter().flatten();
        let found = paths.find(|(_, entry)| path_of(entry).as_deref() == Some(path));
        found
            .and_then(|(id, _)| id.parse().ok())
            .ok_or_else(|| Error::new(format!("rustdoc does not describe {path}")))
    }

    /// What has this id, and what belongs to it.
    fn all_of(&self, id: u32) -> impl Iterator<Item = &Item> {
        let parents: HashMap<_, _> = self
            .items
            .iter()
            .filter_map(|item| Some((item.id, item.parent?)))
            .collect();
        self.items.iter().filter(move |item| {
            let mut above = iter::successors(Some(item.id), |id| parents.get(id).copied());
            above.any(|above| above == id)
        })
    }
}

/// The path in an entry of rustdoc's table of paths.
fn path_of(entry: &Value) -> Option<String> {
    let names = entry["path"].as_array()?.iter().map(Value::as_str);
    Some(names.collect::<Option<Vec<_>>>()?.join("::"))
}

#[cfg(test)]
mod tests {
    use super::{is_of_shown, renamed};

    #[test]
    fn what_is_shown_stands_under_its_own_name() {
        let names = [("vestibule::user::User", "shop::User")]
            .map(|(path, name)| (path.to_owned(), name.to_owned()));
        for (line, other) in [
            ("pub struct vestibule::user::User", "pub struct shop::User"),
            (
                "pub fn vestibule::user::User::id(&vestibule::user::User) -> u64",
                "pub fn shop::User::id(&shop::User) -> u64",
            ),
            (
                "pub vestibule::user::User::id: vestibule::user::UserId",
                "pub shop::User::id: vestibule::user::UserId",
            ),
        ] {
            assert_eq!(renamed(line, &names), other);
        }
    }

    #[test]
    fn what_needs_more_than_is_shown_is_told_from_the_rest() {
        for line in [
            "impl From<vestibule::link::Link> for a::B",
            "pub a::B: &vestibule_protocol::Step",
        ] {
            assert!(is_of_shown(line), "{line}");
        }
        for line in [
            "pub a::B::vestibule: u8",
            "pub fn vestibule_server::worker()",
        ] {
            assert!(!is_of_shown(line), "{line}");
        }
    }
}
