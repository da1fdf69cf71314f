//! What every database of links promises.

use super::house::ada;
use crate::support::{Postgres, at, authority_in, keys};
use std::{sync::Arc, time::Duration};
use vestibule::{
    caps::{Capped, Client, Shares},
    confirmation::ConfirmationId,
    device::Device,
    email_address::Address,
    link::{
        Code, Link, LinkId, LinkState, LinkToken, Number, PER_ADDRESS, Terms, Tries, WRONG_CODES,
    },
    mail::{Letter, LinkLetter, Mail, MailClass, MailId, Posted, Posting, SealedLetter},
    secret::SystemEntropy,
    store::{
        BeginError, ConfirmationQueue, ConfirmationStore, LinkStore, MailStore, SessionStore,
        UserStore, sqlite::SqliteStore,
    },
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

/// A database of links and of their users.
trait Database:
    ConfirmationStore + ConfirmationQueue + SessionStore + UserStore + LinkStore + MailStore
{
}

impl<D> Database for D where
    D: ConfirmationStore + ConfirmationQueue + SessionStore + UserStore + LinkStore + MailStore
{
}

/// One empty database of each kind, and what has to live as long as it.
async fn databases() -> Vec<(Arc<dyn Database>, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(&folder.path().join("vestibule.db"), &keys(&[7]))
        .await
        .unwrap();
    let mut all: Vec<(Arc<dyn Database>, _)> = vec![(Arc::new(sqlite), Some(folder))];
    if let Some(postgres) = Postgres::fresh().await {
        all.push((Arc::new(postgres.open().await), None));
    }
    all
}

fn sample(number: u8, address: &Address) -> (Link, Posting) {
    let id = LinkId::from_bytes([number; 16]);
    let token = LinkToken::from_bytes([number; 32]);
    let code = Code::generate(&SystemEntropy);
    let link = Link {
        id,
        revision: 0,
        token: token.hash(),
        waiting: Some(ConfirmationId::from_bytes([number; 16])),
        address: address.clone(),
        allows_new_user: false,
        code: code.mac(&keys(&[7]), id),
        mailed: true,
        known: false,
        guesses: 0,
        number: Number::new(42).unwrap(),
        device: Device::new("Firefox on Linux"),
        next: None,
        requested_at: at(i64::from(number)),
        expires_at: at(i64::from(number) + 900),
        state: LinkState::Open,
    };
    let letter = Letter::Link(LinkLetter {
        link: token,
        code: Some(code),
        device: link.device.clone(),
    });
    let id = MailId::from_bytes([number; 16]);
    let letter = SealedLetter::seal(&keys(&[7]), &SystemEntropy, id, &letter);
    let mail = Mail {
        id,
        to: address.clone(),
        class: MailClass::User,
        letter,
        failed: 0,
        due_at: link.requested_at,
        expires_at: link.expires_at,
    };
    let client = Client::from_bytes([number; 16]);
    let held = [at(i64::from(number) - 30), at(i64::from(number) + 30)];
    let terms = Terms {
        shares: Shares::new(u32::MAX),
        in_all: u32::MAX,
        strangers: u32::MAX,
    };
    let posting = Posting {
        mail,
        delivered: true,
        client,
        browser: None,
        stranger: false,
        since: at(-99),
        held,
        terms,
    };
    (link, posting)
}

/// The same, asked for in the browser with this tag.
fn in_browser(number: u8, address: &Address, tag: u8) -> (Link, Posting) {
    let (link, posting) = sample(number, address);
    (
        link,
        Posting {
            browser: Some([tag; 16]),
            ..posting
        },
    )
}

/// The same, which has signed in to the address before.
fn in_known(number: u8, address: &Address, tag: u8) -> (Link, Posting) {
    let (link, posting) = in_browser(number, address, tag);
    (
        Link {
            known: true,
            ..link
        },
        posting,
    )
}

/// The same, to lead to `next`.
fn leading_to((link, posting): (Link, Posting), next: &str) -> (Link, Posting) {
    (
        Link {
            next: Some(next.parse().unwrap()),
            ..link
        },
        posting,
    )
}

async fn stored(store: &Arc<dyn Database>, link: &Link) -> Link {
    store
        .link_by_token(&link.token)
        .await
        .unwrap()
        .expect("it is kept")
}

#[tokio::test]
async fn a_link_and_its_mail_read_back() {
    for (store, _folder) in databases().await {
        let (link, posting) = sample(1, &ada());
        store.post_link(&link, &posting).await.unwrap();
        let mail = posting.mail;
        assert_eq!(
            store.link_by_token(&link.token).await.unwrap(),
            Some(link.clone())
        );
        assert_eq!(
            store.link_by_waiting(link.waiting.unwrap()).await.unwrap(),
            Some(link.clone())
        );
        assert_eq!(store.next_mail().await.unwrap(), Some(mail.due_at));
        let taken = store.take_mail(1, at(1), at(31)).await.unwrap();
        assert_eq!(
            taken,
            [Mail {
                due_at: at(31),
                ..mail.clone()
            }]
        );
        store.put_mail_off(mail.id, at(40)).await.unwrap();
        assert_eq!(store.take_mail(1, at(39), at(99)).await.unwrap(), []);
        assert_eq!(
            store.take_mail(1, at(40), at(99)).await.unwrap(),
            [Mail {
                due_at: at(99),
                failed: 1,
                ..mail.clone()
            }]
        );
        store.remove_mail(mail.id).await.unwrap();
        assert_eq!(store.next_mail().await.unwrap(), None);
        let used = link
            .clone()
            .use_up(ConfirmationId::from_bytes([9; 16]), at(2))
            .unwrap();
        assert!(store.replace_link(&used).await.unwrap());
        assert_eq!(store.link_by_token(&link.token).await.unwrap(), Some(used));
        assert_eq!(
            store
                .link_by_token(&LinkToken::from_bytes([8; 32]).hash())
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_new_link_takes_back_the_open_ones_that_its_browser_has_asked_for_and_no_others() {
    for (store, _folder) in databases().await {
        let bob = "bob@example.com".parse().unwrap();
        let first = in_browser(1, &ada(), 1);
        let others = [
            in_browser(2, &bob, 1),
            in_browser(3, &ada(), 2),
            sample(4, &ada()),
        ];
        let second = in_browser(40, &ada(), 1);
        let used = in_browser(80, &ada(), 1);
        let third = in_browser(120, &ada(), 1);
        for (link, posting) in [&first].into_iter().chain(&others).chain([&second]) {
            assert_eq!(store.post_link(link, posting).await.unwrap(), Posted::New);
        }
        assert_eq!(stored(&store, &first.0).await.state, LinkState::Revoked);
        for (link, _) in others.iter().chain([&second]) {
            assert_eq!(stored(&store, link).await.state, LinkState::Open);
        }
        // By now she has reached the limit for the last minute.
        let later = |posting: &Posting| Posting {
            since: at(60),
            ..posting.clone()
        };
        store.post_link(&used.0, &later(&used.1)).await.unwrap();
        assert!(
            store
                .replace_link(&used.0.clone().approve(at(80)).unwrap())
                .await
                .unwrap()
        );
        store.post_link(&third.0, &later(&third.1)).await.unwrap();
        assert_eq!(stored(&store, &second.0).await.state, LinkState::Revoked);
        assert_eq!(
            stored(&store, &used.0).await.state,
            LinkState::Approved,
            "what it has come to stays"
        );
    }
}

#[tokio::test]
async fn a_browser_that_asks_twice_within_the_hold_has_one_link_also_where_it_asks_at_once() {
    for (store, _folder) in databases().await {
        let all: Vec<_> = (1..=16)
            .map(|number| in_browser(number, &ada(), 1))
            .collect();
        let posts = all.iter().map(|(link, posting)| {
            let store = &store;
            async move { store.post_link(link, posting).await.unwrap() }
        });
        let posted = futures_util::future::join_all(posts).await;
        let new = posted
            .iter()
            .filter(|posted| **posted == Posted::New)
            .count();
        assert_eq!(new, 1);
        let held = posted.into_iter().filter_map(|posted| match posted {
            Posted::Held(link) => Some(link),
            Posted::New => None,
        });
        let held: Vec<_> = held.collect();
        assert!(
            held.iter()
                .all(|link| link == &held[0] && link.state == LinkState::Open),
            "{held:?}"
        );
        let (other, posting) = in_browser(20, &ada(), 2);
        assert_eq!(
            store.post_link(&other, &posting).await.unwrap(),
            Posted::New,
            "another browser"
        );
        assert_eq!(store.take_mail(99, at(99), at(199)).await.unwrap().len(), 2);
        assert!(store.replace_link(&held[0].clone().revoke()).await.unwrap());
        let (again, posting) = in_browser(21, &ada(), 1);
        assert_eq!(
            store.post_link(&again, &posting).await.unwrap(),
            Posted::New,
            "it is open no more"
        );
        let (late, posting) = in_browser(60, &ada(), 1);
        assert_eq!(store.post_link(&late, &posting).await.unwrap(), Posted::New);
        let (back, posting) = in_browser(22, &ada(), 1);
        assert_eq!(
            store.post_link(&back, &posting).await.unwrap(),
            Posted::New,
            "the clock was set back"
        );
    }
}

#[tokio::test]
async fn links_that_one_browser_asks_for_to_lead_to_several_places_are_several() {
    for (store, _folder) in databases().await {
        let plain = in_browser(1, &ada(), 1);
        let password = leading_to(in_browser(2, &ada(), 1), "/profile/password");
        let orders = leading_to(in_browser(3, &ada(), 1), "/orders?id=7");
        for (link, posting) in [&plain, &password, &orders] {
            assert_eq!(store.post_link(link, posting).await.unwrap(), Posted::New);
        }
        let again = leading_to(in_browser(4, &ada(), 1), "/profile/password");
        assert_eq!(
            store.post_link(&again.0, &again.1).await.unwrap(),
            Posted::Held(Box::new(password.0.clone()))
        );
        let later = leading_to(in_browser(40, &ada(), 1), "/profile/password");
        let posting = Posting {
            since: at(39),
            ..later.1
        };
        assert_eq!(
            store.post_link(&later.0, &posting).await.unwrap(),
            Posted::New
        );
        let states = [&plain, &password, &orders].map(|(link, _)| link);
        for (link, state) in
            states
                .into_iter()
                .zip([LinkState::Open, LinkState::Revoked, LinkState::Open])
        {
            assert_eq!(stored(&store, link).await.state, state);
        }
    }
}

#[tokio::test]
async fn a_link_is_found_by_the_confirmation_that_waits_for_it_and_by_the_one_that_has_used_it_up()
{
    for (store, _folder) in databases().await {
        let (link, posting) = leading_to(sample(1, &ada()), "/profile/password");
        store.post_link(&link, &posting).await.unwrap();
        let by = ConfirmationId::from_bytes([9; 16]);
        assert_eq!(store.link_of(by).await.unwrap(), None);
        assert_eq!(
            store.link_of(link.waiting.unwrap()).await.unwrap(),
            Some(link.clone())
        );
        assert!(
            store
                .replace_link(&link.clone().use_up(by, at(2)).unwrap())
                .await
                .unwrap()
        );
        let used = store.link_of(by).await.unwrap().expect("it is found");
        assert_eq!((used.id, used.next), (link.id, link.next));
    }
}

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
async fn a_link_that_is_handed_over_is_not_counted_and_neither_takes_others_back_nor_is_taken_back()
{
    for (store, _folder) in databases().await {
        let (mailed, posting) = in_browser(1, &ada(), 1);
        store.post_link(&mailed, &posting).await.unwrap();
        let handed_over = |number| Link {
            mailed: false,
            waiting: None,
            ..sample(number, &ada()).0
        };
        let handed_over: Vec<_> = (2..=9).map(handed_over).collect();
        for link in &handed_over {
            store.add_link(link).await.unwrap();
        }
        assert_eq!(stored(&store, &mailed).await, mailed);
        let (again, posting) = in_browser(40, &ada(), 1);
        store.post_link(&again, &posting).await.unwrap();
        assert_eq!(stored(&store, &again).await, again);
        assert_eq!(stored(&store, &handed_over[0]).await, handed_over[0]);
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
async fn the_mail_of_a_link_that_is_open_no_more_is_not_sent() {
    for (store, _folder) in databases().await {
        let all: Vec<_> = (1..=3)
            .map(|number| sample(number, &format!("p{number}@example.com").parse().unwrap()))
            .collect();
        for (link, posting) in &all {
            store.post_link(link, posting).await.unwrap();
        }
        assert!(
            store
                .replace_link(&all[0].0.clone().revoke())
                .await
                .unwrap()
        );
        store.revoke_links(&all[1].0.address).await.unwrap();
        let left = store.take_mail(8, at(9), at(99)).await.unwrap();
        assert_eq!(
            left.into_iter().map(|mail| mail.id).collect::<Vec<_>>(),
            [all[2].1.mail.id]
        );
    }
}

#[tokio::test]
async fn all_links_to_an_address_are_taken_back_and_no_others() {
    for (store, _folder) in databases().await {
        let (mailed, posting) = sample(1, &ada());
        let handed_over = Link {
            mailed: false,
            waiting: None,
            ..sample(2, &ada()).0
        };
        let (bobs, his) = sample(3, &"bob@example.com".parse().unwrap());
        store.post_link(&mailed, &posting).await.unwrap();
        store.add_link(&handed_over).await.unwrap();
        store.post_link(&bobs, &his).await.unwrap();
        store.revoke_links(&ada()).await.unwrap();
        for (link, state) in [
            (mailed, LinkState::Revoked),
            (handed_over, LinkState::Revoked),
            (bobs, LinkState::Open),
        ] {
            assert_eq!(
                store
                    .link_by_token(&link.token)
                    .await
                    .unwrap()
                    .unwrap()
                    .state,
                state
            );
        }
    }
}

#[tokio::test]
async fn mails_that_were_never_sent_are_swept() {
    for (store, _folder) in databases().await {
        for number in 1..=2 {
            let (link, posting) =
                sample(number, &format!("p{number}@example.com").parse().unwrap());
            store.post_link(&link, &posting).await.unwrap();
        }
        assert_eq!(store.sweep_mails(at(902)).await.unwrap(), 1);
        assert_eq!(
            store.take_mail(8, at(999), at(1000)).await.unwrap().len(),
            1
        );
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

/// A mail about no link, due at 0.
fn notice(number: u8, class: MailClass) -> Mail {
    let (_, posting) = sample(number, &ada());
    Mail {
        class,
        due_at: at(0),
        ..posting.mail
    }
}

#[tokio::test]
async fn mails_are_taken_by_their_class_and_then_by_how_long_they_wait() {
    for (store, _folder) in databases().await {
        let classes = [
            MailClass::Ticket,
            MailClass::Stranger,
            MailClass::User,
            MailClass::KnownBrowser,
            MailClass::Notice,
            MailClass::Change,
        ];
        for (number, class) in (1..).zip(classes) {
            let mail = notice(number, class);
            if (2..=4).contains(&number) {
                let (link, posting) =
                    sample(number, &format!("p{number}@example.com").parse().unwrap());
                let mail = Mail {
                    due_at: at(i64::from(number)),
                    ..mail
                };
                store
                    .post_link(&link, &Posting { mail, ..posting })
                    .await
                    .unwrap();
            } else {
                assert!(store.add_mail(&mail, 9).await.unwrap());
            }
        }
        let (link, posting) = sample(7, &"p7@example.com".parse().unwrap());
        store.post_link(&link, &posting).await.unwrap();
        let mut taken = Vec::new();
        while let [mail] = &store.take_mail(1, at(9), at(99)).await.unwrap()[..] {
            taken.push(mail.id.as_bytes()[0]);
        }
        assert_eq!(taken, [6, 5, 4, 3, 7, 2, 1]);
    }
}

#[tokio::test]
async fn a_thousand_tickets_silence_no_news_that_a_password_was_set() {
    for (store, _folder) in databases().await {
        for number in 1..=2 {
            assert!(
                store
                    .add_mail(&notice(number, MailClass::Ticket), 2)
                    .await
                    .unwrap()
            );
            assert!(
                store
                    .add_mail(&notice(number + 10, MailClass::Notice), 2)
                    .await
                    .unwrap()
            );
        }
        assert!(
            !store
                .add_mail(&notice(3, MailClass::Ticket), 2)
                .await
                .unwrap()
        );
        assert!(
            !store
                .add_mail(&notice(13, MailClass::Notice), 2)
                .await
                .unwrap()
        );
        assert!(
            store
                .add_mail(&notice(20, MailClass::Change), 2)
                .await
                .unwrap()
        );
        assert_eq!(
            store.take_mail(1, at(9), at(99)).await.unwrap()[0].class,
            MailClass::Change
        );
    }
}

#[tokio::test]
async fn a_mail_without_a_recipient_waits_like_any_other_and_is_dropped_when_it_is_taken() {
    for (store, _folder) in databases().await {
        let (link, posting) = sample(1, &ada());
        store
            .post_link(
                &link,
                &Posting {
                    delivered: false,
                    ..posting
                },
            )
            .await
            .unwrap();
        assert_eq!(store.link_by_token(&link.token).await.unwrap(), Some(link));
        assert_eq!(store.next_mail().await.unwrap(), Some(at(1)));
        assert_eq!(store.take_mail(1, at(1), at(31)).await.unwrap(), []);
        assert_eq!(store.next_mail().await.unwrap(), None);
    }
}

#[tokio::test]
async fn links_to_a_removed_user_are_revoked_and_no_others() {
    for (store, _folder) in databases().await {
        let person = |issuer: &str, subject: &str| Identity {
            issuer: issuer.into(),
            subject: subject.into(),
            name: None,
            email: Some("ada@example.com".into()),
        };
        let mut users = Vec::new();
        for identity in [
            person(PASSWORD_ISSUER, "ada@example.com"),
            person("practice", "ada@example.com"),
        ] {
            let user = User::new(UserId::generate(&SystemEntropy), identity, at(0));
            users.push(store.put_user(&user, None).await.unwrap());
        }
        let hers = sample(1, &ada());
        let bobs = sample(2, &"bob@example.com".parse().unwrap());
        for (link, posting) in [&hers, &bobs] {
            store.post_link(link, posting).await.unwrap();
        }
        let mut states = Vec::new();
        for user in [users[1], users[0]] {
            assert!(store.remove_user(user).await.unwrap());
            for (link, _) in [&hers, &bobs] {
                states.push(
                    store
                        .link_by_token(&link.token)
                        .await
                        .unwrap()
                        .unwrap()
                        .state,
                );
            }
        }
        assert_eq!(
            states,
            [
                LinkState::Open,
                LinkState::Open,
                LinkState::Revoked,
                LinkState::Open
            ]
        );
    }
}

#[tokio::test]
async fn with_the_sessions_that_a_change_ends_go_the_open_links_to_its_user_in_the_same_write() {
    for (store, _folder) in databases().await {
        let subject = "ada@example.com".to_owned();
        let identity = Identity {
            issuer: PASSWORD_ISSUER.into(),
            subject: subject.clone(),
            name: None,
            email: None,
        };
        let known = User::new(UserId::generate(&SystemEntropy), identity, at(0));
        let user = store.put_user(&known, None).await.unwrap();
        let bobs = sample(99, &"bob@example.com".parse().unwrap());
        store.post_link(&bobs.0, &bobs.1).await.unwrap();
        for change in 0..6 {
            let (link, posting) = sample(change, &ada());
            store.post_link(&link, &posting).await.unwrap();
            let by = authority_in(&*store, &*store, user).await;
            match change {
                0 => assert!(
                    store
                        .set_password(by, "$own", at(9))
                        .await
                        .unwrap()
                        .is_some()
                ),
                1 => assert!(store.revoke_sessions(by, true, at(9)).await.unwrap()),
                2 => {
                    assert!(store.disable_user(user, true, at(9)).await.unwrap());
                    assert!(store.disable_user(user, false, at(9)).await.unwrap());
                }
                3 => {
                    let again = User {
                        id: UserId::generate(&SystemEntropy),
                        ..known.clone()
                    };
                    assert_eq!(
                        store.put_user(&again, Some("$operators")).await.unwrap(),
                        user
                    );
                }
                4 => assert!(store.revoke_sessions(by, false, at(9)).await.unwrap()),
                _ => {
                    store.delete_session(by.session).await.unwrap();
                    assert_eq!(
                        store.set_password(by, "$thiefs", at(9)).await.unwrap(),
                        None
                    );
                }
            }
            let state = store
                .link_by_token(&link.token)
                .await
                .unwrap()
                .unwrap()
                .state;
            assert_eq!(state == LinkState::Revoked, change < 4, "{change}");
        }
        assert_eq!(
            store
                .link_by_token(&bobs.0.token)
                .await
                .unwrap()
                .unwrap()
                .state,
            LinkState::Open
        );
    }
}

#[tokio::test]
async fn who_waits_for_a_link_that_was_never_mailed_does_not_see_when_its_owner_does_something() {
    for (store, _folder) in databases().await {
        let subject = "ada@example.com".to_owned();
        let identity = Identity {
            issuer: PASSWORD_ISSUER.into(),
            subject,
            name: None,
            email: None,
        };
        let user = User::new(UserId::generate(&SystemEntropy), identity, at(0));
        let user = store.put_user(&user, None).await.unwrap();
        let mut links = Vec::new();
        for number in 1..=u8::try_from(PER_ADDRESS).unwrap() + 1 {
            let (link, posting) = sample(number, &ada());
            store.post_link(&link, &posting).await.unwrap();
            links.push(link);
        }
        let by = authority_in(&*store, &*store, user).await;
        assert!(
            store
                .set_password(by, "$own", at(9))
                .await
                .unwrap()
                .is_some()
        );
        for link in links {
            let link = stored(&store, &link).await;
            assert_eq!(
                link.state,
                if link.mailed {
                    LinkState::Revoked
                } else {
                    LinkState::Open
                }
            );
        }
    }
}

#[tokio::test]
async fn of_many_who_write_a_link_at_once_one_does() {
    for (store, _folder) in databases().await {
        let (link, posting) = sample(1, &ada());
        store.post_link(&link, &posting).await.unwrap();
        let writes = (0..64).map(|number| {
            let by = ConfirmationId::from_bytes([number; 16]);
            let next = link.clone().use_up(by, at(2)).unwrap();
            let store = store.clone();
            async move { store.replace_link(&next).await.unwrap() }
        });
        let written = futures_util::future::join_all(writes).await;
        assert_eq!(written.into_iter().filter(|written| *written).count(), 1);
    }
}

#[tokio::test]
async fn old_links_are_swept_and_others_are_not() {
    for (store, _folder) in databases().await {
        for number in 1..=3 {
            let (link, posting) = sample(number, &ada());
            store.post_link(&link, &posting).await.unwrap();
        }
        assert_eq!(store.sweep_links(at(903)).await.unwrap(), 2);
        for (number, is_left) in [(1, false), (2, false), (3, true)] {
            let (link, _) = sample(number, &ada());
            assert_eq!(
                store.link_by_token(&link.token).await.unwrap().is_some(),
                is_left
            );
        }
    }
}

#[tokio::test]
async fn mails_are_taken_by_one_postman_each() {
    for (store, _folder) in databases().await {
        for number in 1..=40 {
            let (link, posting) =
                sample(number, &format!("p{number}@example.com").parse().unwrap());
            store.post_link(&link, &posting).await.unwrap();
        }
        let postmen = (0..16).map(|_| store.take_mail(8, at(50), at(50) + Duration::from_secs(30)));
        let taken = futures_util::future::join_all(postmen).await;
        let mut ids: Vec<_> = taken
            .into_iter()
            .flat_map(Result::unwrap)
            .map(|mail| mail.id)
            .collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), count), (40, 40));
    }
}

fn tries(address: &Address, known: bool) -> Tries {
    Tries {
        address: address.clone(),
        known,
    }
}

#[tokio::test]
async fn codes_are_counted_for_an_address_and_its_known_browsers_apart_however_many_come_at_once() {
    for (store, _folder) in databases().await {
        let hers = tries(&ada(), false);
        let counts = (0..64).map(|_| store.count_code(&hers, at(9), at(0)));
        let counts = futures_util::future::join_all(counts)
            .await
            .into_iter()
            .map(Result::unwrap);
        let mut counted: Vec<_> = counts.flatten().collect();
        counted.sort_unstable();
        assert_eq!(counted, (1..=WRONG_CODES).collect::<Vec<_>>());
        assert_eq!(store.codes_tried(&hers, at(0)).await.unwrap(), WRONG_CODES);
        for others in [
            tries(&ada(), true),
            tries(&"bob@example.com".parse().unwrap(), false),
        ] {
            assert_eq!(
                store.count_code(&others, at(9), at(0)).await.unwrap(),
                Some(1)
            );
        }
        // They are off for as long as the last one that counted is not long ago.
        assert_eq!(store.count_code(&hers, at(100), at(8)).await.unwrap(), None);
        assert_eq!(store.codes_tried(&hers, at(9)).await.unwrap(), 0);
        assert_eq!(
            store.count_code(&hers, at(100), at(9)).await.unwrap(),
            Some(1)
        );
        store.forget_codes(&hers).await.unwrap();
        assert_eq!(store.codes_tried(&hers, at(0)).await.unwrap(), 0);
        assert_eq!(
            store
                .codes_tried(&tries(&ada(), true), at(0))
                .await
                .unwrap(),
            1
        );
        assert_eq!(store.sweep_codes(at(9)).await.unwrap(), 0);
        assert_eq!(store.sweep_codes(at(10)).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_link_that_signs_in_resets_the_count_of_wrong_codes_unless_codes_are_off() {
    for (store, _folder) in databases().await {
        let hers = [tries(&ada(), false), tries(&ada(), true)];
        for (number, wrong, left) in [(1, WRONG_CODES - 1, 0), (2, WRONG_CODES, WRONG_CODES)] {
            for tries in &hers {
                for _ in 0..wrong {
                    store.count_code(tries, at(1), at(0)).await.unwrap();
                }
            }
            let (handed_over, _) = sample(number + 20, &ada());
            let handed_over = Link {
                mailed: false,
                waiting: None,
                ..handed_over
            };
            store.add_link(&handed_over).await.unwrap();
            let used = handed_over
                .use_up(ConfirmationId::from_bytes([9; 16]), at(2))
                .unwrap();
            assert!(store.replace_link(&used).await.unwrap());
            let (void, posting) = sample(number + 10, &ada());
            store.post_link(&void, &posting).await.unwrap();
            assert!(store.replace_link(&void.revoke()).await.unwrap());
            assert_eq!(
                store.codes_tried(&hers[0], at(0)).await.unwrap(),
                wrong,
                "neither shows that it is she"
            );
            let (link, posting) = sample(number, &ada());
            store.post_link(&link, &posting).await.unwrap();
            assert!(
                store
                    .replace_link(&link.approve(at(2)).unwrap())
                    .await
                    .unwrap()
            );
            for tries in &hers {
                assert_eq!(store.codes_tried(tries, at(0)).await.unwrap(), left);
            }
        }
    }
}
