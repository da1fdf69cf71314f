//! Other programs: how they are found, started without the variables that cargo left in our
//! environment, and waited for.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// A command without the variables that `cargo run` added to our environment for this crate.
///
/// Some build scripts ask to be run again when one of these variables changes, so a build started
/// here would undo a build started by hand, and the other way round. What the user set
/// (`CARGO_HOME`, `CARGO_NET_…`) stays.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let ours = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_");
        if ours
            || ["CARGO", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "OUT_DIR"].contains(&text.as_ref())
        {
            command.env_remove(&name);
        }
    }
    command
}

/// The cargo that started us.
pub fn cargo() -> Command {
    let program = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = command(program);
    if in_ci() {
        // CI builds once: incremental data would only fill the disk.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// The compiler that cargo uses.
pub fn rustc() -> Command {
    command(env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from))
}

/// The first executable called `name` on the PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
        .find(|file| file.is_file())
}

/// Whether this is a continuous-integration run, in which nothing may be skipped or asked.
pub fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Whether we may write to the system's folders.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// How a command is printed: its words, without the environment.
pub fn spelled(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = command.get_args().map(std::ffi::OsStr::to_string_lossy);
    std::iter::once(name.to_string_lossy())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs `command` on our own terminal.
pub fn run(command: &mut Command) -> Result {
    let status = command
        .status()
        .map_err(|error| unstartable(command, &error))?;
    verdict(command, status)
}

/// Runs `command` and returns what it wrote to its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| unstartable(command, &error))?;
    verdict(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `command` without output and says whether it succeeded.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs `command` on our own terminal, and ends it when it takes longer than `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Result {
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| unstartable(command, &error))?;
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return verdict(command, status),
            Ok(None) => thread::sleep(Duration::from_millis(50)),
            Err(error) => return Err(unstartable(command, &error)),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(Error::new(format!(
        "`{}` did not finish within {} s",
        spelled(command),
        limit.as_secs()
    )))
}

/// Which of a program's two streams [`watch`] reads; the other goes to our terminal as it is.
#[derive(Clone, Copy)]
pub enum Stream {
    /// Results: what tests print.
    Output,
    /// Diagnostics: what compilers print.
    Errors,
}

/// Runs `command`, shows one of its streams line by line as it comes, and hands each line to `see`.
pub fn watch(command: &mut Command, stream: Stream, mut see: impl FnMut(&str)) -> Result {
    match stream {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Errors => command.stderr(Stdio::piped()),
    };
    let mut child = command
        .spawn()
        .map_err(|error| unstartable(command, &error))?;
    let pipe: Option<Box<dyn std::io::Read>> = match stream {
        Stream::Output => child.stdout.take().map(|pipe| Box::new(pipe) as _),
        Stream::Errors => child.stderr.take().map(|pipe| Box::new(pipe) as _),
    };
    if let Some(pipe) = pipe {
        // By bytes, because a program may write what is not UTF-8.
        for line in BufReader::new(pipe)
            .split(b'\n')
            .map_while(std::result::Result::ok)
        {
            let line = String::from_utf8_lossy(&line);
            match stream {
                Stream::Output => println!("{line}"),
                Stream::Errors => eprintln!("{line}"),
            }
            let _ = std::io::stdout().flush();
            see(&line);
        }
    }
    let status = child.wait().map_err(|error| unstartable(command, &error))?;
    verdict(command, status)
}

fn verdict(command: &Command, status: ExitStatus) -> Result {
    if status.success() {
        return Ok(());
    }
    Err(Error::new(format!(
        "`{}` failed ({status}); its own message is above",
        spelled(command)
    )))
}

fn unstartable(command: &Command, error: &std::io::Error) -> Error {
    Error::new(format!(
        "`{}` could not be started: {error}",
        command.get_program().display()
    ))
}
