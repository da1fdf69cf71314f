//! What strangers ask for keeps none from the users of an address.

use super::{databases, in_browser, in_known, sample, stored};
use crate::{link::harness::ada, support::at};
use vestibule::{
    caps::{Capped, Shares},
    email_address::Address,
    link::{Link, LinkState, PER_ADDRESS, Terms},
    mail::Posting,
    store::BeginError,
};

#[tokio::test]
async fn what_strangers_ask_for_takes_nothing_from_browsers_that_are_known() {
    for (store, _folder) in databases().await {
        let hers = in_known(1, &ada(), 1);
        store.post_link(&hers.0, &hers.1).await.unwrap();
        let flood: Vec<_> = (2..=64)
            .map(|number| in_browser(number, &ada(), number))
            .collect();
        let posts = flood
            .iter()
            .map(|(link, posting)| store.post_link(link, posting));
        for posted in futures_util::future::join_all(posts).await {
            posted.unwrap();
        }
        let mut mailed = 0;
        for (link, _) in &flood {
            mailed += u32::from(stored(&store, link).await.mailed);
        }
        assert_eq!(
            (mailed, stored(&store, &hers.0).await.state),
            (PER_ADDRESS, LinkState::Open)
        );
        // Also where their client has asked for all it may.
        let terms = Terms {
            shares: Shares::new(0),
            in_all: u32::MAX,
            strangers: u32::MAX,
        };
        for number in 101..=105 {
            let (link, posting) = in_known(number, &ada(), number);
            let posted = store.post_link(&link, &Posting { terms, ..posting }).await;
            if number < 105 {
                posted.unwrap();
                assert!(stored(&store, &link).await.mailed, "{number}");
            } else {
                assert!(
                    matches!(posted, Err(BeginError::Capped(Capped::Links))),
                    "five, and no more: {posted:?}"
                );
            }
        }
        // And where ten mails wait, and no more may.
        let terms = Terms {
            shares: Shares::new(9),
            in_all: 10,
            strangers: u32::MAX,
        };
        for (number, name, is_known, is_kept) in [
            (111, "bob", false, false),
            (112, "bob", true, true),
            (113, "eve", true, false),
        ] {
            let (link, posting) = in_known(
                number,
                &format!("{name}@example.com").parse().unwrap(),
                number,
            );
            let link = Link {
                known: is_known,
                ..link
            };
            let posted = store.post_link(&link, &Posting { terms, ..posting }).await;
            let is_full = matches!(posted, Err(BeginError::Capped(Capped::All)));
            assert_eq!(
                (posted.is_ok(), is_full),
                (is_kept, !is_kept),
                "{name}: {posted:?}"
            );
        }
    }
}

#[tokio::test]
async fn unknown_addresses_share_a_limit_of_mailed_links_that_does_not_apply_to_users() {
    for (store, _folder) in databases().await {
        let person = |number: u8| format!("p{number}@example.com").parse::<Address>().unwrap();
        let all: Vec<_> = (1..=32)
            .map(|number| sample(number, &person(number)))
            .collect();
        let strange = |posting: &Posting| {
            let terms = Terms {
                strangers: 9,
                ..posting.terms
            };
            Posting {
                stranger: true,
                terms,
                ..posting.clone()
            }
        };
        let open = |link: Link| Link {
            allows_new_user: true,
            ..link
        };
        let all: Vec<_> = all
            .into_iter()
            .map(|(link, posting)| (open(link), strange(&posting)))
            .collect();
        let posts = all
            .iter()
            .map(|(link, posting)| store.post_link(link, posting));
        for posted in futures_util::future::join_all(posts).await {
            posted.unwrap();
        }
        assert_eq!(store.take_mail(99, at(99), at(199)).await.unwrap().len(), 9);
        let (user, posting) = sample(40, &person(40));
        store
            .post_link(
                &user,
                &Posting {
                    stranger: false,
                    ..strange(&posting)
                },
            )
            .await
            .unwrap();
        assert!(stored(&store, &user).await.mailed);
        let (later, posting) = sample(41, &person(41));
        store
            .post_link(
                &later,
                &Posting {
                    since: at(40),
                    ..strange(&posting)
                },
            )
            .await
            .unwrap();
        assert!(
            stored(&store, &later).await.mailed,
            "those before are long ago"
        );
    }
}
