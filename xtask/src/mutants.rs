//! `cargo xtask mutants`: breaks each rule of the design on purpose and sees a test fail.
//!
//! The mutants are in a [table]. Each is applied to a copy of the project, so that the
//! working copy never has a broken rule in it.

mod copy;
mod table;

use std::path::Path;

use table::Mutant;

use crate::fault::{Fault, Result};
use crate::process::{self, Stream};
use crate::servers::Servers;
use crate::step::step;
use crate::tally::Tally;
use crate::workspace;

/// Runs the mutants whose names contain the argument, or all of them.
pub fn mutants(arguments: &[String]) -> Result {
    let wanted = arguments.first().map_or("", String::as_str);
    let mut mutants = Mutant::all(&workspace::root())?;
    mutants.retain(|mutant| mutant.name.contains(wanted));
    if mutants.is_empty() {
        return Err(Fault::new(format!(
            "no name in {} contains `{wanted}`",
            table::FILE
        )));
    }
    let home = workspace::target().join("mutants");
    let servers = Servers::start()?;
    let mut total = Tally::default();
    let mut lines = Vec::new();
    for mutant in &mutants {
        let (tally, said) = match step(&mutant.name, || try_one(mutant, &home, &servers)) {
            Ok(()) => (Tally::PASS, "a test fails, as it should".to_owned()),
            Err(fault) => (Tally::FAIL, fault.to_string()),
        };
        total += tally;
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
    servers.point(&mut test);
    let mut tally = Tally::default();
    // The verdict is in the result lines: a change that does not compile ends with an error, too.
    let outcome = process::watch(&mut test, Stream::Output, |line| {
        tally += Tally::of_cargo(line);
    });
    match (outcome, tally) {
        (_, tally) if tally.failed > 0 => Ok(()),
        (Ok(()), Tally { passed: 0, .. }) => Err(Fault::new("no test matches its `test`")),
        (Ok(()), _) => Err(Fault::new(format!(
            "every test still passes, and yet: {}",
            mutant.breaks
        ))),
        (Err(_), _) => Err(Fault::new("it does not compile, which proves nothing")),
    }
}
