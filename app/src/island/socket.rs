//! The browser's socket, and the one request that is not a server function.

use super::{
    journey::CallError,
    json::{self, Json},
    listener::{Listener, listen},
};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CloseEvent, Event, MessageEvent, RequestInit, Response, UrlSearchParams, WebSocket};

/// An open socket, or one that is being opened; closed when dropped.
pub(super) struct BrowserSocket(pub(super) WebSocket);

impl BrowserSocket {
    /// Opens a socket; none where the browser refuses the address.
    pub(super) fn open(address: &str, listener: &Listener) -> Option<Self> {
        let socket = WebSocket::new(address).ok()?;
        listen(&socket, "message", listener);
        listen(&socket, "close", listener);
        Some(Self(socket))
    }

    /// Sends a text frame. A socket that cannot take it will say that it closed.
    pub(super) fn send(&self, frame: &str) {
        let _ = self.0.send_with_str(frame);
    }
}

impl Drop for BrowserSocket {
    fn drop(&mut self) {
        // Closing a socket on its way makes browsers write an error on the console. It is closed
        // when it greets.
        if self.0.ready_state() != WebSocket::CONNECTING {
            let _ = self.0.close();
        }
    }
}

/// Whether `event` comes from `current`. A former socket that sends one is closed.
pub(super) fn is_from(event: &Event, current: Option<&BrowserSocket>) -> bool {
    let target = event.target().map(JsValue::from);
    if target.as_ref() == current.map(|socket| socket.0.as_ref()) {
        return true;
    }
    if let Some(former) = target {
        let _ = former.unchecked_into::<WebSocket>().close();
    }
    false
}

/// The text of a message event.
pub(super) fn text(event: &Event) -> Option<String> {
    event.unchecked_ref::<MessageEvent>().data().as_string()
}

/// The code of a close event.
pub(super) fn code(event: &Event) -> u16 {
    event.unchecked_ref::<CloseEvent>().code()
}

/// Where the socket is: at the Pusher server's address, or below the `base` of this page's own
/// server.
pub(super) fn address(server: Option<String>, base: &str, app_key: &str) -> String {
    // `http` becomes `ws`, and `https` becomes `wss`.
    let own = || {
        "ws".to_owned()
            + window()
                .location()
                .origin()
                .unwrap_or_default()
                .trim_start_matches("http")
            + base
    };
    server.unwrap_or_else(own)
        + "/app/"
        + app_key
        + "?protocol=7&client=vestibule&version="
        + env!("CARGO_PKG_VERSION")
}

/// Posts a form to this page's own server.
pub(super) async fn post(path: &str, body: &str) -> Result<Json, CallError> {
    let response = fetch(path, body).await.ok_or(CallError::Lost)?;
    let patience = || {
        response
            .headers()
            .get("retry-after")
            .ok()
            .flatten()
            .and_then(|seconds| seconds.parse().ok())
    };
    match response.status() {
        200 => read(&response).await.ok_or(CallError::Lost),
        422 => Err(CallError::NoCookie),
        429 => Err(CallError::TooMany(patience().unwrap_or_default())),
        503 => Err(CallError::Busy(patience().unwrap_or_default())),
        _ => Err(CallError::Lost),
    }
}

async fn fetch(path: &str, body: &str) -> Option<Response> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&UrlSearchParams::new_with_str(body).ok()?.into());
    Some(
        JsFuture::from(window().fetch_with_str_and_init(path, &init))
            .await
            .ok()?
            .unchecked_into(),
    )
}

async fn read(response: &Response) -> Option<Json> {
    json::parse(
        &JsFuture::from(response.text().ok()?)
            .await
            .ok()?
            .as_string()?,
    )
}
