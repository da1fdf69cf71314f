//! `kill -9` at every step and at any moment: nothing is lost, nothing is done twice.

use crate::support::{Browser, Database, Process, Validator, free_port, size};
use std::{collections::HashMap, ops::Range, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// The places at which a process halts, and whether there is such a step where sessions are in the
/// same database.
const PLACES: [(&str, bool); 10] = [
    ("begin", true),
    ("begun", true),
    ("claimed", true),
    ("answered", true),
    ("decided", true),
    ("announced", true),
    ("settling", false),
    ("followed", false),
    ("exchange", true),
    ("exchanged", true),
];

async fn survives_a_kill_at(place: &str, database: &Database) {
    let port = free_port();
    let validator = Validator::taking(Duration::ZERO).await;
    let mut process =
        Process::serving(port, database, &validator, &[("VESTIBULE_HALT_AT", place)]).await;
    let browser = Browser::at(port);
    let signing_in = tokio::spawn(async move { browser.sign_in("link").await });
    process.halted(1).await;
    process.kill().await;
    let _process = Process::serving(port, database, &validator, &[]).await;
    signing_in
        .await
        .unwrap_or_else(|_| panic!("the sign-in is lost by a kill at {place}"));
    let asked = validator.asked();
    assert!(
        asked.len() == 1 && asked[0].by.len() <= 2,
        "{place}: the validator was asked {asked:?}"
    );
    let settled = [("settled".to_owned(), Some("confirmed".to_owned()), 1)];
    assert_eq!(database.endings().await, settled, "{place}");
    let sessions = database.sessions().await;
    let here = [("established".to_owned(), None, 1)];
    assert!(
        sessions == here
            || (sessions.is_empty()
                && matches!(database, Database::Postgres { redis: Some(_), .. }))
    );
}

#[tokio::test]
async fn a_sign_in_on_sqlite_survives_a_kill_at_each_step() {
    for (place, _) in PLACES.into_iter().filter(|(_, together)| *together) {
        survives_a_kill_at(place, &Database::sqlite()).await;
    }
}

#[tokio::test]
async fn a_sign_in_on_postgres_survives_a_kill_at_each_step() {
    for (place, _) in PLACES.into_iter().filter(|(_, together)| *together) {
        let Some(database) = Database::postgres(false).await else {
            return;
        };
        survives_a_kill_at(place, &database).await;
    }
}

#[tokio::test]
async fn a_sign_in_with_its_session_in_redis_survives_a_kill_at_each_step() {
    for (place, _) in PLACES {
        let Some(database) = Database::postgres(true).await else {
            return;
        };
        survives_a_kill_at(place, &database).await;
    }
}

/// How many begin for each kill, and how long after one another: steadily, as people come, and not
/// all in one moment. What is asked about a second time is what is being asked about when a kill
/// comes, so this alone says how much that is.
const FOR_EACH: u32 = 10;
const APART: Duration = Duration::from_millis(80);

/// The longest life, in microseconds: it is over, and the next one has begun, before the next ten
/// come.
const LIFE: u32 = 600_000;

/// How soon after a kill an interrupted sign-in has its outcome: a lease, an attempt, and what the
/// rest takes.
const RESUMED_WITHIN: Duration = Duration::from_millis(1_500 + 1_000 + 5_000);

/// Kills the server again and again while links are opened. `VESTIBULE_KILLS=1000` kills more
/// often.
async fn survives_kills_at_any_moment(database: Database) {
    let kills = u32::try_from(size("VESTIBULE_KILLS", 10)).expect("not as many as that");
    let links = kills * FOR_EACH;
    let port = free_port();
    let validator = Validator::taking(Duration::from_millis(20)).await;
    let mut process = Process::serving(port, &database, &validator.known_as(0), &[]).await;
    let mut browsers = JoinSet::new();
    let mut killed = Vec::new();
    let mut open = 0;
    for kill in 1..=kills {
        let arrive = async {
            for link in (kill - 1) * FOR_EACH..kill * FOR_EACH {
                browsers.spawn(async move {
                    let token = format!("link-{link}");
                    let since = Instant::now();
                    let told = Browser::at(port).sign_in(&token).await;
                    (token, since..told)
                });
                tokio::time::sleep(APART).await;
            }
        };
        let die = async {
            // Never twice at the same moment of its life.
            let moment = Duration::from_micros(u64::from(kill.wrapping_mul(2_654_435_761) % LIFE));
            tokio::time::sleep(moment).await;
            open += validator.open_now();
            process.kill().await;
            killed.push(Instant::now());
            Process::serving(port, &database, &validator.known_as(kill), &[]).await
        };
        ((), process) = tokio::join!(arrive, die);
    }
    let signed_in = browsers.join_all().await;
    let settled = [(
        "settled".to_owned(),
        Some("confirmed".to_owned()),
        i64::from(links),
    )];
    assert_eq!(database.endings().await, settled);
    let established = [("established".to_owned(), None, i64::from(links))];
    assert_eq!(database.sessions().await, established);

    let asked: HashMap<_, _> = validator
        .asked()
        .into_iter()
        .map(|asked| (asked.token, asked.by))
        .collect();
    // A life asks once about each, so it is asked about at most once more for each kill that came
    // before its decision.
    assert!(
        asked
            .values()
            .all(|by| by.is_sorted_by(|one, next| one < next)),
        "{asked:?}"
    );
    let extra: usize = asked.values().map(|by| by.len() - 1).sum();
    let mut resumed: Vec<_> = signed_in
        .iter()
        .filter_map(|(token, time)| resumed(time, &asked[token], &killed))
        .collect();
    resumed.sort_unstable();
    let share = |percent: usize| {
        resumed
            .get((resumed.len().max(1) - 1) * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "figure: {kills} kills over {links} sign-ins, {}: none lost, one session each; {extra} extra calls of the validator, \
         with {open} questions open at the kills; {} sign-ins interrupted, their outcome after p50 {:.1?}, p99 {:.1?}, \
         max {:.1?} of {RESUMED_WITHIN:.1?}",
        database.name(),
        resumed.len(),
        share(50),
        share(99),
        share(100)
    );
    // Where the machine is busy with other tests, a life is too short to get anything done, and the
    // time until one is long enough says nothing.
    if std::env::var_os("VESTIBULE_KILLS").is_some() {
        assert!(share(100) < RESUMED_WITHIN, "{:?}", share(100));
    }
}

/// How long after the last kill that interrupted it a sign-in had its outcome: the one that ended
/// the life before that in which it was decided, or, where no other life had asked about it, the
/// first one that came between its first request and its last.
fn resumed(time: &Range<Instant>, asked_by: &[u32], killed: &[Instant]) -> Option<Duration> {
    let last_but_one = asked_by
        .iter()
        .rev()
        .nth(1)
        .map(|life| &killed[*life as usize]);
    let kill = last_but_one.or_else(|| killed.iter().find(|kill| time.contains(kill)))?;
    Some(time.end - *kill)
}

#[tokio::test]
async fn sign_ins_on_sqlite_survive_kills_at_any_moment() {
    survives_kills_at_any_moment(Database::sqlite()).await;
}

#[tokio::test]
async fn sign_ins_on_postgres_survive_kills_at_any_moment() {
    let Some(database) = Database::postgres(false).await else {
        return;
    };
    survives_kills_at_any_moment(database).await;
}
