//! Links of our own: asked for, sent, and opened here or elsewhere.

mod askers;
mod bounds;
mod closed;
mod code;
mod elsewhere;
mod harness;
mod here;
mod post;
mod store;
