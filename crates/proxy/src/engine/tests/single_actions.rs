//! Each action in each version.

use std::time::Duration;

use kmip::Version;
use kmip::vocabulary::{Operation, ResultStatus};

use super::server::{Answer, Fixture, connection, object, payload};
use crate::engine::End;

const GET: Operation = Operation::Get;

/// The answer to one operation in each version, under one rule.
fn answers(rule: &str, operation: Operation) -> impl Iterator<Item = (Version, Answer, u64)> {
    Version::SERVED.iter().map(move |version| {
        let mut fixture = Fixture::with(*version, rule);
        let answer = fixture.send(operation, &payload(operation, *version, "key"));
        (*version, answer, fixture.fired())
    })
}

#[test]
fn message_is_untouched_where_no_rule_acts() {
    let rule = "operation = \"Get\"\nfrom = 2\naction = { key-bytes = {} }";
    for operation in [GET, Operation::Create, Operation::Locate, Operation::Query] {
        for (version, answer, fired) in answers(rule, operation) {
            assert!(answer.request.bytes.is_none(), "{version} {operation:?}");
            let response = answer.response.unwrap();
            assert!(response.bytes.is_none() && response.end.is_none() && fired == 0);
            assert_eq!(answer.done, [operation]);
        }
    }
}

#[test]
fn delay_holds_back_the_request_or_the_response() {
    for (_, answer, fired) in answers("action = { delay = { ms = 5 } }", GET) {
        let response = answer.response.unwrap().delay;
        let delays = (answer.request.delay, response, fired);
        assert_eq!(delays, (Duration::from_millis(5), Duration::ZERO, 1));
    }
    for (_, answer, fired) in answers("action = { delay = { ms = 5, at = \"response\" } }", GET) {
        let response = answer.response.unwrap().delay;
        let delays = (answer.request.delay, response, fired);
        assert_eq!(delays, (Duration::ZERO, Duration::from_millis(5), 1));
    }
}

#[test]
fn message_ends_at_the_request_undone_and_at_the_response_done() {
    let rows = [
        ("drop", "", End::Drop),
        ("reset", "", End::Reset),
        ("truncate", "bytes = 9, ", End::Truncate(9)),
    ];
    for (action, fields, end) in rows {
        let rule = format!("action = {{ {action} = {{ {fields}at = \"response\" }} }}");
        for (_, answer, fired) in answers(&rule, GET) {
            assert_eq!(answer.response.unwrap().end, Some(end));
            assert_eq!((answer.request.end, answer.done, fired), (None, vec![GET], 1));
        }
        let rule = format!("action = {{ {action} = {{ {fields}at = \"request\" }} }}");
        for (_, answer, fired) in answers(&rule, GET) {
            assert_eq!((answer.request.end, fired), (Some(end), 1));
            let expects = matches!(end, End::Truncate(_));
            assert_eq!(answer.response.is_some(), expects);
        }
    }
}

#[test]
fn length_version_and_size_of_a_message_are_changed() {
    for (_, answer, fired) in answers("action = { corrupt-length = { by = 8 } }", GET) {
        let bytes = answer.response.unwrap().bytes.unwrap();
        let length = u32::from_be_bytes(*bytes[4..].first_chunk().unwrap());
        assert_eq!((usize::try_from(length).unwrap(), fired), (bytes.len(), 1));
    }
    for (_, answer, _) in answers("action = { too-large = { bytes = 5000 } }", GET) {
        assert!(answer.response.unwrap().bytes.unwrap().len() >= 5000);
        assert_eq!(answer.message.unwrap().items[0].result_status, ResultStatus::Success);
    }
    for (_, answer, _) in answers("action = { close-when-idle = { ms = 5 } }", GET) {
        assert_eq!(answer.response.unwrap().idle, Some(Duration::from_millis(5)));
    }
    for (_, answer, _) in answers("action = { version = { version = \"7.3\" } }", GET) {
        let bytes = answer.response.unwrap().bytes.unwrap();
        let text = kmip::redacted_text(&bytes).to_string();
        assert!(text.contains("ProtocolVersionMajor (Integer): 7"), "{text}");
    }
    let rule = "action = { version = { version = \"7.3\", at = \"request\" } }";
    for (_, answer, fired) in answers(rule, GET) {
        assert!(answer.request.bytes.is_some() && fired == 1);
    }
}

#[test]
fn failure_is_made_up_or_put_in_the_place_of_a_success() {
    for forward in [false, true] {
        let rule =
            format!("action = {{ fail = {{ reason = \"Item Not Found\", forward = {forward} }} }}");
        for operation in [GET, Operation::Create, Operation::Locate, Operation::Destroy] {
            for (version, answer, fired) in answers(&rule, operation) {
                assert_eq!(answer.reasons(), [Some("ItemNotFound")], "{version}");
                assert_eq!((!answer.done.is_empty(), fired), (forward, 1));
                let message = answer.message.unwrap();
                assert_eq!(message.header.protocol_version, version);
                assert_eq!(message.items[0].operation, Some(operation));
                assert_eq!(message.items[0].unique_batch_item_id.as_deref(), Some(&[0][..]));
            }
        }
    }
}

#[test]
fn nothing_is_there_and_nothing_is_asked() {
    for operation in [GET, Operation::Create, Operation::Destroy, Operation::Query] {
        for (version, answer, fired) in answers("action = \"not-found\"", operation) {
            let is_1 = version < Version::V2_0;
            let reason = if is_1 { "ItemNotFound" } else { "ObjectNotFound" };
            assert_eq!(answer.reasons(), [Some(reason)], "{version} {operation:?}");
            assert_eq!((answer.done, fired), (vec![], 1));
        }
    }
    for (version, answer, fired) in answers("action = \"not-found\"", Operation::Locate) {
        let message = answer.message.unwrap();
        assert_eq!(message.items[0].result_status, ResultStatus::Success, "{version}");
        assert!(!answer.text.contains("<UniqueIdentifier"), "{}", answer.text);
        assert_eq!((answer.done, fired), (vec![], 1));
    }
}

/// Operations whose success follows from the request, in the versions that have them.
#[test]
fn success_is_made_up_and_nothing_is_done() {
    let operations = [
        Operation::Create,
        Operation::Locate,
        Operation::Activate,
        Operation::Get,
        Operation::Revoke,
        Operation::Destroy,
        Operation::Archive,
        Operation::Recover,
        Operation::ReKey,
    ];
    for operation in operations {
        for (version, answer, fired) in answers("action = { succeed = {} }", operation) {
            let message = answer.message.unwrap();
            let item = &message.items[0];
            assert_eq!(item.result_status, ResultStatus::Success, "{version} {operation:?}");
            assert_eq!(item.payload.as_ref().unwrap().operation(), operation);
            assert_eq!((answer.done, fired), (vec![], 1));
            let named = !matches!(operation, Operation::Create | Operation::Locate);
            let renamed = operation == Operation::ReKey;
            assert_eq!(answer.text.contains("\"key\""), named && !renamed, "{}", answer.text);
        }
    }
    // Nothing is known of this one: it is passed on.
    for (_, answer, fired) in answers("action = { succeed = {} }", Operation::Query) {
        assert_eq!((answer.done, fired), (vec![Operation::Query], 0));
    }
}

#[test]
fn success_repeats_the_last_real_answer_under_the_name_that_is_asked() {
    for version in Version::SERVED {
        let rule = "operation = [\"Get\", \"Query\"]\nfrom = 3\naction = { succeed = {} }";
        let mut fixture = Fixture::with(*version, rule);
        fixture.send(GET, &object("old"));
        fixture.send(Operation::Query, &payload(Operation::Query, *version, ""));
        let answer = fixture.send(GET, &object("new"));
        assert!(answer.done.is_empty() && answer.text.contains("\"new\""));
        assert!(answer.text.contains("00112233445566778899aabbccddeeff"), "{}", answer.text);
        let answer = fixture.send(Operation::Query, &payload(Operation::Query, *version, ""));
        assert!(answer.done.is_empty() && answer.text.contains("ModifyAttribute"));
    }
}

#[test]
fn success_is_that_of_the_template_with_the_object_of_the_request() {
    let rule = "action = { succeed = { payload = '''<ResponsePayload>\
                <UniqueIdentifier type=\"TextString\" value=\"$object\"/></ResponsePayload>''' } }";
    for (_, answer, fired) in answers(rule, Operation::Destroy) {
        assert!(answer.text.contains("value=\"key\"") && answer.done.is_empty() && fired == 1);
    }
}

#[test]
fn answer_of_the_server_is_edited() {
    let rows = [
        ("action = { state = { state = \"Compromised\" } }", Operation::GetAttributes, "Comprom"),
        ("action = { identifier = { with = \"x\" } }", GET, "value=\"x\""),
        ("action = { key-bytes = {} }", GET, "00112233445566778899aabbccddeefe"),
    ];
    for (rule, operation, expected) in rows {
        for (version, answer, fired) in answers(rule, operation) {
            assert!(answer.text.contains(expected), "{version} {}", answer.text);
            assert_eq!((answer.done, fired), (vec![operation], 1));
        }
    }
}

#[test]
fn server_is_read_only() {
    let rule = "action = \"read-only\"";
    for operation in [Operation::Create, Operation::Activate, Operation::Destroy] {
        for (_, answer, fired) in answers(rule, operation) {
            assert_eq!(answer.reasons(), [Some("PermissionDenied")]);
            assert_eq!((answer.done, fired), (vec![], 1));
        }
    }
    for operation in [GET, Operation::Locate, Operation::Query] {
        for (_, answer, fired) in answers(rule, operation) {
            assert_eq!((answer.done, fired), (vec![operation], 0));
        }
    }
}

#[test]
fn server_of_one_version_refuses_all_others_in_its_own() {
    for (name, served, reason) in [
        ("only-1.0", Version::V1_0, "InvalidMessage"),
        ("only-1.4", Version::V1_4, "InvalidMessage"),
        ("only-2.1", Version::V2_1, "UnsupportedProtocolVersion"),
    ] {
        let rule = format!("action = {{ personality = \"{name}\" }}");
        for (version, answer, fired) in answers(&rule, GET) {
            let expected = (version != served).then_some(reason);
            assert_eq!(answer.reasons(), [expected], "{name} {version}");
            assert_eq!(answer.done.is_empty(), version != served);
            assert_eq!(fired, u64::from(version != served));
            assert_eq!(answer.message.unwrap().header.protocol_version, served);
        }
    }
    // An operation that came later, in the version of the server.
    for (version, answer, _) in answers("action = { personality = \"only-1.4\" }", Operation::Ping)
    {
        if version == Version::V1_4 {
            assert_eq!(answer.reasons(), [Some("OperationNotSupported")]);
        }
    }
}

#[test]
fn server_without_an_operation_says_so_also_to_query() {
    for (name, operation) in
        [("no-re-key", Operation::ReKey), ("no-modify-attribute", Operation::ModifyAttribute)]
    {
        for version in Version::SERVED {
            let mut fixture =
                Fixture::with(*version, &format!("action = {{ personality = \"{name}\" }}"));
            let asked = payload(Operation::Query, *version, "");
            let answer = fixture.send(Operation::Query, &asked);
            let named = operation.name().unwrap();
            assert!(!answer.text.contains(&format!("\"{named}\"")), "{}", answer.text);
            assert!(answer.text.contains("\"Get\"") && fixture.fired() == 1);
            let answer = fixture.send(operation, &object("key"));
            assert_eq!(answer.reasons(), [Some("OperationNotSupported")]);
        }
    }
}

#[test]
fn message_that_cannot_be_read_is_passed_on_and_can_be_delayed_or_lost() {
    for (action, is_lost) in [("delay = { ms = 5 }", false), ("drop = { at = \"request\" }", true)]
    {
        let rule = format!("action = {{ {action} }}");
        let mut fixture = Fixture::with(Version::V1_4, &rule);
        let answer = fixture.exchange(&connection(1, "CN=alice"), b"\x42\x00\x78\x01\0\0\0\x08?");
        assert_eq!((answer.response.is_none(), fixture.fired()), (is_lost, 1));
        assert!(answer.request.bytes.is_none());
    }
    let mut fixture = Fixture::with(Version::V1_4, "operation = \"Get\"\naction = { drop = {} }");
    fixture.exchange(&connection(1, "CN=alice"), b"?");
    assert_eq!(fixture.fired(), 0);
}
