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

/// A client: a package that is compiled to wasm.
pub struct ClientBuild {
    /// The project's folder.
    pub project: PathBuf,
    /// The package that has the entry.
    pub package: &'static str,
    /// Its features.
    pub features: &'static str,
    /// The name of the script and of the wasm file.
    pub output: &'static str,
    /// How it is compiled.
    pub profile: Profile,
}

impl ClientBuild {
    /// Vestibule's own.
    pub fn of_vestibule(profile: Profile) -> Self {
        Self {
            project: workspace::root(),
            package: FRONTEND,
            features: "",
            output: NAME,
            profile,
        }
    }

    /// Builds it into the site folder `site`.
    pub fn build(&self, warnings: Warnings, site: &Path) -> Result {
        let compiled = self.compile(warnings)?;
        let pkg = site.join("pkg");
        fs::create_dir_all(&pkg).at(&pkg)?;
        let files = self.files(site);
        if self.is_current(&compiled, &files) {
            return Ok(());
        }
        step("client bindings", || self.bind(&compiled, &pkg, &files))?;
        if self.profile == Profile::Small {
            step("client shrinking", || shrink(&files[1]))?;
        }
        self.write_stamp(&compiled, &files)
    }

    /// The site's script and wasm files.
    pub fn files(&self, site: &Path) -> [PathBuf; 2] {
        ["js", "wasm"].map(|kind| site.join("pkg").join(format!("{}.{kind}", self.output)))
    }

    fn compile(&self, warnings: Warnings) -> Result<PathBuf> {
        let compiler = wasm_target::compiler()?;
        let front = workspace::front();
        step("client", || {
            let mut build = compiler.cargo();
            build.current_dir(&self.project).args([
                "build",
                "--package",
                self.package,
                "--lib",
                "--features",
                self.features,
                "--target",
                TARGET,
            ]);
            build
                .args(["--profile", self.profile.cargo_profile()])
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
            .join(self.profile.folder())
            .join(format!("{}.wasm", self.package.replace('-', "_"))))
    }

    fn bind(&self, compiled: &Path, pkg: &Path, files: &[PathBuf; 2]) -> Result {
        let [script, wasm] = files;
        let small = self.profile == Profile::Small;
        let mut bindgen = Bindgen::new();
        bindgen
            .input_path(compiled)
            .out_name(self.output)
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
            let whole = fs::read_to_string(script).at(script)?;
            fs::write(script, trim::script(&whole, &long_names)).at(script)?;
        }
        let made = pkg.join(format!("{}_bg.wasm", self.output));
        fs::rename(&made, wasm).at(&made)?;
        // Compressed copies of the last build would be served instead of the new files.
        precompress::remove_copies(files)
    }

    fn stamp([script, _]: &[PathBuf; 2]) -> PathBuf {
        let site = script.ancestors().nth(2).and_then(Path::file_name);
        let site = site.unwrap_or_default().to_string_lossy();
        workspace::scratch().join(format!("{site}.stamp"))
    }

    /// Whether the `files` are what `compiled` was last made into.
    fn is_current(&self, compiled: &Path, files: &[PathBuf; 2]) -> bool {
        let Some(now) = self.fingerprint(compiled, files) else {
            return false;
        };
        fs::read_to_string(Self::stamp(files)).is_ok_and(|then| then == now)
    }

    fn write_stamp(&self, compiled: &Path, files: &[PathBuf; 2]) -> Result {
        let stamp = Self::stamp(files);
        if let Some(folder) = stamp.parent() {
            fs::create_dir_all(folder).at(folder)?;
        }
        let fingerprint = self.fingerprint(compiled, files);
        fs::write(&stamp, fingerprint.unwrap_or_default()).at(&stamp)
    }

    /// Sizes and times of the input and output files: cargo-leptos may have written to the same
    /// folder meanwhile.
    fn fingerprint(&self, compiled: &Path, [script, wasm]: &[PathBuf; 2]) -> Option<String> {
        let mut text = format!("{:?}\n", self.profile);
        for file in [compiled, script, wasm] {
            let facts = fs::metadata(file).ok()?;
            let changed = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            let _ = writeln!(text, "{} {}", facts.len(), changed.as_nanos());
        }
        Some(text)
    }
}

/// Cargo closes a package's warnings with a line of this form, also when it shows them again from
/// its cache.
fn is_summary_of_warnings(line: &str) -> bool {
    line.starts_with("warning: `") && line.contains(" generated ")
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
