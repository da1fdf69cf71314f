//! Moments, as programs and as people read them.

use std::time::SystemTime;
use vestibule::clock::Timestamp;

/// As a program reads it (RFC 3339), to the second.
pub fn rfc3339(moment: Timestamp) -> String {
    humantime::format_rfc3339_seconds(SystemTime::from(moment)).to_string()
}

/// As a person reads it, to the minute.
pub fn utc(moment: Timestamp) -> String {
    let text = rfc3339(moment);
    format!("{} UTC", text.get(..16).unwrap_or(&text).replace('T', ", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_programs_and_to_people() {
        let moment = Timestamp::from_millis(1_700_000_000_999);
        assert_eq!(rfc3339(moment), "2023-11-14T22:13:20Z");
        assert_eq!(utc(moment), "2023-11-14, 22:13 UTC");
    }
}
