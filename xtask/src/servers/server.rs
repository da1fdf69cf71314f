//! A server that nothing else on the machine notices: a folder and a process of its own, another
//! user where we are root, a port of loopback, and an end even if we are killed.

use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{At, Error, Result};
use crate::process;

/// How long a server may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How long a server may take to end by itself before it is killed.
const END_WITHIN: Duration = Duration::from_secs(5);

/// The user that runs the servers where we are root: PostgreSQL refuses to run as root.
const USER: &str = "nobody";

/// A folder of its own, and the process that uses it once it is started. Both end when this is
/// dropped.
pub struct RunningServer {
    folder: PathBuf,
    process: Option<Child>,
    url: String,
}

impl RunningServer {
    /// A new folder that only its owner can look into.
    pub fn new() -> Result<Self> {
        let folder = env::temp_dir().join("vestibule.XXXXXXXX");
        let made = process::output(process::command("mktemp").arg("-d").arg(&folder))?;
        Ok(Self {
            folder: PathBuf::from(made.trim()),
            process: None,
            url: String::new(),
        })
    }

    /// Where clients reach it, with the password.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, content).at(&path)?;
        Ok(path)
    }

    /// Gives the folder with all that is in it to the user that its programs run as.
    pub fn change_owner(&self) -> Result {
        if process::is_root() {
            process::run(
                process::command("chown")
                    .arg("-R")
                    .arg(USER)
                    .arg(&self.folder),
            )?;
        }
        Ok(())
    }

    /// Runs a program to its end.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Result {
        let mut command = self.command(program)?;
        let status = command
            .args(arguments)
            .status()
            .map_err(|error| unstartable(program, &error))?;
        if status.success() {
            Ok(())
        } else {
            Err(self.error(program))
        }
    }

    /// Starts the program that stays, to be reached at `url`, and waits until it `is_ready`.
    pub fn start(
        mut self,
        program: &Path,
        arguments: &[&str],
        url: String,
        is_ready: fn(&Self) -> bool,
    ) -> Result<Self> {
        let mut command = self.command(program)?;
        self.url = url;
        let child = command
            .args(arguments)
            .spawn()
            .map_err(|error| unstartable(program, &error))?;
        self.process = Some(child);
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline && self.is_running() {
            if is_ready(&self) {
                return Ok(self);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(self.error(program))
    }

    fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    /// A program as the right user, with its output in a file.
    fn command(&self, program: &Path) -> Result<Command> {
        let mut command = match process::on_path("setpriv") {
            Some(setpriv) => {
                let mut command = process::command(setpriv);
                // It must end even if we are killed: PostgreSQL and Redis both end at an
                // interrupt.
                command.args(["--pdeathsig", "INT"]);
                if process::is_root() {
                    command.args(["--reuid", USER, "--regid", &group()?, "--clear-groups"]);
                }
                command.arg("--").arg(program);
                command
            }
            None => process::command(program),
        };
        let log = self.folder.join("log");
        let open = || {
            File::options()
                .create(true)
                .append(true)
                .open(&log)
                .at(&log)
        };
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?);
        Ok(command)
    }

    /// What the program said last.
    fn error(&self, program: &Path) -> Error {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let last = log
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing");
        Error::new(format!("`{}` does not run: {}", name(program), last.trim()))
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.process {
            end(child);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Asks politely first: a server that is killed leaves its shared memory behind.
pub fn end(child: &mut Child) {
    process::succeeds(process::command("sh").args([
        "-c",
        "kill -INT \"$0\"",
        &child.id().to_string(),
    ]));
    let deadline = Instant::now() + END_WITHIN;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn unstartable(program: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("`{}` could not be started: {error}", name(program)))
}

fn group() -> Result<String> {
    Ok(process::output(process::command("id").args(["-g", USER]))?
        .trim()
        .to_owned())
}

fn name(program: &Path) -> String {
    program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A port of loopback that is free just now.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let port = listener
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port());
    port.map_err(|error| Error::new(format!("no port of loopback is free: {error}")))
}

/// A random value that no other user of the machine knows.
pub fn password() -> String {
    // The seeds of a hash map come from the system's own source of randomness.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
