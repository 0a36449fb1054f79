//! The engine against a key server of answers that are written here.

use kmip::encoding::{Element, xml};
use zeroize::Zeroizing;

use super::{Failure, Verdict, play};
use crate::persona::file::Persona;
use crate::persona::server::KeyServer;

const PERSONA: &str = r#"
product = "a product"
version = "1.2"
sources = ["this test"]

[habits]
connection = "per-message"

[[step]]
does = "Creates a key"
send = '''<BatchItem><Operation type="Enumeration" value="Create"/>
<UniqueBatchItemID type="ByteString" value="01"/><RequestPayload/></BatchItem>'''
capture = { uid = "UniqueIdentifier", state = "State" }
otherwise = "it stops"

[[step]]
does = "Activates it"
when = "$state = PreActive"
send = '''<BatchItem><Operation type="Enumeration" value="Activate"/>
<RequestPayload><UniqueIdentifier type="TextString" value="$uid"/></RequestPayload></BatchItem>'''
otherwise = "it stops"

[[step]]
does = "Fetches it"
send = '''<BatchItem><Operation type="Enumeration" value="Get"/>
<RequestPayload><UniqueIdentifier type="TextString" value="$uid"/></RequestPayload></BatchItem>'''
expect = [
  { that = "it is that key", test = "UniqueIdentifier = $uid", otherwise = "it takes another" },
]
otherwise = "it stops"

[[step]]
does = "Asks for the versions"
send = '''<BatchItem><Operation type="Enumeration" value="DiscoverVersions"/>
<RequestPayload/></BatchItem>'''
otherwise = "it stops"
"#;

/// A server that has one answer for each operation.
#[derive(Default)]
struct Scripted {
    answers: Vec<(&'static str, String)>,
    /// Each operation, and the identifier that it was for.
    asked: Vec<String>,
    /// How often the connection was closed.
    closed: usize,
}

impl Scripted {
    fn new() -> Self {
        let key = r#"<UniqueIdentifier type="TextString" value="key-0001"/>"#;
        let created = format!(r#"{key}<State type="Enumeration" value="PreActive"/>"#);
        let id = r#"<UniqueBatchItemID type="ByteString" value="01"/>"#;
        let rows = [
            ("Create", id, created.as_str()),
            ("Activate", "", key),
            ("Get", "", key),
            ("DiscoverVersions", "", ""),
            ("Revoke", "", key),
            ("Destroy", "", key),
        ];
        let answers = rows.map(|(name, id, payload)| (name, success(name, id, payload)));
        Self { answers: answers.into(), ..Self::default() }
    }

    fn with(mut self, operation: &'static str, answer: String) -> Self {
        self.answers.retain(|(name, _)| *name != operation);
        self.answers.push((operation, answer));
        self
    }
}

fn success(operation: &str, id: &str, payload: &str) -> String {
    format!(
        r#"<BatchItem><Operation type="Enumeration" value="{operation}"/>{id}
        <ResultStatus type="Enumeration" value="Success"/>
        <ResponsePayload>{payload}</ResponsePayload></BatchItem>"#
    )
}

const REFUSED: &str = r#"<BatchItem><ResultStatus type="Enumeration" value="OperationFailed"/>
    <ResultReason type="Enumeration" value="ItemNotFound"/>
    <ResultMessage type="TextString" value="no object key-0001"/></BatchItem>"#;

impl KeyServer for Scripted {
    fn exchange(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let request = Element::from_ttlv(request).unwrap();
        let item = request.child("BatchItem").unwrap();
        let operation = item.child("Operation").and_then(Element::text).unwrap();
        let payload = item.child("RequestPayload").unwrap();
        let id = payload.child("UniqueIdentifier").and_then(Element::text).unwrap_or_default();
        self.asked.push(format!("{operation} {id}").trim().to_owned());
        let answer = self.answers.iter().find(|(name, _)| *name == operation);
        let answer = &answer.ok_or("no answer: the server closed the connection")?.1;
        let message = format!(
            r#"<ResponseMessage><ResponseHeader><ProtocolVersion>
            <ProtocolVersionMajor type="Integer" value="1"/>
            <ProtocolVersionMinor type="Integer" value="2"/></ProtocolVersion>
            </ResponseHeader>{answer}</ResponseMessage>"#
        );
        Ok(xml::decode(&message).unwrap())
    }

    fn is_resumed(&self) -> bool {
        self.closed > 0
    }

    fn close(&mut self) {
        self.closed = self.closed.saturating_add(1);
    }
}

/// The verdicts on the steps, and what was left.
fn verdicts(server: &mut Scripted, keep_going: bool) -> (Vec<Verdict>, Vec<String>) {
    let persona = Persona::parse("a-product", PERSONA).unwrap();
    let outcome = play(&persona, server, keep_going);
    let left = outcome.left;
    (outcome.steps.into_iter().map(|step| step.verdict).collect(), left)
}

fn failed(that: &str, found: &str, then: &str) -> Verdict {
    let [that, found, then] = [that, found, then].map(str::to_owned);
    Verdict::Failed(vec![Failure { that, found, then }])
}

fn skipped(step: usize) -> Verdict {
    Verdict::Skipped(format!("step {step} failed"))
}

#[test]
fn steps_pass_and_the_key_is_destroyed() {
    let mut server = Scripted::new();
    let (all, left) = verdicts(&mut server, false);
    assert_eq!(all, [Verdict::Passed, Verdict::Passed, Verdict::Passed, Verdict::Passed]);
    assert!(left.is_empty());
    let asked = ["Create", "Activate key-0001", "Get key-0001", "DiscoverVersions"];
    assert_eq!(server.asked, [&asked[..], &["Destroy key-0001"]].concat());
    // After each message, at the end, and after each message of the cleanup.
    assert_eq!(server.closed, 6);
}

#[test]
fn changed_answer_changes_the_verdict() {
    let other = r#"<UniqueIdentifier type="TextString" value="another"/>"#;
    let created = r#"<UniqueIdentifier type="TextString" value="key-0001"/>"#;
    let id = r#"<UniqueBatchItemID type="ByteString" value="02"/>"#;
    let rows = [
        (
            "Get",
            success("Get", "", other),
            failed("it is that key", "\"another\"", "it takes another"),
        ),
        (
            "Get",
            REFUSED.to_owned(),
            failed("Get succeeds", "OperationFailed, ItemNotFound: \"no object $uid\"", "it stops"),
        ),
        (
            "Get",
            success("Locate", "", created),
            failed("the item names its operation", "Locate", "it stops"),
        ),
        ("Get", String::new(), failed("Get succeeds", "no item 1 in the answer", "it stops")),
    ];
    for (operation, answer, verdict) in rows {
        let mut server = Scripted::new().with(operation, answer);
        let (all, left) = verdicts(&mut server, false);
        assert_eq!(all, [Verdict::Passed, Verdict::Passed, verdict, skipped(3)]);
        assert!(left.is_empty(), "the key is destroyed after a failure too");
    }
    let mut server = Scripted::new().with("Create", success("Create", id, created));
    let (all, _) = verdicts(&mut server, false);
    assert_eq!(all[0], failed("Unique Batch Item ID is echoed", "02", "it stops"));
    assert_eq!(server.asked, ["Create", "Destroy key-0001"]);
}

#[test]
fn answer_without_a_value_that_is_needed_later_fails() {
    let id = r#"<UniqueBatchItemID type="ByteString" value="01"/>"#;
    let mut server = Scripted::new().with("Create", success("Create", id, ""));
    let (all, _) = verdicts(&mut server, true);
    let that = "the answer has what is needed later";
    assert_eq!(all[0], failed(that, "nothing for $state, $uid", "it stops"));
    assert_eq!(all[1], Verdict::Skipped("$state has no value".to_owned()));
    assert_eq!(all[2], Verdict::Skipped("$uid has no value".to_owned()));
    assert_eq!(all[3], Verdict::Passed, "it needs no value");
}

#[test]
fn server_that_closes_the_connection_fails_the_step() {
    let mut server = Scripted::new();
    server.answers.retain(|(name, _)| *name != "Get");
    let (all, left) = verdicts(&mut server, true);
    let why = "no answer: the server closed the connection";
    assert_eq!(all[2], failed("the server answers", why, "it stops"));
    assert_eq!((&all[3], left.len()), (&Verdict::Passed, 0));
}

#[test]
fn step_is_not_needed_if_its_condition_is_not_met() {
    let id = r#"<UniqueBatchItemID type="ByteString" value="01"/>"#;
    let active = r#"<UniqueIdentifier type="TextString" value="key-0001"/>
        <State type="Enumeration" value="Active"/>"#;
    let mut server = Scripted::new().with("Create", success("Create", id, active));
    let (all, _) = verdicts(&mut server, false);
    assert_eq!(all, [Verdict::Passed, Verdict::NotNeeded, Verdict::Passed, Verdict::Passed]);
    assert!(!server.asked.iter().any(|asked| asked.starts_with("Activate")));
}

#[test]
fn object_that_cannot_be_destroyed_is_revoked_and_then_reported() {
    let mut server = Scripted::new().with("Destroy", REFUSED.to_owned());
    let (_, left) = verdicts(&mut server, false);
    assert_eq!(left, ["key-0001"]);
    let last = &server.asked[server.asked.len() - 3..];
    assert_eq!(last, ["Destroy key-0001", "Revoke key-0001", "Destroy key-0001"]);
}
