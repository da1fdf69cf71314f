//! What can be read in one place and typed or picked in another.

use super::LinkId;
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

    /// What the database sees of the code of `link`. A million are tried in no time, so a hash without a key would keep
    /// nothing secret.
    #[must_use]
    pub fn mac(&self, keys: &Keys, link: LinkId) -> Mac {
        keys.mac(Purpose::LinkCode, &[link.as_bytes(), &self.0.to_be_bytes()])
    }

    /// Whether it is the code of `link`, compared in constant time.
    #[must_use]
    pub fn is(&self, keys: &Keys, link: LinkId, mac: &Mac) -> bool {
        keys.verify(Purpose::LinkCode, &[link.as_bytes(), &self.0.to_be_bytes()], mac.as_bytes())
    }
}

impl FromStr for Code {
    type Err = InvalidCode;

    /// Reads a code as people type it, with spaces or a hyphen in it.
    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let digits: String = text.chars().filter(|char| !char.is_whitespace() && *char != '-').collect();
        let six = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| six).map(Self).ok_or(InvalidCode)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// A number of two digits on the waiting page. Whoever opens the link elsewhere picks it from [`NUMBERS`], so that nobody
/// lets in a browser which they do not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(u8);

/// From how many numbers one is picked.
pub const NUMBERS: usize = 3;

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

    /// This number among others, in ascending order. Each look shows the same: two looks would tell which one stays.
    #[must_use]
    pub fn among(self, keys: &Keys, link: LinkId) -> [Self; NUMBERS] {
        let mut numbers = vec![self];
        let noise = keys.mac(Purpose::LinkCode, &[b"numbers", link.as_bytes()]);
        let others = noise.as_bytes().iter().map(|byte| Self(10 + byte % 90));
        for other in others.chain((10..=99).map(Self)) {
            if numbers.len() < NUMBERS && !numbers.contains(&other) {
                numbers.push(other);
            }
        }
        numbers.sort_by_key(|number| number.0);
        std::array::from_fn(|place| numbers[place])
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
        for typed in ["012345", "012 345", " 012-345 "] {
            assert_eq!(typed.parse::<Code>().map(|code| code.digits()), Ok("012345".to_owned()));
        }
        for bad in ["", "12345", "1234567", "12345a", "+12345", "١٢٣٤٥٦"] {
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
    fn a_number_stands_among_others_and_each_time_among_the_same() {
        let keys = Keys::from_secret(&[1; 32]);
        for value in 10..=99 {
            let number = Number::new(value).unwrap();
            let among = number.among(&keys, LinkId::from_bytes([value; 16]));
            assert!(among.contains(&number));
            assert!(among.is_sorted_by(|one, next| one.0 < next.0), "{among:?}");
            assert_eq!(among, number.among(&keys, LinkId::from_bytes([value; 16])));
        }
        assert_eq!((Number::new(9), Number::new(100)), (None, None));
    }
}
