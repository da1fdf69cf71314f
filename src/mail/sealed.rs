//! Letters as they are kept.

use super::{Letter, MailId};
use crate::{
    device::Device,
    link::LinkToken,
    secret::{CannotOpen, Entropy, Keys, Sealed},
};
use std::fmt;
use zeroize::Zeroizing;

/// A sealed letter.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedLetter(pub Sealed);

impl SealedLetter {
    /// Seals the letter of the mail `id`.
    #[must_use]
    pub fn seal(keys: &Keys, entropy: &dyn Entropy, id: MailId, letter: &Letter) -> Self {
        let (code, device) = (letter.code.digits(), letter.device.as_ref().map_or("", Device::as_str));
        let plain = Zeroizing::new([letter.link.expose().as_slice(), code.as_bytes(), device.as_bytes()].concat());
        Self(Sealed::seal(keys, entropy, id.as_bytes(), &plain))
    }

    /// Opens the letter of the mail `id`.
    ///
    /// # Errors
    /// [`CannotOpen`] if its key is not among `keys`, or it was sealed for another mail, or is damaged.
    pub fn open(&self, keys: &Keys, id: MailId) -> Result<Letter, CannotOpen> {
        let plain = self.0.open(keys, id.as_bytes())?;
        let (link, rest) = plain.split_first_chunk::<32>().ok_or(CannotOpen)?;
        let (code, device) = rest.split_at_checked(6).ok_or(CannotOpen)?;
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| CannotOpen);
        Ok(Letter {
            link: LinkToken::from_bytes(*link),
            code: text(code)?.parse().map_err(|_| CannotOpen)?,
            device: Device::new(text(device)?),
        })
    }
}

impl fmt::Debug for SealedLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedLetter(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{link::Code, secret::SystemEntropy};

    #[test]
    fn a_letter_opens_for_its_own_mail_alone() {
        let keys = Keys::from_secret(&[1; 32]);
        let (mine, other) = (MailId::from_bytes([1; 16]), MailId::from_bytes([2; 16]));
        let letter = Letter {
            link: LinkToken::generate(&SystemEntropy),
            code: Code::generate(&SystemEntropy),
            device: Device::new("Firefox on Linux"),
        };
        let sealed = SealedLetter::seal(&keys, &SystemEntropy, mine, &letter);
        assert_eq!(sealed.open(&keys, mine), Ok(letter));
        assert_eq!(sealed.open(&keys, other), Err(CannotOpen));
    }
}
