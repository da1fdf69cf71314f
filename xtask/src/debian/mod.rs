//! For machines that have Debian's apt: packages that are missing are installed, and where rustup
//! cannot help, a second Rust of Debian's compiles the browser's half.

pub mod apt;
pub mod wasm_compiler;
