//! What is shown instead of a page: what went wrong, and what to do next.

use crate::base::at;
use leptos::prelude::*;

/// What went wrong, in the words of a visitor who did not cause it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The page's heading and title.
    pub title: &'static str,
    /// What it means and what to do.
    pub text: &'static str,
    /// Where to go on: path below the base, and words.
    pub link: Option<(&'static str, &'static str)>,
}

const SIGN_IN: Option<(&str, &str)> = Some(("/login", "Sign in"));

impl Problem {
    /// 400: what was sent cannot be read.
    pub const UNREADABLE: Self = Self {
        title: "Request not understood",
        text: "Part of the request was missing or was sent twice. Nothing has changed. Go back, reload the page and try again.",
        link: SIGN_IN,
    };
    /// 413: a form that is longer than any of ours.
    pub const TOO_LONG: Self = Self {
        title: "Too much text",
        text: "The form contained more text than we accept. Nothing has changed. Go back, shorten it and try again.",
        link: SIGN_IN,
    };
    /// 403: a form or call that our own pages did not send.
    pub const REFUSED: Self = Self {
        title: "Request refused",
        text: "It did not come from one of our pages, or the page was too old. Nothing has changed. Go back, reload the page and try again.",
        link: SIGN_IN,
    };
    /// 404: no such address, or no possible token in it.
    pub const NOT_FOUND: Self = Self {
        title: "Page not found",
        text: "If you typed the address, check it. If you opened a sign-in link, make sure you copied all of it, or request a new one.",
        link: SIGN_IN,
    };
    /// 429: a cap was reached.
    pub const TOO_MANY: Self = Self {
        title: "Too many requests",
        text: "Your network sent more requests than we can handle at once. Wait a minute, then try again. Your link may still work.",
        link: None,
    };
    /// 429: too many links were asked for.
    pub const TOO_MANY_LINKS: Self = Self {
        title: "Too many links",
        text: "Your network requested more links than we send in an hour. Links that were already sent still work. Try again later, or sign in with your password.",
        link: SIGN_IN,
    };
    /// 508: the application sends a user back who is signed in.
    pub const LOOP: Self = Self {
        title: "The application does not know you yet",
        text: "You are signed in here, but the application sent you back. Try again in a moment. If you run this site: the proxy in front of the application must send this browser\u{2019}s cookies to /v1/authorize, and the headers of the answer to the application.",
        link: None,
    };
    /// 500: our own mistake.
    pub const BROKEN: Self = Self {
        title: "Something went wrong",
        text: "The problem is on our side. Try again in a moment. Your link may still work.",
        link: None,
    };
    /// 503: the database or another part does not answer.
    pub const NOT_NOW: Self = Self {
        title: "Temporarily unavailable",
        text: "Nothing is lost. Try again in a minute. Your link may still work.",
        link: None,
    };
}

/// A problem as a page.
#[component]
pub fn ErrorPage(
    /// What went wrong.
    problem: Problem,
) -> impl IntoView {
    let link = problem.link.map(|(href, label)| {
        view! {
            <p>
                <a href=at(href)>{label}</a>
            </p>
        }
    });
    view! {
        <h1>{problem.title}</h1>
        <p>{problem.text}</p>
        {link}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_says_what_to_do() {
        for problem in [
            Problem::UNREADABLE,
            Problem::TOO_LONG,
            Problem::REFUSED,
            Problem::NOT_FOUND,
            Problem::TOO_MANY,
            Problem::TOO_MANY_LINKS,
            Problem::BROKEN,
            Problem::NOT_NOW,
        ] {
            let html = view! { <ErrorPage problem=problem /> }.to_html();
            assert!(
                html.contains(problem.title) && html.contains(problem.text),
                "{html}"
            );
            assert_eq!(html.contains("<a "), problem.link.is_some(), "{html}");
        }
    }
}
