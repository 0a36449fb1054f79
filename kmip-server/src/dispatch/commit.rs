//! One batch, done again and again until it is durable.
//!
//! ```text
//! batch: item, item, item -> answer -> changes -> commit -> effects
//!   ^                          | too long            |
//!   |                          v nothing was done    |
//!   +------------ again, on a conflict --------------+
//! ```
//!
//! A request that is answered at once and one that is answered later come this same way. Knows no
//! header but the one that it is given, and no encoding.

use std::future::Future;

use kmip::DateTime;
use kmip::message::{RequestMessage, ResponseBatchItem};
use kmip::vocabulary::ResultReason;

use crate::auth::client::Client;
use crate::dispatch::batch;
use crate::dispatch::resources::{Resources, now};
use crate::keystore::message_work::MessageWork;
use crate::keystore::process_state::{Effect, ProcessState};
use crate::objects::error::{OperationError, Result};
use crate::store::{CHANGES_MAX, Outcome, StoreError};

/// How often a batch is done again when others were quicker. Each time some other batch has been
/// committed, so a client meets this limit only when very many change one object at once.
const ATTEMPTS_MAX: usize = 64;

/// What was made of the answers of a batch.
pub(crate) enum BatchResponse<T> {
    /// The answer, to be given once the batch is durable.
    Complete(T),
    /// The answer is longer than whoever asked takes; so nothing is done, and this is said instead.
    TooLarge(T),
}

/// Does the batch, and again as long as others are quicker; `make` is given the time of the
/// batch and its answers. What cannot be answered is not done.
pub(crate) async fn run<T, F>(
    on: &Resources,
    client: &Client,
    request: &RequestMessage,
    work: &MessageWork,
    make: impl Fn(DateTime, Vec<ResponseBatchItem>) -> F + Send + Sync,
) -> Result<T>
where
    F: Future<Output = Result<BatchResponse<T>>> + Send,
{
    for _ in 0..ATTEMPTS_MAX {
        let now = now();
        let done = batch::run(on, client, request, work, now).await?;
        let answer = match make(now, done.items).await? {
            BatchResponse::Complete(answer) => answer,
            BatchResponse::TooLarge(answer) => return Ok(answer),
        };
        if done.changes.is_empty() {
            take_effects(&on.state, done.effects);
            return Ok(answer);
        }
        if done.changes.len() > CHANGES_MAX {
            return Err(OperationError::new(
                ResultReason::ServerLimitExceeded,
                "the message changes and reads more than is kept together at once: send its items \
                 in several messages",
            ));
        }
        match on.store.commit(done.changes).await {
            Ok(Outcome::Durable) => {
                take_effects(&on.state, done.effects);
                return Ok(answer);
            }
            Ok(Outcome::Conflict { .. }) => tracing::debug!("another batch was quicker"),
            // On a full disk reads go on.
            Err(StoreError::NoSpace(_) | StoreError::Unknown(_)) if done.is_minor => {
                take_effects(&on.state, done.effects);
                return Ok(answer);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(OperationError::new(
        ResultReason::GeneralFailure,
        "too many others change the same object: try again",
    ))
}

fn take_effects(live: &ProcessState, effects: Vec<Effect>) {
    for effect in effects {
        effect(live);
    }
}
