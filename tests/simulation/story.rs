//! A run as a story, and the shortest one that still breaks a rule.

use crate::{choices::Choices, rules::Broken, world::World};
use std::fmt::Write as _;

/// What happened in a run.
pub struct Story {
    pub lines: Vec<String>,
    pub broken: Option<Broken>,
}

/// Runs a world to its end, or until a rule breaks.
pub fn run(choices: Choices) -> Story {
    let mut choices = choices;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let apart = choices.next().is_some_and(|choice| choice % 2 == 1);
    let mut world = World::new(apart);
    let broken = runtime
        .expect("a runtime")
        .block_on(world.run(choices))
        .err();
    Story {
        lines: world.lines,
        broken,
    }
}

/// Fails with the shortest story of `seed`, if it breaks a rule.
pub fn tell(seed: u64) {
    let Some(Broken { rule, .. }) = run(Choices::of(seed)).broken else {
        return;
    };
    let Story { lines, broken } = run(Choices::replayed(shorten(
        Choices::of(seed).list().to_vec(),
        rule,
    )));
    let Broken { rule, what } = broken.expect("the shortest story breaks the same rule");
    let mut story = String::new();
    for line in lines {
        let _ = writeln!(story, "  {line}");
    }
    panic!("seed {seed} breaks rule {rule}: {what}\n{story}(VESTIBULE_SEED={seed} tells it again)");
}

/// Removes or calms every choice without which the rule still breaks.
fn shorten(mut choices: Vec<u32>, rule: u8) -> Vec<u32> {
    let still = |choices: &[u32]| {
        run(Choices::replayed(choices.to_vec()))
            .broken
            .is_some_and(|broken| broken.rule == rule)
    };
    loop {
        let before = choices.clone();
        let mut size = choices.len() / 2;
        while size > 0 {
            let mut start = 1;
            while start + size <= choices.len() {
                let mut fewer = choices.clone();
                fewer.drain(start..start + size);
                if still(&fewer) {
                    choices = fewer;
                } else {
                    start += size;
                }
            }
            size /= 2;
        }
        for place in 1..choices.len() {
            let mut calmer = choices.clone();
            calmer[place] = 0;
            if choices[place] != 0 && still(&calmer) {
                choices = calmer;
            }
        }
        if choices == before {
            return choices;
        }
    }
}
