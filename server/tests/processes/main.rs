//! Real processes: killed at each step and at random moments, and several of them behind a proxy.
//!
//! Browsers, validator and time are real here too. Nothing waits for a fixed time: what has to come
//! is asked for until it is there.

mod audit;
mod callbacks;
mod forwarded;
mod kills;
mod mail;
mod notices;
mod outage;
mod ready;
mod several;
mod slow;
mod stalled;
mod strangers;
mod support;
mod tries;
