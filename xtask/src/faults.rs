//! `cargo xtask faults`: the tests that kill and stop processes and servers, at the full size of
//! the promises.
//!
//! `cargo xtask test` runs the same tests, smaller. Each prints a figure; those of cargo's tests
//! are repeated at the end. The processes are of the release build, because some of the figures
//! are recovery times.

use crate::build::server;
use crate::error::{Error, Result};
use crate::process::{self, Stream};
use crate::servers::Servers;
use crate::step::step;
use crate::test_counts::TestCounts;
use crate::{test, workspace};

/// How large the tests are.
const SIZES: [(&str, &str); 8] = [
    ("VESTIBULE_SEEDS", "100000"),
    ("VESTIBULE_KILLS", "1000"),
    ("VESTIBULE_STALLED", "400"),
    ("VESTIBULE_AWAY", "60"),
    ("VESTIBULE_WAITING", "10000"),
    ("VESTIBULE_HOSTILE", "1000"),
    ("VESTIBULE_TRYING", "400"),
    ("VESTIBULE_SLOW", "12000"),
];

/// Some tests of one program.
struct FaultRun {
    name: &'static str,
    package: &'static str,
    program: &'static str,
    which: &'static [&'static str],
}

/// Those that kill the most take some minutes and use little processor time, so both databases run
/// at once. The rest needs the machine for itself.
const RUNS: [FaultRun; 3] = [
    FaultRun {
        name: "simulation",
        package: workspace::NAME,
        program: "simulation",
        which: &[],
    },
    FaultRun {
        name: "kills",
        package: server::PACKAGE,
        program: "processes",
        which: &["kills::sign_ins", "callbacks::", "--test-threads=2"],
    },
    FaultRun {
        name: "processes",
        package: server::PACKAGE,
        program: "processes",
        which: &[
            "--skip",
            "kills::sign_ins",
            "--skip",
            "callbacks::",
            "--test-threads=1",
        ],
    },
];

/// The one that needs a browser: the Pusher server is away.
const JOURNEY: [&str; 3] = ["tests/push.spec.js", "--grep", "Pusher server that is away"];

/// The prefix of a figure in the output of a test.
const FIGURE: &str = "figure: ";

/// Runs them all.
pub fn faults(arguments: &[String]) -> Result {
    if let Some(unknown) = arguments.first() {
        return Err(Error::new(format!(
            "`cargo xtask faults` takes no argument, so not `{unknown}`"
        )));
    }
    let servers = Servers::start()?;
    let mut figures = Vec::new();
    let mut total = TestCounts::default();
    for run in &RUNS {
        total += step(run.name, || run.run(&servers, &mut figures))?;
    }
    // Leaving the process would leave them behind.
    drop(servers);
    total += test::browser_tests(&JOURNEY.map(str::to_owned))?;
    println!("\n{}\n{total}", figures.join("\n"));
    if total.failed == 0 {
        Ok(())
    } else {
        std::process::exit(1)
    }
}

impl FaultRun {
    fn run(&self, servers: &Servers, figures: &mut Vec<String>) -> Result<TestCounts> {
        let mut test = process::cargo();
        test.current_dir(workspace::root())
            .args(["test", "--release"]);
        test.args(["--package", self.package, "--test", self.program, "--"])
            .args(self.which)
            .arg("--nocapture");
        servers.set_variables(&mut test);
        let mut counts = TestCounts::default();
        let outcome = process::watch(test.envs(SIZES), Stream::Output, |line| {
            counts += TestCounts::from_cargo_line(line);
            figures.extend(line.split_once(FIGURE).map(|(_, figure)| figure.to_owned()));
        });
        // Tests that do not compile report nothing.
        if counts.failed == 0 {
            outcome.map(|()| counts)
        } else {
            Ok(counts)
        }
    }
}
