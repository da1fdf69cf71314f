//! A command that builds and then serves, and what it serves.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::http::{self, HttpAnswer};
use crate::error::{At, Error, Result};
use crate::process;
use crate::servers::server;

/// How often the server is asked whether it serves what was saved: more would slow the build.
const EVERY: Duration = Duration::from_millis(10);

/// How long any build may take.
const AT_MOST: Duration = Duration::from_hours(1);

/// A running command. It ends when this is dropped.
pub struct Program {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Program {
    /// Starts `command`, whose server is to listen at a free port, with its output in the file
    /// `log`.
    pub fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        let output = File::create(&log).at(&log)?;
        let port = server::free_port()?;
        let started = command
            .env("LEPTOS_SITE_ADDR", format!("127.0.0.1:{port}"))
            .env("LEPTOS_RELOAD_PORT", server::free_port()?.to_string())
            .stdin(Stdio::null())
            .stdout(output.try_clone().at(&log)?)
            .stderr(output)
            .spawn();
        let child = started.map_err(|error| {
            let command = process::spelled(command);
            Error::new(format!("`{command}` could not be started: {error}"))
        })?;
        Ok(Self { child, port, log })
    }

    /// Asks for `path` until the answer `is_right`, and returns the time that this took.
    pub fn until(
        &mut self,
        path: &str,
        mut is_right: impl FnMut(&HttpAnswer) -> bool,
    ) -> Result<Duration> {
        let start = Instant::now();
        let mut tag = String::new();
        self.wait(|this| {
            // A whole client of megabytes is sent again only if it is another one.
            let condition = [("If-None-Match", &*tag)];
            let condition = &condition[usize::from(tag.is_empty())..];
            let answer = http::get(this.port, path, condition)?;
            answer
                .values("etag")
                .next()
                .unwrap_or_default()
                .clone_into(&mut tag);
            is_right(&answer).then_some(start.elapsed())
        })
    }

    /// Waits until the command's output has `text` in it.
    pub fn until_printed(&mut self, text: &str) -> Result {
        self.wait(|this| this.printed().contains(text).then_some(()))
    }

    fn wait<T>(&mut self, mut look: impl FnMut(&Self) -> Option<T>) -> Result<T> {
        let start = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return Ok(found);
            }
            let has_ended = !matches!(self.child.try_wait(), Ok(None));
            if has_ended || start.elapsed() > AT_MOST {
                let log = self.log.display();
                return Err(Error::new(format!("nothing is served; {log} says why")));
            }
            thread::sleep(EVERY);
        }
    }

    fn printed(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        server::end(&mut self.child);
    }
}
