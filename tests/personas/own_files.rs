//! Personas in files of one's own.

use std::fs;
use std::net::SocketAddr;

use harness::foreign::ForeignClients;
use harness::{Lab, PykmipServer};

use crate::{kmip_server, play, steps};

/// Finds no object at all.
const NOTHING_LEFT: &str = r#"
product = "a client that looks for what others have left"
version = "1.2"
sources = ["this test"]

[[step]]
does = "Looks for any object"
send = '''
<BatchItem><Operation type="Enumeration" value="Locate"/><RequestPayload/></BatchItem>
'''
expect = ["UniqueIdentifier is absent"]
otherwise = "there is one"
"#;

/// Bytes of a key that stand in the file below.
const KEY: &str = "5ec2e7005ec2e7015ec2e7025ec2e703";

/// A product that writes each message in two pieces, and whose last expectation is not met.
const SPLIT: &str = r#"
product = "a client that writes the header of a message first"
version = "1.0"
sources = ["this test"]

[habits]
split-writes = true

[[step]]
does = "Registers a key"
send = '''
<BatchItem><Operation type="Enumeration" value="Register"/><RequestPayload>
<ObjectType type="Enumeration" value="SymmetricKey"/>
<TemplateAttribute><Attribute>
<AttributeName type="TextString" value="Cryptographic Usage Mask"/>
<AttributeValue type="Integer" value="Encrypt Decrypt"/></Attribute></TemplateAttribute>
<SymmetricKey><KeyBlock><KeyFormatType type="Enumeration" value="Raw"/>
<KeyValue><KeyMaterial type="ByteString" value="KEY"/></KeyValue>
<CryptographicAlgorithm type="Enumeration" value="AES"/>
<CryptographicLength type="Integer" value="128"/></KeyBlock></SymmetricKey>
</RequestPayload></BatchItem>
'''
capture = { uid = "UniqueIdentifier" }
otherwise = "it stops"

[[step]]
does = "Fetches it"
send = '''
<BatchItem><Operation type="Enumeration" value="Get"/><RequestPayload>
<UniqueIdentifier type="TextString" value="$uid"/></RequestPayload></BatchItem>
'''
expect = [
  "SymmetricKey/KeyBlock/KeyValue/KeyMaterial = KEY",
  { that = "the key is another one", test = "SymmetricKey/KeyBlock/KeyValue/KeyMaterial != KEY" },
]
otherwise = "it stops"
"#;

/// Fails if the lab's client finds any object on a server.
#[track_caller]
pub(crate) fn assert_nothing_left(lab: &Lab, server: SocketAddr) {
    let file = lab.path("nothing-left.toml");
    fs::write(&file, NOTHING_LEFT).expect("a file");
    let run = play(lab, server, &[&file.display().to_string()]);
    assert_eq!(run.status, Some(0), "{}{}", run.out, run.err);
}

#[test]
fn own_file_is_played_in_two_writes_and_its_key_is_not_shown() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let file = lab.path("split.toml");
    fs::write(&file, SPLIT.replace("KEY", KEY)).expect("a file");
    let file = file.display().to_string();
    let (ours, theirs) = (kmip_server(&lab), PykmipServer::start(&python, &lab));
    for server in [ours.address(), theirs.address()] {
        let run = play(&lab, server, &[&file]);
        assert_eq!((run.status, run.err.as_str()), (Some(1), ""), "{}", run.out);
        let lines = [
            "passed   1  Registers a key",
            "FAILED   2  Fetches it",
            "expected: the key is another one",
            "found:    16 bytes that are not shown",
        ];
        assert!(lines.iter().all(|line| run.out.contains(line)), "{}", run.out);
        let json = play(&lab, server, &[&file, "--json"]);
        let verdicts = ["passed", "failed"];
        assert!(steps(&json.json()).iter().map(|step| step.2.as_str()).eq(verdicts));
        assert!(!run.out.contains(KEY) && !json.out.contains(KEY), "the key is shown");
        assert_nothing_left(&lab, server);
    }
}

#[test]
fn wrong_file_is_one_sentence() {
    let lab = Lab::new();
    let server = kmip_server(&lab);
    let file = lab.path("wrong.toml");
    let path = file.display().to_string();
    let missing = play(&lab, server.address(), &[&path]);
    assert_eq!(missing.status, Some(2));
    assert!(missing.err.contains("wrong.toml cannot be read: "), "{}", missing.err);
    fs::write(&file, NOTHING_LEFT.replace("is absent", "is gone")).expect("a file");
    let wrong = play(&lab, server.address(), &[&path]);
    assert_eq!((wrong.status, wrong.out.as_str()), (Some(2), ""));
    let begins = "lab persona: persona wrong: step 1: condition \"UniqueIdentifier is gone\": ";
    assert!(wrong.err.starts_with(begins), "{}", wrong.err);
    assert_eq!(wrong.err.lines().count(), 1, "{}", wrong.err);
}
