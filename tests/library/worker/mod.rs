//! What a worker makes of a confirmation, and what may become of a worker meanwhile.

mod cancel;
mod down;
mod lease;
mod load;
mod outage;
mod quiet;
mod requests;
mod shutdown;
mod strangers;
mod sweep;
mod verdicts;
