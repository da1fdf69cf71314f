//! The rules of `deny.toml` on licences, banned crates and registries, checked over what cargo
//! itself knows.
//!
//! cargo-deny reads the same file and checks more, advisories above all. But it takes longer to
//! install than everything here takes to build, and a check that is skipped where a tool is missing
//! is no check.

use std::fs;

use serde::Deserialize;
use spdx::{Expression, LicenseReq, Licensee, ParseMode};

use crate::error::{At, Error, Result};
use crate::{process, workspace};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every crate of the lock file, and runs cargo-deny as well where it is installed.
pub fn check() -> Result {
    let path = workspace::root().join("deny.toml");
    let rules = Rules::read(&fs::read_to_string(&path).at(&path)?)?;
    let mut ask = process::cargo();
    ask.current_dir(workspace::root())
        .args(["metadata", "--locked", "--format-version", "1"]);
    let Metadata { packages } = serde_json::from_str(&process::output(&mut ask)?)
        .map_err(|error| Error::new(format!("cargo metadata: {error}")))?;
    let complaints: Vec<String> = packages
        .iter()
        .filter_map(|package| rules.complaint(package))
        .collect();
    for complaint in &complaints {
        println!("{complaint}");
    }
    if packages.is_empty() || !complaints.is_empty() {
        return Err(Error::new(format!(
            "{} of {} crates break the rules of deny.toml",
            complaints.len(),
            packages.len()
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

/// The part of `cargo metadata` that is checked here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// Packages of the workspace have none.
    source: Option<String>,
}

/// The part of `deny.toml` that is checked here.
#[derive(Debug)]
struct Rules {
    licences: Vec<Licensee>,
    banned: Vec<String>,
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct File {
            licenses: Licenses,
            bans: Bans,
        }
        #[derive(Deserialize)]
        struct Licenses {
            allow: Vec<String>,
        }
        #[derive(Deserialize)]
        struct Bans {
            deny: Vec<Ban>,
        }
        #[derive(Deserialize)]
        struct Ban {
            #[serde(rename = "crate")]
            name: String,
        }
        let wrong = |error: &dyn std::fmt::Display| Error::new(format!("deny.toml: {error}"));
        let file: File = toml::from_str(text).map_err(|error| wrong(&error))?;
        let licences = file.licenses.allow.iter().map(|name| Licensee::parse(name));
        Ok(Self {
            licences: licences
                .collect::<std::result::Result<_, _>>()
                .map_err(|error| wrong(&error))?,
            banned: file.bans.deny.into_iter().map(|ban| ban.name).collect(),
        })
    }

    /// What is wrong with a package.
    fn complaint(&self, package: &Package) -> Option<String> {
        let name = format!("{} {}", package.name, package.version);
        if self.banned.contains(&package.name) {
            return Some(format!("{name}: is banned; deny.toml says why"));
        }
        if package
            .source
            .as_ref()
            .is_some_and(|source| source != REGISTRY)
        {
            return Some(format!("{name}: does not come from crates.io"));
        }
        let Some(licence) = &package.license else {
            return Some(format!("{name}: states no licence"));
        };
        // Older crates write `MIT/Apache-2.0` for "or", which is no SPDX.
        let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
            return Some(format!("{name}: `{licence}` is no licence expression"));
        };
        (!expression.evaluate(|term| self.allows(term)))
            .then(|| format!("{name}: its licence `{licence}` is not allowed by deny.toml"))
    }

    fn allows(&self, term: &LicenseReq) -> bool {
        self.licences.iter().any(|licence| licence.satisfies(term))
    }
}

#[cfg(test)]
mod tests {
    use super::{Package, REGISTRY, Rules};

    const FILE: &str = r#"
[licenses]
allow = [
    "MIT", # common
    "Zlib", "Apache-2.0 WITH LLVM-exception",
]

[bans]
skip = [{ crate = "other" }]
deny = [{ crate = "openssl-sys", reason = "rustls" }]
"#;

    fn complaint(name: &str, license: Option<&str>, source: Option<&str>) -> Option<String> {
        Rules::read(FILE)
            .expect("the file has rules")
            .complaint(&Package {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
                license: license.map(str::to_owned),
                source: source.map(str::to_owned),
            })
    }

    fn is_allowed(licence: &str) -> bool {
        complaint("a", Some(licence), Some(REGISTRY)).is_none()
    }

    #[test]
    fn a_licence_that_the_file_allows_is_enough() {
        for licence in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "MIT AND Zlib"] {
            assert!(is_allowed(licence), "{licence}");
        }
        for licence in ["GPL-3.0", "MIT AND GPL-3.0", "GPL-3.0 AND Zlib OR GPL-2.0"] {
            assert!(!is_allowed(licence), "{licence}");
        }
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert!(is_allowed("Apache-2.0 WITH LLVM-exception"));
        assert!(!is_allowed("Apache-2.0"));
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (name, license, source, rule) in [
            ("openssl-sys", Some("MIT"), None, "banned"),
            ("a", Some("GPL-3.0"), None, "not allowed"),
            ("a", None, None, "states no licence"),
            ("a", Some("MIT Zlib"), None, "no licence expression"),
            (
                "a",
                Some("MIT"),
                Some("git+https://example.com"),
                "crates.io",
            ),
        ] {
            let complaint = complaint(name, license, source);
            assert!(complaint.is_some_and(|line| line.contains(rule)), "{rule}");
        }
    }

    #[test]
    fn a_file_without_rules_is_an_error() {
        assert!(Rules::read("[licenses]").is_err());
        let unknown = "[licenses]\nallow = [\"Nonsense-1.0\"]\n[bans]\ndeny = []\n";
        assert!(Rules::read(unknown).is_err());
    }
}
