//! Wrong codes are counted.

use super::{databases, sample};
use crate::{link::harness::ada, support::at};
use vestibule::{
    confirmation::ConfirmationId,
    email_address::Address,
    link::{Link, Tries, WRONG_CODES},
};

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
