//! To ask for a link: a confirmation that waits, a link that it waits for, and a mail that carries it.

use super::{Address, Code, LIFETIME, Link, LinkToken, Links, Registration};
use crate::{
    caps::Client,
    confirmation::{Decision, Rejection},
    device::Device,
    mail::{Letter, LinkLetter, MAILS, Mail, Posting},
    store::BeginError,
    token::Token,
    user::PASSWORD_ISSUER,
    vestibule::Pending,
};
use std::time::Duration;

/// How many links an address is sent within [`WINDOW`]; whoever asks for more sees no difference.
pub const PER_ADDRESS: u32 = 5;
/// For how long it counts that somebody has asked for a link.
pub const WINDOW: Duration = Duration::from_hours(1);
/// How long a waiting confirmation outlives its link: long enough to be told that the link has expired.
const AFTER: Duration = Duration::from_mins(1);

/// What somebody who has asked for a link gets, whether or not it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// The token of the waiting confirmation.
    pub token: Token,
    /// Its pending cookie, for the response to set.
    pub pending: Pending,
}

impl Links {
    /// Has a link sent to `address`, and has the browser wait for it. It is said to be on its way also where it is not
    /// sent, because nobody is known by that address, or it has had enough: nobody learns anything about an address by
    /// asking, nor by the time that it takes. Within [`WINDOW`] a client may ask as often as it may have undecided
    /// confirmations.
    ///
    /// # Errors
    /// [`BeginError`] if a cap was met or it could not be stored: nothing is sent then, and nothing has begun.
    pub async fn request(
        &self,
        address: &Address,
        device: Option<Device>,
        client: Client,
    ) -> Result<Requested, BeginError> {
        let (keys, entropy, now) = (self.vestibule.keys(), self.vestibule.entropy(), self.vestibule.now());
        let (token, code) = (LinkToken::generate(entropy), Code::generate(entropy));
        let (waiting, expires) = (token.waiting(keys), now + LIFETIME);
        let known = self.vestibule.store().user_by_identity(PASSWORD_ISSUER, address.as_str()).await?;
        let to = known.as_ref().map_or_else(|| address.clone(), |user| address.of_user(&user.identity));
        let (pending, confirmation) = self.vestibule.wait(&waiting, expires, expires + AFTER, client).await?;
        let admits = self.registration == Registration::Open;
        let known = known.map_or(admits, |user| !user.disabled);
        let mut link = Link::new(keys, entropy, now, address, &token, &code, device);
        (link.waiting, link.admits) = (Some(confirmation), admits);
        let letter = Letter::Link(LinkLetter { link: token, code, device: link.device.clone() });
        let posting = Posting {
            mail: Mail::new(keys, entropy, now, &to, &letter, expires),
            known,
            client,
            since: now - WINDOW,
            of_address: PER_ADDRESS,
            of_client: self.vestibule.caps.of_client,
            in_all: MAILS,
        };
        if let Err(error) = self.store.post_link(&link, &posting).await {
            // No link will come for it, so it takes nobody's place.
            let _ = self.vestibule.decide(confirmation, &Decision::Rejected(Rejection::Expired)).await;
            return Err(error);
        }
        self.postman.notify_one();
        // Whoever waits for a former link is to be told.
        self.vestibule.wake.notify_one();
        Ok(Requested { token: waiting, pending })
    }
}
