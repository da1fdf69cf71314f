//! A confirmation in words and in JSON: everything but its token, and what belongs to its browser.

use crate::accounts::time_format::rfc3339;
use serde_json::{Value, json};
use vestibule::{
    clock::Timestamp,
    confirmation::{Confirmation, Decided, Ending, Queued, Stage, State},
    sign_ins::Step,
};

/// One line of the list, in columns.
pub fn line(confirmation: &Confirmation, now: Timestamp) -> String {
    format!(
        "{}  {:<17}  {}  {}  {}",
        confirmation.id,
        step(confirmation),
        rfc3339(confirmation.created_at),
        rfc3339(confirmation.deadline),
        asked(confirmation, now),
    )
}

/// Everything, a line each.
pub fn lines(confirmation: &Confirmation, now: Timestamp) -> String {
    let mut lines = vec![
        ("confirmation", confirmation.id.to_string()),
        ("step", step(confirmation)),
        ("begun", rfc3339(confirmation.created_at)),
        ("deadline", rfc3339(confirmation.deadline)),
    ];
    match &confirmation.state {
        State::Queued(_) => lines.push(("asked", asked(confirmation, now))),
        State::Decided(decided) | State::Settled(decided) => {
            lines.push(("ending", ending(decided.ending).into()));
            if let Ending::Confirmed(user) = decided.ending {
                lines.push(("user", user.to_string()));
            }
            lines.push(("decided", rfc3339(decided.at)));
        }
    }
    let lines = lines
        .iter()
        .map(|(name, value)| format!("{name:<12}  {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The same for programs. What it has none of is null.
pub fn object(confirmation: &Confirmation) -> Value {
    let (queued, decided) = match &confirmation.state {
        State::Queued(queued) => (Some(queued), None),
        State::Decided(decided) | State::Settled(decided) => (None, Some(decided)),
    };
    let step = queued.map(Queued::step);
    let attempt = match step {
        Some(Step::Retrying { attempt }) => Some(attempt),
        _ => None,
    };
    let stage = match step {
        Some(Step::Later { stage }) => stage,
        _ => None,
    };
    let lease = queued.and_then(|queued| queued.lease);
    let user = decided.and_then(|decided| match decided.ending {
        Ending::Confirmed(user) => Some(user.to_string()),
        Ending::Rejected(_) | Ending::Unavailable => None,
    });
    json!({
        "id": confirmation.id.to_string(),
        "step": step.map_or("decided", step_name),
        "attempt": attempt,
        "stage": stage.map(Stage::as_str),
        "begun_at": rfc3339(confirmation.created_at),
        "deadline": rfc3339(confirmation.deadline),
        "due_at": queued.map(|queued| rfc3339(queued.due_at)),
        "lease_until": lease.map(|lease| rfc3339(lease.until)),
        "ending": decided.map(|decided| ending(decided.ending)),
        "user": user,
        "decided_at": decided.map(|decided| rfc3339(decided.at)),
    })
}

/// What was decided, in a sentence.
pub fn decision(decided: Decided) -> String {
    format!("{}, at {}", ending(decided.ending), rfc3339(decided.at))
}

fn step(confirmation: &Confirmation) -> String {
    let State::Queued(queued) = &confirmation.state else {
        return "decided".into();
    };
    let step = queued.step();
    match step {
        Step::Retrying { attempt } => format!("retrying {attempt}"),
        Step::Later { stage: Some(stage) } => format!("later ({})", stage.as_str()),
        _ => step_name(step).into(),
    }
}

const fn step_name(step: Step) -> &'static str {
    match step {
        Step::Queued => "queued",
        Step::Contacting => "contacting",
        Step::Retrying { .. } => "retrying",
        Step::Later { .. } => "later",
    }
}

const fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Confirmed(_) => "confirmed",
        Ending::Rejected(reason) => reason.as_str(),
        Ending::Unavailable => "unavailable",
    }
}

/// When the validator is asked next.
fn asked(confirmation: &Confirmation, now: Timestamp) -> String {
    match &confirmation.state {
        State::Queued(queued) if queued.lease.is_some_and(|lease| lease.until > now) => {
            "now, by a worker".into()
        }
        State::Queued(queued) if queued.due_at <= now => "as soon as a worker can".into(),
        State::Queued(queued) => rfc3339(queued.due_at),
        State::Decided(_) | State::Settled(_) => "never again".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use vestibule::{
        confirmation::{ConfirmationId, Later, Lease, Rejection, WorkerId},
        pending::TokenTag,
        secret::{Keys, SealedToken, SecretHash, SystemEntropy},
        session::SessionId,
        user::UserId,
    };

    const BEGUN: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn queued() -> Queued {
        let id = ConfirmationId::from_bytes([1; 16]);
        let keys = Keys::from_secret(&[1; 32]);
        let token = "a-secret-token".parse().unwrap();
        Queued {
            token: SealedToken::seal(&keys, &SystemEntropy, id, &token),
            failed: 0,
            later: None,
            due_at: BEGUN + Duration::from_secs(30),
            fence: 0,
            lease: None,
        }
    }

    fn confirmation(state: State) -> Confirmation {
        Confirmation {
            id: ConfirmationId::from_bytes([1; 16]),
            secret: SecretHash::from_bytes([1; 32]),
            token_tag: TokenTag::from_bytes([1; 8]),
            session: SessionId::from_bytes([1; 16]),
            created_at: BEGUN,
            deadline: BEGUN + Duration::from_mins(1),
            next: None,
            state,
        }
    }

    fn lease() -> Lease {
        let worker = WorkerId::from_bytes([9; 16]);
        let until = BEGUN + Duration::from_secs(30);
        Lease { worker, until }
    }

    #[test]
    fn each_step_is_told_and_columns_stand_below_each_other() {
        for (queued, expected) in [
            (
                queued(),
                "queued             2023-11-14T22:13:20Z  2023-11-14T22:14:20Z  2023-11-14T22:13:50Z",
            ),
            (
                Queued {
                    lease: Some(lease()),
                    due_at: BEGUN,
                    ..queued()
                },
                "contacting         2023-11-14T22:13:20Z  2023-11-14T22:14:20Z  now, by a worker",
            ),
            (
                Queued {
                    failed: 2,
                    due_at: BEGUN,
                    ..queued()
                },
                "retrying 3         2023-11-14T22:13:20Z  2023-11-14T22:14:20Z  as soon as a worker can",
            ),
            (
                Queued {
                    later: Some(Later {
                        stage: Some(Stage::Reviewing),
                    }),
                    ..queued()
                },
                "later (reviewing)  2023-11-14T22:13:20Z  2023-11-14T22:14:20Z  2023-11-14T22:13:50Z",
            ),
        ] {
            let confirmation = confirmation(State::Queued(queued));
            let line = line(&confirmation, BEGUN);
            assert_eq!(line, format!("{}  {expected}", confirmation.id));
        }
        let mut later = queued();
        later.later = Some(Later { stage: None });
        assert_eq!(step(&confirmation(State::Queued(later))), "later");
    }

    #[test]
    fn what_was_decided_is_told() {
        let at = BEGUN + Duration::from_secs(5);
        let user = UserId::from_bytes([7; 16]);
        for (ended, told) in [
            (
                Ending::Confirmed(user),
                "confirmed\nuser          07070707070707070707070707070707",
            ),
            (Ending::Rejected(Rejection::Used), "used"),
            (Ending::Unavailable, "unavailable"),
        ] {
            let decided = confirmation(State::Settled(Decided { ending: ended, at }));
            let expected = format!(
                "confirmation  01010101010101010101010101010101\n\
                 step          decided\n\
                 begun         2023-11-14T22:13:20Z\n\
                 deadline      2023-11-14T22:14:20Z\n\
                 ending        {told}\n\
                 decided       2023-11-14T22:13:25Z"
            );
            assert_eq!(lines(&decided, at), expected);
        }
    }

    #[test]
    fn programs_are_told_the_same() {
        let retrying = Queued {
            failed: 1,
            lease: Some(lease()),
            ..queued()
        };
        assert_eq!(
            object(&confirmation(State::Queued(retrying))),
            json!({
                "id": "01010101010101010101010101010101", "step": "retrying", "attempt": 2, "stage": null,
                "begun_at": "2023-11-14T22:13:20Z", "deadline": "2023-11-14T22:14:20Z",
                "due_at": "2023-11-14T22:13:50Z", "lease_until": "2023-11-14T22:13:50Z",
                "ending": null, "user": null, "decided_at": null,
            })
        );
        let ending = Ending::Confirmed(UserId::from_bytes([7; 16]));
        let decided = State::Decided(Decided { ending, at: BEGUN });
        assert_eq!(
            object(&confirmation(decided)),
            json!({
                "id": "01010101010101010101010101010101", "step": "decided", "attempt": null, "stage": null,
                "begun_at": "2023-11-14T22:13:20Z", "deadline": "2023-11-14T22:14:20Z",
                "due_at": null, "lease_until": null,
                "ending": "confirmed", "user": "07070707070707070707070707070707",
                "decided_at": "2023-11-14T22:13:20Z",
            })
        );
    }
}
