//! Where mail comes to in practice mode.

use leptos::prelude::*;

/// Leads there, in practice mode.
#[component]
pub fn PracticeMailbox(
    /// Whether it is that.
    practice: bool,
) -> impl IntoView {
    practice.then(|| {
        view! {
            <p>
                "In practice mode it comes to the " <a href="/practice/mail" target="_blank">"practice mailbox"</a> "."
            </p>
        }
    })
}
