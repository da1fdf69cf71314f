//! Says which step is running and how long each took: builds are long, and silence looks like a
//! hang.

use std::io::{self, Write};
use std::time::Instant;

use crate::error::Result;

/// Runs `work` as the step `name`.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("step {name} …");
    // The step's own processes write to the same terminal; our line must come first.
    let _ = io::stdout().flush();
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    match &result {
        Ok(_) => println!("step {name} {seconds:.1} s"),
        Err(_) => println!("step {name} failed after {seconds:.1} s"),
    }
    result
}
