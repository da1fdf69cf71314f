//! What an application is told of a user who is signed in: a signed, short-lived statement that is
//! addressed to it.
//!
//! An assertion is a JWT (RFC 7519) in JWS compact form, signed by ES256 (RFC 7518, section 3.4),
//! which the libraries of every language verify. It only ever speaks of an established session, and
//! is good for [`LIFETIME`]. The public keys are published as a JWK set (RFC 7517): the one in use,
//! the one before it, and the next one, so that an application that has fetched them can verify
//! across a rotation.

mod keys;
mod signer;

pub use keys::{SigningKeyError, SigningKeys};
pub use signer::{RotateError, Signer};

use crate::{
    clock::Timestamp,
    entry::{Method, SignedIn},
};
use serde::Serialize;
use std::time::Duration;

/// How long an assertion is good.
pub const LIFETIME: Duration = Duration::from_mins(1);

/// Whom assertions come from, and whom they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The public address of Vestibule: the claim `iss`.
    pub issuer: String,
    /// The origin of the application: the claim `aud`. An assertion that is shown to another
    /// application means nothing there.
    pub audience: String,
}

/// What an assertion says (RFC 7519, section 4.1; `OpenID` Connect Core 1.0, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims<'c> {
    iss: &'c str,
    aud: &'c str,
    /// The user's id here, which never changes and belongs to no other user.
    sub: String,
    iat: i64,
    exp: i64,
    /// When the user has proved who they are.
    auth_time: i64,
    /// How: `pwd`, `link` or `validator`.
    amr: [&'static str; 1],
    /// The session.
    sid: String,
    /// Who vouches for the user, and by which name. Only both together name a person.
    idp: IdentityProvider<'c>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct IdentityProvider<'c> {
    iss: &'c str,
    sub: &'c str,
}

impl<'c> Claims<'c> {
    /// What `parties` say to each other of `who` at `now`.
    #[must_use]
    pub fn new(parties: &'c Parties, who: &'c SignedIn, now: Timestamp) -> Self {
        let seconds = |moment: Timestamp| moment.as_millis().div_euclid(1000);
        let identity = &who.user.identity;
        Self {
            iss: &parties.issuer,
            aud: &parties.audience,
            sub: who.user.id.to_string(),
            iat: seconds(now),
            exp: seconds(now + LIFETIME),
            auth_time: seconds(who.since),
            amr: [match who.method() {
                Method::Password => "pwd",
                method => method.as_str(),
            }],
            sid: who.sid(),
            idp: IdentityProvider {
                iss: &identity.issuer,
                sub: &identity.subject,
            },
            email: identity.email.as_deref(),
            name: identity.name.as_deref(),
        }
    }
}
