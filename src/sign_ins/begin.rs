//! To begin: a pending session and a queued confirmation, within the caps.

use super::{Pending, Report, SignIns};
use crate::{
    caps::{Admission, Caps, Client, Shares},
    clock::Timestamp,
    confirmation::{Confirmation, ConfirmationId, Ending, Postponement, Queued, Rejection, State},
    failpoint,
    path::LocalPath,
    pending::TokenTag,
    secret::{SealedToken, SecretHash},
    session::{Session, SessionId},
    store::BeginError,
    token::Token,
    worker::Offer,
};

impl SignIns {
    /// Begins the browser's confirmation with `token`, or reports on the one begun before with the
    /// same cookie.
    ///
    /// A missing or lapsed cookie is replaced by a fresh one, which the response must set. With
    /// `again`, so is that of a confirmation that came to `Unavailable` or was cancelled. What is
    /// begun is the `client`'s, and leads to `next` unless the validator says otherwise.
    ///
    /// A future that is dropped before its end may have begun one that waits for the end of a
    /// lease.
    ///
    /// # Errors
    /// [`BeginError`] if a cap was met or it could not be stored: nothing has begun then.
    pub async fn begin(
        &self,
        token: &Token,
        shown: Option<&str>,
        again: bool,
        client: Client,
        next: Option<&LocalPath>,
    ) -> Result<(Pending, Report), BeginError> {
        let mut pending = self.land(token, shown);
        let lapsed = self.clock.now().since(pending.cookie.minted) > self.timing.begin_within;
        if lapsed
            && self
                .stores
                .confirmations
                .confirmation_by_secret(&pending.cookie.secret.hash())
                .await?
                .is_none()
        {
            pending = self.mint();
        }
        let mut confirmation = self.keep(token, &pending, client, next).await?;
        if again && may_begin_again(&confirmation) {
            pending = self.mint();
            let next = next.or(confirmation.next.as_ref());
            confirmation = self.keep(token, &pending, client, next).await?;
        }
        let report = self.report(&confirmation).await?;
        Ok((pending, report))
    }

    /// Begins a confirmation under this pending secret; no validator is asked before `due_at`,
    /// and it comes to `Unavailable` at `deadline`. Where the browser is `known`, what others at
    /// its network address may have begun leaves room for it.
    pub(crate) async fn wait(
        &self,
        token: &Token,
        secret: SecretHash,
        (due_at, deadline): (Timestamp, Timestamp),
        client: Client,
        known: bool,
    ) -> Result<ConfirmationId, BeginError> {
        let queued = self.queue(token, secret, due_at, deadline);
        let caps = self.room.caps();
        let caps = if known {
            // But a known browser does not get all of it either.
            Caps {
                of_client: caps.of_client.saturating_mul(2),
                ..caps.clone()
            }
        } else {
            // They are undecided for long: half of the room is left for those that are not.
            Caps {
                of_client: caps.of_client.div_ceil(2),
                in_all: caps.in_all / 2,
                ..caps.clone()
            }
        };
        Ok(self.keep_within(&caps, queued, client).await?.id)
    }

    /// Stores a new confirmation under this pending secret, or finds the one that is there.
    async fn keep(
        &self,
        token: &Token,
        pending: &Pending,
        client: Client,
        next: Option<&LocalPath>,
    ) -> Result<Confirmation, BeginError> {
        let now = self.clock.now();
        let (confirmation, session) = self.queue(
            token,
            pending.cookie.secret.hash(),
            now,
            now + self.timing.deadline,
        );
        let queued = (confirmation.leading_to(next), session);
        self.keep_within(self.room.caps(), queued, client).await
    }

    async fn keep_within(
        &self,
        caps: &Caps,
        (confirmation, session): (Confirmation, Session),
        client: Client,
    ) -> Result<Confirmation, BeginError> {
        let usage = self
            .room
            .usage(caps.in_all, self.clock.now(), &*self.stores.queue)
            .await?;
        let admission = Admission {
            client,
            shares: Shares::new(caps.of_client),
            usage,
        };
        failpoint::reach("begin");
        let offer = self.dispatch.offer(client, &confirmation, self.clock.now());
        let new = offer.as_ref().map_or(&confirmation, Offer::confirmation);
        let stored = self
            .stores
            .confirmations
            .begin(new, &session, admission)
            .await;
        failpoint::reach("begun");
        match offer {
            Some(offer) => self.take(offer, &stored).await,
            None => self.dispatch.wake(),
        }
        stored
    }

    /// Takes the place that was offered to what is now `stored`. Under the lease of a worker that
    /// has stopped it would have to wait for its end, so that is handed back here.
    async fn take(&self, offer: Offer, stored: &Result<Confirmation, BeginError>) {
        let left = match stored {
            // Its session may be one that an earlier try has left behind.
            Ok(stored) if offer.is_for(stored) => offer.take(),
            // It may be stored for all that.
            Err(BeginError::Store(_)) => offer.hand_back(),
            // It was begun before, or a cap was met.
            Ok(_) | Err(BeginError::Capped(_)) => None,
        };
        let Some(claim) = left else { return };
        let now = self.clock.now();
        if let Err(error) = self
            .stores
            .queue
            .postpone(&claim, now, Postponement::HandedBack)
            .await
        {
            tracing::warn!(confirmation = %claim.id, %error, "it is begun, if at all, once a lease has passed");
        }
        self.dispatch.wake();
    }

    fn queue(
        &self,
        token: &Token,
        secret: SecretHash,
        due_at: Timestamp,
        deadline: Timestamp,
    ) -> (Confirmation, Session) {
        let now = self.clock.now();
        let token_tag = TokenTag::of(&self.keys, token);
        let id = ConfirmationId::generate_at(now, &*self.entropy);
        let session = SessionId::generate_at(now, &*self.entropy);
        let token = SealedToken::seal(&self.keys, &*self.entropy, id, token);
        let state = State::Queued(Queued {
            token,
            failed: 0,
            later: None,
            due_at,
            fence: 0,
            lease: None,
        });
        let confirmation = Confirmation {
            id,
            secret,
            token_tag,
            session,
            created_at: now,
            deadline,
            next: None,
            state,
        };
        (
            confirmation,
            Session::pending(
                session,
                secret,
                token_tag,
                now,
                deadline.max(now + self.timing.wait) + self.timing.bound,
            ),
        )
    }
}

fn may_begin_again(confirmation: &Confirmation) -> bool {
    matches!(
        confirmation.ending(),
        Some(Ending::Unavailable | Ending::Rejected(Rejection::Cancelled))
    )
}
