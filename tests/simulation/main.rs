//! The whole core in a simulated world: time, stores, validator, publisher and browsers, driven by
//! a seed.
//!
//! Two nodes, each with a `SignIns` and a worker, work on one database. Whatever one of them
//! writes, asks or answers waits at a *gate* until the world lets it through, fails it, or kills
//! the node first: so anything can happen between any two steps. After every step the rules of the
//! design are checked. In the end the world calms down, and everything that was begun has to have
//! come to its outcome.
//!
//! A run follows from its seed alone. Of a run that breaks a rule, the shortest story that still
//! does is looked for and printed. `VESTIBULE_SEEDS=100000` tries more, `VESTIBULE_SEED=17` one
//! alone.

#![cfg(feature = "testing")]

mod act;
mod browser;
mod calm;
mod choices;
mod clock;
mod event;
mod gate;
mod gated;
mod rules;
mod story;
mod world;

use choices::Choices;
use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// How many seeds are tried.
const SEEDS: u64 = 10_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_rule_breaks_whatever_happens_between_any_two_steps() {
    if let Some(seed) = number("VESTIBULE_SEED") {
        story::tell(seed);
        return;
    }
    let next = AtomicU64::new(0);
    let seeds = number("VESTIBULE_SEEDS").unwrap_or(SEEDS);
    let broken = AtomicU64::new(u64::MAX);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || broken.load(Ordering::Relaxed) != u64::MAX {
                        return;
                    }
                    if story::run(Choices::of(seed)).broken.is_some() {
                        broken.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let broken = broken.load(Ordering::Relaxed);
    if broken != u64::MAX {
        story::tell(broken);
    }
    println!("figure: {seeds} simulated runs: no rule broken");
}

#[test]
fn a_seed_gives_the_same_story_each_time() {
    for seed in 0..20 {
        assert_eq!(
            story::run(Choices::of(seed)).lines,
            story::run(Choices::of(seed)).lines,
            "seed {seed}"
        );
    }
}
