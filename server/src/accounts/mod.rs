//! Accounts beside their sessions: passwords, how often somebody may try, and the browsers that are
//! known.

pub mod known_browsers;
pub mod passwords;
pub mod rate_limit;
pub mod user_agent;
