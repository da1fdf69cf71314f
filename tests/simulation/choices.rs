//! What happens next, as a list of numbers: drawn from a seed, or given to be replayed.

/// The choices of one run. Choice 0 is always the calm one, so a story gets shorter by fewer and
/// smaller choices.
#[derive(Clone, Debug)]
pub struct Choices {
    given: Vec<u32>,
    taken: usize,
}

impl Choices {
    /// The choices that follow from `seed`.
    pub fn of(seed: u64) -> Self {
        let mut state = seed;
        let length = 40 + draw(&mut state) as usize % 160;
        Self::replayed((0..length).map(|_| draw(&mut state)).collect())
    }

    /// These choices and no more.
    pub const fn replayed(given: Vec<u32>) -> Self {
        Self { given, taken: 0 }
    }

    /// The next choice; `None` when the story is over.
    pub fn next(&mut self) -> Option<u32> {
        let choice = self.given.get(self.taken).copied()?;
        self.taken += 1;
        Some(choice)
    }

    pub fn list(&self) -> &[u32] {
        &self.given
    }
}

/// `SplitMix64` (Steele, Lea, Flood, 2014): every seed gives an unrelated sequence.
fn draw(state: &mut u64) -> u32 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or_default()
}
