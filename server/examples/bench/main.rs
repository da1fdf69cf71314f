//! What `cargo xtask bench` prints: figures of one run on loopback, as ratios where the machine
//! matters.
//!
//! Client and server share this process and its cores, so each figure is one for a machine that
//! does both; where a validator's own work would count, it is a process of its own. Every
//! measurement is bounded in time.

mod authorize;
mod begins;
mod browsers;
mod callbacks;
mod claims;
mod embedded;
mod harness;
mod landings;
mod peers;
mod settled;
mod steady;
mod waiting;

use harness::{client, database, paced, place, process, push_server, service, sign_in, table};
use mimalloc::MiMalloc;
use std::{env, time::Duration};
use table::row;
use vestibule_server::{file_limit, internals::use_small_pages};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How long each rate is measured.
const MEASURE: Duration = Duration::from_secs(5);
/// How many connections ask at once.
const CONNECTIONS: usize = 32;

fn main() {
    // A child has what its parent has, and Redis and Node are left as they are.
    let part = env::args().nth(1).unwrap_or_default();
    if service::WITH_SMALL_PAGES.contains(&part.as_str()) {
        use_small_pages();
    }
    run();
}

#[tokio::main]
async fn run() {
    // Thousands of connections, in this process and those that it starts.
    let _ = file_limit::raise();
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some((part, arguments)) = arguments.split_first() {
        service::be(part, arguments).await;
    } else {
        table::head();
        landings::measure().await;
        authorize::measure().await;
        embedded::measure().await;
        begins::measure().await;
        steady::measure().await;
        settled::measure().await;
        waiting::measure().await;
        callbacks::measure().await;
        claims::measure().await;
        if peers::are_there() {
            peers::measure().await;
        }
    }
    table::write_copy();
}

/// The memory of this process, in KiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(f64::NAN)
}

/// The value below which `share` of the sorted values lie.
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into some thousands of values"
    )]
    let index = (sorted.len().saturating_sub(1) as f64 * share) as usize;
    sorted.get(index).copied().unwrap_or_default()
}
