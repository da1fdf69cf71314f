//! The code of a mail, typed into the page that waits for its link.

use super::MagicLinks;
use crate::{
    link::{
        Alarm, Code, GUESSES, InvalidLink, Link, LinkError, LinkState, Tries, WRONG_CODES,
        WrongCode, change::LinkKey, tries,
    },
    store::StoreError,
    token::Token,
};

/// The result of guessing the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// What the browser is told.
    pub came_to: Guessed,
    /// Set if it was one of the wrong codes that are counted for the address.
    pub wrong: Option<WrongCode>,
}

/// What became of a guess at the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guessed {
    /// It was right: the waiting browser is let in.
    Right,
    /// It was wrong, and this many more may be tried.
    Wrong {
        /// How many.
        left: u32,
    },
    /// The link can no longer be used.
    Invalid(InvalidLink),
}

impl MagicLinks {
    /// The user typed `code` into the waiting page. After [`WRONG_CODES`] for the address, no code
    /// is right.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn guess(
        &self,
        token: &Token,
        shown: Option<&str>,
        code: &Code,
    ) -> Result<Guess, StoreError> {
        let none = |why| Guess {
            came_to: Guessed::Invalid(why),
            wrong: None,
        };
        let Some(confirmation) = self.sign_ins.begun(token, shown).await? else {
            return Ok(none(InvalidLink::Expired));
        };
        let keys = self.sign_ins.keys();
        let now = self.sign_ins.now();
        let Some(link) = self.store.link_by_waiting(confirmation.id).await? else {
            return Ok(none(InvalidLink::Expired));
        };
        if let Err(why) = link.open(now) {
            return Ok(none(why));
        }
        let tries = Tries {
            address: link.address,
            known: link.known,
        };
        // Counted before it is judged, so that many at once get no more tries.
        let counted = if link.mailed {
            self.store
                .count_code(&tries, now, tries::since(now))
                .await?
        } else {
            None
        };
        let guess = |link: Link| {
            let right = counted.is_some() && code.is(keys, link.id, &link.code);
            link.guess(right, now)
        };
        let mut revoked = false;
        let came_to = match self.change(LinkKey::Waiting(confirmation.id), guess).await {
            Ok(link) => match link.state {
                LinkState::Approved => Guessed::Right,
                LinkState::Open => Guessed::Wrong {
                    left: GUESSES - link.guesses,
                },
                state @ (LinkState::Revoked | LinkState::Used { .. }) => {
                    revoked = state == LinkState::Revoked;
                    Guessed::Invalid(InvalidLink::Expired)
                }
            },
            Err(LinkError::Invalid(why)) => Guessed::Invalid(why),
            Err(LinkError::Store(error)) => return Err(error),
        };
        if came_to == Guessed::Right {
            self.store.forget_codes(&tries).await?;
            return Ok(Guess {
                came_to,
                wrong: None,
            });
        }
        let wrong = counted.map(|count| WrongCode {
            address: tries.address,
            alarm: if count == WRONG_CODES {
                Some(Alarm::Off)
            } else {
                revoked.then_some(Alarm::Revoked)
            },
        });
        Ok(Guess { came_to, wrong })
    }
}
