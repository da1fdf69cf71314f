//! What every store promises. A new adapter is added to `adapters()` and has to pass all of it.

mod authority;
mod begin;
mod caps;
mod claim;
mod decide;
mod sessions;
mod signing_keys;
mod undecided;
mod users;
mod wait;
