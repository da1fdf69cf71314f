//! The field by which a form shows that our own page sent it.

use crate::form_token::FormToken;
use leptos::prelude::*;

/// The page's [`FormToken`]. Renders nothing if it has none.
#[component]
pub fn HiddenFormToken() -> impl IntoView {
    FormToken::of_page().map(|token| view! { <input type="hidden" name="proof" value=token /> })
}
