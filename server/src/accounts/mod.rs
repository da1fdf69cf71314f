//! Accounts beside their sessions: passwords, rate limits, known browsers, and how a browser and a
//! time are told to a person.

pub mod device_cookie;
pub mod passwords;
pub mod rate_limits;
pub mod time_format;
pub mod user_agent;
