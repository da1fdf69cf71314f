//! The current password. A user who has signed in by it knows it, and a stranger at their open
//! browser does not: it is asked for before the way to sign in is changed (OWASP ASVS 5.0, 6.2.3).
//! A user who forgot it signs in by a link first.

use crate::{
    accounts::passwords::{Lane, Password, PasswordError},
    http::state::AppState,
};
use std::sync::Arc;
use vestibule::{
    audit::{Event, Means},
    entry::{Method, SignedIn},
    secret::SystemEntropy,
    store::StoreError,
};

/// The message about a wrong one.
pub const WRONG: &str = "That is not your current password.";

/// Whether the user has to give it.
pub async fn is_asked(app: &AppState, who: &SignedIn) -> Result<bool, StoreError> {
    Ok(who.method() == Method::Password
        && app
            .sign_ins
            .stores()
            .users
            .password(&who.user.identity.subject)
            .await?
            .is_some())
}

/// Whether `current` is the user's, where it has to be given.
pub async fn proves(
    app: &AppState,
    who: &SignedIn,
    current: Option<Password>,
) -> Result<bool, PasswordError> {
    if !is_asked(app, who).await? {
        return Ok(true);
    }
    let is_theirs = match current {
        Some(current) => {
            let users = &*app.sign_ins.stores().users;
            let subject = &who.user.identity.subject;
            let checked = app.passwords.check(
                users,
                Arc::new(SystemEntropy),
                subject,
                current,
                Lane::SignedIn,
            );
            checked.await?.is_some_and(|user| user.id == who.user.id)
        }
        None => false,
    };
    if !is_theirs {
        let user = Some(who.user.id);
        Event::SignInRefused {
            user,
            means: Means::Password,
            why: "not_current",
        }
        .record();
    }
    Ok(is_theirs)
}
