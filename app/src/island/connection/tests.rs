//! A connection whose server is simulated by the test.

use super::{Connection, Moment, NEVER, PONG_WITHIN, SUBSCRIBED_WITHIN, Signal};
use crate::island::protocol::{PING, PONG};
use vestibule_protocol::{Announcement, Outcome};

struct Line {
    connection: Connection,
    now: u64,
}

impl Line {
    /// One that has been opened to listen to `private-a`.
    fn opened() -> Self {
        let mut line = Self {
            connection: Connection::default(),
            now: 1_000,
        };
        assert_eq!(line.listen(Some("private-a")), [Signal::Open]);
        line
    }

    fn subscribed() -> Self {
        let mut line = Self::opened();
        line.greet("1.1");
        line.subscribe("private-a");
        line
    }

    fn at(&self) -> Moment {
        Moment {
            now: self.now,
            random: 0.5,
        }
    }

    fn listen(&mut self, channel: Option<&str>) -> Vec<Signal> {
        let at = self.at();
        self.connection.listen(channel.map(str::to_owned), at)
    }

    fn hear(&mut self, frame: &str) -> Vec<Signal> {
        let at = self.at();
        self.connection.hear(frame, at)
    }

    fn greet(&mut self, socket: &str) -> Vec<Signal> {
        let data = format!(r#"{{\"socket_id\":\"{socket}\",\"activity_timeout\":30}}"#);
        self.hear(&format!(
            r#"{{"event":"pusher:connection_established","data":"{data}"}}"#
        ))
    }

    fn subscribe(&mut self, channel: &str) -> Vec<Signal> {
        self.hear(&format!(
            r#"{{"event":"pusher_internal:subscription_succeeded","channel":"{channel}","data":"{{}}"}}"#
        ))
    }

    fn announce(&mut self, channel: &str) -> Vec<Signal> {
        let data = r#"{\"outcome\":\"unavailable\"}"#;
        self.hear(&format!(
            r#"{{"event":"outcome","channel":"{channel}","data":"{data}"}}"#
        ))
    }

    fn close(&mut self, code: u16) {
        let at = self.at();
        self.connection.closed(code, at);
    }

    /// Turns the clock to when something is due, and says how long that took.
    fn wait(&mut self) -> (Vec<Signal>, u64) {
        let start = self.now;
        self.now = self.connection.next();
        assert_ne!(self.now, NEVER, "nothing is due");
        let at = self.at();
        (self.connection.due(at), self.now - start)
    }
}

fn sign(socket: &str, channel: &str) -> Signal {
    Signal::Sign {
        socket: socket.into(),
        channel: channel.into(),
    }
}

fn send(frame: &str) -> Signal {
    Signal::Send(frame.into())
}

#[test]
fn a_greeting_is_followed_by_a_signed_subscription() {
    let mut line = Line::opened();
    assert_eq!(line.greet("12.34"), [sign("12.34", "private-a")]);
    assert_eq!(
        line.connection.signed("12.34", "private-a", "key:sig"),
        [send(
            r#"{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"key:sig"}}"#
        )]
    );
    assert_eq!(line.subscribe("private-a"), [Signal::Subscribed]);
    assert_eq!(
        line.announce("private-a"),
        [Signal::Announced(Some(Announcement::Outcome(
            Outcome::Unavailable
        )))]
    );
}

#[test]
fn what_belongs_to_another_channel_or_socket_is_ignored() {
    let mut line = Line::opened();
    line.greet("1.1");
    assert_eq!(line.connection.signed("9.9", "private-a", "key:sig"), []);
    assert_eq!(line.connection.signed("1.1", "private-b", "key:sig"), []);
    assert_eq!(line.subscribe("private-b"), []);
    assert_eq!(line.announce("private-b"), []);
}

#[test]
fn another_channel_takes_the_place_of_the_first_on_the_same_socket() {
    let mut line = Line::subscribed();
    assert_eq!(line.listen(Some("private-a")), []);
    assert_eq!(
        line.listen(Some("private-b")),
        [
            send(r#"{"event":"pusher:unsubscribe","data":{"channel":"private-a"}}"#),
            sign("1.1", "private-b")
        ]
    );
    assert_eq!(line.announce("private-a"), []);
    assert_eq!(line.subscribe("private-b"), [Signal::Subscribed]);
}

#[test]
fn a_socket_can_be_made_ready_before_the_channel_is_known() {
    let mut line = Line {
        connection: Connection::default(),
        now: 0,
    };
    assert_eq!(line.listen(None), [Signal::Open]);
    assert_eq!(line.greet("1.1"), []);
    assert_eq!(line.listen(Some("private-b")), [sign("1.1", "private-b")]);
}

#[test]
fn pings_are_answered() {
    assert_eq!(
        Line::subscribed().hear(r#"{"event":"pusher:ping","data":{}}"#),
        [send(PONG)]
    );
}

#[test]
fn silence_is_broken_by_a_ping_after_the_time_that_the_server_advertised() {
    let mut line = Line::subscribed();
    assert_eq!(line.wait(), (vec![send(PING)], 30_000));
    line.hear(r#"{"event":"pusher:pong","data":{}}"#);
    assert_eq!(line.wait(), (vec![send(PING)], 30_000));
}

#[test]
fn a_ping_without_a_pong_ends_the_connection() {
    let mut line = Line::subscribed();
    line.wait();
    assert_eq!(line.wait(), (vec![], PONG_WITHIN));
    assert_eq!(line.wait(), (vec![Signal::Open], 250));
}

#[test]
fn a_subscription_that_never_succeeds_is_tried_on_a_new_socket() {
    for greeted in [false, true] {
        let mut line = Line::opened();
        if greeted {
            line.greet("1.1");
        }
        assert_eq!(
            line.wait(),
            (vec![], SUBSCRIBED_WITHIN),
            "greeted: {greeted}"
        );
        assert_eq!(line.wait(), (vec![Signal::Open], 250), "greeted: {greeted}");
    }
}

#[test]
fn a_greeting_that_is_merely_late_is_still_welcome() {
    let mut line = Line::opened();
    line.wait();
    assert_eq!(line.greet("1.1"), [sign("1.1", "private-a")]);
}

#[test]
fn a_server_that_does_not_want_us_back_is_left_alone() {
    for code in [4000, 4004, 4099] {
        let mut line = Line::subscribed();
        line.close(code);
        assert_eq!(line.connection.next(), NEVER);
        let at = line.at();
        assert_eq!(line.connection.wake(at), []);
        assert_eq!(line.connection.look(at), []);
        assert_eq!(line.listen(Some("private-b")), []);
    }
}

#[test]
fn a_server_that_is_over_capacity_gets_a_second() {
    let mut line = Line::subscribed();
    line.close(4100);
    let (signals, wait) = line.wait();
    assert_eq!(signals, [Signal::Open]);
    assert!(wait >= 1_000);
}

#[test]
fn a_server_that_restarts_is_met_soon_but_not_by_all_at_once() {
    for (random, wait) in [(0.0, 0), (0.5, 750), (0.999, 1_498)] {
        let mut line = Line::subscribed();
        line.now += 60_000;
        let at = Moment {
            now: line.now,
            random,
        };
        line.connection.closed(4200, at);
        assert_eq!(line.wait(), (vec![Signal::Open], wait));
    }
}

#[test]
fn a_server_that_hangs_up_on_each_greeting_is_met_with_growing_patience() {
    let mut line = Line::opened();
    let waits = |line: &mut Line| {
        line.close(4200);
        line.wait().1
    };
    assert_eq!(
        [waits(&mut line), waits(&mut line), waits(&mut line)],
        [750, 500, 750]
    );
}

#[test]
fn other_closures_are_met_with_growing_patience_until_a_connection_lasts() {
    let mut line = Line::opened();
    let waits = |line: &mut Line| {
        line.close(1006);
        line.wait().1
    };
    assert_eq!(
        [waits(&mut line), waits(&mut line), waits(&mut line)],
        [250, 500, 750]
    );
    line.greet("1.1");
    line.subscribe("private-a");
    line.now += 60_000;
    assert_eq!(waits(&mut line), 250);
}

#[test]
fn the_page_back_or_the_network_back_means_a_new_socket() {
    let mut line = Line::subscribed();
    assert_eq!(line.connection.sleep(), [Signal::Close]);
    assert_eq!(line.connection.next(), NEVER);
    let at = line.at();
    assert_eq!(line.connection.look(at), []);
    assert_eq!(line.connection.wake(at), [Signal::Open]);
    assert_eq!(line.connection.wake(at), [Signal::Open]);
}

#[test]
fn a_page_that_is_looked_at_again_makes_sure_of_its_socket() {
    let mut line = Line::subscribed();
    let at = line.at();
    assert_eq!(line.connection.look(at), [send(PING)]);
    assert_eq!(line.wait(), (vec![], 5_000));
    let at = line.at();
    assert_eq!(line.connection.look(at), [Signal::Open]);
}

#[test]
fn a_stopped_connection_stays_stopped_until_it_is_wanted() {
    let mut line = Line::subscribed();
    assert_eq!(line.connection.stop(), [Signal::Close]);
    let at = line.at();
    assert_eq!(line.connection.wake(at), []);
    assert_eq!(line.connection.sleep(), []);
    assert_eq!(line.connection.next(), NEVER);
    assert_eq!(line.listen(Some("private-b")), [Signal::Open]);
}
