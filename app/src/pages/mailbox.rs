//! `/practice/mail`: the mails that practice mode has sent, to nobody but this page.

use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Practice mailbox";

/// A mail that was sent.
#[derive(Clone, Debug)]
pub struct PracticeMail {
    /// Whom it is for.
    pub to: String,
    /// Its link.
    pub link: String,
    /// Its code.
    pub code: String,
    /// What asked for it, in words.
    pub device: String,
}

/// The mails, the newest first.
#[component]
pub fn MailboxPage(
    /// The newest first.
    mails: Vec<PracticeMail>,
) -> impl IntoView {
    let none = mails.is_empty().then(|| view! { <p>"Nothing has come yet. Load this page again in a moment."</p> });
    let rows = mails.into_iter().map(|PracticeMail { to, link, code, device }| {
        view! {
            <li>
                <p>{format!("To {to}, asked for from {device}")}</p>
                <p>
                    <a href=link>"Sign in"</a>
                    " or type the code "
                    <code>{code}</code>
                </p>
            </li>
        }
    });
    view! {
        <h1>{TITLE}</h1>
        <p>"In practice mode no mail leaves this machine. What would be sent is here."</p>
        {none}
        <ul class="rows">{rows.collect_view()}</ul>
    }
}
