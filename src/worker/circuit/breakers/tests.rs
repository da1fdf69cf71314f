//! The breakers together: the overall one, and one for each network.

use super::*;
use crate::{
    confirmation::ConfirmationId,
    secret::{Sealed, SealedToken, SecretHash, SystemEntropy},
};

const LIMIT: usize = 100;
const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const FAILURE: CallResult = CallResult::Failure { retry_after: None };
/// How many have to fail in a row.
const IN_A_ROW: u8 = 20;

/// A claim of `network`; the number tells its confirmation from others.
fn claim(network: u8, number: u8) -> Claim {
    Claim {
        id: ConfirmationId::from_bytes([number; 16]),
        fence: 1,
        network: [network; 16],
        secret: SecretHash::from_bytes([number; 32]),
        token: SealedToken(Sealed {
            key_id: 1,
            bytes: Vec::new(),
        }),
        failed: 0,
        later: None,
        created_at: NOW,
        deadline: NOW,
    }
}

impl Breakers {
    fn asked(&mut self, network: u8, heard: [CallResult; 2]) {
        for number in 0..IN_A_ROW {
            let questions = self.ask(&claim(network, number), NOW);
            self.hear(&[network; 16], questions, heard, NOW, &SystemEntropy);
        }
    }

    fn limits_now(&mut self, free: usize) -> ClaimLimits {
        self.limits(free, NOW, &SystemEntropy)
    }

    /// Has `count` of `network` asked about, and not answered.
    fn hold(&mut self, network: u8, count: usize) {
        for _ in 0..count {
            self.ask(&claim(network, 0), NOW);
        }
    }
}

#[test]
fn only_a_network_whose_tokens_all_fail_is_left_out() {
    let mut breakers = Breakers::new(LIMIT);
    breakers.asked(1, [FAILURE; 2]);
    let limits = breakers.limits_now(LIMIT);
    assert_eq!(
        (limits.in_all, limits.of(&[1; 16]), limits.of(&[2; 16])),
        (100, 0, 75)
    );
    assert!(breakers.everybody.is_closed());
    assert!(breakers.probe_at().is_some(), "it is tried again");
}

#[test]
fn networks_that_fail_in_a_row_have_the_validator_left_alone() {
    let mut breakers = Breakers::new(LIMIT);
    (1..IN_A_ROW).for_each(|network| breakers.asked(network, [FAILURE; 2]));
    assert!(breakers.everybody.is_closed());
    breakers.asked(IN_A_ROW, [FAILURE; 2]);
    assert_eq!(breakers.limits_now(LIMIT).in_all, 0);
}

#[test]
fn throttling_answers_never_stop_all_questions_to_the_validator() {
    let mut breakers = Breakers::new(LIMIT);
    (1..=100).for_each(|network| breakers.asked(network, [CallResult::Inconclusive, FAILURE]));
    let limits = breakers.limits_now(LIMIT);
    assert_eq!((limits.in_all, limits.left_out().count()), (100, 100));
}

#[test]
fn one_network_holds_three_quarters_of_all_places_and_a_few_leave_some_free() {
    let mut breakers = Breakers::new(LIMIT);
    let mut free = LIMIT;
    for network in 1..=3 {
        while let more @ 1.. = breakers.limits_now(free).of(&[network; 16]) as usize {
            breakers.hold(network, more);
            free -= more;
        }
        assert!(network > 1 || free == 25, "{free}");
        assert!(free > 0, "of {network}");
        assert!(
            breakers.limits_now(free).of(&[99; 16]) > 0,
            "the next one finds a place"
        );
    }
}

#[test]
fn of_two_places_a_network_leaves_one_and_it_has_the_only_one() {
    let mut breakers = Breakers::new(2);
    breakers.hold(1, 1);
    let limits = breakers.limits_now(1);
    assert_eq!([1, 2].map(|network| limits.of(&[network; 16])), [0, 1]);
    assert_eq!(Breakers::new(1).limits_now(1).of(&[1; 16]), 1);
}

#[test]
fn a_probe_goes_to_a_network_that_holds_no_slot() {
    let mut breakers = Breakers::new(LIMIT);
    breakers.hold(99, 1);
    (1..=IN_A_ROW).for_each(|network| breakers.asked(network, [FAILURE, CallResult::Answer]));
    let later = NOW + Duration::from_secs(5);
    let limits = breakers.limits(LIMIT - 1, later, &SystemEntropy);
    assert_eq!(
        (limits.in_all, limits.of(&[99; 16]), limits.of(&[98; 16])),
        (1, 0, 1)
    );
}

#[test]
fn a_network_is_forgotten_once_it_is_well_or_has_not_been_asked_about_for_long() {
    let mut breakers = Breakers::new(LIMIT);
    breakers.asked(1, [CallResult::Answer; 2]);
    assert!(breakers.networks.is_empty());
    breakers.asked(2, [FAILURE; 2]);
    breakers.forget(NOW + REMEMBERED - Duration::from_millis(1));
    assert_eq!(breakers.networks.len(), 1);
    breakers.hold(3, 1);
    breakers.forget(NOW + REMEMBERED);
    assert_eq!(breakers.networks.keys().collect::<Vec<_>>(), [&[3; 16]]);
}

#[test]
fn what_is_judged_without_the_validator_holds_a_place_of_its_network_as_well() {
    let mut breakers = Breakers::new(LIMIT);
    for _ in 0..60 {
        breakers.take_place([1; 16], NOW);
    }
    let limits = breakers.limits_now(40);
    assert_eq!((limits.of(&[1; 16]), limits.of(&[2; 16])), (15, 30));
    for _ in 0..60 {
        breakers.give_place_back(&[1; 16]);
    }
    assert!(breakers.networks.is_empty(), "and nothing is left of it");
    assert_eq!(breakers.limits_now(LIMIT).of(&[1; 16]), 75);
}

#[test]
fn places_are_offered_only_while_no_one_waits_and_the_validator_answers() {
    let mut breakers = Breakers::new(LIMIT);
    let network = [1; 16];
    assert!(!breakers.may_offer(network, LIMIT), "before the first look");
    breakers.offers = true;
    assert!(breakers.may_offer(network, 1));
    assert!(!breakers.may_offer(network, 0));
    assert!(!breakers.may_offer(network, 1), "someone waits by now");
    breakers.offers = true;
    breakers.asked(1, [CallResult::Answer, FAILURE]);
    assert!(!breakers.may_offer(network, LIMIT), "its own tokens fail");
    assert!(breakers.may_offer([2; 16], LIMIT));
    breakers.offers = false;
    assert!(!breakers.may_offer([2; 16], LIMIT));
    breakers.offers = true;
    (1..=IN_A_ROW).for_each(|network| breakers.asked(network, [FAILURE, CallResult::Answer]));
    assert!(
        !breakers.may_offer([99; 16], LIMIT),
        "the validator is away"
    );
}

#[test]
fn a_network_is_offered_no_more_places_than_it_could_claim() {
    for held in [0, 30, 60, 75, 76] {
        let mut breakers = Breakers::new(LIMIT);
        breakers.offers = true;
        breakers.hold(1, held);
        let free = LIMIT - held;
        for network in [1, 2] {
            let network = [network; 16];
            let claimable = breakers.limits_now(free).of(&network) > 0;
            assert_eq!(breakers.may_offer(network, free), claimable, "{held} held");
        }
    }
}
