//! What the application answers.

use axum::http::{HeaderMap, header};

/// A response that was read in full.
#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl TestResponse {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where it leads.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// The cookies that it sets, and, without a value, those that it removes.
    pub fn cookies(&self) -> Vec<(String, Option<String>)> {
        let lines = self.headers.get_all(header::SET_COOKIE);
        let cookie = |line: &str| {
            let (name, value) = line.split(';').next()?.split_once('=')?;
            let removed = line.contains("Max-Age=0");
            Some((name.to_owned(), (!removed).then(|| value.to_owned())))
        };
        lines
            .iter()
            .filter_map(|line| cookie(line.to_str().ok()?))
            .collect()
    }

    /// Whether it sets a cookie of this name.
    pub fn sets(&self, name: &str) -> bool {
        self.cookies()
            .iter()
            .any(|(set, value)| set == name && value.is_some())
    }

    /// The text between two others in its body.
    pub fn between(&self, start: &str, end: &str) -> Option<&str> {
        self.body.split_once(start)?.1.split(end).next()
    }

    /// It has this status.
    #[track_caller]
    pub fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// It redirects to this path.
    #[track_caller]
    pub fn assert_leads_to(self, path: &str) -> Self {
        assert_eq!(
            (self.status, self.location()),
            (303, Some(path)),
            "{self:#?}"
        );
        self
    }

    /// Its body has this text.
    #[track_caller]
    pub fn assert_says(self, text: &str) -> Self {
        assert!(self.body.contains(text), "{text:?} is missing: {self:#?}");
        self
    }

    /// Its body does not have this text.
    #[track_caller]
    pub fn assert_does_not_say(self, text: &str) -> Self {
        assert!(!self.body.contains(text), "{text:?} is there: {self:#?}");
        self
    }

    /// It sets and removes no cookie.
    #[track_caller]
    pub fn assert_sets_nothing(self) -> Self {
        assert!(self.cookies().is_empty(), "{self:#?}");
        self
    }
}
