//! How many links and mails an address and a network may have.

use super::{databases, in_browser, sample, stored};
use crate::{link::harness::ada, support::at};
use vestibule::{
    caps::{Capped, Client, Shares},
    email_address::Address,
    link::{Link, PER_ADDRESS, Terms},
    mail::{Mail, Posted, Posting},
    store::BeginError,
};

#[tokio::test]
async fn of_what_a_mailbox_is_sent_a_client_and_the_networks_around_it_have_a_share() {
    for (store, _folder) in databases().await {
        // Each in another /64 of one /48, then from elsewhere.
        let mine = |number: u8| Client::in_networks([[number; 16], [number + 100; 16], [99; 16]]);
        let tagged = |number: u8| {
            format!("ada+{number}@example.com")
                .parse::<Address>()
                .unwrap()
        };
        let mut mailed = Vec::new();
        for number in 1..=10 {
            let (link, posting) = sample(number, &tagged(number));
            let client = if number > 7 {
                posting.client
            } else {
                mine(number)
            };
            store
                .post_link(&link, &Posting { client, ..posting })
                .await
                .unwrap();
            mailed.push(stored(&store, &link).await.mailed);
        }
        let expected = [
            true, true, true, true, false, false, false, true, false, false,
        ];
        assert_eq!(
            mailed, expected,
            "four of the /48, one of the next client, and five in all to one mailbox"
        );
        let (bobs, posting) = sample(11, &"bob@example.com".parse().unwrap());
        store
            .post_link(
                &bobs,
                &Posting {
                    client: mine(1),
                    ..posting
                },
            )
            .await
            .unwrap();
        assert!(stored(&store, &bobs).await.mailed);
    }
}

#[tokio::test]
async fn a_client_alone_is_sent_three_for_one_mailbox_and_the_next_ones_have_one_each() {
    for (store, _folder) in databases().await {
        let mut mailed = Vec::new();
        for (number, client) in [
            (1, 1),
            (2, 1),
            (3, 1),
            (4, 1),
            (5, 2),
            (6, 2),
            (7, 3),
            (8, 4),
        ] {
            let (link, posting) = sample(number, &ada());
            let client = Client::from_bytes([client; 16]);
            store
                .post_link(&link, &Posting { client, ..posting })
                .await
                .unwrap();
            mailed.push(stored(&store, &link).await.mailed);
        }
        assert_eq!(mailed, [true, true, true, false, true, false, true, false]);
    }
}

#[tokio::test]
async fn a_link_to_an_address_that_has_had_enough_is_kept_unmailed_and_takes_nothing_back() {
    for (store, _folder) in databases().await {
        let first = in_browser(1, &ada(), 1);
        store.post_link(&first.0, &first.1).await.unwrap();
        for number in 2..=5 {
            let (link, posting) = sample(number, &ada());
            store.post_link(&link, &posting).await.unwrap();
        }
        let (last, posting) = in_browser(40, &ada(), 1);
        store.post_link(&last, &posting).await.unwrap();
        assert_eq!(stored(&store, &first.0).await, first.0);
        assert_eq!(
            stored(&store, &last).await,
            Link {
                mailed: false,
                ..last
            }
        );
        let taken = store.take_mail(8, at(99), at(199)).await.unwrap();
        assert_eq!(taken.len(), 5);
        assert!(taken.contains(&Mail {
            due_at: at(199),
            ..first.1.mail
        }));
    }
}

#[tokio::test]
async fn a_client_asks_for_so_many_links_and_so_many_mails_wait_and_no_more() {
    for (store, _folder) in databases().await {
        let all: Vec<_> = (1..=16)
            .map(|number| sample(number, &format!("p{number}@example.com").parse().unwrap()))
            .collect();
        let one = |posting: &Posting| Posting {
            client: Client::from_bytes([1; 16]),
            terms: Terms {
                shares: Shares::new(3),
                ..posting.terms
            },
            ..posting.clone()
        };
        let posts = all.iter().map(|(link, posting)| {
            let store = &store;
            let posting = one(posting);
            async move { store.post_link(link, &posting).await }
        });
        let posted = futures_util::future::join_all(posts).await;
        let refused = |posted: &&Result<Posted, BeginError>| {
            matches!(posted, Err(BeginError::Capped(Capped::Links)))
        };
        assert_eq!(posted.iter().filter(refused).count(), 13, "{posted:?}");
        let (link, posting) = sample(17, &ada());
        let full = Terms {
            in_all: 3,
            ..posting.terms
        };
        let full = store
            .post_link(
                &link,
                &Posting {
                    terms: full,
                    ..posting.clone()
                },
            )
            .await;
        assert!(
            matches!(full, Err(BeginError::Capped(Capped::All))),
            "{full:?}"
        );
        assert_eq!(store.link_by_token(&link.token).await.unwrap(), None);
        let later = Posting {
            since: at(99),
            ..one(&posting)
        };
        store.post_link(&link, &later).await.unwrap();
        assert_eq!(store.take_mail(99, at(99), at(199)).await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn neighbours_ask_for_as_many_links_as_their_networks_may_and_each_client_has_one_of_the_last_mails()
 {
    for (store, _folder) in databases().await {
        let person = |number: u8| format!("p{number}@example.com").parse::<Address>().unwrap();
        let all: Vec<_> = (1..=32)
            .map(|number| sample(number, &person(number)))
            .collect();
        let terms = Terms {
            shares: Shares::new(2),
            in_all: u32::MAX,
            strangers: u32::MAX,
        };
        let posts = all.iter().enumerate().map(|(place, (link, posting))| {
            let place = u8::try_from(place).unwrap();
            // Four /64 in each of two /56 of one /48.
            let client = Client::in_networks([[place % 8; 16], [place % 2 + 50; 16], [99; 16]]);
            let posting = Posting {
                client,
                terms,
                ..posting.clone()
            };
            let store = &store;
            async move { store.post_link(link, &posting).await }
        });
        let posted = futures_util::future::join_all(posts).await;
        assert_eq!(
            posted.iter().filter(|posted| posted.is_ok()).count(),
            8,
            "four shares of two"
        );
        // Of ten mails eight wait, and the last one is each client's first.
        let terms = Terms {
            shares: Shares::new(9),
            in_all: 10,
            strangers: u32::MAX,
        };
        let mut kept = Vec::new();
        for (number, client) in [(41, 1), (42, 1), (43, 2), (44, 3)] {
            let (link, posting) = sample(number, &person(number));
            let client = Client::from_bytes([client + 200; 16]);
            let posted = store
                .post_link(
                    &link,
                    &Posting {
                        client,
                        terms,
                        ..posting
                    },
                )
                .await;
            assert!(
                posted.is_ok() || matches!(posted, Err(BeginError::Capped(Capped::All))),
                "{posted:?}"
            );
            kept.push(posted.is_ok());
        }
        assert_eq!(kept, [true, false, true, false]);
    }
}

#[tokio::test]
async fn no_more_are_mailed_to_an_address_than_may_be_however_many_are_asked_for_at_once() {
    for (store, _folder) in databases().await {
        let all: Vec<_> = (1..=64).map(|number| sample(number, &ada())).collect();
        let adds = all
            .iter()
            .map(|(link, posting)| store.post_link(link, posting));
        for added in futures_util::future::join_all(adds).await {
            added.unwrap();
        }
        let mut mailed = 0;
        for (link, _) in &all {
            mailed += u32::from(stored(&store, link).await.mailed);
        }
        assert_eq!(mailed, PER_ADDRESS);
        assert_eq!(store.take_mail(99, at(99), at(199)).await.unwrap().len(), 5);
        let (link, posting) = sample(65, &ada());
        store
            .post_link(
                &link,
                &Posting {
                    since: at(64),
                    ..posting
                },
            )
            .await
            .unwrap();
        assert_eq!(
            store.take_mail(99, at(99), at(199)).await.unwrap().len(),
            1,
            "those before are long ago"
        );
    }
}
