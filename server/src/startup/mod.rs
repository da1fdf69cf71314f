//! From settings to a running server: what it keeps, to whom it pushes, its tasks, and their end.

pub mod error;
pub mod file_limit;
pub mod push;
pub mod router;
pub mod storage;
pub mod tasks;
