//! What can happen next, and how likely it is.

use crate::{
    act::Act,
    gate::{Fate, What, Who},
    world::{Node, World},
};
use std::time::Duration;
use vestibule::{
    confirmation::{ConfirmationId, Stage},
    user::Identity,
    validator::{Answer, Reason, ValidationError, Verdict},
};

#[derive(Clone, Debug)]
pub enum Event {
    /// A task passes a gate, or does not.
    Pass {
        number: u64,
        who: Who,
        what: What,
        fate: Fate,
    },
    /// A user does something on a node.
    Do {
        browser: usize,
        node: usize,
        act: Act,
    },
    /// The validator calls back, on a node.
    Callback {
        id: ConfirmationId,
        node: usize,
        answer: Answer,
    },
    /// The clock goes on to the next sleeper.
    Wake,
    /// The clock jumps on.
    Jump(Duration),
    /// The clock is set back.
    SetBack(Duration),
    /// A node is killed.
    Kill(usize),
    /// A node is started again.
    Start(usize),
    /// A worker is paused, or goes on.
    Stall(usize, bool),
    /// The stores are away, or back.
    Outage(bool),
    /// The validator is away, or back.
    Away(bool),
}

/// How many requests a browser has on their way at most.
const TABS: usize = 2;

pub fn ada() -> Identity {
    Identity {
        issuer: "simulated".into(),
        subject: "ada".into(),
        name: None,
        email: None,
    }
}

fn bob() -> Identity {
    Identity {
        subject: "bob".into(),
        ..ada()
    }
}

/// All that can happen next with its weight; the calmest first.
pub fn possible(world: &World) -> Vec<(u32, Event)> {
    let mut events = Vec::new();
    for (number, who, what) in world.gates.waiting() {
        if matches!(who, Who::Worker(node) if world.nodes[node].stalled) {
            continue;
        }
        let fates = fates(&what, world.gates.outage(), world.validator_away);
        events.extend(fates.into_iter().map(|(weight, fate)| {
            (
                weight,
                Event::Pass {
                    number,
                    who,
                    what: what.clone(),
                    fate,
                },
            )
        }));
    }
    events.push((6, Event::Wake));
    events.push((1, Event::Jump(Duration::from_secs(31))));
    events.push((1, Event::SetBack(Duration::from_secs(10))));
    events.push((1, Event::Outage(!world.gates.outage())));
    events.push((1, Event::Away(!world.validator_away)));
    for (place, node) in world.nodes.iter().enumerate() {
        if node.runs() {
            events.extend([
                (1, Event::Kill(place)),
                (1, Event::Stall(place, !node.stalled)),
            ]);
        } else {
            events.push((4, Event::Start(place)));
        }
    }
    events.extend(acts(world));
    events.extend(calls(world));
    events
}

/// The validator calls whenever it likes and as often, about anything, also about what it is not
/// asked about, and contradicts itself.
fn calls(world: &World) -> Vec<(u32, Event)> {
    let Some(node) = world.nodes.iter().position(Node::runs) else {
        return Vec::new();
    };
    let known = world.database.confirmations().into_iter();
    let unknown = ConfirmationId::from_bytes([0; 16]);
    let ids = known.map(|confirmation| confirmation.id).chain([unknown]);
    let answers = [
        Answer::Verdict(Verdict::Valid(ada(), None)),
        Answer::Verdict(Verdict::Valid(bob(), None)),
        Answer::Verdict(Verdict::Invalid(Reason::Used)),
        Answer::Pending(Some(Stage::Reviewing)),
    ];
    ids.flat_map(|id| {
        answers.clone().map(|answer| {
            let event = Event::Callback { id, node, answer };
            (1, event)
        })
    })
    .collect()
}

fn fates(what: &What, outage: bool, validator_away: bool) -> Vec<(u32, Fate)> {
    let temporary = |retry_after| {
        Err(ValidationError::Temporary {
            what: "away".into(),
            retry_after,
        })
    };
    match what {
        What::Validate(_) if validator_away => vec![(17, Fate::Answer(temporary(None)))],
        What::Validate(_) => vec![
            (6, Fate::Answer(Ok(Verdict::Valid(ada(), None)))),
            (3, Fate::Answer(Ok(Verdict::Valid(bob(), None)))),
            (3, Fate::Answer(Ok(Verdict::Invalid(Reason::Used)))),
            (3, Fate::Answer(temporary(None))),
            (1, Fate::Answer(temporary(Some(Duration::from_secs(20))))),
            (
                1,
                Fate::Answer(Err(ValidationError::Throttled {
                    retry_after: Some(Duration::from_secs(20)),
                })),
            ),
            (
                2,
                Fate::Answer(Err(ValidationError::Later {
                    ask_again: Duration::from_secs(20),
                    stage: None,
                })),
            ),
            (
                1,
                Fate::Answer(Err(ValidationError::Permanent {
                    what: "refused".into(),
                })),
            ),
        ],
        What::Write(_) | What::Fenced { .. } if outage => vec![(12, Fate::Fail)],
        What::Write(_) | What::Fenced { .. } => {
            vec![(12, Fate::Go), (1, Fate::Fail), (2, Fate::Lost)]
        }
        What::Announce(..) | What::Response => vec![(6, Fate::Go), (2, Fate::Fail)],
    }
}

fn acts(world: &World) -> Vec<(u32, Event)> {
    let running: Vec<_> = (0..world.nodes.len())
        .filter(|node| world.nodes[*node].runs())
        .collect();
    let mut events = Vec::new();
    for (browser, state) in world.browsers.iter().enumerate() {
        if running.is_empty() || state.state().busy >= TABS {
            continue;
        }
        // Without sticky sessions: a browser comes to another node each time.
        let node = running[(world.lines.len() + browser) % running.len()];
        let mut add = |weight, act| events.push((weight, Event::Do { browser, node, act }));
        for token in 0..world.tokens.len() {
            add(3, Act::Land(token));
            add(5, Act::Begin(token));
            add(1, Act::TryAgain(token));
            add(1, Act::Status(token));
            add(1, Act::Cancel(token));
        }
        add(5, Act::Enter);
        for act in [Act::Become, Act::Stay, Act::SignOut, Act::SignOutEverywhere] {
            add(1, act);
        }
    }
    events
}
