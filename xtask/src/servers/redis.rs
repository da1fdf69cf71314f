//! Redis.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use super::server::{self, RunningServer};
use crate::debian::apt::{self, Package};
use crate::error::{At, Error, Result};
use crate::process;

/// Debian's package `redis-tools` has the server's program, too: one program that looks at the name
/// by which it is called. The package `redis-server` would start a server that is not needed.
const TOOL: &str = "redis-check-rdb";

/// Starts a server that has a password.
pub fn start() -> Result<RunningServer> {
    let program = program()?;
    let (server, password, port) = (
        RunningServer::new()?,
        server::password(),
        server::free_port()?,
    );
    let named = server.folder().join("redis-server");
    fs::copy(&program, &named).at(&program)?;
    let settings =
        format!("bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\n");
    server.write("redis.conf", &settings)?;
    server.change_owner()?;
    server.start(
        &named,
        &["redis.conf"],
        format!("redis://:{password}@127.0.0.1:{port}"),
        is_ready,
    )
}

/// Whether it answers: it refuses, because no password was sent, but it is running.
fn is_ready(server: &RunningServer) -> bool {
    let address = server.url().rsplit('@').next().unwrap_or_default();
    let asked = TcpStream::connect(address).and_then(|mut stream| {
        stream.write_all(b"PING\r\n")?;
        stream.read_exact(&mut [0])
    });
    asked.is_ok()
}

/// The program, installed if necessary. It has to be called `redis-server`.
pub fn program() -> Result<PathBuf> {
    apt::find_or_install(installed, &[Package("redis-tools")])?
        .ok_or_else(|| Error::new("there is no `redis-server` on the PATH; install Redis"))
}

/// The program, if it is installed.
pub fn installed() -> Option<PathBuf> {
    process::on_path("redis-server").or_else(|| process::on_path(TOOL))
}
