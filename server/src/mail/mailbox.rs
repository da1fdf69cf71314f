//! The mailbox of practice mode: mails go no further.

use super::{
    UrlBuilder,
    content::{Action, EmailContent},
};
use async_trait::async_trait;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
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
    mails: Mutex<Mails>,
}

/// Those that are kept, each with its number, and how many there have been.
#[derive(Default)]
struct Mails {
    kept: VecDeque<(u64, PracticeMail)>,
    count: u64,
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
        let mails = self.numbered().into_iter();
        mails.map(|(_, mail)| mail).collect()
    }

    /// The same, each with its number: the first mail since the start is 1.
    pub fn numbered(&self) -> Vec<(u64, PracticeMail)> {
        self.lock().kept.iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Mails> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut mails = self.lock();
        mails.count += 1;
        let number = mails.count;
        mails.kept.push_back((number, mail));
        if mails.kept.len() > KEPT {
            mails.kept.pop_front();
        }
        Ok(())
    }
}
