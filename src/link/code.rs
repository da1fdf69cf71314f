//! What can be read in one place and typed in another.

use super::{LinkId, digit::digit};
use crate::secret::{Entropy, Keys, Mac, Purpose, random};
use std::{fmt, str::FromStr};

/// Six digits in the mail, to be typed into the waiting page.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct Code(u32);

const CODES: u32 = 1_000_000;

/// The text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has six digits")]
pub struct InvalidCode;

impl Code {
    /// A fresh one.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(below(CODES, entropy))
    }

    /// The six digits.
    #[must_use]
    pub fn digits(&self) -> String {
        format!("{:06}", self.0)
    }

    /// What the database sees of the code of `link`. A million are tried in no time, so a hash
    /// without a key would keep nothing secret.
    #[must_use]
    pub fn mac(&self, keys: &Keys, link: LinkId) -> Mac {
        keys.mac(Purpose::LinkCode, &[link.as_bytes(), &self.0.to_be_bytes()])
    }

    /// Whether it is the code of `link`, compared in constant time.
    #[must_use]
    pub fn is(&self, keys: &Keys, link: LinkId, mac: &Mac) -> bool {
        keys.verify(
            Purpose::LinkCode,
            &[link.as_bytes(), &self.0.to_be_bytes()],
            mac.as_bytes(),
        )
    }
}

impl FromStr for Code {
    type Err = InvalidCode;

    /// Reads a code as people type and paste it: in the digits of any script, with whatever else
    /// between and around them.
    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let digits: Vec<u32> = text.chars().filter_map(digit).take(7).collect();
        if digits.len() != 6 {
            return Err(InvalidCode);
        }
        Ok(Self(
            digits.into_iter().fold(0, |code, digit| code * 10 + digit),
        ))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// A number of two digits on the waiting page. The user types it where they open the link
/// elsewhere, so that they cannot let in a browser that they do not see. If they picked one of a
/// few numbers, one blind click in a few would let a stranger in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(u8);

impl Number {
    /// A fresh one.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(u8::try_from(10 + below(90, entropy)).unwrap_or(10))
    }

    /// The number with this value, if it has two digits.
    #[must_use]
    pub fn new(value: u8) -> Option<Self> {
        (10..=99).contains(&value).then_some(Self(value))
    }

    /// Its value, from 10 to 99.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// The text is no number of two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number has two digits")]
pub struct InvalidNumber;

impl FromStr for Number {
    type Err = InvalidNumber;

    /// Reads a number as people type it, as a [`Code`] is read.
    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let digits: Vec<u32> = text.chars().filter_map(digit).take(3).collect();
        let [tens, ones] = digits[..] else {
            return Err(InvalidNumber);
        };
        u8::try_from(tens * 10 + ones)
            .ok()
            .and_then(Self::new)
            .ok_or(InvalidNumber)
    }
}

/// A number below `bound`, each as likely as any other to within one in 2^32.
fn below(bound: u32, entropy: &dyn Entropy) -> u32 {
    u32::try_from(u64::from_be_bytes(random(entropy)) % u64::from(bound)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    const LINK: LinkId = LinkId::from_bytes([1; 16]);

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in [
            "012345",
            "012 345",
            " 012-345 ",
            "012\u{2013}345",
            "012\u{2011}345",
            "012\u{2212}345.",
            "\u{200b}0\u{ad}12\u{2060}345\u{feff}",
            "\u{202a}012345\u{202c}",
            "012\u{a0}345",
            "G-012345",
            "Code: 012345\n",
            "０１２３４５",
            "٠١٢٣٤٥",
            "۰۱۲۳۴۵",
            "०१२ ३४५",
            "๐๑๒๓๔๕",
            "\u{1d7ce}\u{1d7cf}\u{1d7da}３٤५",
        ] {
            assert_eq!(
                typed.parse::<Code>().map(|code| code.digits()),
                Ok("012345".to_owned()),
                "{typed}"
            );
        }
        for bad in [
            "",
            "12345",
            "1234567",
            "12345a",
            "+12345",
            "abcdef",
            "①②③④⑤⑥",
            "²²²²²²",
            "一二三四五六",
            "012345 (15)",
        ] {
            assert_eq!(bad.parse::<Code>(), Err(InvalidCode), "{bad}");
        }
    }

    #[test]
    fn a_code_is_good_for_its_own_link_alone() {
        let keys = Keys::from_secret(&[1; 32]);
        let code = Code::generate(&SystemEntropy);
        let mac = code.mac(&keys, LINK);
        assert!(code.is(&keys, LINK, &mac));
        assert!(!code.is(&keys, LinkId::from_bytes([2; 16]), &mac));
        assert!(!Code(code.0 ^ 1).is(&keys, LINK, &mac));
    }

    #[test]
    fn a_number_is_read_as_people_type_it() {
        for typed in [
            "42",
            " 4 2",
            "42.",
            "\u{200b}42",
            "\u{0664}\u{0662}",
            "\u{ff14}\u{ff12}",
        ] {
            assert_eq!(typed.parse(), Ok(Number(42)), "{typed}");
        }
        for bad in ["", "4", "420", "07", "00", "forty-two"] {
            assert_eq!(bad.parse::<Number>(), Err(InvalidNumber), "{bad}");
        }
        assert_eq!((Number::new(9), Number::new(100)), (None, None));
    }
}
