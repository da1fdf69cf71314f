//! `cargo xtask mutants`: breaks each rule of the design on purpose and sees a test fail.
//!
//! The mutants are in a [table]. Each is applied to a copy of the project, so that the
//! working copy never has a broken rule in it.

mod table;

use std::path::Path;

use table::Mutant;

use crate::error::{Error, Result};
use crate::process::{self, Stream};
use crate::servers::Servers;
use crate::step::step;
use crate::test_counts::TestCounts;
use crate::{copy, workspace};

/// Runs the mutants whose names contain the argument, or all of them.
pub fn mutants(arguments: &[String]) -> Result {
    let wanted = arguments.first().map_or("", String::as_str);
    let mut mutants = Mutant::all(&workspace::root())?;
    mutants.retain(|mutant| mutant.name.contains(wanted));
    if mutants.is_empty() {
        return Err(Error::new(format!(
            "no name in {} contains `{wanted}`",
            table::FILE
        )));
    }
    let home = workspace::target().join("mutants");
    let servers = Servers::start()?;
    let mut total = TestCounts::default();
    let mut lines = Vec::new();
    for mutant in &mutants {
        let (counts, said) = match step(&mutant.name, || try_one(mutant, &home, &servers)) {
            Ok(()) => (TestCounts::PASS, "a test fails, as it should".to_owned()),
            Err(error) => (TestCounts::FAIL, error.to_string()),
        };
        total += counts;
        lines.push(format!("rule {:2} {:60} {said}", mutant.rule, mutant.name));
    }
    println!("\n{}\n{total}", lines.join("\n"));
    // Leaving the process would leave them behind.
    drop(servers);
    if total.failed == 0 {
        Ok(())
    } else {
        std::process::exit(1)
    }
}

/// Changes a fresh copy. The named test must fail then.
fn try_one(mutant: &Mutant, home: &Path, servers: &Servers) -> Result {
    let tree = home.join("tree");
    copy::refresh(&workspace::root(), &tree)?;
    mutant.apply(&tree)?;
    let mut test = process::cargo();
    test.current_dir(&tree)
        .env("CARGO_TARGET_DIR", home.join("target"))
        .arg("test")
        .args(&mutant.test);
    servers.set_variables(&mut test);
    let mut counts = TestCounts::default();
    // The verdict is in the result lines: a change that does not compile ends with an error, too.
    let outcome = process::watch(&mut test, Stream::Output, |line| {
        counts += TestCounts::from_cargo_line(line);
    });
    match (outcome, counts) {
        (_, counts) if counts.failed > 0 => Ok(()),
        (Ok(()), TestCounts { passed: 0, .. }) => Err(Error::new("no test matches its `test`")),
        (Ok(()), _) => Err(Error::new(format!(
            "every test still passes, and yet: {}",
            mutant.breaks
        ))),
        (Err(_), _) => Err(Error::new("it does not compile, which proves nothing")),
    }
}
