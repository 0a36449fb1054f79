//! 1.4, 4.28; 2.1, 6.1.38: the answer of a request that is answered later, if it is done. It is the
//! answer that its own operation would have given at once.

use kmip::message::ResponseBatchItem;
use kmip::payload::PollRequest;
use kmip::vocabulary::{Operation, ResultReason, ResultStatus};

use crate::keystore::Context;
use crate::keystore::async_requests::{Polled, unknown};
use crate::objects::error::{OperationError, Result};
use crate::operations::Answer;
use crate::operations::cost::Cost;

pub(super) async fn poll(cx: &mut Context<'_>, request: PollRequest) -> Result<Answer> {
    let (owner, value) = (&cx.client.owner, request.asynchronous_correlation_value);
    match cx.state.async_requests.poll(owner, &value).ok_or_else(unknown)? {
        Polled::Canceled => Err(OperationError::new(
            ResultReason::OperationCanceledByRequester,
            "the request was canceled",
        )),
        Polled::Waiting => Ok(Answer::Item(Box::new(ResponseBatchItem {
            operation: Some(Operation::Poll),
            unique_batch_item_id: None,
            result_status: ResultStatus::OperationPending,
            result_reason: None,
            result_message: None,
            asynchronous_correlation_value: Some(value),
            payload: None,
            message_extension: None,
        }))),
        Polled::Done(finished) => {
            let read = || finished.read().ok_or_else(unknown);
            let item = match Cost::of_bytes(finished.len()) {
                Cost::Quick => read()?,
                Cost::Slow(time) => cx.slow_work().run(time, async { read() }).await??,
            };
            let owner = owner.clone();
            cx.effects.then(move |live| live.async_requests.told(&owner, &value));
            Ok(Answer::Item(item))
        }
    }
}
