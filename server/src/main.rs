//! The binary `vestibule`.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Requests move between threads, and what they free with them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    vestibule_server::internals::main().await
}
