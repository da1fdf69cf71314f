//! The binary `sign_ins`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    vestibule_server::cli::main().await
}
