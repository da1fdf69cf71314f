//! Accounts beside their sessions: passwords, rate limits, and known browsers.

pub mod known_browsers;
pub mod passwords;
pub mod rate_limit;
pub mod user_agent;
