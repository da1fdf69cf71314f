//! Gates: where every action waits for the world.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;
use vestibule::{
    channel::Channel,
    confirmation::ConfirmationId,
    publisher::Announcement,
    validator::{ValidationError, Verdict},
};

/// The task that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A node's worker.
    Worker(usize),
    /// A node's request handler, for a browser.
    Desk(usize),
    /// A browser, for its response.
    Browser(usize),
}

/// The action that waits.
#[derive(Clone, Debug)]
pub enum What {
    /// A write to a store.
    Write(&'static str),
    /// A worker's write to a confirmation, by the number of its claim.
    Fenced {
        name: &'static str,
        id: ConfirmationId,
        fence: u64,
    },
    /// A question to the validator.
    Validate(ConfirmationId),
    /// An announcement.
    Announce(Channel, Announcement),
    /// A response on its way to the browser.
    Response,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(node) => write!(f, "worker {node}"),
            Self::Desk(node) => write!(f, "sign_ins {node}"),
            Self::Browser(browser) => write!(f, "browser {browser}"),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(name) => write!(f, "writes: {name}"),
            Self::Fenced { name, id, fence } => {
                write!(f, "writes: {name} {id} under claim {fence}")
            }
            Self::Validate(id) => write!(f, "asks the validator about {id}"),
            Self::Announce(_, announcement) => write!(f, "announces {announcement:?}"),
            Self::Response => f.write_str("awaits its response"),
        }
    }
}

/// What becomes of it.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It happens.
    Go,
    /// It does not happen, and the caller is told so.
    Fail,
    /// It happens, and the caller is told that it did not.
    Lost,
    /// The validator's answer.
    Answer(Result<Verdict, ValidationError>),
}

/// A task at a gate.
#[derive(Debug)]
pub struct Waiting {
    pub number: u64,
    pub who: Who,
    pub what: What,
    fate: oneshot::Sender<Fate>,
}

#[derive(Debug, Default)]
pub struct Gates(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    count: u64,
    waiting: Vec<Waiting>,
    outage: bool,
}

impl Gates {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at a gate.
    pub async fn pass(&self, who: Who, what: What) -> Fate {
        let (fate, decided) = oneshot::channel();
        {
            let mut queue = self.lock();
            queue.count += 1;
            let number = queue.count;
            queue.waiting.push(Waiting {
                number,
                who,
                what,
                fate,
            });
        }
        decided.await.unwrap_or(Fate::Fail)
    }

    /// The waiting tasks in order of arrival, without those that gave up.
    pub fn waiting(&self) -> Vec<(u64, Who, What)> {
        let mut queue = self.lock();
        queue.waiting.retain(|waiting| !waiting.fate.is_closed());
        queue
            .waiting
            .iter()
            .map(|waiting| (waiting.number, waiting.who, waiting.what.clone()))
            .collect()
    }

    /// Lets one pass. Whether it was still there.
    pub fn decide(&self, number: u64, fate: Fate) -> bool {
        let mut queue = self.lock();
        let Some(place) = queue
            .waiting
            .iter()
            .position(|waiting| waiting.number == number)
        else {
            return false;
        };
        queue.waiting.remove(place).fate.send(fate).is_ok()
    }

    pub fn set_outage(&self, outage: bool) {
        self.lock().outage = outage;
    }

    /// Whether the stores are away.
    pub fn outage(&self) -> bool {
        self.lock().outage
    }
}
