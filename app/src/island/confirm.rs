//! The component: what the confirm page's visitor sees and presses.

use super::{
    journey::{Journey, JourneyEvent, View},
    sentence::{elapsed, longer},
    settings::{Settings, StartMode},
};
use leptos::prelude::*;

/// Takes a visitor through one confirmation.
///
/// Without JavaScript what it renders is a sentence and a form that works; nothing else is visible
/// until there is something to say.
#[component]
pub fn Confirm(
    /// The token of the link.
    token: String,
    /// The private channel of the pending cookie.
    channel: String,
    /// The Pusher server's public key.
    app_key: String,
    /// The Pusher server's address, such as `wss://push.example:443`; without it, the page's own
    /// server.
    socket: Option<String>,
    /// When to begin.
    start: StartMode,
    /// Seconds between two polls of the server while the page waits.
    poll_seconds: u32,
    /// Where the sign-in leads, if the link says so.
    next: Option<String>,
) -> impl IntoView {
    provide_context(Settings {
        token,
        channel,
        app_key,
        socket,
        start,
        poll_seconds,
        base: base(),
        next,
    });
    view! { <Island /> }
}

/// The part of [`Confirm`] that lives in the browser: all of it.
#[island]
fn Island() -> impl IntoView {
    let settings = settings();
    let form_token = form_token();
    let packed = settings.pack();
    let action = settings.base.clone() + "/confirm/" + &settings.token;
    let journey = Journey::new(
        settings.channel.clone(),
        settings.start,
        settings.poll_seconds,
    );
    let view = RwSignal::new(journey.view());
    let next = settings.next.clone().unwrap_or_default();
    let dispatch = start(journey, view, settings);
    let cancel = dispatch.clone();

    // Closures over a function pointer have one type, so that the code that keeps an attribute up
    // to date is in the wasm once per kind of value and not once per attribute.
    let text = move |of: fn(View) -> String| move || of(view.get());
    let word = move |of: fn(View) -> &'static str| move || of(view.get());
    let flag = move |of: fn(View) -> bool| move || of(view.get());

    view! {
        <section class="confirm" data-settings=packed data-state=word(|view| view.state)>
            <p class="status" role="status">{text(|view| view.sentence.text())}</p>
            <ol class="steps" hidden=flag(|view| (view.start && view.state != "waiting") || view.state == "mailed")>
                <li
                    class="step"
                    data-step="queued"
                    data-progress=word(|view| progress(view, 0))
                    aria-current=word(|view| current(view, 0))
                >
                    "Waiting to be checked"
                </li>
                <li
                    class="step"
                    data-step="contacting"
                    data-progress=word(|view| progress(view, 1))
                    aria-current=word(|view| current(view, 1))
                >
                    "Checking the link"
                </li>
                <li
                    class="step"
                    data-step="outcome"
                    data-progress=word(|view| progress(view, 2))
                    aria-current=word(|view| current(view, 2))
                >
                    "Answer"
                </li>
            </ol>
            <p class="elapsed" hidden=flag(|view| view.seconds < 5)>
                {text(|view| elapsed(view.seconds))}" "<span aria-live="polite">{word(|view| longer(view.sentence, view.seconds))}</span>
            </p>
            <form
                class="actions"
                method="post"
                action=action
                hidden=flag(|view| !view.start)
                on:submit=move |event| {
                    event.prevent_default();
                    dispatch(JourneyEvent::StartPressed);
                }
            >
                <input type="hidden" name="proof" value=form_token />
                <input type="hidden" name="next" value=next />
                <button class="button">{word(|view| if view.again { "Try again" } else { "Continue" })}</button>
            </form>
            <button
                class="button button-quiet"
                type="button"
                hidden=flag(|view| !view.cancel)
                on:click=move |_| cancel(JourneyEvent::CancelPressed)
            >
                "Cancel"
            </button>
        </section>
    }
}

/// Where `step`, counted from 0, stands.
fn progress(view: View, step: usize) -> &'static str {
    match view.steps {
        behind if behind > step => "done",
        behind if behind == step => "current",
        _ => "todo",
    }
}

/// The same for `aria-current`: styles show it by colour and shape alone.
fn current(view: View, step: usize) -> &'static str {
    if view.steps == step { "step" } else { "false" }
}

/// What the server renders the island with. In the browser, the markup has it.
#[cfg(feature = "hydrate")]
fn settings() -> Settings {
    let markup = document().query_selector("[data-settings]").ok().flatten();
    let packed = markup.and_then(|section| section.get_attribute("data-settings"));
    packed
        .and_then(|packed| Settings::unpack(&packed))
        .unwrap_or_default()
}

#[cfg(not(feature = "hydrate"))]
fn settings() -> Settings {
    use_context().unwrap_or_default()
}

/// The base of the page. In the browser the settings have it.
#[cfg(feature = "ssr")]
fn base() -> String {
    crate::base::of_page().as_str().to_owned()
}

#[cfg(not(feature = "ssr"))]
fn base() -> String {
    String::new()
}

/// What the plain form carries. In the browser, the markup has it.
#[cfg(feature = "hydrate")]
fn form_token() -> String {
    String::new()
}

#[cfg(not(feature = "hydrate"))]
fn form_token() -> String {
    crate::form_token::FormToken::of_page().unwrap_or_default()
}

#[cfg(feature = "hydrate")]
use super::page::start;

/// On the server nothing happens to a page.
#[cfg(not(feature = "hydrate"))]
fn start(_: Journey, _: RwSignal<View>, _: Settings) -> impl Fn(JourneyEvent) + Clone + use<> {
    |_| {}
}
