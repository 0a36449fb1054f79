//! Items of a batch: which are asked, and how their answers are put together.

use kmip::vocabulary::{BatchErrorContinuationOption, ResultStatus};

use super::exchange::ItemPlan;
use crate::message::BatchItem;

/// Does with a batch what its option says when an item fails here (1.4, 6.13; 2.1, 9.4): with
/// Continue nothing; with Stop what is after the item is not done; with Undo nothing is done.
pub(super) fn stop_after_failure(
    items: &mut Vec<ItemPlan>,
    continuation: BatchErrorContinuationOption,
) {
    let is_failure = |plan: &ItemPlan| plan.made.as_ref().is_some_and(|made| !made.is_success());
    let Some(failed) = items.iter().position(is_failure) else { return };
    if continuation == BatchErrorContinuationOption::Continue {
        return;
    }
    items.truncate(failed.saturating_add(1));
    if continuation == BatchErrorContinuationOption::Undo {
        for plan in items.iter_mut().take(failed) {
            plan.made = Some(BatchItem::undone(plan.operation, plan.batch_id.as_deref()));
        }
    }
}

/// An item of the response, with the plan that it answers.
pub(super) struct Answered<'a> {
    pub(super) plan: Option<&'a ItemPlan>,
    pub(super) item: BatchItem,
}

/// Puts the items of the server and those that are made up in the order of the request.
pub(super) fn merge<'a>(
    plans: &'a [ItemPlan],
    answered: Vec<BatchItem>,
    continuation: BatchErrorContinuationOption,
) -> Vec<Answered<'a>> {
    let mut rest = answered;
    let mut merged = Vec::new();
    let mut is_stopped = false;
    for plan in plans {
        if let Some(made) = &plan.made {
            if !is_stopped {
                merged.push(Answered { plan: Some(plan), item: made.clone() });
            }
            continue;
        }
        let Some(item) = take(&mut rest, plan) else {
            // A server that stops at a failure answers no later item.
            is_stopped = true;
            continue;
        };
        let failed = item.status() == Some(ResultStatus::OperationFailed);
        is_stopped |= failed && continuation != BatchErrorContinuationOption::Continue;
        merged.push(Answered { plan: Some(plan), item });
    }
    merged.extend(rest.into_iter().map(|item| Answered { plan: None, item }));
    merged
}

/// Takes the answer to an item: the one with its Unique Batch Item ID, or the next.
fn take(rest: &mut Vec<BatchItem>, plan: &ItemPlan) -> Option<BatchItem> {
    let is_named =
        |item: &BatchItem| plan.batch_id.is_some() && item.batch_id() == plan.batch_id.as_deref();
    let at = rest.iter().position(is_named).unwrap_or(0);
    (at < rest.len()).then(|| rest.remove(at))
}
