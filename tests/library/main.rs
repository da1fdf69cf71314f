//! The library from outside: what a store promises, and a sign-in's way from the landing through
//! the worker to the exchange.
//!
//! Time stands still until a test moves it, the test itself is the validator, and nothing sleeps:
//! what a test waits for is an event, and [`support::soon`] makes a wait without end a failure.

#![cfg(all(
    feature = "sqlite",
    feature = "postgres",
    feature = "redis",
    feature = "http",
    feature = "pusher"
))]

mod beside;
mod entry;
mod link;
mod mode;
mod notice;
mod operator;
mod postgres;
mod publisher;
mod redis;
mod rotation;
mod sign_ins;
mod split;
mod sqlite;
mod store;
mod support;
mod upgrade;
mod validator;
mod worker;
