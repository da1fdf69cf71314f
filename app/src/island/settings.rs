//! What the island needs to know, on its way from the server to the browser: one attribute of the
//! markup.
//!
//! Leptos would carry an island's properties as JSON. That puts a JSON parser into the wasm, a
//! tenth of the page's weight, for eight words without a space in them.

/// When the page begins, and what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartMode {
    /// When the button is pressed.
    #[default]
    Click,
    /// By itself, once it is visible.
    Auto,
    /// It has begun: it waits for a link that is on its way by mail.
    Mail,
}

impl StartMode {
    fn word(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Auto => "auto",
            Self::Mail => "mail",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "auto" => Self::Auto,
            "mail" => Self::Mail,
            _ => Self::Click,
        }
    }
}

/// What the server tells the island.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The token of the link.
    pub token: String,
    /// The private channel of the pending cookie.
    pub channel: String,
    /// The Pusher server's public key.
    pub app_key: String,
    /// The Pusher server's address, such as `wss://push.example:443`; without it, the page's own
    /// server.
    pub socket: Option<String>,
    /// When to begin.
    pub start: StartMode,
    /// Seconds between two polls of the server while the page waits.
    pub poll_seconds: u32,
    /// The base: what stands before the paths of all calls.
    pub base: String,
    /// Where the sign-in leads, if the link says so.
    pub next: Option<String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret.
        f.write_str("Settings(…)")
    }
}

impl Settings {
    /// The attribute's value.
    pub fn pack(&self) -> String {
        let poll = self.poll_seconds.to_string();
        [
            &self.token,
            &self.channel,
            &self.app_key,
            self.start.word(),
            &poll,
            &self.base,
            self.next.as_deref().unwrap_or_default(),
            self.socket.as_deref().unwrap_or_default(),
        ]
        .join(" ")
    }

    /// Reads an attribute's value.
    pub fn unpack(packed: &str) -> Option<Self> {
        let mut words = packed.split(' ');
        let mut word = || words.next().map(str::to_owned);
        Some(Self {
            token: word()?,
            channel: word()?,
            app_key: word()?,
            start: StartMode::of(&word()?),
            poll_seconds: word()?.parse().ok()?,
            base: word()?,
            next: Some(word()?).filter(|next| !next.is_empty()),
            socket: word().filter(|socket| !socket.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, StartMode};

    #[test]
    fn what_is_packed_is_unpacked() {
        let mut settings = Settings {
            token: "to.k_e~n-1".into(),
            channel: "private-confirm-00ff".into(),
            app_key: "key".into(),
            socket: None,
            start: StartMode::Auto,
            poll_seconds: 5,
            base: String::new(),
            next: None,
        };
        assert_eq!(Settings::unpack(&settings.pack()), Some(settings.clone()));
        settings.base = "/auth".into();
        settings.next = Some("/orders?a=1&b=2".into());
        assert_eq!(Settings::unpack(&settings.pack()), Some(settings.clone()));
        settings.socket = Some("wss://push.example:443/path".into());
        for start in [StartMode::Click, StartMode::Mail] {
            settings.start = start;
            assert_eq!(Settings::unpack(&settings.pack()), Some(settings.clone()));
        }
    }

    #[test]
    fn markup_of_another_version_is_not_misread() {
        assert_eq!(Settings::unpack(""), None);
        assert_eq!(Settings::unpack("token channel key auto soon"), None);
        assert_eq!(Settings::unpack("token channel key auto 5"), None);
    }
}
