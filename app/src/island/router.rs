//! In an application whose router comes to the page, and leaves it, without the server.

use super::{
    listener::Listener,
    page::{DOCUMENT_EVENTS, Page, WINDOW_EVENTS},
};
use leptos::prelude::{document, set_timeout, window};
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::EventTarget;

/// Loads a page that a router has made in the browser from the server, which has made no landing
/// for it.
pub(super) fn load() {
    // Only once the router has changed the address: that is what is loaded.
    let load = || {
        if !is_as_loaded() {
            let _ = window().location().reload();
        }
    };
    set_timeout(load, Duration::ZERO);
}

/// Whether the document was loaded from this very address: doing so again would change nothing.
fn is_as_loaded() -> bool {
    let entry = window()
        .performance()
        .map(|times| times.get_entries_by_type("navigation").get(0));
    let name = entry.and_then(|entry| js_sys::Reflect::get(&entry, &"name".into()).ok());
    let loaded = name.and_then(|name| name.as_string());
    let href = window().location().href().ok();
    let without_hash = |address: Option<String>| Some(address?.split('#').next()?.to_owned());
    without_hash(loaded) == without_hash(href)
}

/// What is called after it was dropped throws, so nothing calls the listener any more.
impl Drop for Page {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.timer);
        for name in WINDOW_EVENTS {
            unlisten(&window(), name, &self.listener);
        }
        for name in DOCUMENT_EVENTS {
            unlisten(&document(), name, &self.listener);
        }
        if let Some(socket) = self.socket.take() {
            unlisten(&socket.0, "message", &self.listener);
            unlisten(&socket.0, "close", &self.listener);
            // Also one that is still connecting: nothing would close it later.
            let _ = socket.0.close();
        }
    }
}

fn unlisten(target: &EventTarget, name: &str, listener: &Listener) {
    let _ = target.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
}
