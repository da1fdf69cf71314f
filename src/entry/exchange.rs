//! The exchange: a bound session's pending secret for a session secret that no landing has ever
//! seen.

use super::{
    Entry, SignIn, SignedIn,
    enter::{ExchangeCandidate, unchanged},
};
use crate::{
    device::Device,
    failpoint,
    pending::TokenTag,
    secret::{PendingSecret, Purpose, SecretHash, SessionSecret},
    session::{Session, SessionId, SessionState},
    sign_ins::SignIns,
    store::StoreError,
};

impl SignIns {
    /// The exchange, and the end of the session that the browser had before.
    pub(super) async fn admit(
        &self,
        candidate: ExchangeCandidate,
        device: Option<&Device>,
        current: Option<SignedIn>,
        mut spent: Vec<TokenTag>,
    ) -> Result<Entry, StoreError> {
        let id = candidate.session.id;
        let since = candidate.session.created_at;
        let token_tag = candidate.session.token_tag;
        let Some(user) = self.may_sign_in(candidate.user, since).await? else {
            return Ok(unchanged(current, spent));
        };
        let Some((secret, arrived)) = self
            .exchange(candidate.session, &candidate.secret, device)
            .await?
        else {
            return Ok(unchanged(current, spent));
        };
        if let Some(current) = current {
            self.stores.sessions.delete_session(current.session).await?;
        }
        self.cap_sessions(user.id, id).await;
        spent.push(candidate.tag);
        Ok(Entry::SignedIn(SignIn {
            who: SignedIn {
                user,
                session: id,
                since,
                token_tag,
            },
            renewed: Some(secret),
            arrived,
            spent,
        }))
    }

    /// Swaps the pending secret for a session secret. Parallel tabs and a lost response get the
    /// same one: it is an HMAC of the session's id and the old secret; with it, whether it was
    /// swapped just now. `None`: the session has gone, or the repeat is over.
    async fn exchange(
        &self,
        mut session: Session,
        old: &PendingSecret,
        device: Option<&Device>,
    ) -> Result<Option<(SessionSecret, bool)>, StoreError> {
        let hash = old.hash();
        loop {
            let now = self.clock.now();
            if session.exchangeable(&hash, now).is_none() {
                return Ok(None);
            }
            if let SessionState::Established { secret, .. } = &session.state {
                return Ok(self
                    .exchanged_for(session.id, old, secret)
                    .map(|secret| (secret, false)));
            }
            let new = self
                .exchange_secret(session.id, old)
                .next()
                .expect("there is at least one key");
            let id = session.id;
            let timing = &self.timing;
            let Ok(next) = session.exchange(new.hash(), device.cloned(), now, timing) else {
                return Ok(None);
            };
            failpoint::reach("exchange");
            if self.stores.sessions.replace_session(&next).await? {
                failpoint::reach("exchanged");
                return Ok(Some((new, true)));
            }
            // Another tab was first, or the user has signed out: look again.
            match self.stores.sessions.session(id).await? {
                Some(current) => session = current,
                None => return Ok(None),
            }
        }
    }

    /// The secret that `old` was exchanged for before, under whichever key that was.
    fn exchanged_for(
        &self,
        id: SessionId,
        old: &PendingSecret,
        new: &SecretHash,
    ) -> Option<SessionSecret> {
        self.exchange_secret(id, old)
            .find(|secret| secret.hash() == *new)
    }

    fn exchange_secret(
        &self,
        id: SessionId,
        old: &PendingSecret,
    ) -> impl Iterator<Item = SessionSecret> {
        let macs: Vec<_> = self
            .keys
            .macs(Purpose::Exchange, &[id.as_bytes(), old.expose()])
            .collect();
        macs.into_iter()
            .map(|mac| SessionSecret::from_bytes(*mac.as_bytes()))
    }
}
