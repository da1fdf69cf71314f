//! Mails a person that they can go on, whose check took longer: they may have closed the page.

use super::{ConfirmedMail, MAILS, Mail, MailBody, MailClass, MailId, Outbox, SealedMailBody};
use crate::{
    confirmation::{Confirmation, Ending},
    email_address::Address,
    store::StoreError,
    token::Token,
    user::UserId,
};
use std::time::Duration;

/// How long a page that was kept open has to go on by itself, before there is a mail.
const PAUSE: Duration = Duration::from_secs(30);

impl Outbox {
    /// Mails the person that they can go on, if `confirmation`, whose validator has answered later,
    /// has just been confirmed, and the validator has named an address of theirs. The mail leads
    /// back to the link with this `token`, and `lives` as long as their session waits for its
    /// browser. It is dropped if that has its session by then. One waits for each address at a time.
    ///
    /// It is about what has been decided, so what keeps it from being sent is only logged.
    pub(crate) async fn tell_confirmed(
        &self,
        confirmation: &Confirmation,
        token: &Token,
        lives: Duration,
    ) {
        let Some(Ending::Confirmed(user)) = confirmation.ending() else {
            return;
        };
        let body = MailBody::Confirmed(ConfirmedMail {
            token: token.clone(),
            session: confirmation.session,
        });
        // The same for each process that tells it; no two mails share it, since it is the name under
        // which mail servers know them.
        let id = MailId::from_bytes(*confirmation.id.as_bytes());
        match self.add_confirmed(id, user, &body, lives).await {
            Ok(true) => self.mail_wake.notify_one(),
            Ok(false) => {}
            Err(error) => tracing::error!(
                confirmation = %confirmation.id, %error,
                "a person is not told that their check is done"
            ),
        }
    }

    async fn add_confirmed(
        &self,
        id: MailId,
        user: UserId,
        body: &MailBody,
        lives: Duration,
    ) -> Result<bool, StoreError> {
        // The address that is stored is that of the verdict that counted.
        let user = self.users.user(user).await?;
        let email = user.and_then(|user| user.identity.email);
        let Some(Ok(to)) = email.map(|email| email.parse::<Address>()) else {
            return Ok(false);
        };
        let now = self.clock.now();
        let mail = Mail {
            id,
            to,
            class: MailClass::of(body),
            body: SealedMailBody::seal(&self.keys, &*self.entropy, id, body),
            failed: 0,
            due_at: now + PAUSE,
            expires_at: now + lives,
        };
        let taken = self.store.add_mail(&mail, MAILS).await?;
        if !taken {
            tracing::warn!("too many mails wait; a person is not told that their check is done");
        }
        Ok(taken)
    }
}
