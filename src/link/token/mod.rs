//! The token of a link, and the one that the waiting browser has.

use crate::{
    secret::{Keys, LinkToken, Mac, Purpose, SecretHash, labelled_hash},
    token::Token,
};
use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};

/// As a [`Token`] a link carries 64 bits of a MAC, so that a landing knows our own links from an
/// external service's without a look at the database: a flood of invented ones costs no more than
/// before.
const TAG: usize = 8;

/// What each token of ours begins with. It is reserved (docs/PROTOCOL.md): a token that contains it
/// is judged here, whatever has become of the rest on its way, and is never sent to the external
/// service, which would learn a secret that may still sign a user in. Tokens from before this mark
/// are known by their MAC alone.
const MARK: &str = "vestibule-link.";
/// How long the text of a link's secret with its tag is.
const LENGTH: usize = 54;
/// In how many characters of that text the secret is.
const SECRET: usize = 43;
/// How many characters must agree so that a text is known as ours although its end is missing: 36
/// bits of the tag.
const TELLING: usize = SECRET + 6;
/// How many characters may stand before a secret without our mark, so that it is still found.
const JUNK: usize = 16;

/// Reads the part of a text that holds the secret; its last character has bits of the tag as well.
const PART: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

impl LinkToken {
    /// The one in `token`, if that is one of ours.
    #[must_use]
    pub fn read(keys: &Keys, token: &Token) -> Option<Self> {
        let bytes: [u8; 32 + TAG] = URL_SAFE_NO_PAD
            .decode(unmarked(token))
            .ok()?
            .try_into()
            .ok()?;
        let (secret, tag) = bytes.split_first_chunk::<32>()?;
        let genuine = keys
            .macs(Purpose::Link, &[secret])
            .any(|mac| mac.as_bytes().starts_with(tag));
        genuine.then(|| Self::from_bytes(*secret))
    }

    /// The good token of a link of ours in `token`, to which characters have been added on its way.
    #[must_use]
    pub fn within(keys: &Keys, token: &Token) -> Option<Token> {
        let text = token.expose();
        let place = places(text).find(|place| agreeing(keys, &text[*place..]) == LENGTH)?;
        let start = if text[..place].ends_with(MARK) {
            place - MARK.len()
        } else {
            place
        };
        text[start..place + LENGTH].parse().ok()
    }

    /// Whether `token` is one of ours, or what has become of one: it has our mark, or most of a
    /// link is in it. It is never sent to the external service.
    #[must_use]
    pub fn is_ours(keys: &Keys, token: &Token) -> bool {
        let text = token.expose();
        text.to_ascii_lowercase().contains(MARK)
            || Self::is_waiting(keys, token)
            || places(text).any(|place| agreeing(keys, &text[place..]) >= TELLING)
    }

    /// The token in the link's address.
    #[must_use]
    pub fn token(&self, keys: &Keys) -> Token {
        marked(&self.text(&keys.mac(Purpose::Link, &[self.expose()])))
    }

    fn text(&self, mac: &Mac) -> String {
        URL_SAFE_NO_PAD.encode([self.expose().as_slice(), &mac.as_bytes()[..TAG]].concat())
    }

    /// Whether `token` is one that a browser waits with for a link of ours.
    #[must_use]
    pub fn is_waiting(keys: &Keys, token: &Token) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(unmarked(token)).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 16 + TAG]>::try_from(bytes).ok());
        let Some((name, tag)) = bytes
            .as_ref()
            .and_then(|bytes| bytes.split_first_chunk::<16>())
        else {
            return false;
        };
        keys.macs(Purpose::Link, &[b"waiting", name])
            .any(|mac| mac.as_bytes().starts_with(tag))
    }

    /// The token of the waiting browser's confirmation. It follows from the link's, so a landing
    /// sees from the browser's cookies whether it is the one that asked; nothing leads back from
    /// it.
    #[must_use]
    pub fn waiting(&self, keys: &Keys) -> Token {
        Self::waiting_of(keys, &self.hash())
    }

    /// The same from the hash of the link's token, which is what a store has.
    #[must_use]
    pub fn waiting_of(keys: &Keys, hash: &SecretHash) -> Token {
        let name = Self::name(hash);
        marked(&Self::waiting_text(
            &name,
            &keys.mac(Purpose::Link, &[b"waiting", &name]),
        ))
    }

    /// The same under each of the keys: which one was the newest when the browser began to wait is
    /// not known. Also without our mark, as the browsers have it that began before there was one.
    #[must_use]
    pub fn waiting_each(&self, keys: &Keys) -> Vec<Token> {
        let name = Self::name(&self.hash());
        let parts: [&[u8]; 2] = [b"waiting", &name];
        let texts = keys
            .macs(Purpose::Link, &parts)
            .map(|mac| Self::waiting_text(&name, &mac));
        texts
            .flat_map(|text| [Some(marked(&text)), text.parse().ok()])
            .flatten()
            .collect()
    }

    fn waiting_text(name: &[u8; 16], mac: &Mac) -> String {
        URL_SAFE_NO_PAD.encode([name.as_slice(), &mac.as_bytes()[..TAG]].concat())
    }

    fn name(hash: &SecretHash) -> [u8; 16] {
        let hash = labelled_hash("vestibule/1 waiting", hash);
        std::array::from_fn(|place| hash[place])
    }
}

fn marked(text: &str) -> Token {
    format!("{MARK}{text}")
        .parse()
        .expect("base64url has none but the characters of a token")
}

fn unmarked(token: &Token) -> &str {
    token.expose().strip_prefix(MARK).unwrap_or(token.expose())
}

/// Where in a token the secret of a link may begin: after our mark, or near the start.
fn places(text: &str) -> impl Iterator<Item = usize> {
    let marked = text.rfind(MARK).map(|mark| mark + MARK.len());
    marked
        .into_iter()
        .chain(0..=JUNK)
        .filter(|place| text.len() >= place + TELLING)
}

/// How many characters at the start of `text` are those of a link that was made under one of the
/// keys.
fn agreeing(keys: &Keys, text: &str) -> usize {
    let secret = PART
        .decode(&text[..SECRET])
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    let Some(link) = secret.map(LinkToken::from_bytes) else {
        return 0;
    };
    let alike = |mac: Mac| {
        text.bytes()
            .zip(link.text(&mac).bytes())
            .take_while(|(one, other)| one == other)
            .count()
    };
    keys.macs(Purpose::Link, &[link.expose()])
        .map(alike)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
