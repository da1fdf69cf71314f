//! What of a candidate runs.

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Without a worker: what has begun waits.
    Pages,
    All,
}
