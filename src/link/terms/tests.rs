use super::*;

const TERMS: Terms = Terms {
    shares: Shares::new(100),
    in_all: 1000,
    strangers: 50,
};

#[test]
fn what_strangers_have_asked_for_is_not_counted_for_a_known_browser() {
    let flooded = Counts {
        to_known: PER_ADDRESS - 1,
        to_others: 99,
        to_networks: [99; 3],
        asked: [100, 200, 400],
        waiting: [100, 200, 400],
        in_all: 1000,
        to_strangers: 50,
    };
    assert_eq!(TERMS.judge(true, false, &flooded), Ok(Mailing::Sent));
    assert_eq!(TERMS.judge(false, false, &flooded), Err(Capped::Links));
    assert_eq!(
        TERMS.judge(
            false,
            false,
            &Counts {
                asked: [0; 3],
                ..flooded
            }
        ),
        Err(Capped::All)
    );
    assert_eq!(
        TERMS.judge(
            true,
            false,
            &Counts {
                in_all: 1100,
                ..flooded
            }
        ),
        Err(Capped::All),
        "a bound all the same"
    );
}

#[test]
fn a_known_browser_that_has_had_its_own_is_mailed_none_of_the_others_and_counts_as_its_client() {
    let enough = Counts {
        to_known: PER_ADDRESS,
        ..Counts::default()
    };
    assert_eq!(TERMS.judge(true, false, &enough), Ok(Mailing::None));
    assert_eq!(
        TERMS.judge(
            true,
            false,
            &Counts {
                asked: [100; 3],
                ..enough
            }
        ),
        Err(Capped::Links)
    );
}

#[test]
fn a_client_and_the_networks_around_it_leave_some_for_others() {
    for (to_others, to_networks, mailing) in [
        (2, [2, 2, 2], Mailing::Sent),
        (3, [3, 3, 3], Mailing::None),
        (3, [1, 1, 1], Mailing::None),
        (3, [0, 1, 3], Mailing::Sent),
        (3, [0, 2, 2], Mailing::None),
        (4, [0, 0, 4], Mailing::None),
        (4, [0, 0, 0], Mailing::Sent),
        (5, [0, 0, 0], Mailing::None),
    ] {
        let there = Counts {
            to_others,
            to_networks,
            ..Counts::default()
        };
        assert_eq!(
            TERMS.judge(false, false, &there),
            Ok(mailing),
            "{to_others} {to_networks:?}"
        );
    }
}

#[test]
fn a_network_asks_for_so_many_and_of_the_last_tenth_of_the_mails_each_client_has_one() {
    let judged = |asked, waiting, in_all| {
        TERMS.judge(
            false,
            false,
            &Counts {
                asked,
                waiting,
                in_all,
                ..Counts::default()
            },
        )
    };
    for full in [[100, 100, 100], [1, 200, 200], [1, 1, 400]] {
        assert_eq!(judged(full, [0; 3], 0), Err(Capped::Links), "{full:?}");
    }
    assert_eq!(judged([99, 199, 399], [50; 3], 899), Ok(Mailing::Sent));
    assert_eq!(judged([99, 199, 399], [1; 3], 900), Err(Capped::All));
    assert_eq!(judged([99, 199, 399], [0, 1, 3], 999), Ok(Mailing::Sent));
    assert_eq!(judged([0; 3], [0; 3], 1000), Err(Capped::All));
}

#[test]
fn strangers_are_mailed_so_many_together_and_users_all_the_same() {
    for (asked, to_strangers, stranger, mailing) in [
        ([9, 9, 9], 44, true, Mailing::Sent),
        ([1, 1, 1], 45, true, Mailing::Unsent),
        ([0, 1, 3], 45, true, Mailing::Sent),
        ([0; 3], 50, true, Mailing::Unsent),
        ([9, 9, 9], 50, false, Mailing::Sent),
    ] {
        let there = Counts {
            asked,
            to_strangers,
            ..Counts::default()
        };
        assert_eq!(
            TERMS.judge(false, stranger, &there),
            Ok(mailing),
            "{asked:?} {to_strangers} {stranger}"
        );
        let enough = Counts {
            to_others: PER_ADDRESS,
            ..there
        };
        assert_eq!(
            TERMS.judge(false, stranger, &enough),
            Ok(Mailing::None),
            "a stranger's address has no other share"
        );
    }
}
