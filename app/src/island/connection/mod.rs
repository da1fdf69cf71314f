//! The life of the page's connection to a Pusher server: when to open it, what to send, when to
//! give it up.
//!
//! Pure: events and the time go in, [`ConnectionEffect`]s come out. `page` carries them out on a
//! real socket.

use super::{
    backoff::Moment,
    frames::{self, PusherFrame},
};
use vestibule_protocol::Announcement;

/// How long the server may take from the opening to its greeting, and from there to the
/// subscription. Servers refuse a signature in different ways, or say nothing at all; that this
/// time has passed is the one sign they share.
const SUBSCRIBED_WITHIN: u64 = 10_000;
/// How long a ping may stay unanswered.
const PONG_WITHIN: u64 = 30_000;
/// The same, when a person has just come back to the page and the socket may have died meanwhile.
const PONG_WITHIN_SIGHT: u64 = 5_000;
/// "At once", when the server restarts: it says so to thousands of pages in the same moment, and
/// the next one has to greet each of them.
const AT_ONCE: u32 = 1_500;
/// A connection that has lasted this long was healthy: the next failure counts as the first.
const GOOD_AFTER: u64 = 5_000;
/// No deadline.
const NEVER: u64 = u64::MAX;

/// What is to be done, or has become known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionEffect {
    /// Open a socket in place of the one there may be.
    Open,
    /// Close the socket.
    Close,
    /// Send this frame.
    Send(String),
    /// Have the server sign the subscription of `channel` for `socket`, and tell
    /// [`PusherConnection::signed`].
    Authorize {
        /// The connection's name.
        socket: String,
        /// The channel to subscribe to.
        channel: String,
    },
    /// The subscription stands; whatever was announced before was missed.
    Subscribed,
    /// The worker announced something; `None` if this page does not understand it.
    Announced(Option<Announcement>),
}

/// See the module.
#[derive(Debug)]
pub struct PusherConnection {
    state: ConnectionState,
    /// What to listen to; unknown while a fresh confirmation is being begun.
    channel: Option<String>,
    /// When something happens by itself.
    due: u64,
    /// How many times in a row no good connection came about.
    failures: u32,
}

#[derive(Debug)]
enum ConnectionState {
    /// No channel is wanted.
    Idle,
    /// The server does not want us back, or the browser cannot.
    Refused,
    /// Between two sockets.
    Resting,
    /// The socket is there, the greeting is not.
    Opening,
    /// The server has greeted.
    Established {
        socket: String,
        since: u64,
        activity: u64,
        subscribed: bool,
        pinged: bool,
    },
}

impl Default for PusherConnection {
    fn default() -> Self {
        Self {
            state: ConnectionState::Idle,
            channel: None,
            due: NEVER,
            failures: 0,
        }
    }
}

impl PusherConnection {
    /// When [`PusherConnection::due`] wants to be called.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.due
    }

    /// Listens to `channel`; opens the socket if there is none. With `None` the socket is made
    /// ready for a channel that will be known soon.
    pub fn listen(&mut self, channel: Option<String>, at: Moment) -> Vec<ConnectionEffect> {
        if matches!(self.state, ConnectionState::Idle) {
            self.channel = channel;
            self.failures = 0;
            return self.open(at);
        }
        if self.channel == channel {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if let (ConnectionState::Established { subscribed, .. }, Some(old)) =
            (&mut self.state, &self.channel)
        {
            *subscribed = false;
            effects.push(ConnectionEffect::Send(frames::unsubscribe(old)));
        }
        self.channel = channel;
        self.subscribe(at, &mut effects);
        effects
    }

    /// Stops listening.
    pub fn stop(&mut self) -> Vec<ConnectionEffect> {
        if !matches!(self.state, ConnectionState::Refused) {
            self.state = ConnectionState::Idle;
        }
        self.due = NEVER;
        vec![ConnectionEffect::Close]
    }

    /// The page goes into the back-forward cache, or away: a page with an open socket is not
    /// cached, or loses it there silently.
    pub fn suspend(&mut self) -> Vec<ConnectionEffect> {
        if matches!(self.state, ConnectionState::Idle | ConnectionState::Refused) {
            return Vec::new();
        }
        self.rest_until(NEVER);
        vec![ConnectionEffect::Close]
    }

    /// The network or the page is back: no socket from before can be trusted.
    pub fn resume(&mut self, at: Moment) -> Vec<ConnectionEffect> {
        if matches!(self.state, ConnectionState::Idle | ConnectionState::Refused) {
            return Vec::new();
        }
        self.failures = 0;
        self.open(at)
    }

    /// The page is visible again. Browsers let sockets of hidden pages die silently, so check that
    /// it is alive.
    pub fn check(&mut self, at: Moment) -> Vec<ConnectionEffect> {
        match &mut self.state {
            // A page that comes out of the back-forward cache is seen first and woken then.
            ConnectionState::Resting if self.due != NEVER => self.open(at),
            ConnectionState::Established {
                subscribed: true,
                pinged,
                ..
            } => {
                *pinged = true;
                self.due = at.now + PONG_WITHIN_SIGHT;
                vec![ConnectionEffect::Send(frames::PING.to_owned())]
            }
            _ => Vec::new(),
        }
    }

    /// The server sent this text.
    pub fn receive(&mut self, text: &str, at: Moment) -> Vec<ConnectionEffect> {
        let frame = frames::read(text);
        let mut effects = Vec::new();
        if let PusherFrame::Established { socket, activity } = frame {
            self.state = ConnectionState::Established {
                socket,
                since: at.now,
                activity,
                subscribed: false,
                pinged: false,
            };
            self.due = at.now + activity;
            self.subscribe(at, &mut effects);
            return effects;
        }
        let ConnectionState::Established {
            activity,
            subscribed,
            pinged,
            ..
        } = &mut self.state
        else {
            return effects;
        };
        let ours = |channel: &String| Some(channel) == self.channel.as_ref();
        match frame {
            PusherFrame::Ping => effects.push(ConnectionEffect::Send(frames::PONG.to_owned())),
            PusherFrame::Subscribed(channel) if ours(&channel) => {
                *subscribed = true;
                effects.push(ConnectionEffect::Subscribed);
            }
            PusherFrame::Announced(channel, announcement) if ours(&channel) => {
                effects.push(ConnectionEffect::Announced(announcement));
            }
            _ => {}
        }
        if *subscribed {
            *pinged = false;
            self.due = at.now + *activity;
        }
        effects
    }

    /// The reply to [`ConnectionEffect::Authorize`]. Where there is no signature, the time limit of
    /// the subscription does the rest.
    pub fn signed(
        &mut self,
        socket: &str,
        channel: &str,
        signature: &str,
    ) -> Vec<ConnectionEffect> {
        match &self.state {
            ConnectionState::Established {
                socket: current, ..
            } if current == socket && self.channel.as_deref() == Some(channel) => {
                vec![ConnectionEffect::Send(frames::subscribe(
                    channel, signature,
                ))]
            }
            _ => Vec::new(),
        }
    }

    /// The socket closed with this code; 4000 to 4299 are the protocol's own.
    pub fn closed(&mut self, code: u16, at: Moment) {
        if matches!(self.state, ConnectionState::Resting) {
            return;
        }
        let first = self.fail(at);
        match code {
            4000..=4099 => self.refuse(),
            4100..=4199 => self.due += 1_000,
            // "At once" is for the server that restarts, not for one that hangs up on each
            // greeting.
            4200..=4299 if first => self.due = at.within(AT_ONCE),
            _ => {}
        }
    }

    /// There can be no socket: what the page was told to connect to is no address, or the browser
    /// forbids it.
    pub fn refuse(&mut self) {
        self.state = ConnectionState::Refused;
        self.due = NEVER;
    }

    /// Something may be due.
    pub fn due(&mut self, at: Moment) -> Vec<ConnectionEffect> {
        if at.now < self.due {
            return Vec::new();
        }
        match &mut self.state {
            ConnectionState::Resting => self.open(at),
            ConnectionState::Established {
                pinged, subscribed, ..
            } if !*pinged && (*subscribed || self.channel.is_none()) => {
                *pinged = true;
                self.due = at.now + PONG_WITHIN;
                vec![ConnectionEffect::Send(frames::PING.to_owned())]
            }
            // The socket stays until the next one replaces it: a greeting that is merely late is
            // still welcome.
            _ => {
                self.fail(at);
                Vec::new()
            }
        }
    }

    fn open(&mut self, at: Moment) -> Vec<ConnectionEffect> {
        self.state = ConnectionState::Opening;
        self.due = at.now + SUBSCRIBED_WITHIN;
        vec![ConnectionEffect::Open]
    }

    fn subscribe(&mut self, at: Moment, effects: &mut Vec<ConnectionEffect>) {
        if let (ConnectionState::Established { socket, .. }, Some(channel)) =
            (&self.state, &self.channel)
        {
            self.due = at.now + SUBSCRIBED_WITHIN;
            effects.push(ConnectionEffect::Authorize {
                socket: socket.clone(),
                channel: channel.clone(),
            });
        }
    }

    /// Counts a failure and rests until the next attempt. Says whether it was the first since a
    /// good connection.
    fn fail(&mut self, at: Moment) -> bool {
        if matches!(self.state, ConnectionState::Established { since, subscribed: true, .. } if at.now >= since + GOOD_AFTER)
        {
            self.failures = 0;
        }
        self.failures += 1;
        self.rest_until(at.retry(self.failures));
        self.failures == 1
    }

    fn rest_until(&mut self, due: u64) {
        self.state = ConnectionState::Resting;
        self.due = due;
    }
}

#[cfg(test)]
mod tests;
