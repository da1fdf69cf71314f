//! A labelled line of input.

use leptos::prelude::*;

/// A required input with its label. Its name is also its id, so a page has at most one of each
/// name.
#[component]
pub fn Field(
    /// The name it is sent under.
    name: &'static str,
    /// What is asked for.
    label: &'static str,
    /// The input's type, such as `email`.
    kind: &'static str,
    /// What the browser may fill in (an HTML autofill token).
    autocomplete: &'static str,
    /// Which keyboard a phone shows (HTML's `inputmode`), if another than the type's.
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// What is already filled in.
    #[prop(optional, into)]
    value: Option<String>,
    /// The id of the message that says what is wrong with the input, if anything is.
    problem: Option<&'static str>,
) -> impl IntoView {
    let invalid = problem.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                inputmode=inputmode
                autocapitalize="none"
                spellcheck="false"
                required
                aria-invalid=invalid
                aria-describedby=problem
            />
        </div>
    }
}
