//! `/practice/mail`: the mails of practice mode, which are sent to this page only.

use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Practice mailbox";

/// A mail that was sent.
#[derive(Clone, Debug)]
pub struct PracticeMail {
    /// The recipient.
    pub to: String,
    /// Its subject.
    pub subject: &'static str,
    /// Its text: what has happened, or will.
    pub lead: String,
    /// Its button's target and label.
    pub action: Option<(String, &'static str)>,
    /// Its code.
    pub code: Option<String>,
}

/// The mails, the newest first.
#[component]
pub fn MailboxPage(
    /// The newest first.
    mails: Vec<PracticeMail>,
) -> impl IntoView {
    let none = mails
        .is_empty()
        .then(|| view! { <p>"No e-mails yet. Reload this page in a moment."</p> });
    let rows = mails.into_iter().map(
        |PracticeMail {
             to,
             subject,
             lead,
             action,
             code,
         }| {
            let action = action.map(|(url, label)| view! { <a href=url>{label}</a> });
            let code = code.map(|code| view! { " or type the code " <code>{code}</code> });
            view! {
                <li>
                    <p>
                        "To " {to} ": " <strong>{subject}</strong>
                    </p>
                    <p class="soft">{lead}</p>
                    <p>{action} {code}</p>
                </li>
            }
        },
    );
    view! {
        <h1>{TITLE}</h1>
        <p>"In practice mode no e-mail leaves this machine. What would be sent appears here."</p>
        {none}
        <ul class="rows">{rows.collect_view()}</ul>
    }
}
