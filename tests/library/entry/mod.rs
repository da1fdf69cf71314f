//! From the vestibule into the house, and out again.

mod cap;
mod choice;
mod exchange;
mod sign_out;
