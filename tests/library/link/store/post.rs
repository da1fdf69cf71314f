//! Links are stored, found, held and replaced.

use super::{databases, in_browser, leading_to, sample, stored};
use crate::{link::harness::ada, support::at};
use vestibule::{
    confirmation::ConfirmationId,
    link::{Link, LinkState, LinkToken},
    mail::{Mail, Posted, Posting},
};

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
