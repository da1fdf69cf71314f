//! The server's own binary.

use super::{Database, SECRET, Validator, soon};
use std::{net::TcpListener, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::watch,
};

/// A process of ours. Dropped, it is killed.
pub struct Process {
    child: Child,
    halted: watch::Receiver<bool>,
}

impl Process {
    /// Starts the binary with these words, for `database`, and waits until it is there.
    pub async fn start(words: &[&str], database: &Database, validator: &Validator, more: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(words).env_clear().kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("VESTIBULE_SECRET", SECRET).env("VALIDATOR_URL", validator.url()).envs(database.settings());
        // Short, so that what a killed process has left is taken over soon.
        for (key, value) in [
            ("CONFIRM_ATTEMPT", "1s"),
            ("CONFIRM_LEASE", "1500ms"),
            ("CONFIRM_POLL", "200ms"),
            ("CONFIRM_DEADLINE", "50s"),
            // All browsers are on this machine.
            ("CONFIRM_PER_CLIENT", "100000"),
        ] {
            command.env(key, value);
        }
        let mut child = command.envs(more.iter().copied()).spawn().expect("the binary is there");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let (halt, halted) = watch::channel(false);
        tokio::spawn(async move {
            let mut said = Vec::new();
            while let Ok(Some(line)) = log.next_line().await {
                assert!(!line.contains("panicked"), "{line}");
                if line.starts_with("halted at ") {
                    let _ = halt.send(true);
                }
                said.push(line);
            }
            said
        });
        let first = soon("the process to be there", out.next_line()).await.expect("it can be read");
        let first = first.unwrap_or_else(|| panic!("the process has ended at once"));
        assert!(first.starts_with("listening on ") || first == "working", "{first}");
        tokio::spawn(async move { while let Ok(Some(_)) = out.next_line().await {} });
        Self { child, halted }
    }

    /// A server with everything, on `port`.
    pub async fn serving(port: u16, database: &Database, validator: &Validator, more: &[(&str, &str)]) -> Self {
        let addr = format!("127.0.0.1:{port}");
        let mut all = vec![("LEPTOS_SITE_ADDR", addr.as_str())];
        all.extend_from_slice(more);
        Self::start(&[], database, validator, &all).await
    }

    /// Waits until it has halted at the place that `VESTIBULE_HALT_AT` names.
    pub async fn halted(&mut self) {
        soon("the process to halt", self.halted.wait_for(|halted| *halted)).await.expect("it still runs");
    }

    /// SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it runs");
    }
}

/// A port of loopback that is free just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
