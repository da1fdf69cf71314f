//! The traits of the stores: one for each kind of record.

use super::{BeginError, Settlement, StoreError};
use crate::{
    caps::Admission,
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, Decider, Decision, Noted, Postponement, Wait, Which,
        WorkerId,
    },
    email_address::Address,
    id::{ConfirmationId, SessionId, UserId},
    link::{Link, Tries},
    mail::{Mail, MailId, Posted, Posting},
    secret::{Sealed, SecretHash},
    session::Session,
    user::{Authority, Moved, User},
};
use async_trait::async_trait;

/// Stores confirmations together with the sessions that follow them.
#[async_trait]
pub trait ConfirmationStore: Send + Sync + 'static {
    /// Stores a new confirmation with its pending session, both or neither. If there is one with
    /// the same pending secret already, keeps nothing and returns that one, whatever the caps; else
    /// the `admission` must have room for it, which never lets in more of one client, or of a wider
    /// network, than it may have, however many begin at once.
    ///
    /// It is kept with its *turn*: one more than the last one that its network has, but none before
    /// the first one that any network has. So the first ones of all networks have one turn, their
    /// second ones the next. What is not due yet has the last turn of all.
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError>;

    /// The confirmation begun with this pending secret.
    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError>;

    /// The confirmation with this id.
    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError>;

    /// Has it wait for a validator that answers later, as [`Confirmation::wait`] says, if there is
    /// room for one more that does. Without room, nothing is changed.
    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError>;

    /// Decides the confirmation if nothing has decided it and `decider` may, and settles whatever
    /// decision is then stored: a pending session is rebound to the user or deleted, and the token
    /// wiped. Returns the confirmation as it is stored now, decided by this call or before it, or
    /// still queued if a worker decides whose claim is not the last one. `None`: there is no such
    /// confirmation.
    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError>;

    /// Revokes a valid decision, for a user who cancels before the exchange: deletes the session,
    /// and the outcome becomes `cancelled`.
    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError>;

    /// Has the session follow of what was decided a while before `now` and not settled: a process
    /// was killed in between. Nothing to do where both are written in one transaction.
    async fn settle_abandoned(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    /// Confirmations that were decided before `before` and are not settled, because their sessions
    /// are stored elsewhere. None where both are written in one transaction.
    async fn unsettled(&self, _before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        Ok(Vec::new())
    }

    /// Marks that the session, which is stored elsewhere, follows the decision.
    async fn mark_settled(&self, _id: ConfirmationId) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The confirmations that wait for a worker, and the removal of old ones. No session depends on it.
#[async_trait]
pub trait ConfirmationQueue: Send + Sync + 'static {
    /// How many confirmations are undecided; `at_most` if there are more.
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError>;

    /// How many of them wait for a validator that answers later; `at_most` if there are more.
    async fn answered_later(&self, at_most: u32) -> Result<u32, StoreError>;

    /// Claims due confirmations for `worker` until `until`, as many as `limits` allow, by turns: of
    /// each network one, before any has another. Of one turn, those that must be decided first come
    /// before others, which are mostly those that have waited longest; of equal ones, those that
    /// are due first. Overdue ones are ordered by deadline alone, not by network.
    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError>;

    /// When the next confirmation is due or a lease passes.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The same, but only of those that are not due yet at `now`.
    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// When the next confirmation that is under no lease then is past its deadline.
    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Gives a claim back until `due`, as [`Confirmation::postpone`] says. One whose validator
    /// answers later is handed back instead where there is no room for it.
    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        why: Postponement,
    ) -> Result<Noted, StoreError>;

    /// Up to `limit` undecided confirmations, the oldest first, and of equal age by id: those that
    /// come after the confirmation `after`.
    async fn list_undecided(
        &self,
        after: Option<&Confirmation>,
        limit: u32,
    ) -> Result<Vec<Confirmation>, StoreError>;

    /// Makes the next attempt due at `now`, as [`Confirmation::ask_again`] says, and wakes the
    /// workers of all processes where it can. `false`: there is nothing to make due, and nothing
    /// was changed.
    async fn ask_again(&self, id: ConfirmationId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes confirmations settled before `before`, and returns how many.
    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// Stores sessions.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// The session whose secret, or former secret, has this hash.
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError>;

    /// The session with this id.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Stores a new session. `false`: there is one with the same secret already, and nothing was
    /// changed.
    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError>;

    /// Replaces the session that `next` came from, if it is still at the revision before. `false`:
    /// it was written since or is gone, and nothing was changed.
    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError>;

    /// Deletes the session, whatever became of it meanwhile.
    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// The user's established sessions, the newest first.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Deletes all sessions of the user, but for `but`.
    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError>;

    /// Deletes sessions that expired before `now`, and returns how many.
    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// Reads sessions together with their users: what each question of who is signed in needs.
#[async_trait]
pub trait SessionUserStore: Send + Sync + 'static {
    /// The session whose secret, or former secret, has this hash. Where one database holds both, it
    /// and its user are as they were at one moment.
    async fn session_with_user(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<SessionWithUser>, StoreError>;
}

/// A session, and the user that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionWithUser {
    /// The session.
    pub session: Session,
    /// `None` if it is bound to no one, or they were removed.
    pub user: Option<User>,
}

/// Stores users.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// The user with this id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user with the identity (`issuer`, `subject`).
    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError>;

    /// The user whose identity is ([`PASSWORD_ISSUER`](crate::user::PASSWORD_ISSUER), `subject`),
    /// and their password hash (a PHC string), as they are at one moment; none of one who is
    /// disabled.
    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError>;

    /// Adds a user, or finds the one with the same (issuer, subject) and takes over the rest of the
    /// identity. With a `password` (a PHC string), it becomes the user's; if they were known, they
    /// are valid from `since` on, and their open links are revoked.
    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError>;

    /// Up to `limit` users in the order of issuer and subject, those that come after the user
    /// `after`.
    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError>;

    /// Gives the user another password (a PHC string), revokes their open links, and returns
    /// since when they are valid: from `now` on. `None`: the authority is no longer valid, and
    /// nothing was changed.
    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Has the password hash `to` in place of `from`, for the same password. Nothing happens if it
    /// is another by now.
    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError>;

    /// Has the user, who is known by the address `from`, known by `to`, valid from `now` on, and
    /// revokes the open links to `from`.
    async fn move_user(
        &self,
        by: Authority,
        from: &Address,
        to: &Address,
        now: Timestamp,
    ) -> Result<Moved, StoreError>;

    /// Revokes what any session of the user was allowed before, because sessions are about to be
    /// ended, and makes their known browsers unknown. With `all`, sessions that began before `now`
    /// sign no one in, and the open links to the user are revoked. `false`: the authority is no
    /// longer valid, and nothing was changed.
    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Revokes what any session of the user was allowed before, because one has ended that is kept
    /// elsewhere.
    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError>;

    /// Disables the user, and revokes their open links; or lets them in again. Valid from `now`
    /// on. `false`: there is no such user.
    async fn disable_user(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Removes the user with all their sessions in the same database, and revokes their open links.
    /// `false`: there is none. Call [`Stores::remove_user`](super::Stores::remove_user), which ends
    /// sessions elsewhere too.
    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError>;
}

/// Stores links, in the database of the confirmations.
#[async_trait]
pub trait LinkStore: Send + Sync + 'static {
    /// Stores a new link without a mail: the caller passes it on.
    async fn add_link(&self, link: &Link) -> Result<(), StoreError>;

    /// Stores a new link with its mail, both or neither, and revokes those links to the same
    /// address that were mailed, are open, and were asked for in the same browser to lead to the
    /// same place. If the address has had enough, keeps a link that is not mailed, which revokes
    /// nothing. If the browser has asked for such a link just before, and it is open, keeps
    /// nothing and returns that one. However many come at once, no more are mailed.
    ///
    /// # Errors
    /// [`BeginError`] if the client has asked for as many as it may, or too many mails wait:
    /// nothing is kept then.
    async fn post_link(&self, link: &Link, posting: &Posting) -> Result<Posted, BeginError>;

    /// Revokes all links to this address that are open.
    async fn revoke_links(&self, address: &Address) -> Result<(), StoreError>;

    /// The link with this token.
    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<Link>, StoreError>;

    /// The link for which this confirmation waits.
    async fn link_by_waiting(&self, waiting: ConfirmationId) -> Result<Option<Link>, StoreError>;

    /// Stores the new state of a link. If it is no longer open, its mail is not sent, and the
    /// waiting confirmation is due. If it was mailed and has let a browser in, wrong codes of its
    /// address no longer count, unless there were [`WRONG_CODES`](crate::link::WRONG_CODES).
    /// `false`: it was written since it was read, and nothing was changed.
    async fn replace_link(&self, next: &Link) -> Result<bool, StoreError>;

    /// Counts one more code that is tried, unless [`WRONG_CODES`](crate::link::WRONG_CODES) were
    /// since `since`: then it is `None`. Returns how many there were in a row with this one.
    async fn count_code(
        &self,
        tries: &Tries,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<Option<u32>, StoreError>;

    /// How many codes were tried since `since`.
    async fn codes_tried(&self, tries: &Tries, since: Timestamp) -> Result<u32, StoreError>;

    /// A code that was tried is right: counts from nothing.
    async fn forget_codes(&self, tries: &Tries) -> Result<(), StoreError>;

    /// Deletes counts of codes of which the last was tried before `before`, and returns how many.
    async fn sweep_codes(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Deletes links that expired before `before`, and returns how many.
    async fn sweep_links(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// The keys that sign assertions, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSigningKeys {
    /// The keys.
    pub sealed: Sealed,
    /// When they were rotated last.
    pub rotated_at: Timestamp,
}

/// Stores the keys that sign assertions.
#[async_trait]
pub trait SigningKeyStore: Send + Sync + 'static {
    /// The keys, if there are any yet.
    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StoreError>;

    /// Stores `to` if `from` is what is stored. `false`: it is not any more, and nothing was
    /// changed.
    async fn replace_signing_keys(
        &self,
        from: Option<&StoredSigningKeys>,
        to: &StoredSigningKeys,
    ) -> Result<bool, StoreError>;
}

/// Stores mail until it is sent.
#[async_trait]
pub trait MailStore: Send + Sync + 'static {
    /// Takes up to `limit` due mails, ordered by class, and puts each off until `until`: if the
    /// process is killed while sending one, it is sent again then. Removes those that are not to be
    /// sent.
    async fn take_mail(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Mail>, StoreError>;

    /// When the next mail is due.
    async fn next_mail(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Puts a mail off after a failure.
    async fn put_mail_off(&self, id: MailId, due: Timestamp) -> Result<(), StoreError>;

    /// Forgets a mail: it is sent, or cannot be, or has expired.
    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError>;

    /// Stores a mail that is about no link. `false`: as many of its class wait as may, `at_most`,
    /// and nothing was kept.
    async fn add_mail(&self, mail: &Mail, at_most: u32) -> Result<bool, StoreError>;

    /// Deletes mails that expired before `before`, and returns how many.
    async fn sweep_mails(&self, before: Timestamp) -> Result<u64, StoreError>;
}
