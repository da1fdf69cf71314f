//! `/confirm/{token}/wait`: the confirmation without JavaScript.

use crate::base::at;
use crate::components::{Button, HiddenFormToken, WhatIsThis};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Signing you in";

/// What there is to do on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitState {
    /// Nothing has begun: Continue.
    Ready,
    /// On its way: wait, or Cancel.
    Waiting,
    /// The same, perhaps for minutes.
    Later,
    /// It could not be checked in time: Try again.
    Unavailable,
    /// This browser cancelled it: Try again.
    Cancelled,
}

impl WaitState {
    /// After how many seconds the page has to be fetched again, if at all.
    ///
    /// Send it as the response header `Refresh`. A `<meta http-equiv="refresh">` does the same, but
    /// is taken for a time limit on reading (WCAG 2.2.1) by the tools that check pages.
    pub fn refresh(self) -> Option<u32> {
        match self {
            Self::Waiting => Some(2),
            Self::Later => Some(10),
            Self::Ready | Self::Unavailable | Self::Cancelled => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting | Self::Later => "waiting",
            Self::Unavailable => "unavailable",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One sentence on where the confirmation is, and the one thing to do about it.
#[component]
pub fn WaitPage(
    /// The path of the landing below the base, such as `/confirm/abc`.
    token_path: String,
    /// What is happening, in the words of the confirm page.
    sentence: String,
    /// What there is to do.
    state: WaitState,
) -> impl IntoView {
    let waiting = state.refresh().is_some();
    let hint = waiting.then(|| {
        view! {
            <p class="soft">
                "This page refreshes by itself. "
                <a href=at(format!("{token_path}/wait"))>"Check now"</a>
            </p>
        }
    });
    let (action, label) = match state {
        WaitState::Waiting | WaitState::Later => (token_path + "/cancel", "Cancel"),
        WaitState::Ready => (token_path, "Continue"),
        WaitState::Unavailable | WaitState::Cancelled => (token_path, "Try again"),
    };
    let again = matches!(state, WaitState::Unavailable | WaitState::Cancelled)
        .then(|| view! { <input type="hidden" name="again" value="1" /> });
    view! {
        <h1>{TITLE}</h1>
        <section class="confirm" data-state=state.name()>
            <p class="status" role="status">
                {sentence}
            </p>
            {hint}
            <form class="actions" method="post" action=at(action)>
                <HiddenFormToken />
                {again}
                <Button label=label quiet=waiting />
            </form>
        </section>
        <WhatIsThis />
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    fn page(state: WaitState) -> String {
        html_with_token(
            || view! { <WaitPage token_path="/confirm/abc".into() sentence="So it is.".into() state=state /> },
        )
    }

    #[test]
    fn waiting_can_only_be_cancelled() {
        for state in [WaitState::Waiting, WaitState::Later] {
            let html = page(state);
            assert!(
                html.contains("action=\"/confirm/abc/cancel\"")
                    && html.contains(">Cancel</button>"),
                "{html}"
            );
            assert!(!html.contains("name=\"again\""), "{html}");
        }
    }

    #[test]
    fn trying_again_says_so_to_the_server() {
        for state in [WaitState::Unavailable, WaitState::Cancelled] {
            let html = page(state);
            assert!(
                html.contains("action=\"/confirm/abc\"")
                    && html.contains("name=\"again\" value=\"1\""),
                "{html}"
            );
        }
    }

    #[test]
    fn every_form_carries_the_proof() {
        for state in [
            WaitState::Ready,
            WaitState::Waiting,
            WaitState::Later,
            WaitState::Unavailable,
            WaitState::Cancelled,
        ] {
            assert!(page(state).contains("name=\"proof\" value=\"mac\""));
        }
    }

    #[test]
    fn only_waiting_refreshes() {
        assert_eq!(WaitState::Waiting.refresh(), Some(2));
        assert_eq!(WaitState::Later.refresh(), Some(10));
        assert_eq!(WaitState::Unavailable.refresh(), None);
    }
}
