//! Help for visitors who did not expect this page.

use crate::base::at;
use leptos::prelude::*;

/// Says what a sign-in link is, what to do with one you did not ask for, and how else to sign in.
#[component]
pub fn WhatIsThis(
    /// For a user who is already signed in, and may well stay so.
    #[prop(optional)]
    signed_in: bool,
) -> impl IntoView {
    let (href, label) = if signed_in {
        ("/profile", "Go to your profile instead")
    } else {
        ("/login", "Sign in with a password instead")
    };
    view! {
        <section class="help">
            <h2>"What is this?"</h2>
            <p>
                "You opened a sign-in link. We check that it is valid, then sign you in without a password. \
                 If you did not request this link, cancel and close this page."
            </p>
            <p>
                <a href=at(href)>{label}</a>
            </p>
        </section>
    }
}
