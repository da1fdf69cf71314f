//! The `User-Agent` header, in words for a person.

use axum::http::{HeaderMap, header};
use vestibule::device::Device;

/// Products in `User-Agent` that name a browser, besides those that it descends from. On iOS each
/// has a word of its own.
const BROWSERS: [(&str, &str); 24] = [
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("OPR", "Opera"),
    ("OPT", "Opera"),
    ("OPX", "Opera"),
    ("OPiOS", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("FxiOS", "Firefox"),
    ("Focus", "Firefox Focus"),
    ("GSA", "Google app"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg", "DuckDuckGo"),
    ("YaBrowser", "Yandex Browser"),
    ("Vivaldi", "Vivaldi"),
    ("UCBrowser", "UC Browser"),
    ("Brave", "Brave"),
    ("MiuiBrowser", "Mi Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("Instagram", "Instagram"),
    ("MicroMessenger", "WeChat"),
    ("Line", "LINE"),
];
/// Products that say nothing of what else descends from them; the last of each engine is the
/// engine's own browser.
const COMMON: [&str; 11] = [
    "Mozilla",
    "AppleWebKit",
    "Gecko",
    "Version",
    "Mobile",
    "Safari",
    "Chrome",
    "Chromium",
    "Firefox",
    "Ubuntu",
    "Fedora",
];
const SYSTEMS: [(&str, &str); 8] = [
    ("Windows Phone", "Windows Phone"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
];

/// The browser and its system, such as "Firefox on Linux", as far as it is certain: a browser that
/// goes by a name which is not known here is not taken for the one that it descends from. Whatever
/// else it says, none of it is kept.
pub fn device(headers: &HeaderMap) -> Option<Device> {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let system = SYSTEMS
        .iter()
        .find(|(mark, _)| agent.contains(mark))
        .map(|(_, name)| *name);
    match (browser(agent), system) {
        (Some(browser), Some(system)) => Device::new(&format!("{browser} on {system}")),
        (Some(one), None) | (None, Some(one)) => Device::new(one),
        (None, None) => None,
    }
}

fn browser(agent: &str) -> Option<&'static str> {
    let products: Vec<&str> = outside_comments(agent)
        .flat_map(str::split_whitespace)
        .filter_map(product)
        .collect();
    let has = |name: &str| products.contains(&name);
    if let Some((_, name)) = BROWSERS.iter().find(|(mark, _)| has(mark)) {
        return Some(*name);
    }
    // Part of an app, which is no browser of its own.
    let embedded =
        agent.contains("; wv)") || agent.contains("[FB") || (has("Version") && has("Chrome"));
    if embedded || products.iter().any(|product| !COMMON.contains(product)) {
        return None;
    }
    if has("Firefox") {
        Some("Firefox")
    } else if has("Chrome") {
        Some("Chrome")
    } else {
        (has("Safari") && has("Version")).then_some("Safari")
    }
}

/// The parts of `User-Agent` between its comments (RFC 9110, section 10.1.5).
fn outside_comments(agent: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    agent.split_inclusive(['(', ')']).filter_map(move |part| {
        let outside = (depth == 0).then(|| part.trim_end_matches(['(', ')']));
        depth = if part.ends_with('(') {
            depth + 1
        } else {
            depth.saturating_sub(usize::from(part.ends_with(')')))
        };
        outside
    })
}

/// The name of a product, which has a version; an app's own name may go without the slash.
fn product(word: &str) -> Option<&str> {
    let name = word.split_once('/').map(|(name, _)| name);
    let name = name.or(Some(word).filter(|word| matches!(*word, "Instagram")))?;
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        .then_some(name)
}

/// A browser's name within a sentence.
pub fn words(device: Option<&Device>) -> &str {
    device.map_or("an unknown browser", Device::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_browser_is_told_by_the_name_that_people_know() {
        for (agent, told) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/143.0 Mobile/15E148 Safari/605.1.15",
                "Firefox on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 EdgiOS/140.0 Mobile/15E148 Safari/604.1",
                "Edge on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1 OPT/5.4",
                "Opera on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
                "DuckDuckGo on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/389.0 Mobile/15E148 Safari/604.1",
                "Google app on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1 Novel/3",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/480.0]",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 350.0 (iPhone; en)",
                "Instagram on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36 EdgA/141.0",
                "Edge on Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 YaBrowser/25.8 Mobile Safari/537.36",
                "Yandex Browser on Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0 Mobile Safari/537.36",
                "Android",
            ),
            ("w3m/0.5.3", "an unknown browser"),
            ("<script>alert(1)</script> Firefox/1", "Firefox"),
        ] {
            let headers =
                HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_str(agent).unwrap())]);
            assert_eq!(words(device(&headers).as_ref()), told);
        }
        assert_eq!(device(&HeaderMap::new()), None);
    }
}
