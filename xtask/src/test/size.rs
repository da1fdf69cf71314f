//! The client as it is sent to browsers: built small, laid out, and measured.

use super::Request;
use crate::client::{self, Kind, Warnings};
use crate::fault::{Fault, Result};
use crate::tally::Tally;
use crate::{precompress, site, workspace};

/// The size limit of the confirm page's scripts, compressed, in bytes.
///
/// The whole page has 65 kB until it navigates. The rest is for its HTML and inline script, which
/// the browser tests measure together with these files as they really arrive.
const BUDGET: u64 = 56_000;

/// Builds the release client into the site of the tests, and holds it to its budget.
pub fn client(_: &Request<'_>) -> Result<Tally> {
    let site = workspace::test_site();
    client::build(Kind::Small, Warnings::Denied, &site)?;
    site::lay_out(&site)?;
    precompress::folder(&site)?;
    let mut total = 0;
    for file in client::files(&site) {
        let weight = precompress::size(&file)?;
        println!(
            "{:7} bytes  {}",
            weight,
            file.file_name().unwrap_or_default().display()
        );
        total += weight;
    }
    if total > BUDGET {
        return Err(Fault::new(format!(
            "the client weighs {total} bytes compressed, {} over its budget",
            total - BUDGET
        )));
    }
    println!("{total:7} bytes of {BUDGET}");
    Ok(Tally::PASS)
}
