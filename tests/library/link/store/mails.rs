//! Mails wait, are taken by their class, and are swept.

use super::{databases, sample};
use crate::{link::harness::ada, support::at};
use std::time::Duration;
use vestibule::mail::{Mail, MailClass, Posting};

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
