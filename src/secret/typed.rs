//! Keys that a person has typed. A key is random, or it protects nothing: a text, a pattern or a
//! sequence is guessed.
//!
//! Each rule passes over random bytes but for some one in a million: those make another key.

/// Fewer different bytes, or steps between them, than this have 32 random bytes about once in
/// 10^20.
const FEWEST: usize = 12;

/// Whether a person has typed this key, which was written as `text` and is `bytes`.
pub fn is_typed(text: &str, bytes: &[u8]) -> bool {
    let text = text.trim_end_matches('=');
    if is_text(bytes) || is_pattern(bytes) || is_pattern(text.as_bytes()) {
        return true;
    }
    // `openssl rand -hex 32` is good base64 too, of fewer kinds of characters.
    match hex(text) {
        Some(bytes) => is_text(&bytes) || is_pattern(&bytes),
        None => is_written(text),
    }
}

/// Whether these are a text's bytes: of UTF-8, or nearly all of them printable ASCII.
fn is_text(bytes: &[u8]) -> bool {
    let printable = bytes
        .iter()
        .filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
        .count();
    std::str::from_utf8(bytes).is_ok() || printable * 10 >= bytes.len() * 9
}

/// Whether few bytes occur, or few steps from one to the next, or all of it is repeated.
fn is_pattern(bytes: &[u8]) -> bool {
    let steps: Vec<u8> = bytes
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    let turns: Vec<u8> = steps
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    let repeats = |period: usize| {
        bytes
            .iter()
            .zip(&bytes[period..])
            .all(|(byte, later)| byte == later)
    };
    [bytes, &steps, &turns]
        .into_iter()
        .any(|bytes| kinds(bytes) < FEWEST)
        || (1..=bytes.len() / 2).any(repeats)
}

fn kinds(bytes: &[u8]) -> usize {
    let mut there = [false; 256];
    for byte in bytes {
        there[usize::from(*byte)] = true;
    }
    there.into_iter().filter(|there| *there).count()
}

/// Whether the characters are words: letters of one case, or runs of the same kind. Random base64
/// has both cases, and changes from one kind of character to another two times in three.
fn is_written(text: &str) -> bool {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let kinds: Vec<u8> = text.bytes().map(kind).collect();
    let alike = kinds.windows(2).filter(|pair| pair[0] == pair[1]).count();
    !kinds.contains(&0) || !kinds.contains(&1) || alike * 10 >= kinds.len().saturating_sub(1) * 7
}

/// The bytes that `text` is if it is hexadecimal.
fn hex(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    text.as_bytes()
        .chunks(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256, Sha512};
    use std::fmt::Write as _;

    fn typed(text: &str) -> bool {
        is_typed(text, &STANDARD.decode(text).unwrap())
    }

    #[test]
    fn random_keys_are_taken_however_they_are_written() {
        let mut refused = 0;
        for number in 0_u32..2000 {
            let short = Sha256::digest(number.to_be_bytes());
            let long = Sha512::digest(number.to_be_bytes());
            let hex = short.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let keys = [
                STANDARD.encode(short),
                STANDARD.encode(long),
                STANDARD.encode(&long[..33]),
                hex,
            ];
            refused += keys.iter().filter(|key| typed(key)).count();
        }
        assert_eq!(refused, 0);
    }

    #[test]
    fn texts_in_base64_are_refused() {
        for text in [
            "changeme changeme changeme changeme",
            "0123456789abcdef0123456789abcdef",
            "correct horse battery staple and some more words",
            "Dies ist ein langer Schlüssel, den jemand tippte",
            "ключ, который кто-то напечатал здесь",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c\n",
        ] {
            assert!(typed(&STANDARD.encode(text)), "{text}");
        }
        let latin: Vec<u8> = "Dies ist ein langer Schl\u{fc}ssel von mir"
            .chars()
            .map(|char| char as u8)
            .collect();
        assert!(typed(&STANDARD.encode(latin)));
    }

    #[test]
    fn patterns_and_sequences_are_refused() {
        let sequences: [fn(u8) -> u8; 8] = [
            |_| 0,
            |_| 0xff,
            |place| place,
            |place| 200 - place,
            |place| place.wrapping_mul(7),
            |place| place % 5,
            |place| place.wrapping_mul(place),
            |place| (place % 20).wrapping_mul(101) ^ 0x5a,
        ];
        for (number, sequence) in sequences.into_iter().enumerate() {
            let bytes: Vec<u8> = (0..40).map(sequence).collect();
            assert!(typed(&STANDARD.encode(bytes)), "{number}");
        }
    }

    #[test]
    fn what_is_typed_as_base64_or_as_hex_is_refused() {
        for text in [
            "changemechangemechangemechangemechangemechan",
            "thisisaverylongsecretthatisnotrandomatall123",
            "CORRECThorseBATTERYstaplePURPLEelephantsWIN2",
            "qwertyuiopASDFGHJKLzxcvbnm1234567890QWERTYui",
            "password123password123password123password123",
            "MYPRODUCTIONSECRETFORTHESIGNINSERVEROFACME01",
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
            "6368616e67656d656368616e67656d656368616e67656d656368616e67656d65",
        ] {
            assert!(typed(text), "{text}");
        }
    }
}
