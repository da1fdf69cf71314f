//! How a worker handles a confirmation, and what may happen to the worker meanwhile.

mod cancel;
mod direct;
mod down;
mod later;
mod lease;
mod load;
mod outage;
mod quiet;
mod requests;
mod shutdown;
mod strangers;
mod sweep;
mod verdicts;
