//! A new link, and one that an operator makes.

use super::{Code, LIFETIME, Link, LinkId, LinkState, LinkToken, Number};
use crate::{
    clock::Timestamp,
    device::Device,
    email_address::Address,
    secret::{Entropy, Keys},
    store::{LinkStore, StoreError},
};
use std::time::Duration;

impl Link {
    /// A link to `address` that no browser waits for, and that signs in existing users only.
    pub(super) fn new(
        keys: &Keys,
        entropy: &dyn Entropy,
        now: Timestamp,
        address: &Address,
        token: &LinkToken,
        code: &Code,
        device: Option<Device>,
    ) -> Self {
        let id = LinkId::generate(entropy);
        Self {
            id,
            revision: 0,
            token: token.hash(),
            waiting: None,
            address: address.clone(),
            allows_new_user: false,
            code: code.mac(keys, id),
            mailed: false,
            known: false,
            guesses: 0,
            number: Number::generate(entropy),
            device,
            next: None,
            requested_at: now,
            expires_at: now + LIFETIME,
            state: LinkState::Open,
        }
    }
}

/// Makes a link for `address` that an operator hands over. It also signs in a new user. Needs no
/// `MagicLinks` and sends no mail.
///
/// # Errors
/// [`StoreError`] if it could not be stored.
pub async fn create(
    store: &dyn LinkStore,
    keys: &Keys,
    entropy: &dyn Entropy,
    now: Timestamp,
    address: &Address,
    lives: Duration,
) -> Result<LinkToken, StoreError> {
    let token = LinkToken::generate(entropy);
    let link = Link::new(
        keys,
        entropy,
        now,
        address,
        &token,
        &Code::generate(entropy),
        None,
    );
    store
        .add_link(&Link {
            allows_new_user: true,
            expires_at: now + lives,
            ..link
        })
        .await?;
    Ok(token)
}
