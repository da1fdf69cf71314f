//! The field by which a form shows that our own page sent it.

use leptos::prelude::*;

/// A MAC bound to the browser's cookie, for browsers that send neither `Sec-Fetch-Site` nor
/// `Origin`. Renders nothing if there is no MAC.
#[component]
pub fn HiddenProof(
    /// The MAC, as text.
    proof: Option<String>,
) -> impl IntoView {
    proof.map(|proof| view! { <input type="hidden" name="proof" value=proof /> })
}
