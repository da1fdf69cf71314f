//! The end of a run: nothing fails any more, and everything that was begun has to come to its
//! outcome.

use crate::{
    event::{Event, ada},
    gate::{Fate, What},
    rules::Broken,
    world::World,
};
use std::time::Duration;
use vestibule::{
    clock::Clock as _,
    confirmation::State,
    pending::{PendingCookie, TokenTag},
    sign_ins::Progress,
    store::ConfirmationStore as _,
    validator::Verdict,
};

/// More steps than any run needs to come to rest.
const PATIENCE: usize = 2_000;
/// Longer than anything is kept.
const LONG: Duration = Duration::from_hours(24 * 30);

impl World {
    pub async fn calm_down(&mut self) -> Result<(), Broken> {
        self.lines.push("       from here on nothing fails".into());
        self.gates.set_outage(false);
        self.validator_away = false;
        for node in &mut self.nodes {
            node.stalled = false;
            if !node.runs() {
                node.start();
            }
        }
        self.rest("what was begun has no outcome", |world| {
            let settled = |state: &State| matches!(state, State::Settled(_));
            let busy = world
                .browsers
                .iter()
                .any(|browser| browser.state().busy > 0);
            !busy
                && world
                    .database
                    .confirmations()
                    .iter()
                    .all(|confirmation| settled(&confirmation.state))
        })
        .await?;
        self.everybody_is_told().await?;
        self.happen(Event::Jump(LONG)).await?;
        self.rest("what is of no more use is kept", |world| {
            world.database.confirmations().is_empty() && world.sessions.all().is_empty()
        })
        .await
        .map_err(|broken| Broken { rule: 10, ..broken })
    }

    /// Goes on calmly until `done`.
    async fn rest(&mut self, else_what: &str, done: impl Fn(&Self) -> bool) -> Result<(), Broken> {
        for _ in 0..PATIENCE {
            if done(self) {
                return Ok(());
            }
            let event = match self.gates.waiting().into_iter().next() {
                Some((number, who, what)) => {
                    let fate = match what {
                        What::Validate(_) => Fate::Answer(Ok(Verdict::Valid(ada(), None))),
                        _ => Fate::Go,
                    };
                    Event::Pass {
                        number,
                        who,
                        what,
                        fate,
                    }
                }
                None => Event::Wake,
            };
            self.happen(event).await?;
        }
        Err(Broken {
            rule: 2,
            what: else_what.into(),
        })
    }

    /// Each browser that still holds the cookie of a confirmation is told what it came to.
    async fn everybody_is_told(&self) -> Result<(), Broken> {
        let sign_ins = &self.nodes[0].sign_ins;
        for browser in &self.browsers {
            let state = browser.state().clone();
            for token in self.tokens.iter() {
                let Some(text) = state.jar.get(&TokenTag::of(sign_ins.keys(), token)) else {
                    continue;
                };
                let Some(cookie) = PendingCookie::decode(sign_ins.keys(), token, text) else {
                    continue;
                };
                let begun = self
                    .database
                    .confirmation_by_secret(&cookie.secret.hash())
                    .await;
                // A cookie lives longer than all that follows from it, unless the clock was moved.
                let good =
                    self.clock.now().since(cookie.minted) < sign_ins.timing().pending_cookie();
                if good && begun.is_ok_and(|begun| begun.is_some()) {
                    let told = sign_ins
                        .status(token, Some(text), state.session.as_ref())
                        .await;
                    if !told
                        .as_ref()
                        .is_ok_and(|report| matches!(report.progress, Progress::Done(_)))
                    {
                        return Err(Broken {
                            rule: 2,
                            what: format!("a browser is told {told:?}"),
                        });
                    }
                }
            }
        }
        Ok(())
    }
}
