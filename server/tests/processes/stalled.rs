//! A worker that was stopped for longer than its lease writes nothing when it goes on, and works
//! on.

use crate::support::{Browser, Database, Process, Validator, free_port, size, until};
use std::{collections::HashSet, time::Duration};
use tokio::task::JoinSet;

/// The validator has not answered the worker that is stopped.
const UNANSWERED: &str = "unanswered";
/// The worker that takes over has not decided either when the first one goes on.
const UNDECIDED: &str = "undecided";

fn count(confirmations: usize) -> i64 {
    i64::try_from(confirmations).expect("not many")
}

/// `VESTIBULE_STALLED=400` stops the worker at that many claims.
#[tokio::test]
async fn a_worker_stopped_past_its_lease_writes_nothing_when_it_goes_on() {
    let Some(database) = Database::postgres(false).await else {
        return;
    };
    let port = free_port();
    let quarter = size("VESTIBULE_STALLED", 20) / 4;
    let claims = quarter * 4;
    let validator = Validator::holding(|token| token.contains(UNANSWERED)).await;
    let other_validator = Validator::holding(|token| token.contains(UNDECIDED)).await;
    let addr = format!("127.0.0.1:{port}");
    let listen = [("LEPTOS_SITE_ADDR", addr.as_str())];
    let _server = Process::start(&["serve", "--no-worker"], &database, &validator, &listen).await;

    let mut decided = JoinSet::new();
    let mut undecided = JoinSet::new();
    for number in 0..quarter {
        for stopped_with in ["answered", UNANSWERED] {
            let sign_in = move |taken_over: &str| {
                let token = format!("{stopped_with}-{taken_over}-{number}");
                async move { Browser::at(port).sign_in(&token).await }
            };
            decided.spawn(sign_in("decided"));
            undecided.spawn(sign_in(UNDECIDED));
        }
    }
    let all = || async {
        (database.endings().await == [("queued".to_owned(), None, count(claims))]).then_some(())
    };
    until("all to have begun", all).await;
    // Time enough to be stopped with all of them.
    let halting = [
        ("VESTIBULE_HALT_AT", "answered"),
        ("CONFIRM_ATTEMPT", "3s"),
        ("CONFIRM_LEASE", "4s"),
    ];
    let mut stalled = Process::start(&["worker"], &database, &validator, &halting).await;
    validator.open(claims / 2).await;
    stalled.halted(claims / 2).await;
    stalled.stop();
    // Its own claims are good for longer than this test: it is stopped for a while, too.
    let patient = [("CONFIRM_ATTEMPT", "40s"), ("CONFIRM_LEASE", "45s")];
    let mut taking_over = Process::start(&["worker"], &database, &other_validator, &patient).await;
    other_validator.open(claims / 2).await;
    decided.join_all().await;
    let before = database.rows().await;

    validator.release(Duration::ZERO);
    validator.open(0).await;
    taking_over.stop();
    stalled.go_on();
    // There is no other worker to take the next one.
    Browser::at(port).sign_in("next").await;
    stalled.finish().await;
    let after: HashSet<String> = database.rows().await.into_iter().collect();
    let writes = before.iter().filter(|row| !after.contains(*row)).count();
    println!(
        "figure: a worker stopped past its lease with {claims} claims, {} of them with their verdict at hand: \
         it wrote {writes} rows when it went on, and took the next confirmation",
        claims / 2
    );
    assert_eq!(writes, 0);
    assert_eq!(
        after.len(),
        before.len() + 3,
        "the next confirmation, its session and its user"
    );

    taking_over.go_on();
    other_validator.release(Duration::ZERO);
    undecided.join_all().await;
    let settled = (
        "settled".to_owned(),
        Some("confirmed".to_owned()),
        count(claims + 1),
    );
    assert_eq!(database.endings().await, [settled]);
    let calls: [usize; 2] = [validator, other_validator]
        .map(|validator| validator.asked().iter().map(|asked| asked.by.len()).sum());
    assert_eq!(
        calls,
        [claims + 1, claims],
        "each worker has asked once about each"
    );
}
