//! From the vestibule into the house, and out again.

mod cap;
mod choice;
mod disabled;
mod exchange;
mod fresh;
mod sessions;
mod sign_out;
