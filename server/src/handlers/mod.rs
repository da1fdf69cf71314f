//! What answers each address: one file for each kind of page, form or call. `routes.rs` says which
//! address leads where.

pub mod after_sign_in;
pub mod approve;
pub mod begin;
pub mod confirm;
pub mod enter;
pub mod files;
pub mod health;
pub mod home;
pub mod island_api;
pub mod login;
pub mod logout;
pub mod magic_link;
pub mod mailbox;
pub mod profile;
pub mod pusher_auth;
pub mod require_user;
pub mod switch_account;
pub mod v1;
