//! The queue before a Pusher server: no caller waits for the server, and whatever it does, only a
//! hint is lost.

use crate::support::{listen_here, soon};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::{Instant, advance},
};
use vestibule::{
    channel::Channel,
    outcome::Outcome,
    publisher::{Announcement, PublishError, Publisher, Queue},
    secret::SecretHash,
    sign_ins::Step,
    testing::SeededEntropy,
};

const OUTCOME: Announcement = Announcement::Outcome(Outcome::Unavailable);

const fn retrying(attempt: u32) -> Announcement {
    Announcement::Progress(Step::Retrying { attempt })
}

fn channel(number: usize) -> Channel {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Channel::of(&SecretHash::from_bytes(bytes))
}

fn error(what: &str, retry: bool) -> PublishError {
    PublishError {
        what: what.into(),
        retry,
    }
}

/// A request that waits for the test's answer.
struct Request {
    channels: Vec<Channel>,
    announcement: Announcement,
    reply: oneshot::Sender<Result<(), PublishError>>,
}

impl Request {
    fn answer(self, answer: Result<(), PublishError>) {
        let _ = self.reply.send(answer);
    }
}

/// A Pusher server that the test answers for.
struct Server {
    ask: mpsc::UnboundedSender<Request>,
    asked: Mutex<mpsc::UnboundedReceiver<Request>>,
    at_once: AtomicUsize,
}

#[async_trait]
impl Publisher for Server {
    async fn announce(
        &self,
        channel: &Channel,
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        self.announce_all(std::slice::from_ref(channel), announcement)
            .await
    }

    async fn announce_all(
        &self,
        channels: &[Channel],
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        assert!(
            channels.len() <= self.at_once.load(Ordering::Relaxed),
            "not so many channels at once"
        );
        let (reply, answer) = oneshot::channel();
        let _ = self.ask.send(Request {
            channels: channels.to_vec(),
            announcement: announcement.clone(),
            reply,
        });
        answer.await.unwrap_or(Ok(()))
    }
}

impl Server {
    fn queue() -> (Arc<Self>, Queue) {
        let (ask, asked) = mpsc::unbounded_channel();
        let server = Arc::new(Self {
            ask,
            asked: Mutex::new(asked),
            at_once: AtomicUsize::new(10),
        });
        let queue = Queue::start(server.clone(), Arc::new(SeededEntropy::new(1)));
        (server, queue)
    }

    async fn next(&self) -> Request {
        soon("a request", async {
            self.asked.lock().await.recv().await.unwrap()
        })
        .await
    }

    /// The requests that are in flight, once all that can be are.
    async fn in_flight(&self) -> Vec<Request> {
        settle().await;
        let mut asked = self.asked.lock().await;
        std::iter::from_fn(|| asked.try_recv().ok()).collect()
    }

    /// Takes whatever comes, until nothing comes.
    async fn take_all(&self) {
        loop {
            let requests = self.in_flight().await;
            if requests.is_empty() {
                return;
            }
            for request in requests {
                request.answer(Ok(()));
            }
        }
    }
}

/// Lets every task go as far as it can without an answer.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn announce(queue: &Queue, channels: std::ops::Range<usize>, announcement: &Announcement) {
    for number in channels {
        queue
            .announce(&channel(number), announcement)
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn announcing_never_waits() {
    let (start, (server, queue)) = (Instant::now(), Server::queue());
    announce(&queue, 0..1_000, &OUTCOME).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(
        server.in_flight().await.len(),
        8,
        "and no more is asked of the server at once"
    );
}

#[tokio::test(start_paused = true)]
async fn what_says_the_same_goes_together_ten_at_a_time() {
    let (server, queue) = Server::queue();
    for (channels, announcement) in [(0..25, OUTCOME), (25..28, retrying(2)), (28..33, OUTCOME)] {
        announce(&queue, channels, &announcement).await;
    }
    let mut sent: Vec<_> = server
        .in_flight()
        .await
        .into_iter()
        .map(|it| (it.announcement, it.channels))
        .collect();
    sent.sort_by_key(|(announcement, channels)| {
        (*announcement != OUTCOME, std::cmp::Reverse(channels.len()))
    });
    let sizes: Vec<_> = sent.iter().map(|(_, channels)| channels.len()).collect();
    assert_eq!(
        sizes,
        [10, 10, 10, 3],
        "thirty that say one thing, and three that say another"
    );
    assert_eq!(sent[3], (retrying(2), (25..28).map(channel).collect()));
}

#[tokio::test(start_paused = true)]
async fn nothing_overtakes_what_was_announced_on_the_same_channel_before() {
    let (server, queue) = Server::queue();
    announce(&queue, 0..1, &retrying(2)).await;
    let progress = server.next().await;
    announce(&queue, 0..1, &retrying(3)).await;
    announce(&queue, 0..2, &OUTCOME).await;
    let others = server.in_flight().await;
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].channels, [channel(1)], "only the other channel's");
    progress.answer(Ok(()));
    let outcome = server.next().await;
    assert_eq!(
        (outcome.announcement, outcome.channels),
        (OUTCOME, vec![channel(0)]),
        "what it has overtaken is not sent"
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_for_now_is_tried_again_but_not_over_what_is_newer() {
    let (server, queue) = Server::queue();
    announce(&queue, 0..2, &retrying(2)).await;
    let first = server.next().await;
    announce(&queue, 0..1, &OUTCOME).await;
    first.answer(Err(error("away", true)));
    let mut said = Vec::new();
    for _ in 0..2 {
        let request = server.next().await;
        assert!(
            server.in_flight().await.is_empty(),
            "a server that is away is tried with one request"
        );
        said.push((request.channels.clone(), request.announcement.clone()));
        request.answer(Ok(()));
    }
    said.sort_by_key(|(_, announcement)| *announcement != OUTCOME);
    assert_eq!(
        said,
        [(vec![channel(0)], OUTCOME), (vec![channel(1)], retrying(2))]
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_once_and_so_is_its_end() {
    let (log, _listening) = listen_here();
    let (start, (server, queue)) = (Instant::now(), Server::queue());
    announce(&queue, 0..50, &OUTCOME).await;
    let mut tries = 0;
    while start.elapsed() < Duration::from_secs(12) {
        for request in std::iter::once(server.next().await).chain(server.in_flight().await) {
            tries += 1;
            assert!(tries < 20, "it is not asked over and over");
            request.answer(Err(error("the cable is out", true)));
        }
    }
    assert!(tries > 8, "it is tried: {tries}");
    server.next().await.answer(Ok(()));
    server.take_all().await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].starts_with("WARN ") && lines[0].contains("the cable is out"),
        "{lines:#?}"
    );
    assert!(
        lines[1].starts_with("INFO ") && lines[1].contains("dropped=0 "),
        "{lines:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_to_be_of_use_is_dropped_and_counted() {
    let (log, _listening) = listen_here();
    let (server, queue) = Server::queue();
    announce(&queue, 0..1, &OUTCOME).await;
    server.next().await.answer(Err(error("away", true)));
    settle().await;
    announce(&queue, 1..4, &OUTCOME).await;
    advance(Duration::from_secs(31)).await;
    announce(&queue, 4..5, &OUTCOME).await;
    let request = server.next().await;
    assert_eq!(request.channels, [channel(4)]);
    request.answer(Ok(()));
    settle().await;
    assert!(log.lines()[1].contains("dropped=4 "), "{:#?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn more_than_can_wait_drops_the_oldest_and_says_so_once() {
    let (log, _listening) = listen_here();
    let (server, queue) = Server::queue();
    announce(&queue, 0..80, &OUTCOME).await;
    let flying = server.in_flight().await;
    announce(&queue, 80..10_100, &OUTCOME).await;
    settle().await;
    assert!(format!("{queue:?}").contains("waiting: 9920"), "{queue:?}");
    for request in flying {
        request.answer(Ok(()));
    }
    let next = server.next().await;
    assert_eq!(
        next.channels[0],
        channel(180),
        "a hundred that had waited longest are gone"
    );
    next.answer(Ok(()));
    server.take_all().await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].starts_with("WARN ") && lines[1].contains("dropped=100 "),
        "{lines:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_tried_again_and_told_once() {
    let (log, _listening) = listen_here();
    let (server, queue) = Server::queue();
    for number in 0..5 {
        announce(&queue, number..number + 1, &OUTCOME).await;
        let request = server.next().await;
        assert_eq!(request.channels, [channel(number)]);
        request.answer(Err(error("the secret is wrong", false)));
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("ERROR ") && lines[0].contains("the secret is wrong"),
        "{lines:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_one_channel_at_a_time_gets_them_so_for_good() {
    let (log, _listening) = listen_here();
    let (server, queue) = Server::queue();
    announce(&queue, 0..3, &OUTCOME).await;
    let group = server.next().await;
    assert_eq!(group.channels.len(), 3);
    group.answer(Err(error("one at a time", false)));
    for channels in [0..3, 3..40] {
        if channels.start > 0 {
            announce(&queue, channels.clone(), &OUTCOME).await;
        }
        for number in channels {
            let request = server.next().await;
            assert_eq!(request.channels, [channel(number)]);
            request.answer(Ok(()));
        }
    }
    assert_eq!(log.lines(), Vec::<String>::new(), "nothing is wrong");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_panics_does_not_end_the_queue() {
    let (server, queue) = Server::queue();
    server.at_once.store(0, Ordering::Relaxed);
    announce(&queue, 0..1, &OUTCOME).await;
    settle().await;
    server.at_once.store(10, Ordering::Relaxed);
    assert_eq!(
        server.next().await.channels,
        [channel(0)],
        "it is tried again"
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_sent_before_it_closes() {
    let (server, queue) = Server::queue();
    announce(&queue, 0..200, &OUTCOME).await;
    let closing = tokio::spawn(async move {
        queue.close().await;
        queue.announce(&channel(1), &OUTCOME).await
    });
    let mut sent = 0;
    while sent < 200 {
        let request = server.next().await;
        sent += request.channels.len();
        request.answer(Ok(()));
    }
    assert!(
        soon("the queue to close", closing).await.unwrap().is_err(),
        "then it takes no more"
    );
}

#[tokio::test(start_paused = true)]
async fn closing_waits_three_seconds_for_a_server_that_says_nothing() {
    let (log, _listening) = listen_here();
    let (_server, queue) = Server::queue();
    announce(&queue, 0..100, &OUTCOME).await;
    let start = Instant::now();
    soon("the queue to close", queue.close()).await;
    assert!(
        start.elapsed() < Duration::from_millis(3_100),
        "{:?}",
        start.elapsed()
    );
    assert!(log.lines()[0].contains("waiting=20 "), "{:#?}", log.lines());
}
