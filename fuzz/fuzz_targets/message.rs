//! Messages on a socket, and the names in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_fuzz::broker::fuzz;

fuzz_target!(|bytes: &[u8]| {
    fuzz::message(bytes);
    fuzz::name(bytes);
    fuzz::signature(bytes);
});
