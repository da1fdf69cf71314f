//! A calm load: so many requests a second, whatever the answers take.

use crate::{CONNECTIONS, client::Client, percentile};
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Lets all connections together do `once` so many times a second; the time of each, sorted.
///
/// Tokio's timers have a resolution of 1 ms, which the times include.
pub async fn paced<F, O>(addr: SocketAddr, rate: u32, time: Duration, once: F) -> Vec<Duration>
where
    F: Fn(Client) -> O + Clone + Send + 'static,
    O: Future<Output = Client> + Send,
{
    let connections = u32::try_from(CONNECTIONS).expect("a few");
    let every = Duration::from_secs(1) * connections / rate;
    let asking = (0..connections).map(|number| {
        let once = once.clone();
        tokio::spawn(async move {
            let mut client = Client::connect(addr).await;
            let start = Instant::now() + every.mul_f64(f64::from(number)) / connections;
            let mut ticks = interval_at(start, every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut times = Vec::new();
            while start.elapsed() < time {
                // From when it was due: a slow answer does not hide that those after it are late.
                let due = ticks.tick().await;
                client = once(client).await;
                times.push(due.elapsed());
            }
            times
        })
    });
    let mut times = Vec::new();
    for connection in asking.collect::<Vec<_>>() {
        times.extend(connection.await.expect("no connection panics"));
    }
    times.sort_unstable();
    times
}

/// Two percentiles of sorted times, as a row shows them.
pub fn p50_and_p99(times: &[Duration]) -> String {
    let ms = |part| percentile(times, part).as_secs_f64() * 1e3;
    format!("{:.2} {:.2}", ms(0.5), ms(0.99))
}
