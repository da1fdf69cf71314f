//! Users, and what a session may change of one.

use crate::{
    clock::Timestamp,
    email_address::Address,
    id::UserId,
    store::StoreError,
    user::{Authority, Moved, User},
};
use async_trait::async_trait;

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
    /// `false`: there is none. Call [`Stores::remove_user`](crate::store::Stores::remove_user),
    /// which ends sessions elsewhere too.
    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError>;
}
