//! Opening a link: in the browser that asked for it, or elsewhere.

use super::MagicLinks;
use crate::{
    clock::Timestamp,
    device::Device,
    email_address::Address,
    link::{InvalidLink, Link, LinkError, LinkState, LinkToken, Number, change::LinkKey},
    pending::PendingCookie,
    store::StoreError,
    token::Token,
    validator::Verdict,
};

/// What the holder of a link may see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedLink {
    /// The address of the user that it signs in.
    pub address: Address,
    /// The device that asked for it, if known.
    pub device: Option<Device>,
    /// When it was asked for.
    pub asked: Timestamp,
    /// Whether a page that shows a number waits for it.
    pub waited_for: bool,
}

impl MagicLinks {
    /// Looks at a link. Changes nothing, so scanners may.
    ///
    /// # Errors
    /// [`LinkError`] if it cannot be used, or could not be read.
    pub async fn look(&self, link: &LinkToken) -> Result<OpenedLink, LinkError> {
        let link = self.store.link_by_token(&link.hash()).await?;
        let link = link.ok_or(InvalidLink::Expired)?;
        link.open(self.sign_ins.now())?;
        Ok(OpenedLink {
            waited_for: link.waiting.is_some(),
            address: link.address,
            device: link.device,
            asked: link.requested_at,
        })
    }

    /// A link as it is stored, even if it can no longer be used.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn kept(&self, link: &LinkToken) -> Result<Option<Link>, StoreError> {
        self.store.link_by_token(&link.hash()).await
    }

    /// The token with which this browser waits for the link, if it is the one that asked: `shown`
    /// gives the pending cookie that it has for a token.
    #[must_use]
    pub fn asked_here<'c>(
        &self,
        link: &LinkToken,
        shown: impl Fn(&Token) -> Option<&'c str>,
    ) -> Option<Token> {
        let keys = self.sign_ins.keys();
        let waits = |token: &Token| {
            shown(token).is_some_and(|text| PendingCookie::decode(keys, token, text).is_some())
        };
        link.waiting_each(keys).into_iter().find(waits)
    }

    /// The link was opened elsewhere, and has begun a confirmation of its own there: uses it up.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored; a worker does it then.
    pub async fn use_up(
        &self,
        link: &LinkToken,
        token: &Token,
        shown: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(confirmation) = self.sign_ins.begun(token, shown).await? else {
            return Ok(());
        };
        let now = self.sign_ins.now();
        let used = self
            .change(LinkKey::Token(link.hash()), |link| {
                link.use_up(confirmation.id, now)
            })
            .await;
        let verdict = match used {
            Ok(link) => link.verdict(&*self.sign_ins.stores.users).await?,
            Err(LinkError::Invalid(why)) => Verdict::Invalid(why.into()),
            Err(LinkError::Store(error)) => return Err(error),
        };
        self.sign_ins
            .decide(confirmation.id, &verdict.into())
            .await
            .map(drop)
    }

    /// The link was opened in the browser that asked for it: lets it in.
    ///
    /// # Errors
    /// [`LinkError`] if it cannot be used, or it could not be stored.
    pub async fn open_here(&self, link: &LinkToken) -> Result<(), LinkError> {
        let now = self.sign_ins.now();
        self.change(LinkKey::Token(link.hash()), |link| link.approve(now))
            .await
            .map(drop)
    }

    /// The user opened the link elsewhere and typed `number`. The right one lets the waiting
    /// browser in; any other revokes the link, because someone else may have asked for it.
    ///
    /// # Errors
    /// [`LinkError`] if it cannot be used, or `number` is wrong, or it could not be stored.
    pub async fn pick(&self, link: &LinkToken, number: Number) -> Result<(), LinkError> {
        let now = self.sign_ins.now();
        let picked = |link: Link| {
            link.open(now)?;
            if link.number == number {
                link.approve(now)
            } else {
                Ok(link.revoke())
            }
        };
        let ended = self.change(LinkKey::Token(link.hash()), picked).await?;
        if ended.state == LinkState::Approved {
            Ok(())
        } else {
            Err(InvalidLink::Expired.into())
        }
    }
}
