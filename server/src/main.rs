//! The binary `vestibule`.

use mimalloc::MiMalloc;
use std::process::ExitCode;
use vestibule_server::internals::{self, use_small_pages};

/// Requests move between threads, and what they free with them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Before anything is allocated that is large.
    use_small_pages();
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    internals::main().await
}
