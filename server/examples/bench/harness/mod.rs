//! What the measurements have in common: who asks, what is asked, in which process, and the table.

pub mod client;
pub mod database;
pub mod paced;
pub mod place;
pub mod process;
pub mod push_server;
pub mod service;
pub mod sign_in;
pub mod table;
