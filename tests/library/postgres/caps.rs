//! The caps hold for all servers on one database together.

use crate::support::{Postgres, Sample, admission};
use vestibule::store::ConfirmationStore as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_client_that_begins_at_four_servers_at_once_no_more_is_let_in_than_it_may_have() {
    let Some(database) = Postgres::fresh().await else { return };
    let servers = [database.open().await, database.open().await, database.open().await, database.open().await];
    let begins: Vec<_> = (1..=128_u8)
        .map(|number| {
            let (store, sample) = (servers[usize::from(number % 4)].clone(), Sample::new(number));
            let begin = async move { store.begin(&sample.confirmation, &sample.session, admission(1, 10)).await };
            tokio::spawn(async move { begin.await.is_ok() })
        })
        .collect();
    let mut let_in = 0;
    for begin in begins {
        let_in += usize::from(begin.await.unwrap());
    }
    assert_eq!(let_in, 10);
    assert_eq!(servers[0].undecided(100).await.unwrap(), 10);
}
