//! Shown if a sign-in was not begun, because this browser could not have continued it.

use crate::base::at;
use crate::island::sentence;
use leptos::prelude::*;

/// Why it was not begun, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCookies {
    /// The page's heading and title.
    pub title: &'static str,
    /// What is wrong and what to do.
    pub text: &'static str,
    /// What else there is to know.
    pub more: &'static str,
    /// What the link back says.
    pub link: &'static str,
}

const TITLE: &str = "You are not signed in yet";
const OPEN: &str = "Open the link again";

impl NoCookies {
    /// A link was continued without the cookie that its page has set.
    pub const LINK: Self = Self {
        title: TITLE,
        text: sentence::NO_COOKIES,
        more: "If you had the page open for more than an hour, just open the link again.",
        link: OPEN,
    };
    /// A page that waits for a mail was opened without its cookie.
    pub const MAILED: Self = Self {
        title: TITLE,
        text: "Your browser does not accept cookies for this site, or you requested the link in another browser.",
        more: "A link that was sent to you still works: allow cookies for this site, then open the link in the mail.",
        link: "Sign in",
    };
    /// A password or a form was sent without the cookie that its page has set.
    pub const FORM: Self = Self {
        title: TITLE,
        text: "Your browser does not accept cookies for this site. Allow them, then sign in again.",
        more: "You cannot stay signed in without cookies. Your password was not checked.",
        link: "Sign in",
    };
    /// Another site has opened a link, and there is no room for it.
    pub const MANY: Self = Self {
        title: TITLE,
        text: "This browser has many sign-in links open.",
        more: "Open this one again if you want to sign in with it. It still works.",
        link: OPEN,
    };
    /// As many sign-ins are in progress as there may be.
    pub const FULL: Self = Self {
        title: TITLE,
        text: "Too many sign-ins are in progress in this browser.",
        more: "Finish or cancel one of them, or wait a quarter of an hour, and open the link again. It still works.",
        link: OPEN,
    };
}

/// Says so, and leads back.
#[component]
pub fn NoCookiesPage(
    /// What to say.
    said: NoCookies,
    /// Where the link leads, below the base.
    href: String,
) -> impl IntoView {
    view! {
        <h1>{said.title}</h1>
        <p>{said.text}</p>
        <p>{said.more}</p>
        <p>
            <a href=at(href)>{said.link}</a>
        </p>
    }
}
