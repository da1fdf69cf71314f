//! Everything that is logged in this process, with all fields, at every level.

use std::{
    fmt::{Debug, Write as _},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

static LOG: Log = Log::new();

/// Lines that were logged.
pub struct Log(Mutex<String>);

impl Log {
    const fn new() -> Self {
        Self(Mutex::new(String::new()))
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lines so far, of which each begins with its level.
    pub fn lines(&self) -> Vec<String> {
        self.lock().lines().map(str::to_owned).collect()
    }
}

/// Listens from now on.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Ear(&LOG))
            .expect("nothing else listens in the tests");
    });
}

/// Listens to what is logged on this thread, and so to one test alone, until the guard is dropped.
pub fn listen_here() -> (&'static Log, DefaultGuard) {
    let log: &Log = Box::leak(Box::new(Log::new()));
    (log, tracing::subscriber::set_default(Ear(log)))
}

/// What has been logged, by all tests.
pub fn everything_logged() -> String {
    LOG.lock().clone()
}

struct Ear(&'static Log);

struct Line<'l>(&'l mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Ear {
    fn write(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line<'_>)) {
        let mut line = format!("{} {} ", metadata.level(), metadata.target());
        record(&mut Line(&mut line));
        line.push('\n');
        self.0.lock().push_str(&line);
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.write(span.metadata(), |line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = String::new();
        values.record(&mut Line(&mut line));
        self.0.lock().push_str(&line);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
