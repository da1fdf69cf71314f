//! Users in PostgreSQL.

use super::{PostgresStore, batch, connection::Failure, links, sessions};
use crate::{
    clock::Timestamp,
    email_address::Address,
    store::{
        StoreError, UserStore,
        row::{self, Reading, user_columns},
    },
    user::{Authority, Identity, Moved, PASSWORD_ISSUER, User, UserId, key_after},
};
use async_trait::async_trait;
use sqlx::{
    PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A change of a user that only their [`Authority`] makes: `$1` to `$5` are bound by
/// [`authorised`]. The session is locked, so that one that is being deleted meanwhile counts as
/// gone, and is not deleted before the change is made.
macro_rules! by_authority {
    ($set:literal) => {
        concat!(
            "with session as (
                 select id from sessions
                 where id = $3 and user_id = $1 and state = 'established' and expires > $5 for share)
             update users set ",
            $set,
            ", revision = revision + 1
             where id = $1 and revision = $2 and disabled = 0 and ($4 or exists (select from session))
             returning valid_from"
        )
    };
}

#[async_trait]
impl UserStore for PostgresStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(concat!(
                    "select ",
                    user_columns!(),
                    " from users where id = $1"
                ));
                let row = select
                    .bind(id.as_bytes())
                    .fetch_optional(connection)
                    .await?;
                Ok(row.map(|row| row::user(&row)).transpose()?)
            })
        })
        .await
    }

    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        // Form input may contain NUL, which no PostgreSQL text can.
        if subject.contains('\0') || issuer.contains('\0') {
            return Ok(None);
        }
        let issuer = issuer.to_owned();
        let subject = subject.to_owned();
        self.run(|connection| {
            Box::pin(async move {
                let select = concat!(
                    "select ",
                    user_columns!(),
                    " from users
                              where issuer = $1 and subject = $2"
                );
                let row = sqlx::query(select)
                    .bind(issuer)
                    .bind(subject)
                    .fetch_optional(connection)
                    .await?;
                Ok(row.map(|row| row::user(&row)).transpose()?)
            })
        })
        .await
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        // Form input may contain NUL, which no PostgreSQL text can.
        if subject.contains('\0') {
            return Ok(None);
        }
        let subject = subject.to_owned();
        self.run(|connection| {
            Box::pin(async move {
                let select = concat!(
                    "select ",
                    user_columns!(),
                    ", password from users
                     where issuer = $1 and subject = $2 and password is not null and disabled = 0"
                );
                let row = sqlx::query(select)
                    .bind(PASSWORD_ISSUER)
                    .bind(subject)
                    .fetch_optional(connection)
                    .await?;
                let read = |row: PgRow| {
                    let password = Reading::new("users", &row).text("password")?.to_owned();
                    Ok::<_, StoreError>((row::user(&row)?, password))
                };
                Ok(row.map(read).transpose()?)
            })
        })
        .await
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        let user = user.clone();
        let password = password.map(str::to_owned);
        batch::transaction(&self.pool, move |connection| {
            Box::pin(async move { put_one(connection, &user, password.as_deref()).await })
        })
        .await
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        let (issuer, subject) = key_after(after);
        self.run(move |connection| {
            Box::pin(async move {
                let select = concat!(
                    "select ",
                    user_columns!(),
                    " from users
                              where (issuer, subject) > ($1, $2) order by issuer, subject limit $3"
                );
                let rows = sqlx::query(select)
                    .bind(issuer)
                    .bind(subject)
                    .bind(i64::from(limit));
                let rows = rows.fetch_all(connection).await?;
                Ok(rows
                    .iter()
                    .map(|row| row::user(row))
                    .collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let sessions_apart = self.sessions_apart;
        let change = Change::Password(password.to_owned());
        batch::transaction(&self.pool, move |connection| {
            Box::pin(revoke(connection, by, sessions_apart, change, now))
        })
        .await
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        let from = from.to_owned();
        let to = to.to_owned();
        self.run(move |connection| {
            Box::pin(async move {
                let rehash =
                    sqlx::query("update users set password = $1 where id = $2 and password = $3");
                rehash
                    .bind(to)
                    .bind(id.as_bytes())
                    .bind(from)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn move_user(
        &self,
        by: Authority,
        from: &Address,
        to: &Address,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let from = from.clone();
        let to = to.clone();
        let sessions_apart = self.sessions_apart;
        batch::transaction(&self.pool, move |connection| {
            Box::pin(
                async move { move_user(connection, by, sessions_apart, (&from, &to), now).await },
            )
        })
        .await
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sessions_apart = self.sessions_apart;
        let change = Change::Sessions { all };
        let revoked = batch::transaction(&self.pool, move |connection| {
            Box::pin(revoke(connection, by, sessions_apart, change, now))
        });
        Ok(revoked.await?.is_some())
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let count = sqlx::query("update users set revision = revision + 1 where id = $1");
                count.bind(user.as_bytes()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn disable_user(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        batch::transaction(&self.pool, move |connection| {
            Box::pin(disable(connection, id, disabled, now))
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        batch::transaction(&self.pool, move |connection| {
            Box::pin(remove(connection, id))
        })
        .await
    }
}

/// The statement `change`, made by [`by_authority`], with its first parameters.
fn authorised(
    change: &'static str,
    by: Authority,
    sessions_apart: bool,
    now: Timestamp,
) -> Query<'static, Postgres, PgArguments> {
    let revision = i64::try_from(by.revision).unwrap_or(i64::MAX);
    let change = sqlx::query(change)
        .bind(by.user.as_bytes().to_vec())
        .bind(revision);
    change
        .bind(by.session.as_bytes().to_vec())
        .bind(sessions_apart)
        .bind(now.as_millis())
}

/// Since when the user is valid that a statement has changed.
fn valid_from(row: Option<PgRow>) -> Result<Option<Timestamp>, StoreError> {
    row.map(|row| Reading::new("users", &row).time("valid_from"))
        .transpose()
}

/// What a session does to those of its user.
enum Change {
    /// They have this password, so that no session from before is good.
    Password(String),
    /// Sessions are about to be ended, perhaps all.
    Sessions { all: bool },
}

/// With all sessions go the open links to the user.
async fn revoke(
    connection: &mut PgConnection,
    by: Authority,
    sessions_apart: bool,
    change: Change,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let address = match change {
        Change::Sessions { all: false } => None,
        _ => lock_links_to(connection, by.user).await?,
    };
    let change = match change {
        Change::Password(password) => {
            let set = by_authority!("password = $6, valid_from = greatest($5, valid_from + 1)");
            authorised(set, by, sessions_apart, now).bind(password)
        }
        Change::Sessions { all } => {
            let revoke = by_authority!(
                "known_from = greatest($5, known_from + 1, valid_from + 1),
                 valid_from = case when $6 then greatest($5, valid_from + 1) else valid_from end"
            );
            authorised(revoke, by, sessions_apart, now).bind(all)
        }
    };
    let changed = valid_from(change.fetch_optional(&mut *connection).await?)?;
    if let (Some(_), Some(address)) = (changed, address) {
        links::take_back(connection, &address, None).await?;
    }
    Ok(changed)
}

/// Locks the open links to the user, and returns the address that they go to.
async fn lock_links_to(
    connection: &mut PgConnection,
    user: UserId,
) -> Result<Option<Address>, Failure> {
    let select =
        sqlx::query("select issuer, subject from users where id = $1").bind(user.as_bytes());
    let Some(row) = select.fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let address = row::known_address(&row)?;
    if let Some(address) = &address {
        links::lock_open(connection, address).await?;
    }
    Ok(address)
}

/// Of two who are to be known by one address at once, the later one meets the index and is told
/// that the database cannot be used just now.
async fn move_user(
    connection: &mut PgConnection,
    by: Authority,
    sessions_apart: bool,
    (from, to): (&Address, &Address),
    now: Timestamp,
) -> Result<Moved, Failure> {
    let find = "select id, subject from users where issuer = $1 and (subject = $2 or subject = $3)";
    let find = sqlx::query(find)
        .bind(PASSWORD_ISSUER)
        .bind(from.as_str())
        .bind(to.as_str());
    if let Some(kept) =
        row::kept_from_moving(&find.fetch_all(&mut *connection).await?, by.user, from, to)?
    {
        return Ok(kept);
    }
    links::lock_open(connection, from).await?;
    let rename =
        by_authority!("subject = $6, email = $7, valid_from = greatest($5, valid_from + 1)");
    let rename = authorised(rename, by, sessions_apart, now)
        .bind(to.as_str().to_owned())
        .bind(to.typed().to_owned());
    match valid_from(rename.fetch_optional(&mut *connection).await?)? {
        Some(valid_from) => {
            links::take_back(connection, from, None).await?;
            Ok(Moved::Done(valid_from))
        }
        None => Ok(Moved::Revoked),
    }
}

async fn disable(
    connection: &mut PgConnection,
    id: UserId,
    disabled: bool,
    now: Timestamp,
) -> Result<bool, Failure> {
    let address = if disabled {
        lock_links_to(connection, id).await?
    } else {
        None
    };
    let set = "update users
               set disabled = $1, valid_from = greatest($2, valid_from + $1), revision = revision + 1
               where id = $3";
    let set = sqlx::query(set)
        .bind(i64::from(disabled))
        .bind(now.as_millis())
        .bind(id.as_bytes());
    let is_there = set.execute(&mut *connection).await?.rows_affected() == 1;
    if let Some(address) = address {
        links::take_back(connection, &address, None).await?;
    }
    Ok(is_there)
}

/// In the order in which a decision locks its rows: confirmations, which links make due, then
/// sessions, then the user.
async fn remove(connection: &mut PgConnection, id: UserId) -> Result<bool, Failure> {
    if let Some(address) = lock_links_to(connection, id).await? {
        links::take_back(connection, &address, None).await?;
    }
    sessions::delete_of(connection, id, None).await?;
    let delete = sqlx::query("delete from users where id = $1").bind(id.as_bytes());
    Ok(delete.execute(connection).await?.rows_affected() == 1)
}

/// Adds a user or gives the known one the rest of the identity, and the password if there is one.
async fn put_one(
    connection: &mut PgConnection,
    user: &User,
    password: Option<&str>,
) -> Result<UserId, Failure> {
    let address = Address::known_by(&user.identity.issuer, &user.identity.subject)
        .filter(|_| password.is_some());
    if let Some(address) = &address {
        links::lock_open(connection, address).await?;
    }
    let row = sqlx::query(
        "insert into users (id, issuer, subject, name, email, password, since)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (issuer, subject) do update set name = excluded.name, email = excluded.email,
             password = coalesce(excluded.password, users.password),
             valid_from = case when excluded.password is null then users.valid_from
                 else greatest(excluded.since, users.valid_from + 1) end,
             revision = users.revision + case when excluded.password is null then 0 else 1 end
         returning id",
    )
    .bind(user.id.as_bytes())
    .bind(&user.identity.issuer)
    .bind(&user.identity.subject)
    .bind(&user.identity.name)
    .bind(&user.identity.email)
    .bind(password)
    .bind(user.since.as_millis())
    .fetch_one(&mut *connection)
    .await?;
    let id = UserId::from_bytes(Reading::new("users", &row).bytes("id")?);
    if let (Some(address), false) = (address, id == user.id) {
        links::take_back(connection, &address, None).await?;
    }
    Ok(id)
}

/// A user's issuer and subject.
type Key = (String, String);

fn key(identity: &Identity) -> Key {
    (identity.issuer.clone(), identity.subject.clone())
}

/// Finds or adds `users` by their identities, within the transaction of `connection`, and returns
/// their ids in the same order; none of those who are disabled.
pub(super) async fn find_or_add(
    connection: &mut PgConnection,
    users: &[User],
) -> Result<Vec<Option<UserId>>, Failure> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    // Of two that are the same person, the later one knows the name and the address.
    let wanted: BTreeMap<Key, &User> = users
        .iter()
        .map(|user| (key(&user.identity), user))
        .collect();
    let known = find(connection, &wanted).await?;
    // A known user that has not changed is not written: locking a user who signs in at many places
    // at once would make batches wait for each other.
    let is_new = |user: &&User| {
        known
            .get(&key(&user.identity))
            .is_none_or(|known| known.identity != user.identity)
    };
    let new: Vec<&User> = wanted.into_values().filter(is_new).collect();
    let put = put(connection, &new).await?;
    let ids: HashMap<_, _> = known
        .into_iter()
        .map(|(key, user)| (key, admitted(user.id, user.disabled)))
        .chain(put)
        .collect();
    let vanished = || StoreError::Unavailable("a user was not written".into());
    let id = |user: &User| ids.get(&key(&user.identity)).copied().ok_or_else(vanished);
    Ok(users.iter().map(id).collect::<Result<_, _>>()?)
}

/// Those of `users` who are there and may be let in, and stay there until the end of the
/// transaction.
pub(super) async fn known(
    connection: &mut PgConnection,
    users: &[UserId],
) -> Result<HashSet<UserId>, Failure> {
    if users.is_empty() {
        return Ok(HashSet::new());
    }
    let select =
        "select id from users where disabled = 0 and id = any($1) order by id for key share";
    let ids: Vec<_> = users.iter().map(UserId::as_slice).collect();
    let found = sqlx::query(select).bind(ids).fetch_all(connection).await?;
    let read = |row: &PgRow| {
        Ok::<_, StoreError>(UserId::from_bytes(Reading::new("users", row).bytes("id")?))
    };
    Ok(found.iter().map(read).collect::<Result<_, _>>()?)
}

fn admitted(id: UserId, disabled: bool) -> Option<UserId> {
    (!disabled).then_some(id)
}

async fn find(
    connection: &mut PgConnection,
    wanted: &BTreeMap<Key, &User>,
) -> Result<HashMap<Key, User>, Failure> {
    let rows = sqlx::query(concat!(
        "select ",
        user_columns!(),
        " from users
         where (issuer, subject) in (select * from unnest($1::text[], $2::text[]))"
    ))
    .bind(
        wanted
            .keys()
            .map(|(issuer, _)| issuer.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        wanted
            .keys()
            .map(|(_, subject)| subject.as_str())
            .collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    let keyed = |user: User| (key(&user.identity), user);
    Ok(rows
        .iter()
        .map(|row| row::user(row).map(keyed))
        .collect::<Result<_, _>>()?)
}

/// Adds users or takes the rest of their identities over. They have to be in the order of their
/// keys.
async fn put(
    connection: &mut PgConnection,
    users: &[&User],
) -> Result<HashMap<Key, Option<UserId>>, Failure> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "insert into users (id, issuer, subject, name, email, since)
         select * from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
         on conflict (issuer, subject) do update set name = excluded.name, email = excluded.email
         returning id, issuer, subject, disabled",
    )
    .bind(users.iter().map(|user| user.id.as_slice()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.issuer.as_str()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.subject.as_str()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.name.as_deref()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.email.as_deref()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.since.as_millis()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let read = |row: &PgRow| {
        let row = Reading::new("users", row);
        let key = (
            row.text("issuer")?.to_owned(),
            row.text("subject")?.to_owned(),
        );
        let id = UserId::from_bytes(row.bytes("id")?);
        Ok::<_, StoreError>((key, admitted(id, row.number::<u8>("disabled")? == 1)))
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
