//! The frame around every page.

use crate::base::at;
use leptos::prelude::*;

/// The band with the name, the page itself as `main`, and the foot. It fills the body.
#[component]
pub fn Layout(
    /// The page, opening with its `h1`.
    children: Children,
) -> impl IntoView {
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        <header class="band">
            <p class="wordmark">
                <a href=at("/")>"Vestibule"</a>
            </p>
        </header>
        // Focusable by script and link alone, so that the skip link moves the keyboard's place and
        // not only the view.
        <main id="main" tabindex="-1">
            {children()}
        </main>
        <footer class="foot">
            <p>"Vestibule never sends a message that asks for your password."</p>
        </footer>
    }
}
