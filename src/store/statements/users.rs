//! Statements about the table `users`.

/// The columns that [`row::user`](crate::store::row::user) reads.
macro_rules! user_columns {
    () => {
        "id, issuer, subject, name, email, created_at, disabled, valid_from, known_from, revision"
    };
}
#[cfg(feature = "postgres")]
pub(in crate::store) use user_columns;

/// `$1`: their id.
pub(in crate::store) const USER_BY_ID: &str =
    concat!("select ", user_columns!(), " from users where id = $1");

/// `$1`: the issuer; `$2`: the subject.
pub(in crate::store) const USER_BY_IDENTITY: &str = concat!(
    "select ",
    user_columns!(),
    " from users where issuer = $1 and subject = $2"
);

/// A user who may sign in with a password, and its hash. `$1`: the issuer; `$2`: the subject.
pub(in crate::store) const USER_WITH_PASSWORD: &str = concat!(
    "select ",
    user_columns!(),
    ", password from users
     where issuer = $1 and subject = $2 and password is not null and disabled = 0"
);

/// A page of the list of all users. `$1` and `$2`: issuer and subject of the one before it; `$3`:
/// how many.
pub(in crate::store) const USERS_AFTER: &str = concat!(
    "select ",
    user_columns!(),
    " from users where (issuer, subject) > ($1, $2) order by issuer, subject limit $3"
);

/// `$1`: the user's id.
pub(in crate::store) const IDENTITY_OF_USER: &str =
    "select issuer, subject from users where id = $1";

/// Who is known by either of two addresses. `$1`: the issuer; `$2` and `$3`: the addresses.
pub(in crate::store) const USERS_BY_EITHER_SUBJECT: &str =
    "select id, subject from users where issuer = $1 and (subject = $2 or subject = $3)";

/// `$1`: the new hash; `$2`: the user's id; `$3`: the hash that it replaces.
pub(in crate::store) const REHASH_PASSWORD: &str =
    "update users set password = $1 where id = $2 and password = $3";

/// What a session of the user was allowed before holds no longer. `$1`: the user's id.
pub(in crate::store) const COUNT_ENDED_SESSION: &str =
    "update users set revision = revision + 1 where id = $1";

/// `$1`: the issuer; `$2`: the subject.
pub(in crate::store) const USER_EXISTS: &str =
    "select exists (select 1 from users where issuer = $1 and subject = $2)";

/// `$1`: the issuer; `$2`: the subject.
pub(in crate::store) const DELETE_USER_BY_IDENTITY: &str =
    "delete from users where issuer = $1 and subject = $2";
