//! Requests to the HTTP API.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_fuzz::broker::fuzz;

fuzz_target!(|bytes: &[u8]| fuzz::request(bytes));
