//! A rule acts on the batch item that it matches; the count of items stays right.

use kmip::Version;
use kmip::message::ResponseMessage;
use kmip::vocabulary::{BatchErrorContinuationOption, Operation, ResultStatus};

use super::server::{Answer, Fixture, connection, object, payload};

const STOP: BatchErrorContinuationOption = BatchErrorContinuationOption::Stop;
const CONTINUE: BatchErrorContinuationOption = BatchErrorContinuationOption::Continue;
const UNDO: BatchErrorContinuationOption = BatchErrorContinuationOption::Undo;

/// Sends Create, Get and Destroy in one batch.
fn three(
    version: Version,
    rule: &str,
    option: Option<BatchErrorContinuationOption>,
) -> (Answer, Vec<ResultStatus>) {
    let mut fixture = Fixture::with(version, rule);
    let items = [
        (Operation::Create, payload(Operation::Create, version, "")),
        (Operation::Get, object("key")),
        (Operation::Destroy, object("key")),
    ];
    let answer = fixture.batch(&connection(1, "CN=alice"), &items, option);
    let message: &ResponseMessage = answer.message.as_ref().unwrap();
    for (number, item) in message.items.iter().enumerate() {
        let id = u8::try_from(number).unwrap();
        assert_eq!(item.unique_batch_item_id.as_deref(), Some(&[id][..]), "{number}");
        assert_eq!(item.operation, Some(items[number].0));
    }
    let statuses = message.items.iter().map(|item| item.result_status).collect();
    (answer, statuses)
}

#[test]
fn item_that_is_refused_ends_undoes_or_leaves_the_batch() {
    const CREATE: Operation = Operation::Create;
    const DESTROY: Operation = Operation::Destroy;
    use ResultStatus as S;
    let rule = "operation = \"Get\"\naction = { fail = { reason = \"Permission Denied\" } }";
    for version in Version::SERVED {
        for stop in [None, Some(STOP)] {
            let (answer, statuses) = three(*version, rule, stop);
            assert_eq!(statuses, [S::Success, S::OperationFailed]);
            assert_eq!(answer.done, [CREATE]);
        }
        let (answer, statuses) = three(*version, rule, Some(CONTINUE));
        assert_eq!(statuses, [S::Success, S::OperationFailed, S::Success]);
        assert_eq!(answer.done, [CREATE, DESTROY]);
        let (answer, statuses) = three(*version, rule, Some(UNDO));
        assert_eq!(statuses, [S::OperationUndone, S::OperationFailed]);
        assert!(answer.done.is_empty());
    }
}

#[test]
fn item_that_is_answered_with_success_stays_in_its_place() {
    let rule = "operation = \"Get\"\naction = { succeed = {} }";
    for version in Version::SERVED {
        for option in [None, Some(STOP), Some(CONTINUE), Some(UNDO)] {
            let (answer, statuses) = three(*version, rule, option);
            assert_eq!(statuses, [ResultStatus::Success; 3]);
            assert_eq!(answer.done, [Operation::Create, Operation::Destroy]);
        }
    }
}

#[test]
fn other_items_stay_as_they_came() {
    let rule = "operation = \"Get\"\naction = { key-bytes = { how = \"zero\" } }";
    for version in Version::SERVED {
        let (plain, _) = three(*version, "client = \"bob\"\naction = { key-bytes = {} }", None);
        let (changed, _) = three(*version, rule, None);
        let (plain, changed) = (plain.message.unwrap(), changed.message.unwrap());
        assert_eq!(plain.header, changed.header);
        assert_eq!(plain.items[0], changed.items[0]);
        assert_ne!(plain.items[1], changed.items[1]);
        assert_eq!(plain.items[2], changed.items[2]);
    }
}

#[test]
fn match_is_counted_item_by_item() {
    let rule = "from = 2\ntimes = 1\naction = { fail = { reason = \"Permission Denied\", \
                forward = true } }";
    for version in Version::SERVED {
        let (answer, _) = three(*version, rule, Some(CONTINUE));
        assert_eq!(answer.reasons(), [None, Some("PermissionDenied"), None]);
    }
}
