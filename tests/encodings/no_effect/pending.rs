//! What is beside the store: requests that are answered later, and sessions of a PKCS#11 module.

use kmip::attributes::AttributeValue as A;
use kmip::message::{Asynchronous, ResponseMessage};
use kmip::payload::*;
use kmip::vocabulary::*;
use kmip::{SecretBytes, Version};

use super::{Case, Seen};
use crate::channel::Channel;
use crate::comparison::message;
use crate::requests::*;
use crate::session::Session;

/// Sends a request that is answered later; returns what to poll for.
pub(super) fn submit(session: &mut Session<'_>, request: impl Into<RequestPayload>) -> Vec<u8> {
    let mut message = message(Version::V2_1, vec![request.into()]);
    message.header.asynchronous_indicator = Some(Asynchronous(AsynchronousIndicator::Mandatory));
    let item = session.send(Channel::Port, &message).items.remove(0);
    item.asynchronous_correlation_value.expect("a value to poll for")
}

/// The requests of the client that were not told their results, with their stages.
fn outstanding(session: &mut Session<'_>) -> String {
    let query = QueryAsynchronousRequestsRequest::default();
    format!("{:?}", session.done(query).asynchronous_requests)
}

pub(super) fn of(session: &mut Session<'_>, operation: Operation) -> Vec<Case> {
    let seen = || Seen::Reading(Box::new(outstanding));
    match operation {
        Operation::Poll => {
            let value = submit(session, create([]));
            session.done(ProcessRequest { asynchronous_correlation_value: value.clone() });
            let poll = PollRequest { asynchronous_correlation_value: value };
            vec![Case::new(vec![poll.into()], seen())]
        }
        Operation::Process => {
            let value = submit(session, create([]));
            let process = ProcessRequest { asynchronous_correlation_value: value };
            // A request is processed once: the second time it is refused.
            let is_first = |_: &mut Session<'_>, _: &ResponseMessage| {};
            vec![Case::new(vec![process.into()], Seen::Answer(Box::new(is_first))).exclusive()]
        }
        _ => {
            // While the one is worked on, the other waits: a client has one permit.
            let mut long = create_key_pair([]);
            let rsa = A::CryptographicAlgorithm(CryptographicAlgorithm::RSA);
            long.common_attributes =
                Some(kmip::attributes::Attributes::new([rsa, A::CryptographicLength(8192)]));
            submit(session, long);
            let value = submit(session, create([]));
            let cancel = CancelRequest { asynchronous_correlation_value: value };
            vec![Case::new(vec![cancel.into()], seen()).exclusive()]
        }
    }
}

/// A request that is answered later, seen in that it is outstanding.
pub(super) fn later(request: impl Into<RequestPayload>) -> Case {
    let case = Case::new(vec![request.into()], Seen::Reading(Box::new(outstanding)));
    Case { is_later: true, ..case }.exclusive()
}

/// The most instances of a client, and the most sessions of an instance.
const INSTANCES_MAX: usize = 16;
const SESSIONS_MAX: usize = 16;

fn call(function: PKCS_11Function, instance: Option<&[u8]>, input: &[u8]) -> PKCS11Request {
    PKCS11Request {
        interface: None,
        function: PKCS11Call::Standard(function),
        correlation_value: instance.map(<[u8]>::to_vec),
        input_parameters: (!input.is_empty()).then(|| SecretBytes::new(input)),
    }
}

/// Number of times that a call can be made.
fn count(session: &mut Session<'_>, request: &PKCS11Request) -> usize {
    let mut is_done = || session.done(request.clone()).return_code == PKCS_11ReturnCode::OK;
    std::iter::repeat_with(&mut is_done).take_while(|is_done| *is_done).count()
}

/// Functions of a module: what is digested twice gives another value, and there are only so many
/// instances and sessions.
pub(super) fn of_module(session: &mut Session<'_>) -> Vec<Case> {
    use PKCS_11Function as F;
    let instance = session.done(call(F::C_Initialize, None, &[1])).correlation_value.unwrap();
    let output = |session: &mut Session<'_>, function, input: &[u8]| {
        let answer = session.done(call(function, Some(&instance), input));
        assert_eq!(answer.return_code, PKCS_11ReturnCode::OK, "{function:?}");
        answer.output_parameters.map_or(Vec::new(), |bytes| bytes.as_bytes().to_vec())
    };
    let slots = output(session, F::C_GetSlotList, &[1, 1, 0, 0, 0, 8]);
    let open = [&slots[4..12], &4_u64.to_be_bytes()].concat();
    let handle = output(session, F::C_OpenSession, &open);
    // CKM_SHA256, without a parameter.
    let init = [&handle[..], &0x250_u64.to_be_bytes(), &[0]].concat();
    output(session, F::C_DigestInit, &init);
    let update = [&handle[..], &[0, 0, 0, 3], b"abc"].concat();
    let update = call(F::C_DigestUpdate, Some(&instance), &update);
    let last = [&handle[..], &[1, 0, 0, 0, 64]].concat();
    let last = call(F::C_DigestFinal, Some(&instance), &last);
    // FIPS 180-4, the example "abc".
    let is_abc = |response: &PKCS11Response| {
        let digest = response.output_parameters.as_ref().expect("a digest");
        assert_eq!(digest.as_bytes()[4..8], [0xBA, 0x78, 0x16, 0xBF]);
    };
    let given = last.clone();
    let is_digested = move |session: &mut Session<'_>, _: &ResponseMessage| {
        is_abc(&session.done(given.clone()));
    };
    let is_given = move |_: &mut Session<'_>, answer: &ResponseMessage| {
        let Some(ResponsePayload::PKCS_11(response)) = &answer.items[1].payload else {
            panic!("{answer:?}")
        };
        is_abc(response);
    };
    let open = call(F::C_OpenSession, Some(&instance), &open);
    let further = open.clone();
    let has_opened_one = move |session: &mut Session<'_>, _: &ResponseMessage| {
        // One was open before.
        assert_eq!(count(session, &further), SESSIONS_MAX - 2);
    };
    let begin = call(F::C_Initialize, None, &[1]);
    let further = begin.clone();
    let has_begun_one = move |session: &mut Session<'_>, _: &ResponseMessage| {
        assert_eq!(count(session, &further), INSTANCES_MAX - 2);
    };
    let case = |items, is_right| Case::new(items, Seen::Answer(is_right)).exclusive();
    vec![
        case(vec![update.clone().into()], Box::new(is_digested)),
        case(vec![update.into(), last.into()], Box::new(is_given)),
        case(vec![open.into()], Box::new(has_opened_one)),
        case(vec![begin.into()], Box::new(has_begun_one)),
    ]
}
