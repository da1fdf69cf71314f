//! `/` in practice mode: a link for every way a sign-in can end.

use crate::base::at;
use crate::components::PracticeUser;
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Vestibule practice";
/// The description of its document.
pub const DESCRIPTION: &str =
    "Try every way a sign-in can end, with practice links, a practice user and a practice mailbox.";

/// A link to try.
#[derive(Clone, Debug)]
pub struct PracticeLink {
    /// The path of its landing below the base.
    pub href: String,
    /// What kind of link it is.
    pub label: &'static str,
    /// What will happen.
    pub about: &'static str,
}

/// What Vestibule does, and what there is to click.
#[component]
pub fn HomePage(
    /// In the order shown.
    links: Vec<PracticeLink>,
    /// The practice user's e-mail address.
    email: String,
    /// The practice user's password.
    password: String,
    /// Whether the mailbox of practice mode is here.
    mailbox: bool,
) -> impl IntoView {
    let where_to = if mailbox {
        view! { "The e-mail arrives in the " <a href=at("/practice/mail")>"practice mailbox"</a> "." }
            .into_any()
    } else {
        "The e-mail is sent there.".into_any()
    };
    let rows = links
        .into_iter()
        .map(|PracticeLink { href, label, about }| {
            view! {
                <li>
                    <a href=at(href)>{label}</a>
                    <p class="soft">{about}</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <h1>{TITLE}</h1>
        <p>
            "Vestibule signs you in from a link while a slow external service checks whether the link is valid. \
             In practice mode a small built-in service stands in for it, so you can watch every way a sign-in can end."
        </p>
        <h2>"Open a link"</h2>
        <ul class="rows">{rows}</ul>
        <h2>"Or use a password"</h2>
        <p>
            <a href=at("/login")>"Sign in"</a>
            " as the practice user."
        </p>
        <PracticeUser email=email password=password />
        <h2>"Or have a link sent"</h2>
        <p>
            "On the login page, type any address and choose \u{201c}Send me a link instead\u{201d}. "
            {where_to}
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_is_there_with_what_it_does() {
        let links = vec![
            PracticeLink {
                href: "/confirm/valid-1".into(),
                label: "A valid link",
                about: "Signs you in.",
            },
            PracticeLink {
                href: "/confirm/down-2".into(),
                label: "A link in vain",
                about: "No answer.",
            },
        ];
        let html =
            view! { <HomePage links=links email="p@example.com".into() password="pw".into() mailbox=true /> }.to_html();
        for part in [
            "href=\"/confirm/valid-1\"",
            "href=\"/confirm/down-2\"",
            "No answer.",
            "p@example.com",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
