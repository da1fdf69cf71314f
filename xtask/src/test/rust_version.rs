//! The oldest Rust that `rust-version` in Cargo.toml names is the one that compiles everything here.
//! A promise that no compiler has tried is worth nothing, and one older than that is not installed.

use super::Options;
use crate::error::Result;
use crate::process;
use crate::test_counts::TestCounts;

/// `rust-version` of the workspace.
pub const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The compiler in use is the oldest one: the other checks, which compile with it, try it. With a
/// newer one this is skipped, which is an error in continuous integration.
pub fn rust_version(_: &Options<'_>) -> Result<TestCounts> {
    let Some(other) = other_than_oldest()? else {
        return Ok(TestCounts::PASS);
    };
    println!("Rust {OLDEST}, the oldest that Cargo.toml promises, is not tried: this is {other}");
    Ok(TestCounts::SKIPPED)
}

/// The compiler in use, by what it says of itself, unless it is the oldest one.
pub fn other_than_oldest() -> Result<Option<String>> {
    let said = process::output(process::rustc().arg("--version"))?;
    Ok((!is_oldest(&said)).then(|| said.trim_end().to_owned()))
}

/// Whether a compiler that says this of itself is the oldest one, of whatever patch release.
fn is_oldest(said: &str) -> bool {
    let version = said.split_whitespace().nth(1).unwrap_or_default();
    let patch = version
        .strip_prefix(OLDEST)
        .and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|patch| patch.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, is_oldest};

    #[test]
    fn a_release_of_the_oldest_version_is_told_from_all_others() {
        let rustc = |version: &str| format!("rustc {version} (59807616e 2026-04-14)\n");
        for patch in ["0", "12"] {
            assert!(is_oldest(&rustc(&format!("{OLDEST}.{patch}"))), "{patch}");
        }
        for other in [
            format!("{OLDEST}.0-nightly"),
            format!("{OLDEST}.0-beta.3"),
            format!("{OLDEST}0.0"),
            "1.0.0".to_owned(),
            "2.0.0".to_owned(),
        ] {
            assert!(!is_oldest(&rustc(&other)), "{other}");
        }
        assert!(!is_oldest("command not found"));
    }

    #[test]
    fn the_pages_name_the_oldest_version() {
        for page in [
            include_str!("../../../README.md"),
            include_str!("../../../docs/EMBEDDING.md"),
        ] {
            assert!(page.contains(&format!("Rust {OLDEST} or newer")));
        }
    }
}
