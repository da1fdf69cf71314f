//! Requests to the HTTP API.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_broker::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::request(bytes));
