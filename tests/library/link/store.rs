//! What every database of links promises.

use super::house::ada;
use crate::support::{Postgres, at, keys};
use std::{sync::Arc, time::Duration};
use vestibule::{
    caps::{Capped, Client},
    confirmation::ConfirmationId,
    device::Device,
    link::{Address, Code, Link, LinkId, LinkState, LinkToken, Number},
    mail::{Letter, LinkDatabase, LinkLetter, Mail, MailId, Posting, SealedLetter},
    secret::SystemEntropy,
    store::{BeginError, sqlite::SqliteStore},
    user::{Identity, PASSWORD_ISSUER, User, UserId, UserStore},
};

/// A database of links, and of the people whom they are for.
trait Database: LinkDatabase + UserStore {}

impl<D: LinkDatabase + UserStore> Database for D {}

/// One empty database of each kind, and what has to live as long as it.
async fn databases() -> Vec<(Arc<dyn Database>, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(&folder.path().join("vestibule.db"), &keys(&[7])).await.unwrap();
    let mut all: Vec<(Arc<dyn Database>, _)> = vec![(Arc::new(sqlite), Some(folder))];
    if let Some(postgres) = Postgres::fresh().await {
        all.push((Arc::new(postgres.open().await), None));
    }
    all
}

fn sample(number: u8, address: &Address) -> (Link, Posting) {
    let (id, token) = (LinkId::from_bytes([number; 16]), LinkToken::from_bytes([number; 32]));
    let code = Code::generate(&SystemEntropy);
    let link = Link {
        id,
        revision: 0,
        token: token.hash(),
        waiting: Some(ConfirmationId::from_bytes([number; 16])),
        address: address.clone(),
        admits: false,
        code: code.mac(&keys(&[7]), id),
        mailed: true,
        guesses: 0,
        number: Number::new(42).unwrap(),
        device: Device::new("Firefox on Linux"),
        asked: at(i64::from(number)),
        expires: at(i64::from(number) + 900),
        state: LinkState::Open,
    };
    let letter = Letter::Link(LinkLetter { link: token, code, device: link.device.clone() });
    let id = MailId::from_bytes([number; 16]);
    let letter = SealedLetter::seal(&keys(&[7]), &SystemEntropy, id, &letter);
    let mail = Mail { id, to: address.clone(), letter, failed: 0, due: link.asked, expires: link.expires };
    let client = Client::from_bytes([number; 16]);
    let (of_address, of_client, in_all) = (u32::MAX, u32::MAX, u32::MAX);
    (link, Posting { mail, known: true, client, since: at(0), of_address, of_client, in_all })
}

#[tokio::test]
async fn a_link_and_its_mail_read_back() {
    for (store, _folder) in databases().await {
        let (link, posting) = sample(1, &ada());
        store.post_link(&link, &posting).await.unwrap();
        let mail = posting.mail;
        assert_eq!(store.link_by_token(&link.token).await.unwrap(), Some(link.clone()));
        assert_eq!(store.link_by_waiting(link.waiting.unwrap()).await.unwrap(), Some(link.clone()));
        assert_eq!(store.next_mail().await.unwrap(), Some(mail.due));
        let taken = store.take_mail(1, at(1), at(31)).await.unwrap();
        assert_eq!(taken, [Mail { due: at(31), ..mail.clone() }]);
        store.put_mail_off(mail.id, at(40)).await.unwrap();
        assert_eq!(store.take_mail(1, at(39), at(99)).await.unwrap(), []);
        assert_eq!(
            store.take_mail(1, at(40), at(99)).await.unwrap(),
            [Mail { due: at(99), failed: 1, ..mail.clone() }]
        );
        store.remove_mail(mail.id).await.unwrap();
        assert_eq!(store.next_mail().await.unwrap(), None);
        let used = link.clone().use_up(ConfirmationId::from_bytes([9; 16]), at(2)).unwrap();
        assert!(store.replace_link(&used).await.unwrap());
        assert_eq!(store.link_by_token(&link.token).await.unwrap(), Some(used));
        assert_eq!(store.link_by_token(&LinkToken::from_bytes([8; 32]).hash()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_new_link_takes_back_the_open_ones_of_its_address_and_no_others() {
    for (store, _folder) in databases().await {
        let bob = "bob@example.com".parse().unwrap();
        let (first, other, second) = (sample(1, &ada()), sample(2, &bob), sample(3, &ada()));
        let (used, third) = (sample(4, &ada()), sample(5, &ada()));
        for (link, posting) in [&first, &other, &second] {
            store.post_link(link, posting).await.unwrap();
        }
        let state = async |link: &Link| store.link_by_token(&link.token).await.unwrap().unwrap().state;
        assert_eq!(state(&first.0).await, LinkState::Void);
        assert_eq!(state(&other.0).await, LinkState::Open);
        assert_eq!(state(&second.0).await, LinkState::Open);
        store.post_link(&used.0, &used.1).await.unwrap();
        assert!(store.replace_link(&used.0.clone().approve(at(5)).unwrap()).await.unwrap());
        store.post_link(&third.0, &third.1).await.unwrap();
        assert_eq!(state(&used.0).await, LinkState::Approved, "what it has come to stays");
    }
}

#[tokio::test]
async fn a_link_that_is_handed_over_is_not_counted_and_neither_takes_others_back_nor_is_taken_back() {
    for (store, _folder) in databases().await {
        let (mailed, posting) = sample(1, &ada());
        let handed_over = Link { mailed: false, waiting: None, ..sample(2, &ada()).0 };
        store.post_link(&mailed, &posting).await.unwrap();
        store.add_link(&handed_over).await.unwrap();
        assert_eq!(store.link_by_token(&mailed.token).await.unwrap(), Some(mailed));
        let (again, posting) = sample(3, &ada());
        store.post_link(&again, &Posting { of_address: 2, ..posting }).await.unwrap();
        assert_eq!(store.link_by_token(&again.token).await.unwrap(), Some(again));
        assert_eq!(store.link_by_token(&handed_over.token).await.unwrap(), Some(handed_over));
    }
}

#[tokio::test]
async fn a_link_to_an_address_that_has_had_enough_is_kept_unmailed_and_takes_nothing_back() {
    for (store, _folder) in databases().await {
        let ((first, posting), (second, more)) = (sample(1, &ada()), sample(2, &ada()));
        store.post_link(&first, &posting).await.unwrap();
        store.post_link(&second, &Posting { of_address: 1, ..more }).await.unwrap();
        assert_eq!(store.link_by_token(&first.token).await.unwrap(), Some(first));
        let second = Link { mailed: false, ..second };
        assert_eq!(store.link_by_token(&second.token).await.unwrap(), Some(second));
        assert_eq!(store.take_mail(8, at(9), at(99)).await.unwrap(), [Mail { due: at(99), ..posting.mail }]);
    }
}

#[tokio::test]
async fn a_client_asks_for_so_many_links_and_so_many_mails_wait_and_no_more() {
    for (store, _folder) in databases().await {
        let all: Vec<_> =
            (1..=16).map(|number| sample(number, &format!("p{number}@example.com").parse().unwrap())).collect();
        let one = |posting: &Posting| Posting { client: Client::from_bytes([1; 16]), of_client: 3, ..posting.clone() };
        let posts = all.iter().map(|(link, posting)| {
            let (store, posting) = (&store, one(posting));
            async move { store.post_link(link, &posting).await }
        });
        let posted = futures_util::future::join_all(posts).await;
        let refused = |posted: &&Result<(), BeginError>| matches!(posted, Err(BeginError::Capped(Capped::Links)));
        assert_eq!(posted.iter().filter(refused).count(), 13, "{posted:?}");
        let (link, posting) = sample(17, &ada());
        let full = store.post_link(&link, &Posting { in_all: 3, ..posting.clone() }).await;
        assert!(matches!(full, Err(BeginError::Capped(Capped::All))), "{full:?}");
        assert_eq!(store.link_by_token(&link.token).await.unwrap(), None);
        let later = Posting { since: at(99), ..one(&posting) };
        store.post_link(&link, &later).await.unwrap();
        assert_eq!(store.take_mail(99, at(99), at(199)).await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn the_mail_of_a_link_that_is_open_no_more_is_not_sent() {
    for (store, _folder) in databases().await {
        let all: Vec<_> =
            (1..=3).map(|number| sample(number, &format!("p{number}@example.com").parse().unwrap())).collect();
        for (link, posting) in &all {
            store.post_link(link, posting).await.unwrap();
        }
        assert!(store.replace_link(&all[0].0.clone().void()).await.unwrap());
        store.void_links(&all[1].0.address).await.unwrap();
        let left = store.take_mail(8, at(9), at(99)).await.unwrap();
        assert_eq!(left.into_iter().map(|mail| mail.id).collect::<Vec<_>>(), [all[2].1.mail.id]);
    }
}

#[tokio::test]
async fn all_links_to_an_address_are_taken_back_and_no_others() {
    for (store, _folder) in databases().await {
        let (mailed, posting) = sample(1, &ada());
        let handed_over = Link { mailed: false, waiting: None, ..sample(2, &ada()).0 };
        let (bobs, his) = sample(3, &"bob@example.com".parse().unwrap());
        store.post_link(&mailed, &posting).await.unwrap();
        store.add_link(&handed_over).await.unwrap();
        store.post_link(&bobs, &his).await.unwrap();
        store.void_links(&ada()).await.unwrap();
        for (link, state) in [(mailed, LinkState::Void), (handed_over, LinkState::Void), (bobs, LinkState::Open)] {
            assert_eq!(store.link_by_token(&link.token).await.unwrap().unwrap().state, state);
        }
    }
}

#[tokio::test]
async fn mails_that_nobody_has_sent_are_swept() {
    for (store, _folder) in databases().await {
        for number in 1..=2 {
            let (link, posting) = sample(number, &format!("p{number}@example.com").parse().unwrap());
            store.post_link(&link, &posting).await.unwrap();
        }
        assert_eq!(store.sweep_mails(at(902)).await.unwrap(), 1);
        assert_eq!(store.take_mail(8, at(999), at(1000)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn no_more_are_mailed_to_an_address_than_may_be_however_many_are_asked_for_at_once() {
    for (store, _folder) in databases().await {
        let all: Vec<_> = (1..=64).map(|number| sample(number, &ada())).collect();
        let limited = |(link, posting): &(Link, Posting)| (link.clone(), Posting { of_address: 5, ..posting.clone() });
        let all: Vec<_> = all.iter().map(limited).collect();
        let adds = all.iter().map(|(link, posting)| store.post_link(link, posting));
        for added in futures_util::future::join_all(adds).await {
            added.unwrap();
        }
        let mut mailed = 0;
        for (link, _) in &all {
            mailed += u32::from(store.link_by_token(&link.token).await.unwrap().unwrap().mailed);
        }
        assert_eq!(mailed, 5);
        assert_eq!(store.take_mail(99, at(99), at(199)).await.unwrap().len(), 1, "those before are taken back");
        let (link, posting) = sample(65, &ada());
        store.post_link(&link, &Posting { of_address: 1, since: at(64), ..posting }).await.unwrap();
        assert_eq!(store.take_mail(99, at(99), at(199)).await.unwrap().len(), 1, "those before are long ago");
    }
}

#[tokio::test]
async fn a_mail_to_nobody_waits_like_any_other_and_goes_when_it_is_taken() {
    for (store, _folder) in databases().await {
        let (link, posting) = sample(1, &ada());
        store.post_link(&link, &Posting { known: false, ..posting }).await.unwrap();
        assert_eq!(store.link_by_token(&link.token).await.unwrap(), Some(link));
        assert_eq!(store.next_mail().await.unwrap(), Some(at(1)));
        assert_eq!(store.take_mail(1, at(1), at(31)).await.unwrap(), []);
        assert_eq!(store.next_mail().await.unwrap(), None);
    }
}

#[tokio::test]
async fn links_to_somebody_who_is_removed_are_taken_back_and_no_others() {
    for (store, _folder) in databases().await {
        let person = |issuer: &str, subject: &str| Identity {
            issuer: issuer.into(),
            subject: subject.into(),
            name: None,
            email: Some("ada@example.com".into()),
        };
        let mut users = Vec::new();
        for identity in [person(PASSWORD_ISSUER, "ada@example.com"), person("practice", "ada@example.com")] {
            let user = User::new(UserId::generate(&SystemEntropy), identity, at(0));
            users.push(store.put_user(&user, None).await.unwrap());
        }
        let (hers, bobs) = (sample(1, &ada()), sample(2, &"bob@example.com".parse().unwrap()));
        for (link, posting) in [&hers, &bobs] {
            store.post_link(link, posting).await.unwrap();
        }
        let mut states = Vec::new();
        for user in [users[1], users[0]] {
            assert!(store.remove_user(user).await.unwrap());
            for (link, _) in [&hers, &bobs] {
                states.push(store.link_by_token(&link.token).await.unwrap().unwrap().state);
            }
        }
        assert_eq!(states, [LinkState::Open, LinkState::Open, LinkState::Void, LinkState::Open]);
    }
}

#[tokio::test]
async fn of_many_who_write_a_link_at_once_one_does() {
    for (store, _folder) in databases().await {
        let (link, posting) = sample(1, &ada());
        store.post_link(&link, &posting).await.unwrap();
        let writes = (0..64).map(|number| {
            let by = ConfirmationId::from_bytes([number; 16]);
            let (next, store) = (link.clone().use_up(by, at(2)).unwrap(), store.clone());
            async move { store.replace_link(&next).await.unwrap() }
        });
        let written = futures_util::future::join_all(writes).await;
        assert_eq!(written.into_iter().filter(|written| *written).count(), 1);
    }
}

#[tokio::test]
async fn links_that_come_at_once_for_one_address_leave_one_open() {
    for (store, _folder) in databases().await {
        let all: Vec<_> = (1..=16).map(|number| sample(number, &ada())).collect();
        let adds = all.iter().map(|(link, posting)| store.post_link(link, posting));
        for added in futures_util::future::join_all(adds).await {
            added.unwrap();
        }
        let mut open = 0;
        for (link, _) in &all {
            open += u32::from(store.link_by_token(&link.token).await.unwrap().unwrap().state == LinkState::Open);
        }
        assert_eq!(open, 1);
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
            assert_eq!(store.link_by_token(&link.token).await.unwrap().is_some(), is_left);
        }
    }
}

#[tokio::test]
async fn mails_are_taken_by_one_postman_each() {
    for (store, _folder) in databases().await {
        for number in 1..=40 {
            let (link, posting) = sample(number, &format!("p{number}@example.com").parse().unwrap());
            store.post_link(&link, &posting).await.unwrap();
        }
        let postmen = (0..16).map(|_| store.take_mail(8, at(50), at(50) + Duration::from_secs(30)));
        let taken = futures_util::future::join_all(postmen).await;
        let mut ids: Vec<_> = taken.into_iter().flat_map(Result::unwrap).map(|mail| mail.id).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), count), (40, 40));
    }
}
