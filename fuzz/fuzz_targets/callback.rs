//! A validator's calls: their headers, their signatures and their bodies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule::{
    clock::Timestamp,
    secret::{WebhookHeaders, WebhookKeys},
    validator::CallbackBody,
};

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let keys = WebhookKeys::from([7; 32]);
    let _ = CallbackBody::read(bytes);
    // What was never signed is not genuine, whatever its headers say.
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (id, signatures) = (text(), text());
    let body = text().unwrap_or_default().as_bytes();
    let headers = WebhookHeaders::read(id, Some("1800000000"), signatures, now);
    assert!(headers.is_err() || keys.verify(&headers.unwrap(), body).is_err());
    // What was signed is, whatever it is.
    let id = id.filter(|id| !id.is_empty()).unwrap_or("id");
    let (timestamp, signature) = keys.sign(id, now, body);
    let signed = WebhookHeaders::read(Some(id), Some(&timestamp), Some(&signature), now);
    assert!(keys.verify(&signed.unwrap(), body).is_ok());
});
