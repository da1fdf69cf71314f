//! The types of `@vestibule/playwright`, the fixtures for the tests of applications.

use super::{Options, browser, programs};
use crate::error::Result;
use crate::test_counts::TestCounts;
use crate::{process, workspace};

/// What the package declares is what its code has, and what an application's tests use.
pub fn types(_: &Options<'_>) -> Result<TestCounts> {
    let folder = workspace::root().join("end2end");
    programs::node(programs::NODE)?;
    browser::dependencies(&folder)?;
    let mut compiler = process::command(browser::tool("npx")?);
    process::run(compiler.current_dir(&folder).args(["--no", "tsc"]))?;
    Ok(TestCounts::PASS)
}
