//! What is true of PostgreSQL itself.

mod batch;
mod claim;
mod corrupt;
mod gone;
mod open;
