//! Statements about the table `sessions`.

/// The columns that [`row::session`](crate::store::row::session) reads.
macro_rules! session_columns {
    () => {
        "id, revision, state, secret, user_id, token_tag, created_at, last_seen_at, former, \
         former_until, expires_at, device"
    };
}
pub(in crate::store) use session_columns;

/// `$1`: its id.
pub(in crate::store) const SESSION_BY_ID: &str = concat!(
    "select ",
    session_columns!(),
    " from sessions where id = $1"
);

/// `$1`: the hash of its secret, or of the one that it had before.
pub(in crate::store) const SESSION_BY_SECRET: &str = concat!(
    "select ",
    session_columns!(),
    " from sessions where secret = $1 or former = $1"
);

/// The columns that [`row::session_with_user`](crate::store::row::session_with_user) reads.
macro_rules! session_user_columns {
    () => {
        "sessions.id, sessions.revision, state, secret, user_id, token_tag, sessions.created_at, \
         last_seen_at, former, former_until, expires_at, device, issuer, subject, name, email, \
         disabled, valid_from, known_from, users.created_at as user_created_at, \
         users.revision as user_revision"
    };
}
pub(in crate::store) use session_user_columns;

/// The newest first. `$1`: the user's id.
pub(in crate::store) const ESTABLISHED_SESSIONS_OF_USER: &str = concat!(
    "select ",
    session_columns!(),
    " from sessions where user_id = $1 and state = 'established' order by created_at desc"
);
