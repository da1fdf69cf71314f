//! A connection whose server is simulated by the test.

use super::{ConnectionEffect, Moment, NEVER, PONG_WITHIN, PusherConnection, SUBSCRIBED_WITHIN};
use crate::island::frames::{PING, PONG};
use vestibule_protocol::{Announcement, Outcome};

struct TestConnection {
    connection: PusherConnection,
    now: u64,
}

impl TestConnection {
    /// One that has been opened to listen to `private-a`.
    fn opened() -> Self {
        let mut test = Self {
            connection: PusherConnection::default(),
            now: 1_000,
        };
        assert_eq!(test.listen(Some("private-a")), [ConnectionEffect::Open]);
        test
    }

    fn subscribed() -> Self {
        let mut test = Self::opened();
        test.greet("1.1");
        test.subscribe("private-a");
        test
    }

    fn at(&self) -> Moment {
        Moment {
            now: self.now,
            random: 0.5,
        }
    }

    fn listen(&mut self, channel: Option<&str>) -> Vec<ConnectionEffect> {
        let at = self.at();
        self.connection.listen(channel.map(str::to_owned), at)
    }

    fn receive(&mut self, frame: &str) -> Vec<ConnectionEffect> {
        let at = self.at();
        self.connection.receive(frame, at)
    }

    fn greet(&mut self, socket: &str) -> Vec<ConnectionEffect> {
        let data = format!(r#"{{\"socket_id\":\"{socket}\",\"activity_timeout\":30}}"#);
        self.receive(&format!(
            r#"{{"event":"pusher:connection_established","data":"{data}"}}"#
        ))
    }

    fn subscribe(&mut self, channel: &str) -> Vec<ConnectionEffect> {
        self.receive(&format!(
            r#"{{"event":"pusher_internal:subscription_succeeded","channel":"{channel}","data":"{{}}"}}"#
        ))
    }

    fn announce(&mut self, channel: &str) -> Vec<ConnectionEffect> {
        let data = r#"{\"outcome\":\"unavailable\"}"#;
        self.receive(&format!(
            r#"{{"event":"outcome","channel":"{channel}","data":"{data}"}}"#
        ))
    }

    fn close(&mut self, code: u16) {
        let at = self.at();
        self.connection.closed(code, at);
    }

    /// Turns the clock to when something is due, and says how long that took.
    fn wait(&mut self) -> (Vec<ConnectionEffect>, u64) {
        let start = self.now;
        self.now = self.connection.next();
        assert_ne!(self.now, NEVER, "nothing is due");
        let at = self.at();
        (self.connection.due(at), self.now - start)
    }
}

fn sign(socket: &str, channel: &str) -> ConnectionEffect {
    ConnectionEffect::Authorize {
        socket: socket.into(),
        channel: channel.into(),
    }
}

fn send(frame: &str) -> ConnectionEffect {
    ConnectionEffect::Send(frame.into())
}

#[test]
fn a_greeting_is_followed_by_a_signed_subscription() {
    let mut test = TestConnection::opened();
    assert_eq!(test.greet("12.34"), [sign("12.34", "private-a")]);
    assert_eq!(
        test.connection.signed("12.34", "private-a", "key:sig"),
        [send(
            r#"{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"key:sig"}}"#
        )]
    );
    assert_eq!(test.subscribe("private-a"), [ConnectionEffect::Subscribed]);
    assert_eq!(
        test.announce("private-a"),
        [ConnectionEffect::Announced(Some(Announcement::Outcome(
            Outcome::Unavailable
        )))]
    );
}

#[test]
fn what_belongs_to_another_channel_or_socket_is_ignored() {
    let mut test = TestConnection::opened();
    test.greet("1.1");
    assert_eq!(test.connection.signed("9.9", "private-a", "key:sig"), []);
    assert_eq!(test.connection.signed("1.1", "private-b", "key:sig"), []);
    assert_eq!(test.subscribe("private-b"), []);
    assert_eq!(test.announce("private-b"), []);
}

#[test]
fn another_channel_takes_the_place_of_the_first_on_the_same_socket() {
    let mut test = TestConnection::subscribed();
    assert_eq!(test.listen(Some("private-a")), []);
    assert_eq!(
        test.listen(Some("private-b")),
        [
            send(r#"{"event":"pusher:unsubscribe","data":{"channel":"private-a"}}"#),
            sign("1.1", "private-b")
        ]
    );
    assert_eq!(test.announce("private-a"), []);
    assert_eq!(test.subscribe("private-b"), [ConnectionEffect::Subscribed]);
}

#[test]
fn a_socket_can_be_made_ready_before_the_channel_is_known() {
    let mut test = TestConnection {
        connection: PusherConnection::default(),
        now: 0,
    };
    assert_eq!(test.listen(None), [ConnectionEffect::Open]);
    assert_eq!(test.greet("1.1"), []);
    assert_eq!(test.listen(Some("private-b")), [sign("1.1", "private-b")]);
}

#[test]
fn pings_are_answered() {
    assert_eq!(
        TestConnection::subscribed().receive(r#"{"event":"pusher:ping","data":{}}"#),
        [send(PONG)]
    );
}

#[test]
fn silence_is_broken_by_a_ping_after_the_time_that_the_server_advertised() {
    let mut test = TestConnection::subscribed();
    assert_eq!(test.wait(), (vec![send(PING)], 30_000));
    test.receive(r#"{"event":"pusher:pong","data":{}}"#);
    assert_eq!(test.wait(), (vec![send(PING)], 30_000));
}

#[test]
fn a_ping_without_a_pong_ends_the_connection() {
    let mut test = TestConnection::subscribed();
    test.wait();
    assert_eq!(test.wait(), (vec![], PONG_WITHIN));
    assert_eq!(test.wait(), (vec![ConnectionEffect::Open], 250));
}

#[test]
fn a_subscription_that_never_succeeds_is_tried_on_a_new_socket() {
    for greeted in [false, true] {
        let mut test = TestConnection::opened();
        if greeted {
            test.greet("1.1");
        }
        assert_eq!(
            test.wait(),
            (vec![], SUBSCRIBED_WITHIN),
            "greeted: {greeted}"
        );
        assert_eq!(
            test.wait(),
            (vec![ConnectionEffect::Open], 250),
            "greeted: {greeted}"
        );
    }
}

#[test]
fn a_greeting_that_is_merely_late_is_still_welcome() {
    let mut test = TestConnection::opened();
    test.wait();
    assert_eq!(test.greet("1.1"), [sign("1.1", "private-a")]);
}

#[test]
fn a_server_that_does_not_want_us_back_is_left_alone() {
    for code in [4000, 4004, 4099] {
        let mut test = TestConnection::subscribed();
        test.close(code);
        assert_eq!(test.connection.next(), NEVER);
        let at = test.at();
        assert_eq!(test.connection.resume(at), []);
        assert_eq!(test.connection.check(at), []);
        assert_eq!(test.listen(Some("private-b")), []);
    }
}

#[test]
fn a_server_that_is_over_capacity_gets_a_second() {
    let mut test = TestConnection::subscribed();
    test.close(4100);
    let (effects, wait) = test.wait();
    assert_eq!(effects, [ConnectionEffect::Open]);
    assert!(wait >= 1_000);
}

#[test]
fn a_server_that_restarts_is_met_soon_but_not_by_all_at_once() {
    for (random, wait) in [(0.0, 0), (0.5, 750), (0.999, 1_498)] {
        let mut test = TestConnection::subscribed();
        test.now += 60_000;
        let at = Moment {
            now: test.now,
            random,
        };
        test.connection.closed(4200, at);
        assert_eq!(test.wait(), (vec![ConnectionEffect::Open], wait));
    }
}

#[test]
fn a_server_that_hangs_up_on_each_greeting_is_met_with_growing_patience() {
    let mut test = TestConnection::opened();
    let waits = |test: &mut TestConnection| {
        test.close(4200);
        test.wait().1
    };
    assert_eq!(
        [waits(&mut test), waits(&mut test), waits(&mut test)],
        [750, 500, 750]
    );
}

#[test]
fn other_closures_are_met_with_growing_patience_until_a_connection_lasts() {
    let mut test = TestConnection::opened();
    let waits = |test: &mut TestConnection| {
        test.close(1006);
        test.wait().1
    };
    assert_eq!(
        [waits(&mut test), waits(&mut test), waits(&mut test)],
        [250, 500, 750]
    );
    test.greet("1.1");
    test.subscribe("private-a");
    test.now += 60_000;
    assert_eq!(waits(&mut test), 250);
}

#[test]
fn the_page_back_or_the_network_back_means_a_new_socket() {
    let mut test = TestConnection::subscribed();
    assert_eq!(test.connection.suspend(), [ConnectionEffect::Close]);
    assert_eq!(test.connection.next(), NEVER);
    let at = test.at();
    assert_eq!(test.connection.check(at), []);
    assert_eq!(test.connection.resume(at), [ConnectionEffect::Open]);
    assert_eq!(test.connection.resume(at), [ConnectionEffect::Open]);
}

#[test]
fn a_page_that_is_looked_at_again_makes_sure_of_its_socket() {
    let mut test = TestConnection::subscribed();
    let at = test.at();
    assert_eq!(test.connection.check(at), [send(PING)]);
    assert_eq!(test.wait(), (vec![], 5_000));
    let at = test.at();
    assert_eq!(test.connection.check(at), [ConnectionEffect::Open]);
}

#[test]
fn a_stopped_connection_stays_stopped_until_it_is_wanted() {
    let mut test = TestConnection::subscribed();
    assert_eq!(test.connection.stop(), [ConnectionEffect::Close]);
    let at = test.at();
    assert_eq!(test.connection.resume(at), []);
    assert_eq!(test.connection.suspend(), []);
    assert_eq!(test.connection.next(), NEVER);
    assert_eq!(test.listen(Some("private-b")), [ConnectionEffect::Open]);
}
