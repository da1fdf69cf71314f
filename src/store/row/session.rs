//! Sessions as rows.

use super::{Reading, Row};
use crate::{
    device::Device,
    pending::TokenTag,
    secret::SecretHash,
    session::{Former, Session, SessionId, SessionState},
    store::StoreError,
    user::UserId,
};

/// Reads a session.
pub(in crate::store) fn session(row: &dyn Row) -> Result<Session, StoreError> {
    let row = Reading::new("sessions", row);
    let secret = SecretHash::from_bytes(row.bytes("secret")?);
    let user = row.optional_bytes("user_id")?.map(UserId::from_bytes);
    let state = match (row.text("state")?, user) {
        ("pending", None) => SessionState::Pending { secret },
        ("bound", Some(user)) => SessionState::Bound { secret, user },
        ("established", Some(user)) => {
            let former = match row.optional_bytes("former")? {
                Some(former) => Some(Former {
                    secret: SecretHash::from_bytes(former),
                    until: row.time("former_until")?,
                }),
                None => None,
            };
            let device = row.optional_text("device")?.and_then(Device::new);
            SessionState::Established {
                secret,
                user,
                last_seen_at: row.time("last_seen_at")?,
                former,
                device,
            }
        }
        _ => return Err(row.corrupt("state and user_id fit no state")),
    };
    Ok(Session {
        id: SessionId::from_bytes(row.bytes("id")?),
        revision: row.number("revision")?,
        token_tag: row.optional_bytes("token_tag")?.map(TokenTag::from_bytes),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        state,
    })
}

/// A session as it stands in a row.
pub(in crate::store) struct SessionColumns<'s> {
    pub id: &'s [u8],
    pub revision: i64,
    pub state: &'static str,
    pub secret: &'s [u8],
    pub user: Option<&'s [u8]>,
    pub token_tag: Option<&'s [u8]>,
    pub created_at: i64,
    pub last_seen_at: Option<i64>,
    pub former: Option<&'s [u8]>,
    pub former_until: Option<i64>,
    pub expires_at: i64,
    pub device: Option<&'s str>,
}

impl<'s> SessionColumns<'s> {
    pub fn of(session: &'s Session) -> Self {
        let (state, secret, user, last_seen_at, former) = match &session.state {
            SessionState::Pending { secret } => ("pending", secret, None, None, None),
            SessionState::Bound { secret, user } => ("bound", secret, Some(user), None, None),
            SessionState::Established {
                secret,
                user,
                last_seen_at,
                former,
                ..
            } => (
                "established",
                secret,
                Some(user),
                Some(last_seen_at.as_millis()),
                former.as_ref(),
            ),
        };
        Self {
            id: session.id.as_bytes(),
            // A revision counts writes, at most one a minute: it does not come near.
            revision: i64::try_from(session.revision).unwrap_or(i64::MAX),
            state,
            secret: secret.as_bytes(),
            user: user.map(UserId::as_slice),
            token_tag: session.token_tag.as_ref().map(TokenTag::as_slice),
            created_at: session.created_at.as_millis(),
            last_seen_at,
            former: former.map(|former| former.secret.as_slice()),
            former_until: former.map(|former| former.until.as_millis()),
            expires_at: session.expires_at.as_millis(),
            device: session.device().map(Device::as_str),
        }
    }
}
