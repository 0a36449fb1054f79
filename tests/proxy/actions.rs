//! Each action between a real client and the key server.

use std::io;
use std::time::{Duration, Instant};

use harness::proxy_http::{add_rule, conversation, take_rule};
use harness::{KmipProxy, KmipServer, Lab};
use kmip::Version;
use kmip::attributes::AttributeValue;
use kmip::payload::{
    AddAttributeRequest, DestroyRequest, DiscoverVersionsRequest, GetAttributesRequest,
    QueryRequest, ResponsePayload,
};
use kmip::vocabulary::{Operation, QueryFunction, State};

use crate::client::{TestClient, activate, create, get, get_state, locate, request};

/// What the proxy does, it does within this, also on a loaded machine.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A client, a proxy and the key server.
struct Line {
    proxy: KmipProxy,
    client: TestClient,
    lab: Lab,
    _server: KmipServer,
}

impl Line {
    fn new() -> Self {
        let lab = Lab::new();
        let server = KmipServer::start(&lab);
        let proxy = KmipProxy::start(&lab, server.address(), |program| program);
        let client = TestClient::connect(proxy.address(), &lab, "alice");
        Self { proxy, client, lab, _server: server }
    }

    fn connect(&self, name: &str) -> TestClient {
        TestClient::connect(self.proxy.address(), &self.lab, name)
    }

    fn rule(&self, fields: &str) {
        add_rule(self.proxy.http(), fields);
    }

    /// Removes the rule; how often it fired.
    fn fired(&self) -> u64 {
        take_rule(self.proxy.http())
    }
}

/// The k-th Get is changed once, in each way in which a server may answer it.
#[test]
fn kth_get_is_changed_once_in_each_way() {
    let mut line = Line::new();
    let id = line.client.create("a key");
    let key = line.client.ask(get(&id)).unwrap().key();
    let change = |action: &str| {
        format!("\"operation\": \"Get\", \"from\": 2, \"times\": 1, \"action\": {{{action}}}")
    };
    let asked = |client: &mut TestClient| client.ask(get(&id)).unwrap();
    for (action, expected) in [
        ("\"fail\": {\"reason\": \"Item Not Found\"}", Some("ItemNotFound")),
        (
            "\"fail\": {\"reason\": \"Permission Denied\", \"forward\": true}",
            Some("PermissionDenied"),
        ),
        ("\"key-bytes\": {\"how\": \"flip-bit\"}", None),
        ("\"delay\": {\"ms\": 10}", None),
        ("\"succeed\": {}", None),
    ] {
        line.rule(&change(action));
        for number in 1..4 {
            let answer = asked(&mut line.client);
            let is_changed = number == 2;
            assert_eq!(answer.reason(), expected.filter(|_| is_changed), "{action}");
            if answer.reason().is_none() {
                let is_other = is_changed && action.contains("key-bytes");
                assert_eq!(answer.key() != key, is_other, "{action} {number}");
            }
        }
        assert_eq!(line.fired(), 1, "{action}");
    }
}

/// Waits until the proxy has lost a message.
#[track_caller]
fn wait_until_dropped(line: &Line) {
    let begun = Instant::now();
    let is_dropped = |entry: &serde_json::Value| entry["fate"] == "dropped";
    while !conversation(line.proxy.http()).last().is_some_and(is_dropped) {
        assert!(begun.elapsed() < WAIT_MAX, "no message was lost");
    }
}

#[test]
fn message_is_lost_and_the_connection_stays() {
    let mut line = Line::new();
    for (at, made) in [("response", 1), ("request", 1)] {
        line.rule(&format!(
            "\"operation\": \"Create\", \"action\": {{\"drop\": {{\"at\": \"{at}\"}}}}"
        ));
        line.client.send(&request(Version::V1_4, create(at))).unwrap();
        wait_until_dropped(&line);
        // The next answer is that to the next request. Only what was lost on its way back is done.
        assert_eq!(line.client.ask(locate()).unwrap().located().len(), made, "{at}");
        assert_eq!(line.fired(), 1);
    }
}

#[test]
fn activate_is_answered_and_not_done() {
    let mut line = Line::new();
    let id = line.client.create("a key");
    line.rule("\"operation\": \"Activate\", \"times\": 1, \"action\": {\"succeed\": {}}");
    assert_eq!(line.client.ask(activate(&id)).unwrap().identifier(), id);
    assert_eq!(line.client.ask(get_state(&id)).unwrap().state(), State::PreActive);
    assert_eq!(line.client.ask(activate(&id)).unwrap().reason(), None);
    assert_eq!(line.client.ask(get_state(&id)).unwrap().state(), State::Active);
    assert_eq!(line.fired(), 1);
    line.rule("\"action\": {\"state\": {\"state\": \"Destroyed\"}}");
    assert_eq!(line.client.ask(get_state(&id)).unwrap().state(), State::Destroyed);
    assert_eq!(line.fired(), 1);
    line.rule("\"operation\": \"Create\", \"action\": {\"identifier\": {\"with\": \"x\"}}");
    assert_eq!(line.client.create("another"), "x");
    assert_eq!(line.fired(), 1);
}

#[test]
fn connection_is_reset_cut_or_closed() {
    let mut line = Line::new();
    for at in ["request", "response"] {
        let mut client = line.connect("alice");
        line.rule(&format!("\"action\": {{\"reset\": {{\"at\": \"{at}\"}}}}"));
        let error = client.ask(locate()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{at}");
        assert_eq!(line.fired(), 1);
    }
    let mut client = line.connect("alice");
    line.rule("\"action\": {\"truncate\": {\"bytes\": 20}}");
    client.send(&request(Version::V1_4, locate())).unwrap();
    assert_eq!(client.receive_all().unwrap().len(), 20);
    assert_eq!(line.fired(), 1);
    let mut client = line.connect("alice");
    line.rule("\"times\": 1, \"action\": {\"close-when-idle\": {\"ms\": 50}}");
    client.ask(locate()).unwrap();
    assert!(client.receive_all().unwrap().is_empty());
    assert_eq!(line.fired(), 1);
    // The first connection was touched by none of them.
    assert_eq!(line.client.ask(locate()).unwrap().reason(), None);
}

#[test]
fn frame_is_broken_or_too_large() {
    let mut line = Line::new();
    line.rule("\"action\": {\"corrupt-length\": {\"by\": -8}}");
    let error = line.client.ask(locate()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Other, "{error}");
    assert_eq!(line.fired(), 1);
    let mut client = line.connect("alice");
    line.rule("\"action\": {\"too-large\": {\"bytes\": 3000000}}");
    let answer = client.ask(locate()).unwrap();
    assert!(answer.0.items[0].result_message.as_ref().unwrap().len() > 2_900_000);
    assert_eq!(line.fired(), 1);
    line.rule("\"action\": {\"version\": {\"version\": \"1.0\"}}");
    assert_eq!(client.ask(locate()).unwrap().0.header.protocol_version, Version::V1_0);
    assert_eq!(line.fired(), 1);
}

#[test]
fn server_is_read_only_or_forgets() {
    let mut line = Line::new();
    let id = line.client.create("a key");
    line.rule("\"action\": \"read-only\"");
    assert_eq!(line.client.ask(create("b")).unwrap().reason(), Some("PermissionDenied"));
    assert_eq!(line.client.ask(get(&id)).unwrap().reason(), None);
    assert_eq!(line.fired(), 1);
    line.rule(&format!("\"object\": \"{id}\", \"action\": \"forget\""));
    assert_eq!(line.client.ask(get(&id)).unwrap().reason(), Some("ItemNotFound"));
    assert!(line.client.ask(locate()).unwrap().located().is_empty());
    assert_eq!(line.fired(), 2);
    assert_eq!(line.client.ask(locate()).unwrap().located(), [id]);
}

#[test]
fn change_is_seen_by_another_connection_later() {
    let mut line = Line::new();
    line.rule("\"action\": {\"replica-lag\": {\"messages\": 3}}");
    let id = line.client.create("a key");
    let mut other = line.connect("alice");
    assert_eq!(line.client.ask(get(&id)).unwrap().reason(), None);
    assert_eq!(other.ask(get(&id)).unwrap().reason(), Some("ItemNotFound"));
    assert!(other.ask(locate()).unwrap().located().is_empty());
    assert_eq!(other.ask(get(&id)).unwrap().reason(), None);
    assert_eq!(line.fired(), 2);
}

#[test]
fn destruction_is_seen_by_another_connection_later() {
    let mut line = Line::new();
    let id = line.client.create("a key");
    let mut other = line.connect("alice");
    line.rule("\"action\": {\"replica-lag\": {\"ms\": 86400000}}");
    let key = other.ask(get(&id)).unwrap().key();
    assert_eq!(other.ask(get_state(&id)).unwrap().state(), State::PreActive);
    assert_eq!(other.ask(locate()).unwrap().located(), std::slice::from_ref(&id));
    let destroy = DestroyRequest { unique_identifier: Some(id.as_str().into()) };
    assert_eq!(line.client.ask(destroy).unwrap().reason(), None);
    // The connection that made the change sees it, and that does not end the lag of the others.
    assert_eq!(line.client.ask(get(&id)).unwrap().reason(), Some("ItemNotFound"));
    assert_eq!(line.client.ask(get_state(&id)).unwrap().state(), State::Destroyed);
    assert!(line.client.ask(locate()).unwrap().located().is_empty());
    assert_eq!(other.ask(get(&id)).unwrap().key(), key);
    assert_eq!(other.ask(get_state(&id)).unwrap().state(), State::PreActive);
    assert_eq!(other.ask(locate()).unwrap().located(), std::slice::from_ref(&id));
    assert_eq!(line.fired(), 3);
    assert_eq!(other.ask(get(&id)).unwrap().reason(), Some("ItemNotFound"));
    assert!(other.ask(locate()).unwrap().located().is_empty());
}

#[test]
fn changed_attribute_is_seen_by_another_connection_later() {
    let mut line = Line::new();
    let id = line.client.create("a key");
    let mut other = line.connect("alice");
    line.rule("\"action\": {\"replica-lag\": {\"ms\": 86400000}}");
    let unique_identifier = Some(id.as_str().into());
    let contact = || AttributeValue::ContactInformation("x".to_owned());
    let asked = GetAttributesRequest {
        unique_identifier: unique_identifier.clone(),
        attributes: vec![contact().reference()],
    };
    let has_contact = |client: &mut TestClient| {
        let answer = client.ask(asked.clone()).unwrap();
        let ResponsePayload::GetAttributes(got) = answer.payload() else { panic!("{answer:?}") };
        got.attributes.0.iter().any(|attribute| attribute.value == contact())
    };
    assert!(!has_contact(&mut other));
    let add = AddAttributeRequest { unique_identifier, attribute: contact().into() };
    assert_eq!(line.client.ask(add).unwrap().reason(), None);
    assert!(has_contact(&mut line.client));
    assert!(!has_contact(&mut other));
    assert_eq!(line.fired(), 1);
    assert!(has_contact(&mut other));
}

#[test]
fn personality_refuses_and_says_so_to_query() {
    let mut line = Line::new();
    line.rule("\"action\": {\"personality\": \"only-1.0\"}");
    let answer = line.client.ask(locate()).unwrap();
    assert_eq!(answer.reason(), Some("InvalidMessage"));
    assert_eq!(answer.0.header.protocol_version, Version::V1_0);
    line.client.version = Version::V1_0;
    assert_eq!(line.client.ask(locate()).unwrap().reason(), None);
    let discover = DiscoverVersionsRequest { protocol_versions: Vec::new() };
    let answer = line.client.ask(discover.clone()).unwrap();
    assert_eq!(answer.reason(), Some("OperationNotSupported"));
    let query = || QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        object_groups: None,
    };
    let operations = |client: &mut TestClient| {
        let answer = client.ask(query()).unwrap();
        let ResponsePayload::Query(found) = answer.payload() else { panic!("{answer:?}") };
        found.operations.clone()
    };
    let named = operations(&mut line.client);
    assert!(named.contains(&Operation::Get) && !named.contains(&Operation::DiscoverVersions));
    assert!(line.fired() >= 2);
    line.client.version = Version::V1_4;
    assert!(operations(&mut line.client).contains(&Operation::DiscoverVersions));
    line.rule("\"action\": {\"personality\": \"only-1.4\"}");
    let answer = line.client.ask(discover).unwrap();
    let ResponsePayload::DiscoverVersions(found) = answer.payload() else { panic!("{answer:?}") };
    assert_eq!(found.protocol_versions, [Version::V1_4]);
    line.fired();
    line.client.create("a");
    line.client.create("b");
    line.rule("\"action\": {\"personality\": \"locate-returns-one\"}");
    assert_eq!(line.client.ask(locate()).unwrap().located().len(), 1);
    assert_eq!(line.fired(), 1);
}

#[test]
fn conversation_says_what_was_changed() {
    let mut line = Line::new();
    let id = line.client.create("a key");
    line.rule("\"action\": {\"key-bytes\": {}}");
    line.client.ask(get(&id)).unwrap();
    line.fired();
    line.rule("\"action\": {\"fail\": {\"reason\": \"Permission Denied\"}}");
    line.client.ask(get(&id)).unwrap();
    let entries = conversation(line.proxy.http());
    let (changed, refused, answer) = (&entries[3], &entries[4], &entries[5]);
    assert_eq!(changed["rules"][0], "a");
    assert!(changed["came"]["bytes"] == changed["sent"]["bytes"]);
    assert_eq!(refused["fate"], "answered by the proxy");
    assert!(answer.get("came").is_none());
    assert_eq!(answer["sent"]["items"][0]["reason"], "PermissionDenied");
}
