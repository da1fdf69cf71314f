//! From the exchange to the sign-out.

mod cap;
mod choice;
mod disabled;
mod exchange;
mod fresh;
mod sessions;
mod sign_out;
