//! `/confirm/{token}`: the landing.

use crate::components::{Notice, WhatIsThis};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Signing you in";
/// The description of its document.
pub const DESCRIPTION: &str =
    "Opens a sign-in link: we check that it is valid and then sign you in, without a password.";

/// The frame around the confirmation, which is the only part that moves.
#[component]
pub fn ConfirmPage(
    /// The user already signed in here. The page names them, because going on may change that.
    signed_in: Option<String>,
    /// The confirmation itself: the island, with its plain form inside.
    children: Children,
) -> impl IntoView {
    let known = signed_in.is_some();
    let notice = signed_in.map(|name| {
        view! {
            <Notice>
                <p>"You are signed in as "<bdi>{name}</bdi>"."</p>
                <p class="soft">"Continue only if you want to use this link in this browser."</p>
            </Notice>
        }
    });
    view! {
        <h1>{TITLE}</h1>
        {notice}
        {children()}
        <WhatIsThis signed_in=known />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(signed_in: Option<&str>) -> String {
        let signed_in = signed_in.map(str::to_owned);
        view! {
            <ConfirmPage signed_in=signed_in>
                <section class="confirm"></section>
            </ConfirmPage>
        }
        .to_html()
    }

    #[test]
    fn a_signed_in_user_is_told_so() {
        assert!(
            page(Some("Ada"))
                .replace("<!>", "")
                .contains("You are signed in as <bdi>Ada</bdi>.")
        );
        assert!(!page(None).contains("You are signed in"));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let html = page(Some("<script>alert(1)</script>"));
        assert!(
            !html.contains("<script>") && html.contains("&lt;script&gt;"),
            "{html}"
        );
    }
}
