//! Operations in parts: what each field of their requests means in which part.
//!
//! The operations are those whose requests have an Init Indicator. A new one, or a new field of
//! one, fails here until it has a row.

use kmip::InputData;
use kmip::codec::Field;
use kmip::payload::{EncryptRequest, PAYLOADS};
use ttlv::Tag;

use crate::tests::encryption::scripts::{Script, gcm, script};
use crate::tests::harness::*;
use crate::tests::known_answers::served::{data, register};

/// What a field means in the parts of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The key: a later part may leave it out, and cannot name another.
    Key,
    /// The first part says it; a later one may repeat it, and cannot say anything else.
    First,
    /// Any part may bring it, and no other one may bring another.
    AnyPart,
    /// A message in one part alone has it.
    Whole,
    /// Each part has its own.
    Each,
}

/// The rules of fields that every such operation has.
const COMMON: &[(&str, Rule)] = &[
    ("unique_identifier", Rule::Key),
    ("cryptographic_parameters", Rule::First),
    ("data", Rule::Each),
    ("correlation_value", Rule::Each),
    ("init_indicator", Rule::Each),
    ("final_indicator", Rule::Each),
];

const RULES: &[(Operation, &str, Rule)] = &[
    (Operation::Encrypt, "iv_counter_nonce", Rule::First),
    (Operation::Encrypt, "authenticated_encryption_additional_data", Rule::First),
    (Operation::Decrypt, "iv_counter_nonce", Rule::First),
    (Operation::Decrypt, "authenticated_encryption_additional_data", Rule::First),
    (Operation::Decrypt, "authenticated_encryption_tag", Rule::First),
    (Operation::Sign, "digested_data", Rule::Whole),
    (Operation::SignatureVerify, "digested_data", Rule::Whole),
    (Operation::SignatureVerify, "signature_data", Rule::AnyPart),
    (Operation::MACVerify, "mac_data", Rule::AnyPart),
];

fn rule(operation: Operation, field: &Field) -> Rule {
    let common = COMMON.iter().find(|(name, _)| *name == field.name).map(|(_, rule)| *rule);
    let own = RULES.iter().find(|(of, name, _)| *of == operation && *name == field.name);
    own.map(|(_, _, rule)| *rule)
        .or(common)
        .unwrap_or_else(|| panic!("{operation:?} in parts has no rule for {}", field.name))
}

/// One row an operation: the fields that a test copies from one request to another.
macro_rules! streamed {
    ($($operation:ident { $($field:ident),* })*) => {
        /// Copies a field.
        fn copy(field: &str, from: &RequestPayload, to: &mut RequestPayload) {
            match (from, to) {
                $((RequestPayload::$operation(from), RequestPayload::$operation(to)) => {
                    match field {
                        $(stringify!($field) => to.$field = from.$field.clone(),)*
                        other => panic!("no copy of {other}"),
                    }
                })*
                (from, _) => panic!("{from:?}"),
            }
        }

        /// Makes the request the part of a message.
        pub(super) fn set_part(
            to: &mut RequestPayload,
            part: &'static [u8],
            correlation: Option<Vec<u8>>,
            (is_first, is_last): (bool, bool),
        ) {
            match to {
                $(RequestPayload::$operation(to) => {
                    to.data = data(part);
                    to.correlation_value = correlation;
                    to.init_indicator = Some(is_first);
                    to.final_indicator = Some(is_last);
                })*
                other => panic!("{other:?}"),
            }
        }

        /// The Correlation Value of an answer.
        fn correlation(answer: &ResponsePayload) -> Option<Vec<u8>> {
            match answer {
                $(ResponsePayload::$operation(answer) => answer.correlation_value.clone(),)*
                other => panic!("{other:?}"),
            }
        }
    };
}

streamed! {
    Encrypt {
        unique_identifier, cryptographic_parameters, iv_counter_nonce,
        authenticated_encryption_additional_data
    }
    Decrypt {
        unique_identifier, cryptographic_parameters, iv_counter_nonce,
        authenticated_encryption_additional_data, authenticated_encryption_tag
    }
    Sign { unique_identifier, cryptographic_parameters, digested_data }
    SignatureVerify {
        unique_identifier, cryptographic_parameters, digested_data, signature_data
    }
    MAC { unique_identifier, cryptographic_parameters }
    MACVerify { unique_identifier, cryptographic_parameters, mac_data }
    Hash { cryptographic_parameters }
}

/// What an answer gives, without the value for the next part.
fn outcome(answer: &ResponsePayload) -> Vec<u8> {
    let mut answer = answer.clone();
    match &mut answer {
        ResponsePayload::Encrypt(answer) => answer.correlation_value = None,
        ResponsePayload::Decrypt(answer) => answer.correlation_value = None,
        ResponsePayload::Sign(answer) => answer.correlation_value = None,
        ResponsePayload::SignatureVerify(answer) => answer.correlation_value = None,
        ResponsePayload::MAC(answer) => answer.correlation_value = None,
        ResponsePayload::MACVerify(answer) => answer.correlation_value = None,
        ResponsePayload::Hash(answer) => answer.correlation_value = None,
        other => panic!("{other:?}"),
    }
    let mut w = Writer::default();
    answer.encode(tags::ResponsePayload, &mut w, NEWEST);
    w.into_bytes()
}

impl Script {
    /// The three requests: the first says all, and the others nothing but their data.
    fn requests(&self) -> [RequestPayload; 3] {
        [self.first.clone(), self.later.clone(), self.later.clone()]
    }

    /// Sends the parts. One that is refused is sent again as it should be, and the reason is noted
    /// beside its number.
    async fn send(
        &self,
        harness: &Harness,
        requests: [RequestPayload; 3],
    ) -> (Vec<Vec<u8>>, Vec<(usize, ResultReason)>) {
        let (mut answers, mut refused) = (Vec::new(), Vec::new());
        let mut value = None;
        for (number, (mut request, right)) in requests.into_iter().zip(self.requests()).enumerate()
        {
            let place = (number == 0, number == 2);
            set_part(&mut request, self.parts[number], value.clone(), place);
            let mut item = harness.batch(NEWEST, vec![request]).await.remove(0);
            if let Some(reason) = item.result_reason {
                refused.push((number, reason));
                let mut request = right;
                set_part(&mut request, self.parts[number], value.clone(), place);
                item = harness.batch(NEWEST, vec![request]).await.remove(0);
            }
            let Some(answer) = item.payload else {
                refused.push((number, item.result_reason.unwrap()));
                return (answers, refused);
            };
            value = correlation(&answer).or(value);
            answers.push(outcome(&answer));
        }
        (answers, refused)
    }
}

/// The operations that have parts, with the fields of their requests.
fn streamed() -> Vec<(Operation, &'static [Field])> {
    let has = |fields: &[Field], tag: Tag| fields.iter().any(|field| field.tag == tag);
    let streamed = PAYLOADS.iter().filter(|row| has(row.request, tags::InitIndicator));
    let streamed: Vec<_> = streamed.map(|row| (row.operation, row.request)).collect();
    assert!(streamed.len() >= 7, "{streamed:?}");
    streamed
}

#[tokio::test]
async fn every_field_of_every_part_counts_or_is_refused() {
    let harness = Harness::new();
    for (operation, fields) in streamed() {
        let script = script(&harness, operation).await;
        let (expected, refused) = script.send(&harness, script.requests()).await;
        assert_eq!((expected.len(), refused), (3, vec![]), "{operation:?}");
        for field in fields {
            let what = format!("{operation:?}, {}", field.name);
            match rule(operation, field) {
                Rule::Each => {}
                Rule::Key => key(&harness, &script, field, &expected, &what).await,
                Rule::First => first(&harness, &script, field, &expected, &what).await,
                Rule::AnyPart => any_part(&harness, &script, field, &expected, &what).await,
                Rule::Whole => {
                    for number in 0..3 {
                        let mut requests = script.requests();
                        copy(field.name, &script.other, &mut requests[number]);
                        let (answers, refused) = script.send(&harness, requests).await;
                        let reason = ResultReason::BadCryptographicParameters;
                        assert_eq!(refused, [(number, reason)], "{what}");
                        assert_eq!(answers, expected, "{what}");
                    }
                }
            }
        }
    }
}

async fn key(harness: &Harness, script: &Script, field: &Field, expected: &[Vec<u8>], what: &str) {
    let mut none = script.later.clone();
    clear_key(&mut none);
    let requests = [script.first.clone(), none.clone(), none];
    let (answers, refused) = script.send(harness, requests).await;
    assert_eq!((answers.as_slice(), refused), (expected, vec![]), "{what} left out");
    for number in [1, 2] {
        let mut requests = script.requests();
        copy(field.name, &script.other, &mut requests[number]);
        let (answers, refused) = script.send(harness, requests).await;
        assert_eq!(refused, [(number, ResultReason::InvalidCorrelationValue)], "{what}");
        assert_eq!(answers, expected, "{what}");
    }
}

fn clear_key(request: &mut RequestPayload) {
    match request {
        RequestPayload::Encrypt(request) => request.unique_identifier = None,
        RequestPayload::Decrypt(request) => request.unique_identifier = None,
        RequestPayload::Sign(request) => request.unique_identifier = None,
        RequestPayload::SignatureVerify(request) => request.unique_identifier = None,
        RequestPayload::MAC(request) => request.unique_identifier = None,
        RequestPayload::MACVerify(request) => request.unique_identifier = None,
        other => panic!("{other:?}"),
    }
}

async fn first(
    harness: &Harness,
    script: &Script,
    field: &Field,
    expected: &[Vec<u8>],
    what: &str,
) {
    for number in [1, 2] {
        let mut requests = script.requests();
        copy(field.name, &script.first, &mut requests[number]);
        let (answers, refused) = script.send(harness, requests).await;
        assert_eq!((answers.as_slice(), refused), (expected, vec![]), "{what} repeated");
        let mut requests = script.requests();
        copy(field.name, &script.other, &mut requests[number]);
        let (answers, refused) = script.send(harness, requests).await;
        assert_eq!(refused, [(number, ResultReason::InvalidField)], "{what}: another");
        assert_eq!(answers, expected, "{what}: the part was not taken, and is sent again");
    }
}

async fn any_part(
    harness: &Harness,
    script: &Script,
    field: &Field,
    expected: &[Vec<u8>],
    what: &str,
) {
    let without = || {
        let mut requests = script.requests();
        copy(field.name, &script.later, &mut requests[0]);
        requests
    };
    for number in 0..3 {
        let mut requests = without();
        copy(field.name, &script.first, &mut requests[number]);
        let (answers, refused) = script.send(harness, requests.clone()).await;
        assert_eq!((answers.as_slice(), refused), (expected, vec![]), "{what} in part {number}");
        for later in number + 1..3 {
            let mut requests = requests.clone();
            copy(field.name, &script.first, &mut requests[later]);
            let (answers, refused) = script.send(harness, requests.clone()).await;
            assert_eq!((answers.as_slice(), refused), (expected, vec![]), "{what} repeated");
            copy(field.name, &script.other, &mut requests[later]);
            let (answers, refused) = script.send(harness, requests).await;
            assert_eq!(refused, [(later, ResultReason::InvalidField)], "{what}: another");
            assert_eq!(answers, expected, "{what}: the part was not taken");
        }
    }
    let (_, refused) = script.send(harness, without()).await;
    assert_eq!(refused[0], (2, ResultReason::MissingData), "{what}: no part brings it");
}

/// The vector that the server has made may be repeated as well.
#[tokio::test]
async fn a_vector_that_was_made_is_that_of_the_first_part() {
    let harness = Harness::new();
    let key = register(&harness, CryptographicAlgorithm::AES, &[1; 16], vec![]).await;
    let first = EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: Some(Box::new(gcm())),
        data: data(b"a"),
        init_indicator: Some(true),
        ..EncryptRequest::default()
    };
    let begun = harness.ask(NEWEST, first).await.unwrap();
    let next = |vector: Option<Vec<u8>>| EncryptRequest {
        unique_identifier: id(&key),
        data: Some(InputData::from(b"b".as_slice())),
        iv_counter_nonce: vector,
        correlation_value: begun.correlation_value.clone(),
        ..EncryptRequest::default()
    };
    let other = harness.ask(NEWEST, next(Some(vec![0; 12]))).await;
    assert_eq!(other.err(), Some(ResultReason::InvalidField));
    harness.ask(NEWEST, next(begun.iv_counter_nonce.clone())).await.unwrap();
}
