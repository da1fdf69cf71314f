//! Named places where a test halts a real process, to kill it exactly there. Compiled for tests alone.

/// Halts the thread for ever if `VESTIBULE_HALT_AT` names this place, and says so on the standard error.
#[cfg(feature = "testing")]
pub fn reach(place: &'static str) {
    use std::sync::LazyLock;
    static HALT_AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("VESTIBULE_HALT_AT").ok());
    if HALT_AT.as_deref() == Some(place) {
        eprintln!("halted at {place}");
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, outside of tests.
#[cfg(not(feature = "testing"))]
pub const fn reach(_: &'static str) {}
