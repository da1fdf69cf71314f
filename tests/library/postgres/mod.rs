//! What is true of PostgreSQL itself.

mod batch;
mod caps;
mod claim;
mod clock;
mod corrupt;
mod gone;
mod listen;
mod open;
