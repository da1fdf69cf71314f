//! The server's own binary.

use super::{Database, SECRET, Validator, random, soon};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::{
    fs, iter,
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
    thread,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    sync::watch,
};

/// A process of ours. Dropped, it is killed.
pub struct Process {
    child: Child,
    said: watch::Receiver<Vec<String>>,
}

impl Process {
    /// Starts the binary with these arguments, for `database`, and waits until it is up.
    pub async fn start(
        words: &[&str],
        database: &Database,
        validator: &Validator,
        more: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(words).env_clear().kill_on_drop(true);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .env("VESTIBULE_SECRET", SECRET)
            .env("VALIDATOR_URL", validator.url())
            .envs(database.settings());
        // Short, so that what a killed process has left is taken over soon.
        for (key, value) in [
            ("CONFIRM_ATTEMPT", "1s"),
            ("CONFIRM_LEASE", "1500ms"),
            ("CONFIRM_POLL", "200ms"),
            ("CONFIRM_DEADLINE", "50s"),
            // All browsers are on this machine.
            ("CONFIRM_PER_CLIENT", "100000"),
            // Its output is read here.
            ("NO_COLOR", "1"),
        ] {
            command.env(key, value);
        }
        let mut child = command
            .envs(more.iter().copied())
            .spawn()
            .expect("the binary is there");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let (say, said) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                say.send_modify(|said: &mut Vec<String>| said.push(line));
            }
        });
        let first = soon("the process to be there", out.next_line())
            .await
            .expect("it can be read");
        let first =
            first.unwrap_or_else(|| panic!("the process has ended at once: {:?}", said.borrow()));
        assert!(
            first.starts_with("listening on ") || first == "working",
            "{first}"
        );
        tokio::spawn(async move { while let Ok(Some(_)) = out.next_line().await {} });
        Self { child, said }
    }

    /// A server with everything, on `port`.
    pub async fn serving(
        port: u16,
        database: &Database,
        validator: &Validator,
        more: &[(&str, &str)],
    ) -> Self {
        let addr = format!("127.0.0.1:{port}");
        let mut all = vec![("LEPTOS_SITE_ADDR", addr.as_str())];
        all.extend_from_slice(more);
        Self::start(&[], database, validator, &all).await
    }

    /// Adds a user who signs in with this password.
    pub async fn add_user(database: &Database, email: &str, password: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .args(["user", "add", "--email", email])
            .env_clear()
            .envs(database.settings());
        command
            .env("VESTIBULE_SECRET", SECRET)
            .env("VALIDATOR_URL", "http://127.0.0.1:9/");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary is there");
        let mut input = child.stdin.take().expect("it is piped");
        input
            .write_all(format!("{password}\n").as_bytes())
            .await
            .expect("it reads");
        drop(input);
        assert!(
            soon("the user to be added", child.wait())
                .await
                .expect("a child")
                .success()
        );
    }

    /// Waits until at least `tasks` of its tasks have halted at the place that `VESTIBULE_HALT_AT`
    /// names.
    pub async fn halted(&mut self, tasks: usize) {
        let halted = |said: &Vec<String>| count(said, "halted at ") >= tasks;
        soon("the process to halt", self.said.wait_for(halted))
            .await
            .expect("it still runs");
    }

    /// How many lines of its log have these words.
    pub fn said(&self, words: &str) -> usize {
        count(&self.said.borrow(), words)
    }

    /// The lines of its log.
    pub fn lines(&self) -> Vec<String> {
        self.said.borrow().clone()
    }

    /// How many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid().as_raw_pid()))
            .expect("Linux tells");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("it runs");
        1024 * line
            .trim()
            .trim_end_matches(" kB")
            .parse::<usize>()
            .expect("a number")
    }

    /// How many files it has open, sockets among them.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid().as_raw_pid()))
            .expect("Linux tells")
            .count()
    }

    /// SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it runs");
    }

    /// SIGSTOP. Nothing of it runs any more when this returns.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        let (_, status) = waitpid(Some(self.pid()), WaitOptions::UNTRACED)
            .expect("a child")
            .expect("it has stopped");
        assert!(status.stopped(), "it has ended instead: {status:?}");
    }

    /// SIGCONT. What has halted at a place goes on, too.
    pub fn go_on(&mut self) {
        drop(self.child.stdin.take());
        self.signal(Signal::CONT);
    }

    /// SIGTERM: it ends once its current work is done.
    pub async fn finish(mut self) {
        self.signal(Signal::TERM);
        let status = soon("the process to end", self.child.wait())
            .await
            .expect("a child");
        assert!(status.success(), "{status}");
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    fn pid(&self) -> Pid {
        let pid = self
            .child
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()));
        pid.expect("it has not been waited for")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let said = self.said.borrow();
        let panicked = said.iter().find(|line| line.contains("panicked"));
        assert!(panicked.is_none() || thread::panicking(), "{panicked:?}");
    }
}

fn count(said: &[String], words: &str) -> usize {
    said.iter().filter(|line| line.contains(words)).count()
}

/// A port of loopback that is free just now. No client's connection is given it by the system, so
/// it can be listened on again after its listener has gone.
pub fn free_port() -> u16 {
    let mut ports =
        iter::repeat_with(|| u16::try_from(10_000 + random() % 20_000).expect("below 30,000"));
    ports
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}
