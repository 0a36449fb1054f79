//! Objects that are forgotten, and changes that others see later.

use std::time::Duration;

use kmip::Version;
use kmip::vocabulary::Operation;

use super::server::{Answer, Fixture, connection, object, payload};

const GET: Operation = Operation::Get;

const fn not_found(version: Version) -> Option<&'static str> {
    match version.major {
        1 => Some("ItemNotFound"),
        _ => Some("ObjectNotFound"),
    }
}

fn create(fixture: &mut Fixture) {
    let asked = payload(Operation::Create, fixture.version, "");
    assert_eq!(fixture.send(Operation::Create, &asked).reasons(), [None]);
}

fn locate(fixture: &mut Fixture, number: u64, client: &str) -> String {
    fixture.send_as(&connection(number, client), Operation::Locate, "").text
}

#[test]
fn object_that_is_named_is_forgotten_from_the_start() {
    for version in Version::SERVED {
        let mut fixture = Fixture::with(*version, "object = \"made-1\"\naction = \"forget\"");
        assert!(!locate(&mut fixture, 1, "CN=alice").contains("made-1"));
        let answer = fixture.send(GET, &object("made-1"));
        assert_eq!(answer.reasons(), [not_found(*version)]);
        assert!(answer.done.is_empty());
        assert_eq!(fixture.send(GET, &object("made-2")).reasons(), [None]);
        assert_eq!(fixture.fired(), 2);
        assert_eq!(fixture.engine.remove(Some("a")), 1);
        assert_eq!(fixture.send(GET, &object("made-1")).reasons(), [None]);
        assert!(locate(&mut fixture, 1, "CN=alice").contains("made-1"));
    }
}

#[test]
fn second_object_is_forgotten_once_it_is_made() {
    let rule = "operation = \"Create\"\nfrom = 2\ntimes = 1\naction = \"forget\"";
    for version in Version::SERVED {
        let mut fixture = Fixture::with(*version, rule);
        for _ in 0..3 {
            create(&mut fixture);
        }
        for (name, expected) in
            [("made-1", None), ("made-2", not_found(*version)), ("made-3", None)]
        {
            assert_eq!(fixture.send(GET, &object(name)).reasons(), [expected], "{name}");
        }
        let located = locate(&mut fixture, 2, "CN=alice");
        assert!(located.contains("made-1") && !located.contains("made-2"), "{located}");
    }
}

#[test]
fn object_is_forgotten_for_the_clients_of_the_rule() {
    let rule = "client = \"alice\"\nobject = \"made-1\"\naction = \"forget\"";
    let mut fixture = Fixture::with(Version::V1_4, rule);
    assert_eq!(fixture.send(GET, &object("made-1")).reasons(), [not_found(Version::V1_4)]);
    let bob = connection(2, "CN=bob");
    assert_eq!(fixture.send_as(&bob, GET, &object("made-1")).reasons(), [None]);
    assert!(locate(&mut fixture, 2, "CN=bob").contains("made-1"));
}

fn get_as(fixture: &mut Fixture, number: u64, client: &str) -> Answer {
    fixture.send_as(&connection(number, client), GET, &object("made-1"))
}

#[test]
fn new_object_is_seen_by_others_after_the_lag() {
    for version in Version::SERVED {
        for (scope, same_client, same_connection) in
            [("connection", false, true), ("client", true, true), ("nobody", false, false)]
        {
            let rule =
                format!("action = {{ replica-lag = {{ ms = 100, seen-by = \"{scope}\" }} }}");
            let mut fixture = Fixture::with(*version, &rule);
            create(&mut fixture);
            let missing = |is_seen: bool| if is_seen { None } else { not_found(*version) };
            assert_eq!(get_as(&mut fixture, 1, "CN=alice").reasons(), [missing(same_connection)]);
            assert_eq!(get_as(&mut fixture, 2, "CN=alice").reasons(), [missing(same_client)]);
            assert_eq!(get_as(&mut fixture, 3, "CN=bob").reasons(), [missing(false)]);
            assert!(!locate(&mut fixture, 3, "CN=bob").contains("made-1"));
            fixture.now = Duration::from_millis(100);
            assert_eq!(get_as(&mut fixture, 3, "CN=bob").reasons(), [None]);
            assert!(locate(&mut fixture, 3, "CN=bob").contains("made-1"));
        }
    }
}

#[test]
fn lag_ends_after_so_many_requests() {
    let mut fixture = Fixture::with(Version::V2_1, "action = { replica-lag = { messages = 2 } }");
    create(&mut fixture);
    let reasons = (0..3).map(|_| get_as(&mut fixture, 2, "CN=bob").reasons()[0]);
    let reasons: Vec<_> = reasons.collect();
    assert_eq!(reasons, [not_found(Version::V2_1), not_found(Version::V2_1), None]);
}

#[test]
fn state_is_as_it_was_until_the_lag_is_over() {
    for version in Version::SERVED {
        for (change, old) in [(Operation::Activate, "PreActive"), (Operation::Revoke, "Active")] {
            let mut fixture = Fixture::with(*version, "action = { replica-lag = { ms = 100 } }");
            fixture.send(change, &payload(change, *version, "made-1"));
            let state = |fixture: &mut Fixture, number| {
                let asker = connection(number, "CN=alice");
                fixture.send_as(&asker, Operation::GetAttributes, &object("made-1")).text
            };
            assert!(state(&mut fixture, 1).contains("Destroyed"));
            assert!(state(&mut fixture, 2).contains(&format!("\"{old}\"")), "{change:?}");
            assert_eq!(fixture.fired(), 1);
            fixture.now = Duration::from_millis(100);
            assert!(state(&mut fixture, 2).contains("Destroyed"));
        }
    }
}

/// A Get of `key`, wrapped by `wrapping-key`.
fn wrapped_get() -> String {
    format!(
        "{}<KeyWrappingSpecification><WrappingMethod type=\"Enumeration\" value=\"Encrypt\"/>\
         <EncryptionKeyInformation>{}</EncryptionKeyInformation></KeyWrappingSpecification>",
        object("key"),
        object("wrapping-key")
    )
}

#[test]
fn object_is_matched_at_any_depth_of_the_payload() {
    let rule = |object: &str| {
        format!("object = \"{object}\"\naction = {{ fail = {{ reason = \"General Failure\" }} }}")
    };
    for version in Version::SERVED {
        for (named, expected) in [("wrapping-key", Some("GeneralFailure")), ("other", None)] {
            let mut fixture = Fixture::with(*version, &rule(named));
            assert_eq!(fixture.send(GET, &wrapped_get()).reasons(), [expected], "{version}");
        }
    }
    let attribute = |name: &str, value: &str| {
        format!(
            "<Attribute><AttributeName type=\"TextString\" value=\"{name}\"/>{value}</Attribute>"
        )
    };
    let by_identifier = "<AttributeValue type=\"TextString\" value=\"key\"/>";
    let link = "<AttributeValue><LinkType type=\"Enumeration\" value=\"PublicKeyLink\"/>\
                <LinkedObjectIdentifier type=\"TextString\" value=\"key\"/></AttributeValue>";
    let by_identifier = attribute("Unique Identifier", by_identifier);
    for payload in [by_identifier, attribute("Link", link)] {
        let mut fixture = Fixture::with(Version::V1_4, &rule("key"));
        let reasons = fixture.send(Operation::Locate, &payload).reasons();
        assert_eq!(reasons, [Some("GeneralFailure")], "{payload}");
    }
}

#[test]
fn object_of_the_rule_is_forgotten_and_not_what_names_it() {
    let rule = "operation = \"Get\"\nobject = \"wrapping-key\"\naction = \"forget\"";
    let mut fixture = Fixture::with(Version::V2_1, rule);
    fixture.send(GET, &wrapped_get());
    assert_eq!(fixture.send(GET, &object("key")).reasons(), [None]);
    assert_eq!(fixture.send(GET, &object("wrapping-key")).reasons(), [not_found(Version::V2_1)]);
}
