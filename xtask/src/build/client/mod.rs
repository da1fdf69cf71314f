//! The browser's half: compiled to wasm, joined to JavaScript by wasm-bindgen, put into the site's
//! `pkg` folder.

mod trim;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use wasm_bindgen_cli_support::Bindgen;

use super::{precompress, wasm_target};
use crate::error::{At, Error, Result};
use crate::process::{self, Stream};
use crate::step::step;
use crate::workspace::{self, FRONTEND, NAME, TARGET};

/// What a client is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A quick build: no optimisation.
    Quick,
    /// A small download.
    Small,
}

impl Profile {
    fn cargo_profile(self) -> &'static str {
        match self {
            Self::Quick => "dev",
            Self::Small => "wasm-release",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Quick => "debug",
            Self::Small => "wasm-release",
        }
    }
}

/// How the compiler's warnings are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warnings {
    /// They are shown.
    Shown,
    /// One of them fails the build.
    Denied,
}

/// Builds the client into the site folder `site`.
pub fn build(profile: Profile, warnings: Warnings, site: &Path) -> Result {
    let compiled = compile(profile, warnings)?;
    let pkg = site.join("pkg");
    fs::create_dir_all(&pkg).at(&pkg)?;
    if is_current(profile, &compiled, &pkg) {
        return Ok(());
    }
    step("client bindings", || bind(profile, &compiled, &pkg))?;
    if profile == Profile::Small {
        step("client shrinking", || shrink(&wasm(&pkg)))?;
    }
    write_stamp(profile, &compiled, &pkg)
}

/// The site's script and wasm files.
pub fn files(site: &Path) -> [PathBuf; 2] {
    let pkg = site.join("pkg");
    [script(&pkg), wasm(&pkg)]
}

fn script(pkg: &Path) -> PathBuf {
    pkg.join(format!("{NAME}.js"))
}

fn wasm(pkg: &Path) -> PathBuf {
    pkg.join(format!("{NAME}.wasm"))
}

fn compile(profile: Profile, warnings: Warnings) -> Result<PathBuf> {
    let compiler = wasm_target::compiler()?;
    let front = workspace::front();
    step("client", || {
        let mut build = compiler.cargo();
        build.current_dir(workspace::root()).args([
            "build",
            "--package",
            FRONTEND,
            "--target",
            TARGET,
        ]);
        build
            .args(["--profile", profile.cargo_profile()])
            .arg("--target-dir")
            .arg(&front);
        if warnings == Warnings::Shown {
            return process::run(&mut build);
        }
        // Not by RUSTFLAGS, which would compile every dependency again.
        let mut warned = 0;
        process::watch(&mut build, Stream::Errors, |line| {
            warned += usize::from(is_summary_of_warnings(line));
        })?;
        if warned == 0 {
            Ok(())
        } else {
            Err(Error::new(
                "the client compiles with warnings; they are above",
            ))
        }
    })?;
    Ok(front
        .join(TARGET)
        .join(profile.folder())
        .join(format!("{}.wasm", FRONTEND.replace('-', "_"))))
}

/// Cargo closes a package's warnings with a line of this form, also when it shows them again from
/// its cache.
fn is_summary_of_warnings(line: &str) -> bool {
    line.starts_with("warning: `") && line.contains(" generated ")
}

fn bind(profile: Profile, compiled: &Path, pkg: &Path) -> Result {
    let small = profile == Profile::Small;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .out_name(NAME)
        .typescript(false);
    // Leptos names the wasm file itself when it starts the client.
    bindgen
        .omit_default_module_path(true)
        .remove_name_section(small)
        .remove_producers_section(small);
    let mut long_names = Vec::new();
    let outcome = bindgen
        .web(true)
        .and_then(Bindgen::generate_output)
        .and_then(|mut output| {
            if small {
                long_names = trim::wasm(output.wasm_mut());
            }
            output.emit(pkg)
        });
    outcome.map_err(|error| {
        Error::new(format!(
            "wasm-bindgen cannot read {}: {error:#}",
            compiled.display()
        ))
    })?;
    if small {
        let script = script(pkg);
        let whole = fs::read_to_string(&script).at(&script)?;
        fs::write(&script, trim::script(&whole, &long_names)).at(&script)?;
    }
    let made = pkg.join(format!("{NAME}_bg.wasm"));
    fs::rename(&made, wasm(pkg)).at(&made)?;
    // Compressed copies of the last build would be served instead of the new files.
    precompress::remove_copies(&files(pkg.parent().unwrap_or(pkg)))
}

/// Runs binaryen's optimiser where it is installed; it saves a few per cent and is never needed.
fn shrink(wasm: &Path) -> Result {
    let Some(optimiser) = process::on_path("wasm-opt") else {
        return Ok(());
    };
    let smaller = wasm.with_extension("wasm-opt");
    let mut optimise = process::command(optimiser);
    optimise.arg("-Oz").arg(wasm).arg("-o").arg(&smaller);
    if process::run(&mut optimise).is_ok() {
        return fs::rename(&smaller, wasm).at(&smaller);
    }
    println!("the wasm-opt on the PATH cannot read today's wasm, so it was left out");
    if smaller.exists() {
        fs::remove_file(&smaller).at(&smaller)
    } else {
        Ok(())
    }
}

fn stamp(pkg: &Path) -> PathBuf {
    let site = pkg
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy();
    workspace::scratch().join(format!("{site}.stamp"))
}

/// Whether the folder holds what `compiled` was last made into.
fn is_current(profile: Profile, compiled: &Path, pkg: &Path) -> bool {
    let Some(now) = fingerprint(profile, compiled, pkg) else {
        return false;
    };
    fs::read_to_string(stamp(pkg)).is_ok_and(|then| then == now)
}

fn write_stamp(profile: Profile, compiled: &Path, pkg: &Path) -> Result {
    let stamp = stamp(pkg);
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder).at(folder)?;
    }
    fs::write(
        &stamp,
        fingerprint(profile, compiled, pkg).unwrap_or_default(),
    )
    .at(&stamp)
}

/// Sizes and times of the input and output files: cargo-leptos may have written to the same
/// folder meanwhile.
fn fingerprint(profile: Profile, compiled: &Path, pkg: &Path) -> Option<String> {
    let mut text = format!("{profile:?}\n");
    for file in [compiled, &script(pkg), &wasm(pkg)] {
        let facts = fs::metadata(file).ok()?;
        let changed = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let _ = writeln!(text, "{} {}", facts.len(), changed.as_nanos());
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::is_summary_of_warnings;

    #[test]
    fn the_summary_of_a_packages_warnings_is_noticed() {
        assert!(is_summary_of_warnings(
            "warning: `vestibule-app` (lib) generated 2 warnings (run `cargo fix`)"
        ));
    }

    #[test]
    fn a_remark_of_cargo_itself_is_no_warning_of_the_code() {
        assert!(!is_summary_of_warnings(
            "warning: the lock file has unused patches"
        ));
        assert!(!is_summary_of_warnings("   Compiling vestibule-app v0.1.0"));
    }
}
