//! `cargo xtask mutants`: breaks each rule of the design on purpose and sees a test fail.
//!
//! A mutant is a patch in `xtask/mutants`. Before the patch stand lines that begin with `#`: what is broken and why it
//! matters, with `# rule: N`, the number of the rule, and `# test: …`, the arguments of the `cargo test` that has to
//! fail. It is applied to a copy of the project, so that nobody finds a broken rule in their own files.

mod copy;

use std::fs;
use std::path::{Path, PathBuf};

use crate::fault::{At, Fault, Result};
use crate::process::{self, Stream};
use crate::servers::Servers;
use crate::step::step;
use crate::tally::Tally;
use crate::workspace;

/// What a mutant says about itself.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    rule: String,
    test: Vec<String>,
}

/// Runs the mutants whose names contain the argument, or all.
pub fn mutants(arguments: &[String]) -> Result {
    let wanted = arguments.first().map_or("", String::as_str);
    let mut patches = patches(&workspace::root().join("xtask/mutants"))?;
    patches.retain(|patch| name(patch).contains(wanted));
    if patches.is_empty() {
        return Err(Fault::new(format!("no file xtask/mutants/*{wanted}*.patch")));
    }
    let home = workspace::target().join("mutants");
    let servers = Servers::start()?;
    let mut total = Tally::default();
    let mut lines = Vec::new();
    for patch in &patches {
        let outcome = step(&name(patch), || try_one(patch, &home, &servers));
        let (tally, line) = match outcome {
            Ok(rule) => (Tally::PASS, format!("rule {rule:3} {:40} a test fails, as it should", name(patch))),
            Err(fault) => (Tally::FAIL, format!("         {:40} {fault}", name(patch))),
        };
        total += tally;
        lines.push(line);
    }
    println!("\n{}\n{total}", lines.join("\n"));
    // Leaving the process would leave them behind.
    drop(servers);
    if total.failed == 0 { Ok(()) } else { std::process::exit(1) }
}

fn patches(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        if path.extension().is_some_and(|ending| ending == "patch") {
            patches.push(path);
        }
    }
    patches.sort();
    Ok(patches)
}

fn name(patch: &Path) -> String {
    patch.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Applies the patch to a fresh copy and returns the number of its rule if the named test then fails.
fn try_one(patch: &Path, home: &Path, servers: &Servers) -> Result<String> {
    let header = Header::read(&fs::read_to_string(patch).at(patch)?)?;
    let tree = home.join("tree");
    copy::refresh(&workspace::root(), &tree)?;
    let mut apply = process::command("git");
    // The copy lies inside the project's own repository, and git would look for the files of the patch there.
    apply.current_dir(&tree).env("GIT_CEILING_DIRECTORIES", home).args(["apply", "--whitespace=nowarn"]).arg(patch);
    process::run(&mut apply).map_err(|_| Fault::new("the patch does not apply any more"))?;
    let mut test = process::cargo();
    test.current_dir(&tree).env("CARGO_TARGET_DIR", home.join("target")).arg("test").args(&header.test);
    servers.point(&mut test);
    let mut tally = Tally::default();
    // The verdict is in the result lines: a patch that does not compile ends with an error, too.
    let outcome = process::watch(&mut test, Stream::Output, |line| tally += Tally::of_cargo(line));
    match (outcome, tally) {
        (_, tally) if tally.failed > 0 => Ok(header.rule),
        (Ok(()), Tally { passed: 0, .. }) => Err(Fault::new("no test matches its `# test:` line")),
        (Ok(()), _) => Err(Fault::new("every test still passes")),
        (Err(_), _) => Err(Fault::new("it does not compile, which proves nothing")),
    }
}

impl Header {
    fn read(patch: &str) -> Result<Self> {
        let field = |name: &str| {
            let comments = patch.lines().map_while(|line| line.strip_prefix('#'));
            let found = comments.map(str::trim).find_map(|line| line.strip_prefix(name));
            found.map(str::trim).filter(|value| !value.is_empty())
        };
        let missing = |name: &str| Fault::new(format!("there is no line `# {name} …` before the patch"));
        let rule = field("rule:").ok_or_else(|| missing("rule:"))?.to_owned();
        let test = field("test:").ok_or_else(|| missing("test:"))?;
        Ok(Self { rule, test: test.split_whitespace().map(str::to_owned).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::Header;

    #[test]
    fn the_header_names_the_rule_and_the_test() {
        let header =
            Header::read("# Forgets the fence.\n# rule: 4\n# test: --lib worker::\n--- a/src/worker.rs\n").ok();
        assert_eq!(
            header,
            Some(Header { rule: "4".to_owned(), test: vec!["--lib".to_owned(), "worker::".to_owned()] })
        );
    }

    #[test]
    fn a_patch_without_a_test_is_refused() {
        assert!(Header::read("# rule: 4\n--- a/src/worker.rs\n").is_err());
        assert!(Header::read("# rule: 4\n# test:\n--- a/src/worker.rs\n").is_err());
    }

    #[test]
    fn the_patch_itself_is_not_taken_for_the_header() {
        assert!(Header::read("# rule: 4\n--- a/x.sh\n+++ b/x.sh\n# test: --lib\n").is_err());
    }
}
