//! PostgreSQL. The one that Debian's package starts by itself belongs to the machine: it is neither
//! used nor stopped.

use std::env;
use std::fs;
use std::path::PathBuf;

use super::server::{self, RunningServer};
use crate::debian::apt::{self, Package};
use crate::error::{Error, Result};

/// Where Debian puts the versions of PostgreSQL, none of which is on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Only loopback can reach it.
const PRIVATE: [&str; 3] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
];

/// Nothing has to survive.
const QUICK: [&str; 4] = [
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "autovacuum=off",
];

/// Starts a server for tests, whose address is that of its administrator, who has a password.
pub fn start() -> Result<RunningServer> {
    start_with(&QUICK)
}

/// Starts a server that is as durable as in production, to be measured.
pub fn start_durable() -> Result<RunningServer> {
    start_with(&["shared_buffers=256MB"])
}

fn start_with(settings: &[&str]) -> Result<RunningServer> {
    let programs = programs()?;
    let (server, password, port) = (
        RunningServer::new()?,
        server::password(),
        server::free_port()?,
    );
    server.write("password", &password)?;
    server.change_owner()?;
    let make = [
        "-D",
        "data",
        "-U",
        "vestibule",
        "--pwfile",
        "password",
        "--auth",
        "scram-sha-256",
    ];
    let plain = ["--encoding", "UTF8", "--no-locale", "--no-sync"];
    server.run(
        &programs.join("initdb"),
        &[make.as_slice(), &plain].concat(),
    )?;
    let port = port.to_string();
    let settings = PRIVATE
        .iter()
        .chain(settings)
        .flat_map(|setting| ["-c", setting]);
    let arguments: Vec<&str> = ["-D", "data", "-p", &port]
        .into_iter()
        .chain(settings)
        .collect();
    let url = format!("postgres://vestibule:{password}@127.0.0.1:{port}/postgres");
    server.start(&programs.join("postgres"), &arguments, url, is_ready)
}

/// The server writes `ready` to the eighth line of this file, which `pg_ctl` reads too.
fn is_ready(server: &RunningServer) -> bool {
    let file = fs::read_to_string(server.folder().join("data/postmaster.pid")).unwrap_or_default();
    file.lines()
        .nth(7)
        .is_some_and(|line| line.trim() == "ready")
}

/// The folder with the programs, installed if necessary.
pub fn programs() -> Result<PathBuf> {
    apt::find_or_install(installed, &[Package("postgresql")])?.ok_or_else(|| {
        Error::new("there is no `initdb` and `postgres` on the PATH; install PostgreSQL")
    })
}

/// The folder with the newest installed programs.
pub fn installed() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| version(&entry))
        .collect();
    debian.sort();
    let newest_first = debian.into_iter().rev().map(|(_, folder)| folder);
    let has_both = |folder: &PathBuf| {
        ["initdb", "postgres"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    env::split_paths(&path).chain(newest_first).find(has_both)
}

/// `15` and `/usr/lib/postgresql/15/bin`.
fn version(entry: &fs::DirEntry) -> Option<(u32, PathBuf)> {
    Some((
        entry.file_name().to_str()?.parse().ok()?,
        entry.path().join("bin"),
    ))
}
