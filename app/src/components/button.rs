//! The button that sends a form.

use crate::base::at;
use leptos::prelude::*;

/// A button that sends the form around it.
#[component]
pub fn Button(
    /// What the button says.
    #[prop(into)]
    label: String,
    /// The secondary of two choices: drawn as an outline.
    #[prop(optional)]
    quiet: bool,
    /// Sent with the form as `choice` when this very button is pressed.
    #[prop(optional, into)]
    choice: Option<String>,
    /// What it is about, where several say the same: heard after the label, and not seen.
    #[prop(optional, into)]
    about: Option<String>,
    /// The path below the base to which this very button sends the form, whatever else it lacks.
    #[prop(optional)]
    action: Option<&'static str>,
) -> impl IntoView {
    let class = if quiet {
        "button button-quiet"
    } else {
        "button"
    };
    let name = choice.is_some().then_some("choice");
    let heard = about.map(|about| format!("{label}: {about}"));
    view! {
        <button
            class=class
            name=name
            value=choice
            formaction=action.map(at)
            formnovalidate=action.is_some()
            aria-label=heard
        >
            {label}
        </button>
    }
}
