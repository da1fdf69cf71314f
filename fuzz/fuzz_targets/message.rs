//! Messages on a socket, and the names in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_broker::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::message(bytes);
    fuzzing::name(bytes);
    fuzzing::signature(bytes);
});
