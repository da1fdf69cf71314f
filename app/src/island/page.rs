//! Where the island meets the browser: one listener for all events, one timer, one socket, and the
//! calls.

use super::{
    backoff::Moment,
    connection::{Connection, Signal},
    journey::{Effect, Event, Journey, Request, Setback, View},
    protocol,
    settings::Settings,
    socket::{self, Socket},
};
use leptos::prelude::{GetUntracked, RwSignal, Set, document, window};
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};
use vestibule_protocol::Report;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{EventTarget, PageTransitionEvent};

/// One function for all events and the timer, because each kind of closure costs the page some
/// hundred bytes.
pub(super) type Ear = Closure<dyn FnMut(JsValue)>;

/// The page, as long as it lives.
struct Page {
    journey: Journey,
    connection: Connection,
    view: RwSignal<View>,
    token: String,
    address: String,
    socket: Option<Socket>,
    timer: i32,
    ear: Ear,
    this: Weak<RefCell<Page>>,
}

/// Brings `journey` to life and keeps `view` showing it. What this returns tells the journey what
/// the visitor pressed.
pub(super) fn live(
    journey: Journey,
    view: RwSignal<View>,
    settings: Settings,
) -> impl Fn(Event) + Clone + use<> {
    let page = Rc::new_cyclic(|this: &Weak<RefCell<Page>>| {
        let listener = this.clone();
        let ear = Closure::new(move |event: JsValue| with(&listener, |page| page.happened(&event)));
        RefCell::new(Page {
            journey,
            connection: Connection::default(),
            view,
            address: socket::address(settings.socket, &settings.app_key),
            token: settings.token,
            socket: None,
            timer: 0,
            ear,
            this: this.clone(),
        })
    });
    {
        let page = page.borrow();
        for name in ["pageshow", "pagehide", "online"] {
            listen(&window(), name, &page.ear);
        }
        for name in ["visibilitychange", "prerenderingchange", "submit"] {
            listen(&document(), name, &page.ear);
        }
    }
    // Not before the markup has been taken over as it was rendered.
    let first = page.clone();
    spawn_local(async move { first.borrow_mut().look() });
    move |event| page.borrow_mut().tell(event)
}

/// Adds `ear` as a listener for the events called `name` of `target`.
pub(super) fn listen(target: &EventTarget, name: &str, ear: &Ear) {
    // It fails only if the listener is not a function.
    let _ = target.add_event_listener_with_callback(name, ear.as_ref().unchecked_ref());
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
    fn happened(&mut self, event: &JsValue) {
        // The timer passes nothing.
        let Some(event) = event.dyn_ref::<web_sys::Event>() else {
            let signals = self.connection.due(moment());
            self.follow(signals);
            return self.tell(Event::Due);
        };
        match event.type_().as_str() {
            "message" => {
                if let Some(text) = self.of_socket(event).and_then(|()| socket::text(event)) {
                    let signals = self.connection.hear(&text, moment());
                    self.follow(signals);
                }
            }
            "close" => {
                if self.of_socket(event).is_some() {
                    self.socket = None;
                    self.connection.closed(socket::code(event), moment());
                }
            }
            "pagehide" => {
                let signals = self.connection.sleep();
                self.follow(signals);
            }
            // The page's own button is no form that is sent.
            "submit" if event.default_prevented() => {}
            "submit" => self.tell(Event::Sent),
            "pageshow" if !event.unchecked_ref::<PageTransitionEvent>().persisted() => {}
            "pageshow" | "online" => {
                let signals = self.connection.wake(moment());
                self.follow(signals);
                self.tell(Event::Woken);
            }
            _ => self.look(),
        }
        self.set_timer();
    }

    /// Whether the event is the current socket's. A former socket that sends one is closed.
    fn of_socket(&self, event: &web_sys::Event) -> Option<()> {
        socket::is_from(event, self.socket.as_ref()).then_some(())
    }

    /// The page may have become visible; a page that is being prerendered is not.
    fn look(&mut self) {
        let prerendering = js_sys::Reflect::get(&document(), &"prerendering".into());
        if document().hidden() || prerendering.is_ok_and(|value| value.is_truthy()) {
            return;
        }
        let signals = self.connection.look(moment());
        self.follow(signals);
        self.tell(Event::Seen);
    }

    fn tell(&mut self, event: Event) {
        let at = moment();
        for effect in self.journey.hear(event, at) {
            match effect {
                Effect::Call { call, request } => self.call(call, request),
                Effect::Listen(channel) => {
                    let signals = self.connection.listen(channel, at);
                    self.follow(signals);
                }
                Effect::Hush => {
                    let signals = self.connection.stop();
                    self.follow(signals);
                }
                // It fails for an address that cannot be parsed, which a checked path is not.
                Effect::Leave(path) => drop(window().location().replace(path.as_str())),
            }
        }
        let view = self.journey.view();
        if view != self.view.get_untracked() {
            self.view.set(view);
        }
        self.set_timer();
    }

    fn call(&self, call: u32, request: Request) {
        let page = self.this.clone();
        let token = self.token.clone();
        spawn_local(async move {
            let report = ask(request, token).await;
            with(&page, |page| page.tell(Event::Answer { call, report }));
        });
    }

    fn follow(&mut self, signals: Vec<Signal>) {
        for signal in signals {
            match signal {
                Signal::Open => {
                    self.socket = Socket::open(&self.address, &self.ear);
                    if self.socket.is_none() {
                        self.connection.refuse();
                    }
                }
                Signal::Close => self.socket = None,
                Signal::Send(frame) => {
                    if let Some(socket) = &self.socket {
                        socket.send(&frame);
                    }
                }
                Signal::Sign { socket, channel } => self.sign(socket, channel),
                Signal::Subscribed => self.tell(Event::Subscribed),
                Signal::Announced(announcement) => self.tell(Event::Announced(announcement)),
            }
        }
    }

    fn sign(&self, socket: String, channel: String) {
        let page = self.this.clone();
        let body = protocol::ask_signature(&socket, &channel, &self.token);
        spawn_local(async move {
            let reply = socket::post("/pusher/auth", &body).await;
            if let Some(signature) = reply.ok().and_then(|reply| protocol::signature(&reply)) {
                with(&page, |page| {
                    let signals = page.connection.signed(&socket, &channel, &signature);
                    page.follow(signals);
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
        let ear = self.ear.as_ref().unchecked_ref();
        self.timer = window
            .set_timeout_with_callback_and_timeout_and_arguments_0(ear, wait)
            .unwrap_or(0);
    }
}

async fn ask(request: Request, token: String) -> Result<Report, Setback> {
    let (path, again) = match request {
        Request::Begin(true) => ("/api/begin", "&again=true"),
        Request::Begin(false) => ("/api/begin", "&again=false"),
        Request::Status => ("/api/status", ""),
        Request::Cancel => ("/api/cancel", ""),
    };
    let reply = socket::post(path, &("token=".to_owned() + &token + again)).await?;
    Report::read(&reply).ok_or(Setback::Lost)
}
