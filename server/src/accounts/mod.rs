//! Accounts beside their sessions: passwords, rate limits, and known browsers.

pub mod device_cookie;
pub mod passwords;
pub mod rate_limits;
pub mod user_agent;
