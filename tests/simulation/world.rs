//! The world: two nodes on one database, two browsers, two links, and the rules that watch them.

use crate::{
    act::{Act, Greeting, Visit},
    browser::{Browser, Choice},
    choices::Choices,
    clock::SimClock,
    event::{self, Event},
    gate::{Fate, Gates, What, Who},
    gated::{Gated, gated},
    rules::{Broken, Rules},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vestibule::{
    clock::Clock as _,
    confirmation::ConfirmationId,
    outcome::Destinations,
    secret::{Keys, SessionSecret},
    sign_ins::SignIns,
    store::{SessionStore as _, UserStore as _, memory::MemorySessions},
    testing::{MemoryDatabase, SeededEntropy},
    timing::Timing,
    token::Token,
    user::UserId,
    validator::{Answer, ValidationError, Verdict},
    worker::{Dispatch, Environment, Worker},
};

/// A process with a [`SignIns`] and a worker.
pub struct Node {
    pub sign_ins: SignIns,
    pub stalled: bool,
    environment: Environment,
    dispatch: Dispatch,
    worker: Option<JoinHandle<()>>,
    visits: Vec<JoinHandle<()>>,
}

impl Node {
    pub const fn runs(&self) -> bool {
        self.worker.is_some()
    }

    pub fn start(&mut self) {
        let worker = Worker::new(self.environment.clone(), self.dispatch.clone(), 4);
        self.worker = Some(tokio::spawn(worker.run(CancellationToken::new())));
        self.stalled = false;
    }

    fn kill(&mut self) {
        for task in self.worker.take().into_iter().chain(self.visits.drain(..)) {
            task.abort();
        }
    }
}

pub struct World {
    pub clock: Arc<SimClock>,
    pub gates: Arc<Gates>,
    pub database: Arc<MemoryDatabase>,
    pub sessions: Arc<MemorySessions>,
    pub nodes: Vec<Node>,
    pub browsers: Vec<Arc<Browser>>,
    pub tokens: Arc<[Token]>,
    /// What the validator has answered.
    pub answers: BTreeMap<ConfirmationId, Vec<Result<Verdict, ValidationError>>>,
    pub validator_away: bool,
    /// The story so far.
    pub lines: Vec<String>,
    greetings: Arc<Mutex<Vec<Greeting>>>,
    rules: Rules,
}

impl World {
    /// A world in which sessions are kept `apart` from the database, or in one transaction with it.
    pub fn new(apart: bool) -> Self {
        let clock = Arc::<SimClock>::default();
        let gates = Arc::<Gates>::default();
        let database = Arc::<MemoryDatabase>::default();
        let sessions = Arc::<MemorySessions>::default();
        let timing = Timing::default();
        let keys = Arc::new(Keys::from_secret(&[7; 32]));
        let entropy = Arc::new(SeededEntropy::new(1));
        let stores = |who: Who| {
            let stores = database.stores(sessions.clone());
            if apart {
                let stores = gated(stores, &gates, who);
                let sessions = stores.sessions.clone();
                stores.with_external_sessions(sessions, timing.bound)
            } else {
                let stores = stores.with_external_sessions(sessions.clone(), timing.bound);
                gated(stores, &gates, who)
            }
        };
        let node = |place: usize| {
            let environment = |who: Who| {
                let outside = Arc::new(Gated::new(Arc::new(()), &gates, who));
                Environment {
                    stores: stores(who),
                    validator: outside.clone(),
                    publisher: outside,
                    clock: clock.clone(),
                    entropy: entropy.clone(),
                    keys: keys.clone(),
                    destinations: Destinations::default(),
                    timing: timing.clone(),
                    room: Arc::default(),
                    outbox: None,
                    notice_wake: None,
                }
            };
            let dispatch = Dispatch::default();
            let sign_ins = SignIns::new(&environment(Who::Desk(place)), dispatch.clone());
            let environment = environment(Who::Worker(place));
            Node {
                sign_ins,
                stalled: false,
                environment,
                dispatch,
                worker: None,
                visits: Vec::new(),
            }
        };
        Self {
            nodes: (0..2).map(node).collect(),
            browsers: (0..2).map(|_| Arc::default()).collect(),
            tokens: ["one", "two"]
                .map(|token| token.parse().expect("a token"))
                .into(),
            answers: BTreeMap::new(),
            validator_away: false,
            lines: Vec::new(),
            greetings: Arc::default(),
            rules: Rules::default(),
            clock,
            gates,
            database,
            sessions,
        }
    }

    /// Lets happen what the choices say, and then calms down.
    pub async fn run(&mut self, mut choices: Choices) -> Result<(), Broken> {
        for node in &mut self.nodes {
            node.start();
        }
        self.settle(None).await?;
        while let Some(choice) = choices.next() {
            let event = pick(event::possible(self), choice);
            self.happen(event).await?;
        }
        self.calm_down().await
    }

    pub async fn happen(&mut self, event: Event) -> Result<(), Broken> {
        self.lines.push(self.describe(&event));
        let fenced = match &event {
            Event::Pass {
                what: What::Fenced { id, fence, .. },
                fate: Fate::Go | Fate::Lost,
                ..
            } => Some((*id, *fence)),
            _ => None,
        };
        match event {
            Event::Pass {
                number, what, fate, ..
            } => {
                if let (What::Announce(channel, announcement), Fate::Go) = (&what, &fate) {
                    self.rules.announced(channel, announcement)?;
                }
                let answer = match (&what, &fate) {
                    (What::Validate(id), Fate::Answer(answer)) => Some((*id, answer.clone())),
                    _ => None,
                };
                let arrived = self.gates.decide(number, fate);
                if let (Some((id, answer)), true) = (answer, arrived) {
                    self.answers.entry(id).or_default().push(answer);
                }
            }
            Event::Do { browser, node, act } => self.visit(browser, node, act).await,
            Event::Callback { id, node, answer } => self.call(id, node, answer),
            Event::Wake => {
                if let Some(at) = self.clock.next_sleeper() {
                    self.clock.set(at.max(self.clock.now()));
                }
            }
            Event::Jump(by) => self.clock.advance(by),
            Event::SetBack(by) => self.clock.set(self.clock.now() - by),
            Event::Kill(node) => self.nodes[node].kill(),
            Event::Start(node) => self.nodes[node].start(),
            Event::Stall(node, stalled) => self.nodes[node].stalled = stalled,
            Event::Outage(away) => self.gates.set_outage(away),
            Event::Away(away) => self.validator_away = away,
        }
        self.settle(fenced).await
    }

    /// Waits until every task waits, and checks the rules.
    async fn settle(&mut self, fenced: Option<(ConfirmationId, u64)>) -> Result<(), Broken> {
        // Time is paused, and goes on by itself only when no task can run.
        tokio::time::sleep(Duration::from_millis(1)).await;
        if self
            .nodes
            .iter()
            .any(|node| node.worker.as_ref().is_some_and(JoinHandle::is_finished))
        {
            return Err(Broken {
                rule: 2,
                what: "a worker has stopped by itself".into(),
            });
        }
        let greetings = std::mem::take(
            &mut *self
                .greetings
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for greeting in greetings {
            crate::rules::greeted(&greeting)?;
        }
        let mut rules = std::mem::take(&mut self.rules);
        let checked = rules.check(self, fenced).await;
        self.rules = rules;
        checked
    }

    async fn visit(&mut self, number: usize, node: usize, act: Act) {
        let browser = Arc::clone(&self.browsers[number]);
        let session = browser.state().session.clone();
        let choice = match act {
            // Ends the sessions of other browsers too.
            Act::SignOutEverywhere => Some(Choice::made(self.browsers.clone())),
            act if act.is_a_choice() => Some(Choice::made(vec![browser.clone()])),
            _ => None,
        };
        let visit = Visit {
            act,
            number,
            before: self.user_of(session).await,
            browser,
            sign_ins: self.nodes[node].sign_ins.clone(),
            gates: self.gates.clone(),
            tokens: self.tokens.clone(),
            greetings: self.greetings.clone(),
            _choice: choice,
        };
        self.nodes[node].visits.push(tokio::spawn(visit.pay()));
    }

    /// What is said may count from now on; if it is lost on its way, the validator says it again.
    fn call(&mut self, id: ConfirmationId, node: usize, answer: Answer) {
        if let Answer::Verdict(verdict) = &answer {
            let answers = self.answers.entry(id).or_default();
            answers.push(Ok(verdict.clone()));
        }
        let node = &mut self.nodes[node];
        let sign_ins = node.sign_ins.clone();
        let call = async move {
            let _ = sign_ins.receive(id, answer).await;
        };
        node.visits.push(tokio::spawn(call));
    }

    async fn user_of(&self, secret: Option<SessionSecret>) -> Option<UserId> {
        let hash = secret?.hash();
        let session = self.sessions.session_by_secret(&hash).await.ok()??;
        let now = self.clock.now();
        let user = session.signs_in(&hash, now)?;
        // A sign-out that failed half-way has ended it, although it is still there.
        let known = self.database.user(user).await.ok()??;
        known.may_sign_in(session.created_at, now).then_some(user)
    }

    fn describe(&self, event: &Event) -> String {
        let now = self.clock.now().as_millis() % 86_400_000 / 1000;
        match event {
            Event::Pass {
                who, what, fate, ..
            } => format!("{now:>5} s  {who} {what}: {fate:?}"),
            other => format!("{now:>5} s  {other:?}"),
        }
    }
}

fn pick(events: Vec<(u32, Event)>, choice: u32) -> Event {
    let total: u32 = events.iter().map(|(weight, _)| weight).sum();
    let mut left = choice % total;
    for (weight, event) in events {
        if left < weight {
            return event;
        }
        left -= weight;
    }
    Event::Wake
}
