//! A journey's inputs and outputs.

use vestibule_protocol::{Announcement, Report, path::LocalPath};

/// What happens to the page.
#[derive(Clone, Debug)]
pub enum JourneyEvent {
    /// Continue or Try again was pressed.
    StartPressed,
    /// Cancel was pressed.
    CancelPressed,
    /// A call has ended.
    Answer {
        /// Which call.
        call: u32,
        /// What the server said.
        report: Result<Report, CallError>,
    },
    /// The subscription stands: what was announced before it was missed.
    Subscribed,
    /// The worker announced something; `None` if this page does not understand it, but can ask.
    Announced(Option<Announcement>),
    /// The page can be seen: for the first time, or again.
    Visible,
    /// The network is back, or the page is, from the back-forward cache. Calls in flight are
    /// presumed lost.
    Resumed,
    /// A form of the page was sent, and the browser is on its way to the answer.
    FormSubmitted,
    /// Something may be due.
    TimerFired,
}

/// Why a call has no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The call or its answer was lost, or the answer was not from this server.
    Lost,
    /// The server cannot take it before so many seconds have passed.
    Busy(u32),
    /// Too much was asked from this browser's network; the same.
    TooMany(u32),
    /// The browser does not show the page's cookie, so that nothing was begun.
    NoCookie,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the server, and tell [`JourneyEvent::Answer`].
    Call {
        /// Which call this is.
        call: u32,
        /// What to ask.
        request: ApiCall,
    },
    /// Subscribe to this channel, or get ready for one that will be known soon.
    Subscribe(Option<String>),
    /// Leave the channel.
    Unsubscribe,
    /// Go to this path of this origin, in place of this page.
    Navigate(LocalPath),
}

/// What the server can be asked; see `crate::api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiCall {
    /// `begin`, with its `again`.
    Begin(bool),
    /// `status`.
    Status,
    /// `cancel`.
    Cancel,
}
