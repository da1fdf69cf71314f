//! Where the island meets the browser: one listener for all events, one timer, one socket, and the
//! calls.

#[cfg(feature = "router")]
use super::listener::unlisten;
use super::{
    backoff::Moment,
    connection::{ConnectionEffect, PusherConnection},
    frames,
    journey::{ApiCall, CallError, Effect, Journey, JourneyEvent, View},
    listener::{Listener, listen},
    settings::Settings,
    socket::{self, BrowserSocket},
};
use leptos::prelude::{GetUntracked, RwSignal, Set, StoredValue, document, window};
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};
use vestibule_protocol::Report;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::PageTransitionEvent;

/// The events that a page is told of.
const WINDOW_EVENTS: [&str; 3] = ["pageshow", "pagehide", "online"];
const DOCUMENT_EVENTS: [&str; 3] = ["visibilitychange", "prerenderingchange", "submit"];

/// The page, as long as it shows a confirmation: an application's router may take that away.
struct Page {
    journey: Journey,
    connection: PusherConnection,
    view: RwSignal<View>,
    token: String,
    base: String,
    next: Option<String>,
    address: String,
    socket: Option<BrowserSocket>,
    timer: i32,
    listener: Listener,
    this: Weak<RefCell<Page>>,
}

/// What the server has rendered for this page.
pub(super) fn settings() -> Settings {
    // One that is live already is of the page before.
    let markup = document().query_selector("section.confirm[data-settings]:not([data-live])");
    let Some(markup) = markup.ok().flatten() else {
        #[cfg(feature = "router")]
        super::router::load();
        return Settings::default();
    };
    #[cfg(feature = "router")]
    super::router::taken();
    let _ = markup.set_attribute("data-live", "");
    let packed = markup.get_attribute("data-settings");
    packed
        .and_then(|packed| Settings::unpack(&packed))
        .unwrap_or_default()
}

/// Runs `journey` in this page and keeps `view` showing it. What this returns tells the journey
/// what the visitor pressed.
pub(super) fn start(
    journey: Journey,
    view: RwSignal<View>,
    settings: Settings,
) -> impl Fn(JourneyEvent) + Clone + use<> {
    let page = Rc::new_cyclic(|this: &Weak<RefCell<Page>>| {
        let listener = this.clone();
        let listener =
            Closure::new(move |event: JsValue| with(&listener, |page| page.handle_event(&event)));
        RefCell::new(Page {
            journey,
            connection: PusherConnection::default(),
            view,
            address: socket::address(settings.socket, &settings.base, &settings.app_key),
            base: settings.base,
            next: settings.next,
            token: settings.token,
            socket: None,
            timer: 0,
            listener,
            this: this.clone(),
        })
    });
    {
        let page = page.borrow();
        for name in WINDOW_EVENTS {
            listen(&window(), name, &page.listener);
        }
        for name in DOCUMENT_EVENTS {
            listen(&document(), name, &page.listener);
        }
    }
    // Not before the markup has been taken over as it was rendered.
    let this = Rc::downgrade(&page);
    let first = this.clone();
    spawn_local(async move { with(&first, Page::check_visibility) });
    // It ends with the component; the browser may keep the component's handlers for longer.
    StoredValue::new_local(page);
    move |event| with(&this, |page| page.dispatch(event))
}

fn with(page: &Weak<RefCell<Page>>, act: impl FnOnce(&mut Page)) {
    if let Some(page) = page.upgrade() {
        act(&mut page.borrow_mut());
    }
}

fn moment() -> Moment {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since the page was opened"
    )]
    let now = window().performance().map_or(0, |clock| clock.now() as u64);
    Moment {
        now,
        random: js_sys::Math::random(),
    }
}

impl Page {
    fn handle_event(&mut self, event: &JsValue) {
        // The timer passes nothing.
        let Some(event) = event.dyn_ref::<web_sys::Event>() else {
            let effects = self.connection.due(moment());
            self.apply(effects);
            return self.dispatch(JourneyEvent::TimerFired);
        };
        match event.type_().as_str() {
            "message" => {
                if self.is_from_socket(event)
                    && let Some(text) = socket::text(event)
                {
                    let effects = self.connection.receive(&text, moment());
                    self.apply(effects);
                }
            }
            "close" => {
                if self.is_from_socket(event) {
                    self.socket = None;
                    self.connection.closed(socket::code(event), moment());
                }
            }
            "pagehide" => {
                let effects = self.connection.suspend();
                self.apply(effects);
            }
            // The page's own button is no form that is sent.
            "submit" if event.default_prevented() => {}
            "submit" => self.dispatch(JourneyEvent::FormSubmitted),
            "pageshow" if !event.unchecked_ref::<PageTransitionEvent>().persisted() => {}
            "pageshow" | "online" => {
                let effects = self.connection.resume(moment());
                self.apply(effects);
                self.dispatch(JourneyEvent::Resumed);
            }
            _ => self.check_visibility(),
        }
        self.set_timer();
    }

    /// Whether the event is the current socket's. A former socket that sends one is closed.
    fn is_from_socket(&self, event: &web_sys::Event) -> bool {
        socket::is_from(event, self.socket.as_ref())
    }

    /// The page may have become visible; a page that is being prerendered is not.
    fn check_visibility(&mut self) {
        let prerendering = js_sys::Reflect::get(&document(), &"prerendering".into());
        if document().hidden() || prerendering.is_ok_and(|value| value.is_truthy()) {
            return;
        }
        let effects = self.connection.check(moment());
        self.apply(effects);
        self.dispatch(JourneyEvent::Visible);
    }

    fn dispatch(&mut self, event: JourneyEvent) {
        let at = moment();
        for effect in self.journey.handle(event, at) {
            match effect {
                Effect::Call { call, request } => self.call(call, request),
                Effect::Subscribe(channel) => {
                    let effects = self.connection.listen(channel, at);
                    self.apply(effects);
                }
                Effect::Unsubscribe => {
                    let effects = self.connection.stop();
                    self.apply(effects);
                }
                // It fails for an address that cannot be parsed, which a checked path is not.
                Effect::Navigate(path) => drop(window().location().replace(path.as_str())),
            }
        }
        let view = self.journey.view();
        if view != self.view.get_untracked() {
            self.view.set(view);
        }
        self.set_timer();
    }

    fn call(&self, call: u32, request: ApiCall) {
        let page = self.this.clone();
        let base = self.base.clone();
        let token = self.token.clone();
        let next = self.next.clone();
        spawn_local(async move {
            let report = ask(request, base, token, next).await;
            with(&page, |page| {
                page.dispatch(JourneyEvent::Answer { call, report });
            });
        });
    }

    fn apply(&mut self, effects: Vec<ConnectionEffect>) {
        for effect in effects {
            match effect {
                ConnectionEffect::Open => {
                    self.socket = BrowserSocket::open(&self.address, &self.listener);
                    if self.socket.is_none() {
                        self.connection.refuse();
                    }
                }
                ConnectionEffect::Close => self.socket = None,
                ConnectionEffect::Send(frame) => {
                    if let Some(socket) = &self.socket {
                        socket.send(&frame);
                    }
                }
                ConnectionEffect::Authorize { socket, channel } => self.authorize(socket, channel),
                ConnectionEffect::Subscribed => self.dispatch(JourneyEvent::Subscribed),
                ConnectionEffect::Announced(announcement) => {
                    self.dispatch(JourneyEvent::Announced(announcement));
                }
            }
        }
    }

    fn authorize(&self, socket: String, channel: String) {
        let page = self.this.clone();
        let path = self.base.clone() + "/pusher/auth";
        let body = frames::ask_signature(&socket, &channel, &self.token);
        spawn_local(async move {
            let reply = socket::post(&path, &body).await;
            if let Some(signature) = reply.ok().and_then(|reply| frames::signature(&reply)) {
                with(&page, |page| {
                    let effects = page.connection.signed(&socket, &channel, &signature);
                    page.apply(effects);
                });
            }
        });
    }

    fn set_timer(&mut self) {
        let window = window();
        window.clear_timeout_with_handle(self.timer);
        let next = self.journey.next().min(self.connection.next());
        if next == u64::MAX {
            return;
        }
        let wait = i32::try_from(next.saturating_sub(moment().now) + 1).unwrap_or(i32::MAX);
        let listener = self.listener.as_ref().unchecked_ref();
        self.timer = window
            .set_timeout_with_callback_and_timeout_and_arguments_0(listener, wait)
            .unwrap_or(0);
    }
}

/// What is called after it was dropped throws, so nothing calls the listener any more. Without a
/// router no component is ever dropped.
#[cfg(feature = "router")]
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

async fn ask(
    request: ApiCall,
    base: String,
    token: String,
    next: Option<String>,
) -> Result<Report, CallError> {
    let (path, again) = match request {
        ApiCall::Begin(true) => ("/api/begin", "&again=true"),
        ApiCall::Begin(false) => ("/api/begin", "&again=false"),
        ApiCall::Status => ("/api/status", ""),
        ApiCall::Cancel => ("/api/cancel", ""),
    };
    let mut body = "token=".to_owned() + &token + again;
    if let Some(next) = next {
        body = body + "&next=" + &String::from(js_sys::encode_uri_component(&next));
    }
    let reply = socket::post(&(base + path), &body).await?;
    Report::read(&reply).ok_or(CallError::Lost)
}
