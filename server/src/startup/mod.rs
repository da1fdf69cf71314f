//! From settings to a running server: its storage, its push, its tasks, and their shutdown.

pub mod core;
pub mod error;
pub mod ops;
pub mod origins;
pub mod push;
pub mod router;
pub mod sockets;
pub mod stop_signals;
pub mod storage;
pub mod tasks;
