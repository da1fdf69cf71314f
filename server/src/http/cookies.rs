//! Cookies: their names, their attributes, and nothing of what their values mean.
//!
//! `__Host-` (RFC 6265bis, section 4.1.3.2) keeps other hosts of the same site, and plain HTTP,
//! from planting them. Plain HTTP exists on loopback only; there the names go without it, because
//! Safari and text browsers drop `Secure` there.
//!
//! `__Host-` cookies are of a whole host (`Path=/`). In an application there may be several of us on
//! one host: there a name ends in the base, such as `__Host-vestibule-session.auth`.

use crate::accounts::device_cookie::DeviceCookie;
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use std::{sync::Arc, time::Duration};
use vestibule::{
    entry::PresentedSecrets,
    path::Base,
    pending::{PendingCookie, TokenTag},
    secret::{Keys, PendingSecret, SessionSecret},
    token::Token,
};

/// The most pending cookies that a browser keeps, and the most that are read of a request.
pub const MAX_PENDING: usize = 16;
/// Longer than browsers keep any cookie (RFC 6265bis, section 5.5): the server ends a session, not
/// the cookie.
const FOREVER: Duration = Duration::from_hours(400 * 24);
/// How long it is remembered to which page a browser was led.
pub const ENTERED: Duration = Duration::from_secs(10);
/// How long the profile tells what was changed there.
const CHANGED: Duration = Duration::from_mins(1);

/// How cookies are named and marked.
#[derive(Clone, Debug)]
pub struct CookiePolicy {
    /// Whether browsers come over HTTPS.
    secure: bool,
    /// What each name ends in: nothing where the host is ours alone.
    suffix: Arc<str>,
}

/// The cookies of one request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestCookies {
    session: Option<String>,
    form: Option<String>,
    known: Option<String>,
    changed: Option<String>,
    entered: Option<String>,
    pending: Vec<(TokenTag, String)>,
}

impl CookiePolicy {
    /// Cookies of a host that is ours, for browsers that come over HTTPS if it is `secure`.
    pub fn of_host(secure: bool) -> Self {
        Self {
            secure,
            suffix: Arc::from(""),
        }
    }

    /// Cookies of the part of a host that is below `base`. A base has no dot, so no two have names
    /// in common.
    pub fn below(base: &Base, secure: bool) -> Self {
        Self {
            secure,
            suffix: base.as_str().replace('/', ".").into(),
        }
    }

    /// Reads a request's cookies. What is not ours is passed over.
    pub fn read(&self, headers: &HeaderMap) -> RequestCookies {
        let mut cookies = RequestCookies::default();
        let ours = self.prefix();
        let pairs = headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        for pair in pairs {
            // Pair by pair, and by name first: other cookies must not hide ours, nor cost much
            // work. Only ASCII white space is trimmed, so that a name with Unicode white space
            // before `__Host-` does not pass for ours.
            let Some(pair) = pair.trim_ascii().strip_prefix(ours.as_bytes()) else {
                continue;
            };
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.is_ascii());
            let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if let Some(purpose) = name.trim_ascii_end().strip_suffix(&*self.suffix) {
                cookies.take(purpose, value.trim_ascii_start());
            }
        }
        cookies
    }

    /// Sets the session cookie.
    pub fn session(&self, secret: &SessionSecret) -> HeaderValue {
        self.set("session", secret.to_cookie(), FOREVER)
    }

    /// Sets the cookie that proofs in forms are bound to.
    pub fn form(&self, value: String) -> HeaderValue {
        self.set("form", value, FOREVER)
    }

    /// Sets the cookie that proves which users this browser is known for.
    pub fn known(&self, known: &DeviceCookie) -> HeaderValue {
        self.set("known", known.to_text(), FOREVER)
    }

    /// Sets the cookie that says what was changed, so that no link to the profile can say so.
    pub fn changed(&self, what: &str) -> HeaderValue {
        self.set("changed", what.to_owned(), CHANGED)
    }

    /// Sets the cookie that says to which page the browser has just been led, and how often.
    pub fn entered(&self, page: &str) -> HeaderValue {
        self.set("entered", page.to_owned(), ENTERED)
    }

    /// Sets a token's pending cookie under the first of its `tags`, and removes those that it
    /// replaces under the others, and `let_go`, those that make room for it.
    pub fn pending(
        &self,
        tags: &[TokenTag],
        value: String,
        lives: Duration,
        cookies: &RequestCookies,
        let_go: &[TokenTag],
    ) -> Vec<HeaderValue> {
        let shown = cookies.pending.iter().map(|(tag, _)| *tag);
        let replaced = shown.filter(|tag| tags.contains(tag) && tags.first() != Some(tag));
        let removed = replaced
            .chain(let_go.iter().copied())
            .map(|tag| self.remove_pending(tag));
        let set = tags
            .first()
            .map(|tag| self.set(&format!("pending-{tag}"), value, lives));
        removed.chain(set).collect()
    }

    /// Removes a token's pending cookie.
    pub fn remove_pending(&self, tag: TokenTag) -> HeaderValue {
        self.set(&format!("pending-{tag}"), String::new(), Duration::ZERO)
    }

    /// Removes the session cookie, all pending ones, and the one that proofs in forms are bound to:
    /// it also says which browser has asked for a link, and the next user of this browser may be
    /// another person.
    pub fn remove_all(&self, cookies: &RequestCookies) -> Vec<HeaderValue> {
        let pending = cookies
            .pending
            .iter()
            .map(|(tag, _)| self.remove_pending(*tag));
        let others =
            ["session", "form"].map(|purpose| self.set(purpose, String::new(), Duration::ZERO));
        pending.chain(others).collect()
    }

    fn prefix(&self) -> &'static str {
        if self.secure {
            "__Host-vestibule-"
        } else {
            "vestibule-"
        }
    }

    fn name(&self, purpose: &str) -> String {
        format!("{}{purpose}{}", self.prefix(), self.suffix)
    }

    fn set(&self, purpose: &str, value: String, lives: Duration) -> HeaderValue {
        let lives = cookie::time::Duration::try_from(lives).unwrap_or(cookie::time::Duration::MAX);
        let cookie = Cookie::build((self.name(purpose), value))
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .path("/")
            .max_age(lives);
        HeaderValue::from_str(&cookie.to_string())
            .expect("names and values of ours are printable ASCII")
    }
}

impl RequestCookies {
    /// Takes a cookie of ours. Of several with one name the first counts.
    fn take(&mut self, purpose: &str, value: &str) {
        let place = match purpose {
            "session" => &mut self.session,
            "form" => &mut self.form,
            "known" => &mut self.known,
            "changed" => &mut self.changed,
            "entered" => &mut self.entered,
            _ => {
                if let Some(tag) = purpose
                    .strip_prefix("pending-")
                    .and_then(|tag| tag.parse().ok())
                {
                    // Browsers send the newest last (RFC 6265, section 5.4).
                    if self.pending.len() == MAX_PENDING {
                        self.pending.remove(0);
                    }
                    self.pending.push((tag, value.to_owned()));
                }
                return;
            }
        };
        place.get_or_insert_with(|| value.to_owned());
    }

    /// What was changed just now.
    pub fn changed(&self) -> Option<&str> {
        self.changed.as_deref()
    }

    /// To which page it has just been led, and how often.
    pub fn entered(&self) -> Option<&str> {
        self.entered.as_deref()
    }

    /// Whether it shows none of ours.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The pending cookies of other tokens than the one with these `tags`, the oldest first: tag
    /// and claimed secret.
    pub fn pending_of_others(&self, tags: &[TokenTag]) -> Vec<(TokenTag, Option<PendingSecret>)> {
        let mut others: Vec<_> = self
            .pending
            .iter()
            .filter(|(tag, _)| !tags.contains(tag))
            .collect();
        others.sort_by_key(|(_, value)| PendingCookie::claimed_minting(value));
        others
            .into_iter()
            .map(|(tag, value)| (*tag, PendingCookie::claimed_secret(value)))
            .collect()
    }

    /// The text of the token's pending cookie, named by the tag under whichever key it was minted
    /// with.
    pub fn pending(&self, keys: &Keys, token: &Token) -> Option<&str> {
        PendingCookie::among(
            keys,
            token,
            self.pending
                .iter()
                .map(|(tag, value)| (*tag, value.as_str())),
        )
    }

    /// The text of the cookie that proofs in forms are bound to.
    pub fn form(&self) -> Option<&str> {
        self.form.as_deref()
    }

    /// The users that this browser is known for.
    pub fn known(&self) -> DeviceCookie {
        DeviceCookie::read(self.known.as_deref())
    }

    /// The session cookie's secret.
    pub fn session(&self) -> Option<SessionSecret> {
        self.session.as_deref().and_then(SessionSecret::from_cookie)
    }

    /// The secrets that this request shows, in a browser that has not said what it is.
    pub fn shown(&self) -> PresentedSecrets {
        let secret =
            |(tag, value): &(TokenTag, String)| Some((*tag, PendingCookie::claimed_secret(value)?));
        PresentedSecrets {
            session: self.session(),
            pending: self.pending.iter().filter_map(secret).collect(),
            device: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule::{clock::Timestamp, secret::SystemEntropy};

    fn request(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(line).unwrap())])
    }

    fn pending(minted: i64) -> String {
        let token = "t".parse().unwrap();
        PendingCookie::mint(&SystemEntropy, Timestamp::from_millis(minted))
            .encode(&Keys::from_secret(&[1; 32]), &token)
    }

    #[test]
    fn over_https_cookies_are_host_only_and_secure() {
        let set = CookiePolicy::of_host(true).session(&SessionSecret::from_bytes([1; 32]));
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-vestibule-session="), "{set}");
        for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(set.contains(part), "{part} is missing in {set}");
        }
        assert!(!set.contains("Domain"));
    }

    #[test]
    fn a_plain_cookie_means_nothing_over_https() {
        let cookies = CookiePolicy::of_host(true).read(&request("vestibule-session=AAAA"));
        assert!(cookies.session.is_none());
    }

    #[test]
    fn a_foreign_cookie_neither_hides_ours_nor_passes_for_ours() {
        let ours = SessionSecret::from_bytes([1; 32]).to_cookie();
        let line = format!(
            "x=\u{e9}; \u{2000}__Host-vestibule-session=theirs; __Host-vestibule-session={ours}"
        );
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        )]);
        let cookies = CookiePolicy::of_host(true).read(&headers);
        assert_eq!(cookies.session(), Some(SessionSecret::from_bytes([1; 32])));
    }

    #[test]
    fn of_thousands_of_pending_cookies_the_newest_few_are_read_and_removed() {
        let policy = CookiePolicy::of_host(true);
        let line = (0..8000)
            .map(|age| format!("__Host-vestibule-pending-{age:016x}=x"))
            .collect::<Vec<_>>()
            .join("; ");
        let cookies = policy.read(&request(&line));
        assert_eq!(cookies.pending.len(), MAX_PENDING);
        assert_eq!(
            cookies.pending.last().map(|(tag, _)| tag.to_string()),
            Some(format!("{:016x}", 7999))
        );
        assert_eq!(policy.remove_all(&cookies).len(), MAX_PENDING + 2);
    }

    #[test]
    fn a_cookie_under_an_old_keys_tag_is_replaced_and_so_is_what_makes_room() {
        let policy = CookiePolicy::of_host(false);
        let line = [1, 2, 3, 4]
            .map(|age| format!("vestibule-pending-000000000000000{age}={}", pending(age)))
            .join("; ");
        let tags = ["00000000000000ff", "0000000000000002"].map(|tag| tag.parse().unwrap());
        let let_go = ["0000000000000004".parse().unwrap()];
        let set = policy.pending(
            &tags,
            pending(9),
            FOREVER,
            &policy.read(&request(&line)),
            &let_go,
        );
        let set: Vec<_> = set.iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(set.len(), 3, "{set:?}");
        assert!(
            set[0].starts_with("vestibule-pending-0000000000000002=;"),
            "{set:?}"
        );
        assert!(
            set[1].starts_with("vestibule-pending-0000000000000004=;"),
            "{set:?}"
        );
        assert!(
            set[2].starts_with("vestibule-pending-00000000000000ff="),
            "{set:?}"
        );
    }

    #[test]
    fn below_a_base_the_cookies_of_others_on_the_host_are_not_seen_and_not_touched() {
        let base = |text: &str| text.parse().unwrap();
        let policies = [
            CookiePolicy::of_host(true),
            CookiePolicy::below(&base("/a"), true),
            CookiePolicy::below(&base("/b/a"), true),
        ];
        let secret = |number| SessionSecret::from_bytes([number; 32]);
        let tag = "00000000000000ff".parse().unwrap();
        let mut pairs = Vec::new();
        for (policy, number) in policies.iter().zip(1..) {
            let set = policy.pending(
                &[tag],
                pending(number),
                FOREVER,
                &RequestCookies::default(),
                &[],
            );
            let number = u8::try_from(number).unwrap();
            let session = policy.session(&secret(number));
            for set in set.iter().chain([&session]) {
                let pair = set.to_str().unwrap().split(';').next().unwrap();
                pairs.push(pair.to_owned());
            }
        }
        let request = request(&pairs.join("; "));
        for (policy, number) in policies.iter().zip(1..) {
            let cookies = policy.read(&request);
            assert_eq!(cookies.session(), Some(secret(number)), "{policy:?}");
            assert_eq!(cookies.pending.len(), 1, "{policy:?}");
            // The pending one, and those of the session and of forms.
            let removed = policy.remove_all(&cookies);
            assert_eq!(removed.len(), 3, "{policy:?}");
            for removed in removed {
                let name = removed.to_str().unwrap().split('=').next().unwrap();
                assert!(name.ends_with(&*policy.suffix), "{name}");
            }
        }
        assert!(
            pairs[3].starts_with("__Host-vestibule-session.a="),
            "{pairs:?}"
        );
    }

    #[test]
    fn others_are_told_from_the_oldest_to_the_newest() {
        let line = [3, 1, 2]
            .map(|age| format!("vestibule-pending-000000000000000{age}={}", pending(age)))
            .join("; ");
        let cookies = CookiePolicy::of_host(false).read(&request(&line));
        let others = cookies.pending_of_others(&["0000000000000002".parse().unwrap()]);
        let tags: Vec<_> = others.iter().map(|(tag, _)| tag.to_string()).collect();
        assert_eq!(tags, ["0000000000000001", "0000000000000003"]);
    }
}
