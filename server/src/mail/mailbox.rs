//! The mailbox of practice mode: mails go no further.

use super::{
    UrlBuilder,
    content::{Action, EmailContent},
};
use async_trait::async_trait;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use vestibule::{
    email_address::Address,
    mail::{MailBody, MailError, MailId, Mailer},
};
use vestibule_app::pages::PracticeMail;

/// How many mails are kept.
const KEPT: usize = 50;

/// Keeps mails for the page that shows them.
pub struct Mailbox {
    urls: UrlBuilder,
    mails: Mutex<VecDeque<PracticeMail>>,
}

impl Mailbox {
    /// An empty mailbox, with links to `urls`.
    #[must_use]
    pub fn new(urls: UrlBuilder) -> Self {
        Self {
            urls,
            mails: Mutex::default(),
        }
    }

    /// The mails, the newest first.
    pub fn mails(&self) -> Vec<PracticeMail> {
        self.mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .rev()
            .cloned()
            .collect()
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, _: MailId, to: &Address, body: &MailBody) -> Result<(), MailError> {
        let EmailContent {
            subject,
            lead,
            action,
            code,
            ..
        } = EmailContent::of(body, &self.urls);
        let action = action.map(|Action { url, label, .. }| (url, label));
        let mail = PracticeMail {
            to: to.typed().to_owned(),
            subject,
            lead,
            action,
            code,
        };
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push_back(mail);
        if mails.len() > KEPT {
            mails.pop_front();
        }
        Ok(())
    }
}
