//! Named places where a test halts a real process, to kill it exactly there or to stop it for a
//! while. Compiled for tests alone.

/// Halts the task if `VESTIBULE_HALT_AT` names this place, until the standard input ends, and says
/// so on the standard error.
#[cfg(feature = "testing")]
pub fn reach(place: &'static str) {
    use std::{io, sync::LazyLock};
    static HALT_AT: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("VESTIBULE_HALT_AT").ok());
    if HALT_AT.as_deref() == Some(place) {
        eprintln!("halted at {place}");
        // The other tasks of this thread go on elsewhere.
        tokio::task::block_in_place(|| io::copy(&mut io::stdin().lock(), &mut io::sink())).ok();
    }
}

/// Nothing, outside of tests.
#[cfg(not(feature = "testing"))]
pub const fn reach(_: &'static str) {}
