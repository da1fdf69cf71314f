//! `/practice/mail`: the mails that practice mode keeps to itself.

use crate::http::{error::PageError, state::App, visitor::Visitor};
use axum::{extract::State, response::Response};
use leptos::prelude::*;
use vestibule_app::{
    pages::{MailboxPage, title},
    shell::Head,
};

/// `GET /practice/mail`. Its links lead to the name of this machine that the browser knows it by:
/// under another, a browser that has asked for one shows other cookies.
pub async fn mailbox(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let mailbox = app.mailbox.as_ref().ok_or(PageError::NotFound)?;
    let mut mails = mailbox.mails();
    let origins = &app.origins.all;
    let host = visitor.host();
    if let Some(asked) = origins
        .iter()
        .find(|origin| host.is_some_and(|host| host == origin.host()))
    {
        for (url, _) in mails.iter_mut().filter_map(|mail| mail.action.as_mut()) {
            if let Some(path) = url.strip_prefix(origins[0].as_str()) {
                *url = format!("{}{path}", asked.as_str());
            }
        }
    }
    Ok(app.page(
        Head::titled(title::MAILBOX),
        || view! { <MailboxPage mails=mails /> },
    ))
}

#[cfg(test)]
mod tests;
