//! Where things are: the project's folder and what is built in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The name of the server's binary, and of the browser's files in the site's `pkg` folder.
pub const NAME: &str = "vestibule";

/// The package of the browser's half; it is built for wasm32 alone, never beside the server.
pub const FRONTEND: &str = "vestibule-frontend";

/// The choice of what is compiled natively, but these commands. The feature is for the tests of
/// applications, and off by default.
pub const NATIVE: [&str; 7] = [
    "--workspace",
    "--exclude",
    FRONTEND,
    "--exclude",
    "xtask",
    "--features",
    "vestibule-server/testing",
];

/// The platform of the browser's half.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The project's folder.
pub fn root() -> PathBuf {
    // Cargo says where this crate is now; the folder that the compiler knew may have been moved
    // since.
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// The application in Leptos, a project of its own.
pub fn shop() -> PathBuf {
    root().join("examples/leptos-app")
}

/// Cargo's folder for the native build.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Cargo's folder for the browser's half. It is separate because its compiler may be another
/// version.
pub fn front() -> PathBuf {
    target().join("front")
}

/// Our own working folder.
pub fn scratch() -> PathBuf {
    target().join("xtask")
}

/// The public folder that the server serves.
pub fn site() -> PathBuf {
    target().join("site")
}

/// The public folder of the browser tests, so that a server running beside them keeps its own.
pub fn test_site() -> PathBuf {
    target().join("test-site")
}

/// The server's binary, of the `dev` or the `release` profile.
pub fn server(release: bool) -> PathBuf {
    let folder = if release { "release" } else { "debug" };
    target()
        .join(folder)
        .join(format!("{NAME}{}", env::consts::EXE_SUFFIX))
}

/// Whether `folder` holds a standard library; an interrupted installation leaves an empty one.
pub fn holds_core(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}
