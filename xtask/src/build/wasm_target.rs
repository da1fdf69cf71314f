//! A compiler for the browser's half of the program.
//!
//! Rust calls that platform `wasm32-unknown-unknown`, and rustup adds it to the toolchain in use.
//! Where rustup's server cannot be reached, [`wasm_compiler`] has another way. A target that is
//! installed is used as it is.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::debian::{apt, wasm_compiler};
use crate::error::{Error, Result};
use crate::process;
use crate::step::step;
use crate::workspace::{TARGET, holds_core};

/// Long enough for the 30 MB of the standard library on a slow line, short enough not to look like
/// a hang.
const RUSTUP_LIMIT: Duration = Duration::from_mins(3);

/// Which compiler compiles the browser's half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// The toolchain that compiles everything else.
    Native,
    /// Debian's, with a standard library that was built here.
    Debian,
}

impl Compiler {
    /// This compiler's cargo, without a subcommand.
    pub fn cargo(self) -> Command {
        match self {
            Self::Native => process::cargo(),
            Self::Debian => wasm_compiler::cargo(),
        }
    }

    /// This compiler's clippy, without the arguments of `cargo clippy`.
    pub fn clippy(self) -> Result<Command> {
        if self == Self::Debian {
            apt::install(&[wasm_compiler::CLIPPY])?;
            return Ok(wasm_compiler::clippy());
        }
        let mut command = process::cargo();
        command.arg("clippy");
        Ok(command)
    }
}

/// Finds a compiler that knows the target, or gets one.
pub fn compiler() -> Result<Compiler> {
    if native_has_target() {
        return Ok(Compiler::Native);
    }
    if wasm_compiler::is_ready() {
        return Ok(Compiler::Debian);
    }
    step("wasm target", || {
        let Err(error) = add_with_rustup() else {
            return Ok(Compiler::Native);
        };
        println!("rustup cannot help: {error}");
        if !wasm_compiler::is_possible() {
            return Err(Error::new(format!(
                "the browser's half needs the target {TARGET}: run `rustup target add {TARGET}` where rustup's server can be \
                 reached, or work on Debian 12 or newer"
            )));
        }
        wasm_compiler::make_ready()?;
        Ok(Compiler::Debian)
    })
}

fn native_has_target() -> bool {
    let mut ask = process::rustc();
    ask.args(["--print", "target-libdir", "--target", TARGET]);
    process::output(&mut ask).is_ok_and(|folder| holds_core(Path::new(folder.trim())))
}

fn add_with_rustup() -> Result {
    let rustup = process::on_path("rustup").ok_or_else(|| Error::new("rustup is not installed"))?;
    let mut add = process::command(rustup);
    // A failure here is expected on some machines; a trace of rustup's own calls would only hide
    // the line that matters.
    add.env_remove("RUST_BACKTRACE")
        .args(["target", "add", TARGET]);
    process::run_within(&mut add, RUSTUP_LIMIT)?;
    if native_has_target() {
        return Ok(());
    }
    Err(Error::new(format!(
        "rustup added {TARGET}, but not to the toolchain in use"
    )))
}
