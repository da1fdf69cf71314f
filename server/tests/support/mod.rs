//! The real server, and a client that says exactly what a test wants said.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// The file of the server's log, in its folder.
const LOG: &str = "log";

/// A server in a folder of its own, killed when dropped.
pub struct Server {
    pub child: Child,
    pub addr: SocketAddr,
    data: TempDir,
}

impl Server {
    /// Starts a server with these settings, knowing nothing of this machine's own.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        // A file that may not grow is an error to write to, as on a full disk, and not the end of
        // the process.
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            "trap '' XFSZ && exec \"$0\"",
            env!("CARGO_BIN_EXE_vestibule"),
        ]);
        command
            .env_clear()
            .env("VESTIBULE_DATA", data.path())
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0");
        let log = File::create(data.path().join(LOG)).unwrap();
        command
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let addr = line
            .trim()
            .strip_prefix("listening on http://")
            .expect("it listens")
            .parse()
            .unwrap();
        Self { child, addr, data }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.data.path().join(LOG)).unwrap()
    }

    /// Asks for a page, with `more` lines in the head.
    pub fn get(&self, path: &str, more: &[&str]) -> String {
        self.send("GET", path, more, "")
    }

    /// Posts a form of our own page, with `more` lines in the head.
    pub fn post(&self, path: &str, more: &[&str], form: &str) -> String {
        let own = [
            "Sec-Fetch-Site: same-origin",
            "Content-Type: application/x-www-form-urlencoded",
        ];
        self.send("POST", path, &[&own, more].concat(), form)
    }

    /// Sends just this.
    pub fn send(&self, method: &str, path: &str, more: &[&str], body: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        let more: String = more.iter().flat_map(|line| [line, "\r\n"]).collect();
        let host = self.addr;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}"
        );
        stream
            .write_all(format!("{head}\r\n{more}\r\n{body}").as_bytes())
            .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a response has this status.
pub fn has_status(response: &str, status: u16) -> bool {
    response.starts_with(&format!("HTTP/1.1 {status} "))
}
