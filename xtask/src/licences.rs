//! The rules of `deny.toml` on licences, banned crates and registries, checked over what cargo
//! itself knows.
//!
//! cargo-deny reads the same file and checks more, advisories above all. But it takes longer to
//! install than everything here takes to build, and a check that is skipped where a tool is missing
//! is no check.

use std::fs;

use serde_json::Value;

use crate::fault::{At, Fault, Result};
use crate::{process, spdx, workspace};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every crate of the lock file, and runs cargo-deny as well where it is installed.
pub fn check() -> Result {
    let path = workspace::root().join("deny.toml");
    let rules = Rules::read(&fs::read_to_string(&path).at(&path)?);
    let mut ask = process::cargo();
    ask.current_dir(workspace::root())
        .args(["metadata", "--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&process::output(&mut ask)?)
        .map_err(|error| Fault::new(format!("cargo metadata: {error}")))?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let complaints: Vec<String> = packages
        .iter()
        .filter_map(|package| rules.complaint(package))
        .collect();
    for complaint in &complaints {
        println!("{complaint}");
    }
    if packages.is_empty() || rules.licences.is_empty() || !complaints.is_empty() {
        let count = packages.len();
        return Err(Fault::new(format!(
            "{} of {count} crates break the rules of deny.toml",
            complaints.len()
        )));
    }
    println!("{} crates keep the rules of deny.toml", packages.len());
    if process::on_path("cargo-deny").is_none() {
        return Ok(());
    }
    let mut deny = process::cargo();
    process::run(
        deny.current_dir(workspace::root())
            .args(["deny", "check", "licenses", "bans", "sources"]),
    )
}

/// The part of `deny.toml` that is checked here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rules {
    licences: Vec<String>,
    banned: Vec<String>,
}

impl Rules {
    /// Reads the lists out of the file. This is no general reader of TOML: each entry stands on a
    /// line of its own.
    fn read(text: &str) -> Self {
        let mut rules = Self::default();
        let mut section = "";
        let mut list = "";
        for line in text
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").trim())
        {
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .filter(|_| list.is_empty())
            {
                section = name;
            } else if let Some(name) = line.strip_suffix("= [") {
                list = name.trim();
            } else if line == "]" {
                list = "";
            } else if let Some(entry) = line.split('"').nth(1) {
                match (section, list) {
                    ("licenses", "allow") => rules.licences.push(entry.to_owned()),
                    ("bans", "deny") => rules.banned.push(entry.to_owned()),
                    _ => {}
                }
            }
        }
        rules
    }

    /// What is wrong with a package of cargo's metadata.
    fn complaint(&self, package: &Value) -> Option<String> {
        let field = |name: &str| package.get(name).and_then(Value::as_str);
        let name = format!("{} {}", field("name")?, field("version").unwrap_or(""));
        if self
            .banned
            .iter()
            .any(|banned| field("name") == Some(banned))
        {
            return Some(format!("{name}: is banned; deny.toml says why"));
        }
        // Packages of the workspace have no source.
        if field("source").is_some_and(|source| source != REGISTRY) {
            return Some(format!("{name}: does not come from crates.io"));
        }
        let Some(licence) = field("license") else {
            return Some(format!("{name}: states no licence"));
        };
        match spdx::is_met(licence, &self.licences) {
            Some(true) => None,
            Some(false) => Some(format!(
                "{name}: its licence `{licence}` is not allowed by deny.toml"
            )),
            None => Some(format!("{name}: `{licence}` is no licence expression")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{REGISTRY, Rules};

    const FILE: &str = "\
# Comment with \"quotes\".
[licenses]
allow = [
    \"MIT\", # common
    \"Zlib\",
]

[bans]
skip = [
    { crate = \"other\" },
]
deny = [
    { crate = \"openssl-sys\", reason = \"rustls\" },
]
";

    #[test]
    fn the_lists_are_read() {
        let rules = Rules::read(FILE);
        assert_eq!(rules.licences, ["MIT", "Zlib"]);
        assert_eq!(rules.banned, ["openssl-sys"]);
    }

    #[test]
    fn a_crate_that_keeps_the_rules_is_not_mentioned() {
        let good = json!({"name": "a", "version": "1.0.0", "license": "MIT OR GPL-3.0", "source": REGISTRY});
        assert_eq!(Rules::read(FILE).complaint(&good), None);
    }

    #[test]
    fn each_broken_rule_is_named() {
        let rules = Rules::read(FILE);
        for (package, rule) in [
            (json!({"name": "openssl-sys", "license": "MIT"}), "banned"),
            (json!({"name": "a", "license": "GPL-3.0"}), "not allowed"),
            (json!({"name": "a", "license": null}), "states no licence"),
            (
                json!({"name": "a", "license": "MIT", "source": "git+https://example.com"}),
                "crates.io",
            ),
        ] {
            assert!(
                rules
                    .complaint(&package)
                    .is_some_and(|line| line.contains(rule)),
                "{rule}"
            );
        }
    }
}
