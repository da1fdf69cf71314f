//! Users, and what a session may change of one.

use super::{MemoryDatabase, changed};
use crate::{
    clock::Timestamp,
    email_address::Address,
    store::{StoreError, UserStore},
    user::{Authority, Moved, PASSWORD_ISSUER, User, UserId, key_after},
};
use async_trait::async_trait;
use std::{ops::Bound, time::Duration};

#[async_trait]
impl UserStore for MemoryDatabase {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self
            .lock()
            .users
            .values()
            .find(|(user, _)| user.id == id)
            .map(|(user, _)| user.clone()))
    }

    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        let tables = self.lock();
        Ok(tables
            .users
            .get(&(issuer.to_owned(), subject.to_owned()))
            .map(|(user, _)| user.clone()))
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        let tables = self.lock();
        let known = tables
            .users
            .get(&(PASSWORD_ISSUER.to_owned(), subject.to_owned()));
        let known = known.filter(|(user, _)| !user.disabled);
        Ok(known.and_then(|(user, password)| Some((user.clone(), password.clone()?))))
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        Ok(self.lock().put_user(user, password))
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        let tables = self.lock();
        let following = tables
            .users
            .range((Bound::Excluded(key_after(after)), Bound::Unbounded));
        Ok(following
            .take(limit as usize)
            .map(|(_, (user, _))| user.clone())
            .collect())
    }

    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut tables = self.lock();
        let set = |(user, kept): &mut (User, Option<String>)| {
            *kept = Some(password.to_owned());
            changed(user, now)
        };
        Ok(tables.by(by).map(set))
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        let mut tables = self.lock();
        let kept = tables
            .users
            .values_mut()
            .filter(|(user, _)| user.id == id)
            .map(|(_, password)| password);
        kept.filter(|password| password.as_deref() == Some(from))
            .for_each(|password| *password = Some(to.to_owned()));
        Ok(())
    }

    async fn move_user(
        &self,
        by: Authority,
        from: &Address,
        to: &Address,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let mut tables = self.lock();
        let key = |address: &Address| (PASSWORD_ISSUER.to_owned(), address.as_str().to_owned());
        if let Some((user, _)) = tables.users.get(&key(to)) {
            return Ok(if user.id == by.user {
                Moved::Gone
            } else {
                Moved::Taken
            });
        }
        if tables
            .users
            .get(&key(from))
            .is_none_or(|(user, _)| user.id != by.user)
        {
            return Ok(Moved::Gone);
        }
        let Some((user, _)) = tables.by(by) else {
            return Ok(Moved::Revoked);
        };
        let valid_from = changed(user, now);
        to.as_str().clone_into(&mut user.identity.subject);
        user.identity.email = Some(to.typed().to_owned());
        if let Some(moved) = tables.users.remove(&key(from)) {
            tables.users.insert(key(to), moved);
        }
        Ok(Moved::Done(valid_from))
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let Some((user, _)) = tables.by(by) else {
            return Ok(false);
        };
        let last = user.known_from.max(user.valid_from);
        user.known_from = now.max(last + Duration::from_millis(1));
        if all {
            changed(user, now);
        } else {
            user.revision += 1;
        }
        Ok(true)
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        let mut tables = self.lock();
        tables
            .users
            .values_mut()
            .filter(|(known, _)| known.id == user)
            .for_each(|(user, _)| user.revision += 1);
        Ok(())
    }

    async fn disable_user(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let user = tables
            .users
            .values_mut()
            .map(|(user, _)| user)
            .find(|user| user.id == id);
        let set = |user: &mut User| {
            user.disabled = disabled;
            if disabled {
                changed(user, now);
            } else {
                user.valid_from = now.max(user.valid_from);
                user.revision += 1;
            }
        };
        Ok(user.map(set).is_some())
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let count = tables.users.len();
        tables.users.retain(|_, (user, _)| user.id != id);
        Ok(tables.users.len() < count)
    }
}
