//! In an application whose router comes to the page, and leaves it, without the server.

use leptos::prelude::{set_timeout, window};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Whether the landing that the document was loaded with has been taken by a component.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// How often, and after how many milliseconds each, the router is given time to change the address.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// Notes that the document's landing has been taken.
pub(super) fn taken() {
    TAKEN.store(true, Ordering::Relaxed);
}

/// Loads a page that a router has made in the browser from the server, which has made no landing
/// for it. A document that came without a landing in the first place is not loaded again: that would
/// change nothing.
pub(super) fn load() {
    load_once_changed(href(), TRIES);
}

/// The same, once the router has changed the address from what it was `before`: that is what is
/// loaded. On the way back it has changed already.
fn load_once_changed(before: Option<String>, tries: u32) {
    let load = move || {
        if href() == before && tries > 0 {
            load_once_changed(before, tries - 1);
        } else if TAKEN.load(Ordering::Relaxed) || is_elsewhere() {
            let _ = window().location().reload();
        }
    };
    set_timeout(load, PAUSE);
}

/// Whether the document was loaded from another address than this.
fn is_elsewhere() -> bool {
    let entry = window()
        .performance()
        .map(|times| times.get_entries_by_type("navigation").get(0));
    let name = entry.and_then(|entry| js_sys::Reflect::get(&entry, &"name".into()).ok());
    let loaded = name.and_then(|name| name.as_string());
    loaded.is_some_and(|loaded| Some(without_hash(&loaded)) != href().as_deref().map(without_hash))
}

fn href() -> Option<String> {
    window().location().href().ok()
}

fn without_hash(address: &str) -> &str {
    address.split('#').next().unwrap_or_default()
}
