//! The broker alone, for the fuzz targets.

#[path = "../../server/src/broker/mod.rs"]
pub mod broker;
