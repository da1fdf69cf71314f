//! The same with other people's programs: another Pusher server, the client and server libraries of
//! the protocol's makers, a mail server, a proxy that ends TLS, and other browsers than Chromium.

use std::path::PathBuf;

use super::{Options, browser, programs, python};
use crate::error::Result;
use crate::servers::nginx;
use crate::test_counts::TestCounts;
use crate::{process, workspace};

/// A program that is installed apart from the tests' own packages, and the variable by which they
/// find it.
struct ExternalProgram {
    name: &'static str,
    variable: &'static str,
    install: fn() -> Result<PathBuf>,
}

const EXTERNAL_PROGRAMS: [ExternalProgram; 5] = [
    ExternalProgram {
        name: "Soketi",
        variable: "VESTIBULE_TEST_SOKETI",
        install: soketi,
    },
    ExternalProgram {
        name: "PyPI's pusher, aiosmtpd and standardwebhooks",
        variable: "VESTIBULE_TEST_PYTHON",
        install: python,
    },
    ExternalProgram {
        name: "nginx",
        variable: "VESTIBULE_TEST_NGINX",
        install: nginx::program,
    },
    ExternalProgram {
        name: "Firefox",
        variable: "VESTIBULE_TEST_FIREFOX",
        install: programs::firefox,
    },
    ExternalProgram {
        name: "WebKit",
        variable: "VESTIBULE_TEST_WEBKIT",
        install: programs::webkit,
    },
];

/// Runs the tests with these programs. A line names each that cannot be installed, and its tests
/// are skipped; in continuous integration that is an error.
pub fn interop(options: &Options<'_>) -> Result<TestCounts> {
    let playwright = browser::install()?;
    let mut found = Vec::new();
    for ExternalProgram {
        name,
        variable,
        install,
    } in EXTERNAL_PROGRAMS
    {
        match install() {
            Ok(program) => found.push((variable, program)),
            Err(error) if process::in_ci() => return Err(error),
            Err(error) => println!("nothing is tested with {name}: {error}"),
        }
    }
    browser::run(&playwright, "interop", options, |test| {
        test.envs(found);
    })
}

/// Soketi's program, for Node. It is licensed under the AGPL: a test starts it as a process and
/// talks to it, and nothing of it is linked, changed or distributed.
fn soketi() -> Result<PathBuf> {
    let folder = workspace::root().join("end2end/soketi");
    browser::dependencies(&folder)?;
    Ok(folder.join("node_modules/@soketi/soketi/bin/server.js"))
}

/// A Python that has the packages of the list.
fn python() -> Result<PathBuf> {
    let list = workspace::root().join("end2end/interop/requirements.txt");
    python::with(&list, "python")
}
