//! The link to practice mode's mailbox.

use crate::base::at;
use leptos::prelude::*;

/// Shows the link, in practice mode.
#[component]
pub fn PracticeMailbox(
    /// Whether this is practice mode.
    practice: bool,
) -> impl IntoView {
    practice.then(|| {
        view! {
            <p>
                "In practice mode it arrives in the " <a href=at("/practice/mail") target="_blank">"practice mailbox"</a> "."
            </p>
        }
    })
}
