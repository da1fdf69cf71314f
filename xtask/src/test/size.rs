//! The client as it is sent to browsers: built small, laid out, and measured.

use super::Options;
use crate::build::client::{ClientBuild, Profile, Warnings};
use crate::build::{precompress, site};
use crate::error::{Error, Result};
use crate::test_counts::TestCounts;
use crate::workspace;

/// The size limit of the confirm page's scripts, compressed, in bytes.
///
/// The whole page has 63 kB until it navigates. The rest is for its HTML and inline script, which
/// the browser tests measure together with these files as they really arrive.
const BUDGET: u64 = 54_000;

/// Builds the release client into the site of the tests, and holds it to its budget.
pub fn client(_: &Options<'_>) -> Result<TestCounts> {
    let site = workspace::test_site();
    let client = ClientBuild::of_vestibule(Profile::Small);
    client.build(Warnings::Denied, &site)?;
    site::assemble(&site)?;
    precompress::folder(&site)?;
    let mut total = 0;
    for file in client.files(&site) {
        let weight = precompress::size(&file)?;
        println!(
            "{:7} bytes  {}",
            weight,
            file.file_name().unwrap_or_default().display()
        );
        total += weight;
    }
    if total > BUDGET {
        return Err(Error::new(format!(
            "the client weighs {total} bytes compressed, {} over its budget",
            total - BUDGET
        )));
    }
    println!("{total:7} bytes of {BUDGET}");
    Ok(TestCounts::PASS)
}
