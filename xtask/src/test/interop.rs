//! The same with peers that nobody here wrote: another Pusher server, the client and server libraries of the protocol's
//! makers, and a proxy that ends TLS.

use std::path::PathBuf;

use super::Request;
use super::browser;
use crate::fault::Result;
use crate::tally::Tally;
use crate::{process, workspace};

/// A peer that is installed apart from the tests' own packages, and the variable by which they find it.
struct Peer {
    name: &'static str,
    variable: &'static str,
    install: fn() -> Result<PathBuf>,
}

const PEERS: [Peer; 1] = [Peer { name: "Soketi", variable: "VESTIBULE_TEST_SOKETI", install: soketi }];

/// Runs the tests with real peers. One that cannot be had is named in a line, and its tests are skipped; in continuous
/// integration that is a fault.
pub fn interop(request: &Request<'_>) -> Result<Tally> {
    let journeys = browser::prepare()?;
    let mut found = Vec::new();
    for Peer { name, variable, install } in PEERS {
        match install() {
            Ok(program) => found.push((variable, program)),
            Err(fault) if process::in_ci() => return Err(fault),
            Err(fault) => println!("nothing is tested with {name}: {fault}"),
        }
    }
    browser::play(&journeys, "interop", request, |test| {
        test.envs(found);
    })
}

/// Soketi's program, for Node. It is licensed under the AGPL: a test starts it as a process and talks to it, and nothing of
/// it is linked, changed or handed on.
fn soketi() -> Result<PathBuf> {
    let folder = workspace::root().join("end2end/soketi");
    browser::dependencies(&folder)?;
    Ok(folder.join("node_modules/@soketi/soketi/bin/server.js"))
}
