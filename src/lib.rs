//! *Sign a user in from a worker.*
//!
//! A browser opens `/confirm/{token}`. Whether the token is good is known only to a slow external
//! service, so no request may wait for it. The browser is let into the vestibule at once, with a
//! cookie whose values point to nowhere. A background worker asks the service. If the token is
//! good, it rebinds that session to the real user and announces it; if not, it deletes the session.
//!
//! It is a part of `vestibule-server`, which needs exactly its own version of it: to programs, only
//! what that re-exports is promised, and anything else may change with any version.
//!
//! This crate knows nothing of HTTP servers or HTML. Read it in the order of a sign-in:
//!
//! 1. [`token`], [`pending`]: what a landing reads and gives out. It writes nothing.
//! 2. [`sign_ins`]: what a page can ask for: land, begin, status, cancel.
//! 3. [`confirmation`]: the job and its states; [`session`]: what it rebinds or deletes. Both pure.
//! 4. [`worker`]: takes confirmations through their states, with a [`validator`] and a
//!    [`publisher`].
//! 5. [`entry`]: the exchange of a bound session's secret, and signing out.
//! 6. [`link`], [`mail`]: links of our own, which we send and judge ourselves; [`ticket`]: for
//!    another address.
//! 7. [`caps`]: how much of all this there may be at once.
//! 8. [`operator`]: what an operator does about one of them.
//! 9. [`store`]: where it is all kept; [`secret`]: the only place with cryptography; [`clock`] and
//!    [`timing`]: the only place that reads the time, and how much of it each part has.

// Off for the programs of the workspace; see Cargo.toml.
#![warn(clippy::missing_errors_doc, clippy::must_use_candidate)]

mod backoff;
mod failpoint;
mod id;
mod invisible;

#[cfg(feature = "assertions")]
pub mod assertion;
pub mod audit;
pub mod caps;
pub mod channel;
pub mod clock;
pub mod confirmation;
pub mod device;
pub mod email_address;
pub mod entry;
pub mod link;
pub mod mail;
pub mod notice;
pub mod operator;
pub mod outcome;
pub mod pending;
pub mod publisher;
pub mod secret;
pub mod session;
pub mod sign_ins;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod ticket;
pub mod timing;
#[cfg(any(feature = "http", feature = "pusher"))]
pub mod tls;
pub mod token;
pub mod user;
pub mod validator;
pub mod worker;

pub use vestibule_protocol::path;
