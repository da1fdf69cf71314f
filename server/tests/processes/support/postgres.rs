//! A PostgreSQL of a test's own, which can fall silent, die and come back.

use super::{free_port, given, random, soon, until};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use std::{fs, os::unix::fs::chown, path::PathBuf, process::Stdio};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The user to run it as if we are root: PostgreSQL refuses to run as root.
const USER: &str = "nobody";

/// A server with its data in a folder. Dropped, it is killed.
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    user: Option<(u32, u32)>,
    port: u16,
    password: String,
    server: Option<Child>,
}

impl Postgres {
    /// Starts a new one, as durable as in production.
    pub async fn start() -> Option<Self> {
        let programs = PathBuf::from(given("VESTIBULE_TEST_POSTGRES_BIN")?);
        let folder = TempDir::new().expect("a temporary folder");
        let user = if geteuid().is_root() {
            Some((id("-u").await, id("-g").await))
        } else {
            None
        };
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group)).expect("root may");
        }
        let port = free_port();
        let password = format!("{:016x}", random());
        fs::write(folder.path().join("password"), &password).expect("the folder can be written");
        let mut this = Self {
            programs,
            folder,
            user,
            port,
            password,
            server: None,
        };
        let whose = [
            "-U",
            "vestibule",
            "--pwfile",
            "password",
            "--auth",
            "scram-sha-256",
        ];
        let mut make = this.program("initdb");
        let status = make
            .args(["-D", "data", "--encoding", "UTF8", "--no-locale"])
            .args(whose)
            .status()
            .await;
        assert!(status.expect("initdb is there").success());
        this.come_back().await;
        Some(this)
    }

    pub fn url(&self) -> String {
        format!(
            "postgres://vestibule:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }

    /// SIGSTOP to all of it: connections stay open without an answer.
    pub async fn fall_silent(&self) {
        self.signal(Signal::STOP).await;
    }

    /// SIGKILL to all of it.
    pub async fn die(&mut self) {
        self.signal(Signal::KILL).await;
        let mut server = self.server.take().expect("it runs");
        soon("PostgreSQL to die", server.wait())
            .await
            .expect("a child");
    }

    /// Starts it on its data and its port, and waits until it answers.
    pub async fn come_back(&mut self) {
        let port = self.port.to_string();
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=50",
        ];
        let mut command = self.program("postgres");
        command
            .args(["-D", "data", "-p", &port])
            .args(settings.iter().flat_map(|setting| ["-c", setting]));
        self.server = Some(command.spawn().expect("postgres is there"));
        let options: PgConnectOptions = self.url().parse().expect("an address");
        until("PostgreSQL to answer", || async {
            options.connect().await.ok()
        })
        .await;
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// To all of its processes: once the first one has stopped, it starts no others.
    async fn signal(&self, signal: Signal) {
        let first = self.server.as_ref().and_then(Child::id).expect("it runs");
        send(first, Signal::STOP);
        for process in children(first).await {
            send(process, signal);
        }
        send(first, signal);
    }
}

/// One that has ended by itself is no fault.
fn send(process: u32, signal: Signal) {
    let _ = kill_process(
        Pid::from_raw(process.cast_signed()).expect("a process"),
        signal,
    );
}

/// The processes that `parent` has started.
async fn children(parent: u32) -> Vec<u32> {
    let list = Command::new("ps")
        .args(["-A", "-o", "ppid=", "-o", "pid="])
        .output()
        .await
        .expect("there is a ps");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let numbers: Vec<u32> = list
        .split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect();
    numbers
        .chunks_exact(2)
        .filter(|pair| pair[0] == parent)
        .map(|pair| pair[1])
        .collect()
}

async fn id(which: &str) -> u32 {
    let id = Command::new("id")
        .args([which, USER])
        .output()
        .await
        .expect("there is an id");
    String::from_utf8_lossy(&id.stdout)
        .trim()
        .parse()
        .expect("a number")
}
