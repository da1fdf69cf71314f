//! The application's own validator, kept apart: whatever it does, only its own answer fails.

use crate::config::MAX_CALLS;
use async_trait::async_trait;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    select,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use vestibule::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    token::Token,
    user::PASSWORD_ISSUER,
    validator::{ValidationError, Validator, Verdict},
};

/// The longest pause that it may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);
/// The shortest and the longest time after which it may want to be asked again.
const MIN_ASK_AGAIN: Duration = Duration::from_secs(1);
const MAX_ASK_AGAIN: Duration = Duration::from_hours(1);

type Answer = Result<Verdict, ValidationError>;

/// A validator each of whose calls runs on a thread of its own. One that blocks it takes no thread
/// of the runtime, which serves pages; the runtime's own threads for blocking work are no place for
/// it either, because passwords are checked there.
pub struct IsolatedValidator {
    validator: Arc<dyn Validator>,
    places: Arc<Semaphore>,
}

/// One call, as its thread has it.
struct Call {
    validator: Arc<dyn Validator>,
    id: ConfirmationId,
    token: Token,
    deadline: Timestamp,
    /// Cancelled once no one waits for the answer any more.
    given_up: CancellationToken,
    span: Span,
    /// Free again when the thread ends.
    _place: OwnedSemaphorePermit,
}

impl IsolatedValidator {
    /// Keeps `validator` apart.
    pub fn new(validator: impl Validator) -> Self {
        Self {
            validator: Arc::new(validator),
            places: Arc::new(Semaphore::new(MAX_CALLS)),
        }
    }
}

#[async_trait]
impl Validator for IsolatedValidator {
    async fn validate(&self, id: ConfirmationId, token: &Token, deadline: Timestamp) -> Answer {
        // If all are blocked this waits until the worker gives the attempt up, as it does with any
        // that takes too long.
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| ValidationError::temporary("it has been closed"))?;
        let given_up = CancellationToken::new();
        let call = Call {
            validator: Arc::clone(&self.validator),
            id,
            token: token.clone(),
            deadline,
            given_up: given_up.clone(),
            span: Span::current(),
            _place: place,
        };
        let _give_up = given_up.drop_guard();
        let (tell, told) = oneshot::channel();
        let runtime = Handle::current();
        let thread = thread::Builder::new().name("validator".to_owned());
        thread
            .spawn(move || tell.send(call.run(&runtime)))
            .map_err(|error| ValidationError::temporary(format!("it has no thread: {error}")))?;
        let answer = told.await;
        answer
            .map_err(|_| ValidationError::temporary("its thread has ended"))?
            .map_err(in_bounds)
            .and_then(checked)
    }
}

/// A verdict, if its identity may be one: as for a service that judges tokens.
fn checked(verdict: Verdict) -> Answer {
    let Verdict::Valid(identity, next) = verdict else {
        return Ok(verdict);
    };
    if identity.issuer == PASSWORD_ISSUER {
        // Its subjects are addresses: a validator could name any user who has a password here.
        return Err(ValidationError::temporary(
            "the issuer vestibule is reserved",
        ));
    }
    let identity = identity.checked();
    let identity = identity.map_err(|error| ValidationError::temporary(error.to_string()))?;
    Ok(Verdict::Valid(identity, next))
}

/// The same error, whose wishes are within what a service may wish for.
fn in_bounds(error: ValidationError) -> ValidationError {
    let pause = |wish: Option<Duration>| wish.map(|wish| wish.min(MAX_RETRY_AFTER));
    match error {
        ValidationError::Temporary { what, retry_after } => ValidationError::Temporary {
            what,
            retry_after: pause(retry_after),
        },
        ValidationError::Throttled { retry_after } => ValidationError::Throttled {
            retry_after: pause(retry_after),
        },
        ValidationError::Later { ask_again, stage } => ValidationError::Later {
            ask_again: ask_again.clamp(MIN_ASK_AGAIN, MAX_ASK_AGAIN),
            stage,
        },
        error @ ValidationError::Permanent { .. } => error,
    }
}

impl Call {
    /// What the validator answers. Its input and output belong to `runtime`, as if it were asked
    /// there.
    fn run(self, runtime: &Handle) -> Answer {
        let asked = || {
            let _span = self.span.enter();
            runtime.block_on(async {
                let answer = self.validator.validate(self.id, &self.token, self.deadline);
                select! {
                    answer = answer => answer,
                    () = self.given_up.cancelled() => {
                        Err(ValidationError::temporary("it was given up"))
                    }
                }
            })
        };
        // Not what it says: that may have the token in it.
        catch_unwind(AssertUnwindSafe(asked))
            .unwrap_or_else(|_| Err(ValidationError::temporary("it has panicked")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::pending,
        sync::{
            Mutex,
            mpsc::{Receiver, Sender, channel},
        },
    };
    use tokio::time::timeout;
    use vestibule::{user::Identity, validator::Reason};

    /// Does what the token says.
    struct Obedient {
        /// Blocks its thread until something can be had of it.
        block: Mutex<Receiver<()>>,
        /// Dropped with the call that hangs.
        hangs: Mutex<Option<Sender<()>>>,
    }

    #[async_trait]
    impl Validator for Obedient {
        async fn validate(&self, _: ConfirmationId, token: &Token, _: Timestamp) -> Answer {
            match token.expose() {
                "panics" => panic!("as it was told"),
                "blocks" => self.block.lock().unwrap().recv().unwrap(),
                "hangs" => {
                    let _held = self.hangs.lock().unwrap().take();
                    pending::<()>().await;
                }
                _ => {}
            }
            // The runtime's own, from another thread.
            tokio::time::sleep(Duration::ZERO).await;
            Ok(Verdict::Invalid(Reason::Used))
        }
    }

    /// A validator, what ends its blocking, and what ends with a call that hangs.
    fn obedient() -> (Arc<IsolatedValidator>, Sender<()>, Receiver<()>) {
        let (unblock, block) = channel();
        let (hangs, ended) = channel();
        let validator = IsolatedValidator::new(Obedient {
            block: Mutex::new(block),
            hangs: Mutex::new(Some(hangs)),
        });
        (Arc::new(validator), unblock, ended)
    }

    async fn ask(validator: &IsolatedValidator, token: &str) -> Answer {
        let id = ConfirmationId::from_bytes([1; 16]);
        let token = token.parse().unwrap();
        validator
            .validate(id, &token, Timestamp::from_millis(0))
            .await
    }

    #[tokio::test]
    async fn one_that_panics_has_only_failed_for_now() {
        let (validator, ..) = obedient();
        let error = ask(&validator, "panics").await.unwrap_err();
        assert_eq!(error, ValidationError::temporary("it has panicked"));
        let next = ask(&validator, "works").await;
        assert_eq!(next, Ok(Verdict::Invalid(Reason::Used)));
        assert_eq!(validator.places.available_permits(), MAX_CALLS);
    }

    /// The test's runtime has one thread: a call that blocked it would be the end.
    #[tokio::test]
    async fn one_that_blocks_its_thread_holds_nothing_else_up() {
        let (validator, unblock, _) = obedient();
        let blocked = tokio::spawn({
            let validator = Arc::clone(&validator);
            async move { ask(&validator, "blocks").await }
        });
        while validator.places.available_permits() == MAX_CALLS {
            tokio::task::yield_now().await;
        }
        let other = ask(&validator, "works").await;
        assert_eq!(other, Ok(Verdict::Invalid(Reason::Used)));
        unblock.send(()).unwrap();
        assert_eq!(blocked.await.unwrap(), other);
    }

    #[tokio::test]
    async fn one_that_never_answers_is_given_up_with_its_thread() {
        let (validator, _, ended) = obedient();
        let given_up = timeout(Duration::from_millis(1), ask(&validator, "hangs")).await;
        assert!(given_up.is_err());
        tokio::task::spawn_blocking(move || ended.recv())
            .await
            .unwrap()
            .expect_err("the call is gone, and what it held");
    }

    #[test]
    fn its_words_are_held_to_what_a_services_are() {
        let judged = |issuer: &str, subject: &str| {
            checked(Verdict::Valid(Identity::new(issuer, subject), None))
        };
        assert!(judged("https://shop.example", "7").is_ok());
        for (issuer, subject) in [
            (PASSWORD_ISSUER, "ada@example.com"),
            ("", "7"),
            ("https://shop.example", "a\nb"),
        ] {
            assert!(
                matches!(
                    judged(issuer, subject),
                    Err(ValidationError::Temporary { .. })
                ),
                "{issuer} {subject}"
            );
        }
        let later = |ask_again| ValidationError::Later {
            ask_again,
            stage: None,
        };
        assert_eq!(in_bounds(later(Duration::ZERO)), later(MIN_ASK_AGAIN));
        assert_eq!(in_bounds(later(Duration::MAX)), later(MAX_ASK_AGAIN));
        let throttled = |retry_after| ValidationError::Throttled { retry_after };
        assert_eq!(
            in_bounds(throttled(Some(Duration::MAX))),
            throttled(Some(MAX_RETRY_AFTER))
        );
    }
}
