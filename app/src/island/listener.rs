//! The page's one listener.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::EventTarget;

/// One function for all events and the timer, because each kind of closure costs the page some
/// hundred bytes.
pub(super) type Listener = Closure<dyn FnMut(JsValue)>;

/// Adds `listener` for the events called `name` of `target`.
pub(super) fn listen(target: &EventTarget, name: &str, listener: &Listener) {
    // It fails only if the listener is not a function.
    let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
}

/// Removes it.
#[cfg(feature = "router")]
pub(super) fn unlisten(target: &EventTarget, name: &str, listener: &Listener) {
    let _ = target.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
}
