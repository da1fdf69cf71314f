//! To decide: the users of many confirmations, found or added at once.

use crate::{
    store::{
        StoreError,
        postgres::connection::Failure,
        row::{self, Reading},
        statements::user_columns,
    },
    user::{Identity, User, UserId},
};
use sqlx::{PgConnection, postgres::PgRow};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A user's issuer and subject.
type Key = (String, String);

fn key(identity: &Identity) -> Key {
    (identity.issuer.clone(), identity.subject.clone())
}

/// Finds or adds `users` by their identities, within the transaction of `connection`, and returns
/// their ids in the same order; none of those who are disabled.
pub(in crate::store::postgres) async fn find_or_add(
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
pub(in crate::store::postgres) async fn known(
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
        "insert into users (id, issuer, subject, name, email, created_at)
         select * from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
         on conflict (issuer, subject) do update set name = excluded.name, email = excluded.email
         returning id, issuer, subject, disabled",
    )
    .bind(users.iter().map(|user| user.id.as_slice()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.issuer.as_str()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.subject.as_str()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.name.as_deref()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.identity.email.as_deref()).collect::<Vec<_>>())
    .bind(users.iter().map(|user| user.created_at.as_millis()).collect::<Vec<_>>())
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
