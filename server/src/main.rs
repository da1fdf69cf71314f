//! The binary `vestibule`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    vestibule_server::cli::main().await
}
