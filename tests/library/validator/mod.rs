//! The validator behind an HTTP address: only what the protocol says is a verdict; everything else
//! is a failure, never "invalid".

mod answers;
mod service;
