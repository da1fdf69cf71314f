//! The component: what the confirm page's visitor sees and presses.

use super::{
    journey::{Journey, JourneyEvent, View},
    landing::Landing,
    sentence::{elapsed, longer},
};
use leptos::prelude::*;

/// Takes a visitor through one confirmation: that of the [`Landing`] that the server has made for
/// the request.
///
/// Without JavaScript what it renders is a sentence and a form that works; nothing else is visible
/// until there is something to say. It is an island, and works as well in a page all of which is
/// hydrated.
#[component]
pub fn Confirm() -> impl IntoView {
    view! { <Island /> }
}

/// The part of [`Confirm`] that lives in the browser: all of it.
#[island]
fn Island() -> impl IntoView {
    let Landing {
        settings,
        form_token,
    } = Landing::current();
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

#[cfg(feature = "hydrate")]
use super::page::start;

/// On the server nothing happens to a page.
#[cfg(not(feature = "hydrate"))]
fn start(
    _: Journey,
    _: RwSignal<View>,
    _: super::settings::Settings,
) -> impl Fn(JourneyEvent) + Clone + use<> {
    |_| {}
}
