//! One static file: its bytes, a compressed copy, and how a request for it is answered (RFC 9110,
//! sections 8.8.3 and 13.1.2).

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::{collections::HashMap, io::Read as _};

/// How many bytes of its SHA-256 tell a file from its other versions. Those are all our own, so no
/// attacker can craft a collision.
const TAG_LENGTH: usize = 9;
/// What the decompressor reads at once.
const CHUNK: usize = 4096;

/// One file for each name in `bytes`, with the compressed copy beside it.
pub fn with_copies(mut bytes: HashMap<String, Vec<u8>>) -> HashMap<String, File> {
    let is_plain = |name: &&String| name.strip_suffix(".br").is_none();
    let names: Vec<String> = bytes.keys().filter(is_plain).cloned().collect();
    let mut files = HashMap::new();
    for name in names {
        let compressed = bytes.remove(&format!("{name}.br"));
        if let Some(plain) = bytes.remove(&name) {
            files.insert(name.clone(), File::new(&name, plain, compressed));
        }
    }
    files
}

/// One static file.
pub struct File {
    content_type: &'static str,
    plain: Representation,
    /// Compressed with Brotli, if there is a copy of it.
    compressed: Option<Representation>,
}

/// The bytes of a file in one encoding, and their entity tag.
struct Representation {
    bytes: Bytes,
    tag: HeaderValue,
}

impl File {
    /// The file of this name. A `compressed` copy that is one of something else is left out.
    pub fn new(name: &str, plain: Vec<u8>, compressed: Option<Vec<u8>>) -> Self {
        let compressed = compressed.filter(|compressed| {
            let good = decompresses_to(compressed, &plain);
            if !good {
                tracing::warn!(
                    "{name}.br is no copy of {name}, so it is not served; build the site again"
                );
            }
            good
        });
        Self {
            content_type: content_type(name),
            plain: plain.into(),
            compressed: compressed.map(Into::into),
        }
    }

    /// Its bytes, as they are.
    pub fn bytes(&self) -> &[u8] {
        &self.plain.bytes
    }

    /// The answer to a request with these `headers`.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let compressed = self.compressed.as_ref().filter(|_| accepts_brotli(headers));
        let chosen = compressed.unwrap_or(&self.plain);
        let known = is_known(headers, &chosen.tag);
        let (status, body) = if known {
            (StatusCode::NOT_MODIFIED, Body::empty())
        } else {
            (StatusCode::OK, Body::from(chosen.bytes.clone()))
        };
        let mut response = (status, body).into_response();
        let answer = response.headers_mut();
        // Asked about each time, and answered by 304: its name stays the same when it changes.
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer.insert(header::ETAG, chosen.tag.clone());
        if self.compressed.is_some() {
            answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if !known {
            answer.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(self.content_type),
            );
            if compressed.is_some() {
                answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
            }
        }
        response
    }
}

impl From<Vec<u8>> for Representation {
    fn from(bytes: Vec<u8>) -> Self {
        let hash = Sha256::digest(&bytes);
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..TAG_LENGTH]));
        Self {
            bytes: bytes.into(),
            tag: HeaderValue::from_str(&tag).expect("base64 is printable ASCII"),
        }
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "json" | "map" => "application/json",
        _ => "application/octet-stream",
    }
}

fn decompresses_to(compressed: &[u8], plain: &[u8]) -> bool {
    let mut bytes = Vec::with_capacity(plain.len());
    // One byte more than there should be, and no end of them.
    let limit = u64::try_from(plain.len())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let read = brotli_decompressor::Decompressor::new(compressed, CHUNK)
        .take(limit)
        .read_to_end(&mut bytes);
    read.is_ok() && bytes == plain
}

/// The elements of a header that is a list (RFC 9110, section 5.6.1), on however many lines.
fn elements(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether the client already has the file with this `tag`. Weak tags count as equal: a proxy that
/// compresses makes ours weak.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    elements(headers, header::IF_NONE_MATCH).any(|known| {
        known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes()
    })
}

/// Whether the client accepts Brotli (RFC 9110, section 12.5.3). `*` does not count: a client that
/// does not name it may not know it.
fn accepts_brotli(headers: &HeaderMap) -> bool {
    elements(headers, header::ACCEPT_ENCODING).any(|element| {
        let mut parts = element.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|coding| coding.eq_ignore_ascii_case("br"));
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    const PLAIN: &[u8] = b"console.log(\"a script\")";
    /// The same, as a Brotli stream of one block that is not compressed (RFC 7932, section 9.2),
    /// and its end.
    fn copy_of(plain: &[u8]) -> Vec<u8> {
        let length = u32::try_from(plain.len() - 1).unwrap();
        // WBITS 16 (1 bit: 0), ISLAST 0, MNIBBLES 4 (2 bits: 0), MLEN - 1 (16 bits), ISUNCOMPRESSED
        // 1; then ISLAST, ISLASTEMPTY.
        let header = (length << 4) | (1 << 20);
        let bytes = header.to_le_bytes();
        [&bytes[..3], plain, &[0b11]].concat()
    }

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    fn file() -> File {
        File::new("/pkg/a.js", PLAIN.to_vec(), Some(copy_of(PLAIN)))
    }

    #[test]
    fn a_copy_of_something_else_is_left_out() {
        assert!(file().compressed.is_some());
        for other in [
            copy_of(b"console.log(\"a scrip!\")"),
            copy_of(&PLAIN[1..]),
            b"no Brotli".to_vec(),
            Vec::new(),
        ] {
            assert!(
                File::new("/pkg/a.js", PLAIN.to_vec(), Some(other))
                    .compressed
                    .is_none()
            );
        }
    }

    #[test]
    fn the_compressed_copy_goes_to_those_who_take_it_and_has_a_tag_of_its_own() {
        let plain = file().answer(&HeaderMap::new());
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        for takes in [
            "br",
            "gzip, deflate, br",
            "gzip;q=1.0, BR;q=0.5",
            "*;q=0, br ; q=0.1",
        ] {
            let answer = file().answer(&headers(&[(header::ACCEPT_ENCODING, takes)]));
            assert_eq!(answer.headers()[header::CONTENT_ENCODING], "br", "{takes}");
            assert_eq!(answer.headers()[header::VARY], "accept-encoding");
            assert_ne!(
                answer.headers()[header::ETAG],
                plain.headers()[header::ETAG]
            );
        }
        for refuses in ["gzip", "br;q=0", "br;q=0.000", "brotli", "*", ""] {
            let answer = file().answer(&headers(&[(header::ACCEPT_ENCODING, refuses)]));
            assert!(
                !answer.headers().contains_key(header::CONTENT_ENCODING),
                "{refuses}"
            );
        }
    }

    #[test]
    fn a_client_that_has_a_file_is_told_that_it_is_unchanged() {
        let tag = file().plain.tag.to_str().unwrap().to_owned();
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            let answer = file().answer(&headers(&[(header::IF_NONE_MATCH, &known)]));
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(answer.headers()[header::ETAG], *tag);
            assert!(!answer.headers().contains_key(header::CONTENT_TYPE));
        }
        let of_the_copy = file().compressed.unwrap().tag;
        for unknown in [
            "\"other\"",
            "",
            "W/",
            tag.trim_matches('"'),
            of_the_copy.to_str().unwrap(),
        ] {
            let answer = file().answer(&headers(&[(header::IF_NONE_MATCH, unknown)]));
            assert_eq!(answer.status(), StatusCode::OK, "{unknown}");
        }
    }

    #[test]
    fn a_time_says_nothing() {
        let answer = file().answer(&headers(&[(
            header::IF_MODIFIED_SINCE,
            "Sat, 01 Jan 2050 00:00:00 GMT",
        )]));
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.headers().contains_key(header::LAST_MODIFIED));
    }
}
