//! What requests and answers have in common, whatever they are about.

pub mod client_address;
pub mod cookies;
pub mod csrf;
pub mod error;
pub mod files;
pub mod form;
pub mod form_proof;
pub mod host;
pub mod landing_pages;
pub mod listener;
pub mod navigation;
pub mod page;
pub mod pending_limit;
pub mod response;
pub mod run_to_completion;
pub mod security_headers;
pub mod state;
pub mod token_path;
pub mod unverified_callbacks;
pub mod visitor;
