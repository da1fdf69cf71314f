//! `cargo xtask bench loop`: how long a developer waits, in a fresh clone and from one edit to the
//! next.
//!
//! All of it happens in a copy of the project, with a folder of its own for what is built.

mod edits;
mod http;
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use edits::{EDITS, SourceEdit};
use program::Program;

use super::table::Table;
use crate::build::wasm_target;
use crate::error::{At, Error, Result};
use crate::{copy, process, workspace};

/// How often each edit is made. The median counts.
const ROUNDS: usize = 3;

/// A page that is brought to life by the client, if that is of the same build as the server.
const LIVE_PAGE: &str = "/confirm/valid-loop";
const SCRIPT: &str = "vestibule.js";

/// The practice user.
const SIGN_IN: &str = "email=practice%40example.com&password=open-sesame-42";
/// Only a user has it in the answer to who is signed in.
const SIGNED_IN: &str = "\"fresh\":";

/// Measures, prints a table, and writes its copy.
pub fn measure(table_copy: &Path) -> Result {
    check_programs()?;
    let clone = Clone::make()?;
    println!(
        "builds for some minutes; {} has what is said",
        clone.log().display()
    );
    let mut table = Table::new();
    table.load("at the start");
    let what = "first `cargo xtask run` in a clone, until it serves, s";
    clone.serve(
        &mut table,
        what,
        "300",
        &mut clone.command(&["xtask", "run"]),
    )?;
    clone.remove_target()?;
    let what = "first `cargo leptos watch` in a clone, the same, s";
    let mut watch = clone.serve(&mut table, what, "240", &mut clone.leptos()?)?;
    let session = sign_in(watch.port)?;
    clone.edits(&mut table, &mut watch)?;
    let signed_in = http::get(watch.port, "/v1/session", &[("Cookie", &session)]);
    let survives = signed_in.is_some_and(|answer| answer.has(SIGNED_IN));
    table.row(
        "session and database survive the rebuilds",
        yes(survives),
        "yes",
    );
    let goes_on = clone.goes_on_when_broken(&mut watch)?;
    table.row(
        "an error is shown, the old server goes on",
        yes(goes_on),
        "yes",
    );
    table.load("at the end");
    table.write_copy(table_copy)
}

/// What is not there cannot be measured.
fn check_programs() -> Result {
    let missing = ["cargo-leptos", "wasm-bindgen"]
        .into_iter()
        .find(|name| process::on_path(name).is_none());
    missing.map_or(Ok(()), |name| {
        Err(Error::new(format!(
            "`{name}` is not on the PATH: install cargo-leptos, and wasm-bindgen-cli in the version that Cargo.toml has of \
             wasm-bindgen, by `cargo install --locked`"
        )))
    })
}

fn yes(fact: bool) -> &'static str {
    if fact { "yes" } else { "no" }
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Signs the practice user in, and returns the cookies.
fn sign_in(port: u16) -> Result<String> {
    let answer = http::submit(port, "/login", SIGN_IN);
    let answer = answer.ok_or_else(|| Error::new("the server takes no sign-in"))?;
    let cookies = answer
        .values("set-cookie")
        .filter_map(|cookie| cookie.split(';').next());
    Ok(cookies.collect::<Vec<_>>().join("; "))
}

/// The project as it is right after it was cloned, with the registry's packages at hand.
struct Clone {
    home: PathBuf,
    tree: PathBuf,
}

impl Clone {
    fn make() -> Result<Self> {
        let home = workspace::target().join("loop");
        if home.exists() {
            fs::remove_dir_all(&home).at(&home)?;
        }
        let tree = home.join("tree");
        fs::create_dir_all(&tree).at(&tree)?;
        copy::refresh(&workspace::root(), &tree)?;
        Ok(Self { home, tree })
    }

    /// A command of cargo's, as a developer gives it.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = process::cargo();
        self.at_home(command.args(arguments));
        command
    }

    /// `cargo leptos watch`. It has one compiler for both halves: the one that knows wasm.
    fn leptos(&self) -> Result<Command> {
        let mut command = wasm_target::compiler()?.cargo();
        self.at_home(command.args(["leptos", "watch"]));
        Ok(command)
    }

    fn at_home(&self, command: &mut Command) {
        command
            .current_dir(&self.tree)
            .env("VESTIBULE_DATA", self.home.join("data"))
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_INCREMENTAL");
    }

    /// What the running command prints.
    fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    fn remove_target(&self) -> Result {
        let target = self.tree.join("target");
        fs::remove_dir_all(&target).at(&target)
    }

    /// Runs a command until its server listens.
    fn serve(
        &self,
        table: &mut Table,
        what: &str,
        goal: &str,
        command: &mut Command,
    ) -> Result<Program> {
        let mut program = Program::start(command, self.log())?;
        let time = program.until("/healthz", |_| true)?;
        table.row(what, &seconds(time), goal);
        Ok(program)
    }

    /// Makes each edit in turn, so that what else the machine does is shared among them.
    fn edits(&self, table: &mut Table, watch: &mut Program) -> Result {
        let mut times = EDITS.map(|_| Vec::new());
        let mut live = Vec::new();
        for round in 0..ROUNDS {
            for (number, (edit, times)) in EDITS.iter().zip(&mut times).enumerate() {
                let marker = format!("edit_{round}_{number}");
                edit.save(&workspace::root(), &self.tree, &marker)?;
                let served = watch.until(edit.path, |answer| answer.has(&marker))?;
                // Nothing of this edit is left to be built when the next one comes.
                let settled = watch.until(LIVE_PAGE, |page| page.has(SCRIPT))?;
                if edit.what == "the island" {
                    live.push(served + settled);
                }
                times.push(served);
            }
        }
        for (SourceEdit { what, goal, .. }, times) in EDITS.iter().zip(times) {
            let figure = format!("`leptos watch`: {what}, from saving until served, s");
            table.row(&figure, &seconds(median(times)), goal);
        }
        let figure = "the same: the island, until a page starts it, s";
        table.row(figure, &seconds(median(live)), "");
        Ok(())
    }

    /// Whether what does not compile is shown, and the server before it answers on.
    fn goes_on_when_broken(&self, watch: &mut Program) -> Result<bool> {
        let marker = "does_not_compile";
        let edit = &EDITS[0];
        edit.break_off(&workspace::root(), &self.tree, marker)?;
        watch.until_printed(marker)?;
        Ok(http::get(watch.port, edit.path, &[]).is_some_and(|answer| !answer.has(marker)))
    }
}
