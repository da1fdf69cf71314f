//! Temporary servers for the tests: PostgreSQL and Redis, each with its data in a folder that is
//! deleted with it, and the programs of nginx and PostgreSQL, which some tests start and kill
//! themselves.
//!
//! Environment variables tell the tests where they are. If a server's variable is set already, that
//! server is used and none is started.

pub mod nginx;
mod postgres;
pub mod redis;
pub mod server;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use server::RunningServer;

use crate::error::{Error, Result};
use crate::process;

/// How the tests find a server.
struct ServerKind {
    name: &'static str,
    variable: &'static str,
    start: fn() -> Result<RunningServer>,
}

const SERVERS: [ServerKind; 2] = [
    ServerKind {
        name: "PostgreSQL",
        variable: "VESTIBULE_TEST_POSTGRES",
        start: postgres::start,
    },
    ServerKind {
        name: "Redis",
        variable: "VESTIBULE_TEST_REDIS",
        start: redis::start,
    },
];

/// How the tests find the programs that they start themselves.
struct ServerProgram {
    variable: &'static str,
    find: fn() -> Result<PathBuf>,
    without: &'static str,
}

const PROGRAMS: [ServerProgram; 2] = [
    ServerProgram {
        variable: "VESTIBULE_TEST_NGINX",
        find: nginx::program,
        without: "several servers behind a proxy are not tested",
    },
    ServerProgram {
        variable: "VESTIBULE_TEST_POSTGRES_BIN",
        find: postgres::programs,
        without: "a PostgreSQL that goes away is not tested",
    },
];

/// The server to be measured, until this is dropped.
pub struct BenchDatabase(Option<RunningServer>);

impl BenchDatabase {
    /// How the bench finds it.
    const VARIABLE: &str = "VESTIBULE_BENCH_POSTGRES";

    /// Starts it, unless another one is to be measured. If it cannot be started, a line says so.
    pub fn start() -> Self {
        if env::var_os(Self::VARIABLE).is_some() {
            return Self(None);
        }
        let missing = |error: &Error| println!("what PostgreSQL does is not measured: {error}");
        Self(postgres::start_durable().inspect_err(missing).ok())
    }

    /// Tells the bench that `command` runs where it is.
    pub fn set_variables(&self, command: &mut Command) {
        command.envs(self.0.iter().map(|server| (Self::VARIABLE, server.url())));
    }
}

/// The servers that run until this is dropped.
pub struct Servers {
    running: Vec<(&'static str, RunningServer)>,
    programs: Vec<(&'static str, PathBuf)>,
}

impl Servers {
    /// Starts the servers that can be started here. A line names each that cannot, and what needs
    /// it is not tested; in continuous integration that is an error.
    pub fn start() -> Result<Self> {
        let mut servers = Vec::new();
        for kind in SERVERS
            .iter()
            .filter(|kind| env::var_os(kind.variable).is_none())
        {
            match (kind.start)() {
                Ok(server) => servers.push((kind.variable, server)),
                Err(error) if process::in_ci() => return Err(error),
                Err(error) => println!("what keeps things in {} is not tested: {error}", kind.name),
            }
        }
        let mut programs = Vec::new();
        for ServerProgram {
            variable,
            find,
            without,
        } in PROGRAMS
        {
            match find() {
                Ok(program) => programs.push((variable, program)),
                Err(error) if process::in_ci() => return Err(error),
                Err(error) => println!("{without}: {error}"),
            }
        }
        Ok(Self {
            running: servers,
            programs,
        })
    }

    /// Tells the tests that `command` runs where the servers are.
    pub fn set_variables(&self, command: &mut Command) {
        command.envs(
            self.running
                .iter()
                .map(|(variable, server)| (variable, server.url())),
        );
        command.envs(
            self.programs
                .iter()
                .map(|(variable, program)| (variable, program)),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::{RunningServer, postgres, redis};

    fn address(server: &RunningServer) -> String {
        let (_, address) = server.url().rsplit_once('@').unwrap_or_default();
        address.split('/').next().unwrap_or_default().to_owned()
    }

    fn answers_until_it_is_dropped(server: RunningServer, hello: &[u8], expected: u8) {
        let address = address(&server);
        let folder = server.folder().to_owned();
        let answer = || {
            let mut stream = TcpStream::connect(&address)?;
            stream.write_all(hello)?;
            let mut byte = [0];
            stream.read_exact(&mut byte).map(|()| byte[0])
        };
        assert_eq!(answer().ok(), Some(expected));
        drop(server);
        assert!(answer().is_err(), "no server is there any more");
        assert!(!folder.exists(), "its data is thrown away");
    }

    #[test]
    fn postgres_answers_until_it_is_dropped() {
        // A request for TLS, which it does not support: `N`.
        let request = [0, 0, 0, 8, 4, 210, 22, 47];
        if postgres::installed().is_some() {
            answers_until_it_is_dropped(
                postgres::start().expect("it is installed"),
                &request,
                b'N',
            );
        }
    }

    #[test]
    fn redis_answers_until_it_is_dropped() {
        // It refuses a request without a password: `-`.
        if redis::installed().is_some() {
            answers_until_it_is_dropped(
                redis::start().expect("it is installed"),
                b"PING\r\n",
                b'-',
            );
        }
    }
}
