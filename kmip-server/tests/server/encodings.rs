//! The encodings of a body at the HTTPS door: the same messages, the same answers, each in its own.

use std::path::{Path, PathBuf};

use kmip::encoding::{Element, Value, json, xml};
use kmip_server::config::Settings;
use ttlv::Type;

use crate::client::{Stream, is_success};
use crate::https::{ask, post};
use crate::running::{Lab, Running};
use crate::secrets::register_and_get;

/// How a message is sent and its answer read.
#[derive(Clone, Copy)]
struct Encoding {
    /// Its Content-Type.
    name: &'static str,
    encode: fn(&[u8]) -> Vec<u8>,
    decode: fn(&[u8]) -> Vec<u8>,
}

const BINARY: Encoding =
    Encoding { name: "application/octet-stream", encode: <[u8]>::to_vec, decode: <[u8]>::to_vec };

const XML: Encoding = Encoding {
    name: "text/xml",
    encode: |ttlv| xml::encode(ttlv).unwrap().as_bytes().to_vec(),
    decode: |text| xml::decode(str::from_utf8(text).unwrap()).unwrap().to_vec(),
};

const JSON: Encoding = Encoding {
    name: "application/json",
    encode: |ttlv| json::encode(ttlv).unwrap().as_bytes().to_vec(),
    decode: |text| json::decode(str::from_utf8(text).unwrap()).unwrap().to_vec(),
};

const ALL: [Encoding; 3] = [BINARY, XML, JSON];

/// Sends a message in an encoding; returns the answer as TTLV.
async fn exchange(stream: &mut Stream, encoding: Encoding, ttlv: &[u8]) -> Vec<u8> {
    let answer = ask(stream, &post(encoding.name, &(encoding.encode)(ttlv))).await;
    assert_eq!(answer.status, 200, "{}", encoding.name);
    assert_eq!(answer.header("Content-Type"), Some(encoding.name));
    (encoding.decode)(&answer.body)
}

/// The texts of all elements of this name, in order.
fn texts<'a>(element: &'a Element, name: &str, found: &mut Vec<&'a str>) {
    if element.name == name {
        found.extend(element.text());
    }
    for child in element.children() {
        texts(child, name, found);
    }
}

fn all<'a>(element: &'a Element, name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    texts(element, name, &mut found);
    found
}

/// The request of MSGENC-HTTPS-M-1, MSGENC-XML-M-1 and MSGENC-JSON-M-1.
fn query(version: &str, response_size_max: u16) -> Vec<u8> {
    let (major, minor) = version.split_once('.').unwrap();
    let text = format!(
        r#"<RequestMessage><RequestHeader><ProtocolVersion>
            <ProtocolVersionMajor type="Integer" value="{major}"/>
            <ProtocolVersionMinor type="Integer" value="{minor}"/>
        </ProtocolVersion><MaximumResponseSize type="Integer" value="{response_size_max}"/>
        <BatchCount type="Integer" value="1"/></RequestHeader><BatchItem>
            <Operation type="Enumeration" value="Query"/><RequestPayload>
            <QueryFunction type="Enumeration" value="QueryOperations"/>
            <QueryFunction type="Enumeration" value="QueryObjects"/>
        </RequestPayload></BatchItem></RequestMessage>"#
    );
    xml::decode(&text).unwrap().to_vec()
}

/// A size is that of the binary form, whatever the encoding (Additional Message Encodings 1.0, 4).
#[tokio::test]
async fn maximum_response_size_counts_ttlv_in_every_version_and_encoding() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"] {
        let mut answers = Vec::new();
        for encoding in ALL {
            let row = format!("{version} {}", encoding.name);
            let answer = exchange(&mut stream, encoding, &query(version, 256)).await;
            let element = Element::from_ttlv(&answer).unwrap();
            assert_eq!(all(&element, "ResultStatus"), ["OperationFailed"], "{row}");
            assert_eq!(all(&element, "ResultReason"), ["ResponseTooLarge"], "{row}");
            assert_eq!(all(&element, "Operation"), ["Query"], "{row}");

            let answer = exchange(&mut stream, encoding, &query(version, 2048)).await;
            assert!((257..=2048).contains(&answer.len()), "{row}: {} bytes", answer.len());
            let element = Element::from_ttlv(&answer).unwrap();
            assert_eq!(all(&element, "ResultStatus"), ["Success"], "{row}");
            let served = [all(&element, "Operation"), all(&element, "ObjectType")].concat();
            answers.push(served.into_iter().map(str::to_owned).collect::<Vec<_>>());
        }
        assert!(answers.iter().all(|served| *served == answers[0]), "{version}: {answers:?}");
    }
}

/// The cases themselves, as OASIS has them, each in the encoding that its name says.
#[tokio::test]
async fn the_cases_of_the_message_encoding_profiles_pass() {
    let Some(folder) = cases() else { return };
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    let mut seen = 0;
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "2.1"] {
        for (profile, encoding) in [("HTTPS", BINARY), ("XML", XML), ("JSON", JSON)] {
            let name = format!("MSGENC-{profile}-M-1-{}.xml", version.replace('.', ""));
            let text = std::fs::read_to_string(folder.join(version).join("mandatory").join(&name));
            let case = xml::read(&text.unwrap()).unwrap();
            let mut messages = Vec::new();
            gather(&case, &mut messages);
            for pair in messages.chunks(2) {
                let [request, expected] = pair else { panic!("{name}: an odd message") };
                let answer = exchange(&mut stream, encoding, &request.to_ttlv().unwrap()).await;
                let answer = Element::from_ttlv(&answer).unwrap();
                for item in ["ProtocolVersionMinor", "ResultStatus", "ResultReason"] {
                    assert_eq!(all(&answer, item), all(expected, item), "{name}: {item}");
                }
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 36, "two pairs in each of three cases of six versions");
}

/// The messages of a case, in order.
fn gather<'a>(element: &'a Element, messages: &mut Vec<&'a Element>) {
    match element.name.as_ref() {
        "RequestMessage" | "ResponseMessage" => messages.push(element),
        _ => element.children().iter().for_each(|child| gather(child, messages)),
    }
}

/// Where OASIS's cases are, if they are there: they are not ours to copy.
fn cases() -> Option<PathBuf> {
    let path = match std::env::var_os("KMIP_TESTCASES") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/kmip/testcases"),
    };
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
    eprintln!("SKIPPED: {} is missing; KMIP_TESTCASES can say where it is", path.display());
    None
}

/// A key that goes in by one encoding comes out by each, byte for byte.
#[tokio::test]
async fn a_key_is_the_same_in_every_encoding() {
    for encoding in ALL {
        let lab = Lab::new();
        let server = Running::https(&lab.settings());
        let mut stream = lab.client().connect(server.address).await.unwrap();
        let request = register_and_get(Type::ByteString);
        let answer = exchange(&mut stream, encoding, &request).await;
        assert!(is_success(&answer), "{}", encoding.name);
        let (sent, got) = (Element::from_ttlv(&request), Element::from_ttlv(&answer));
        let (sent, got) = (sent.unwrap(), got.unwrap());
        assert_eq!(all(&sent, "KeyMaterial"), all(&got, "KeyMaterial"), "{}", encoding.name);
    }
}

/// The answer to a text that is no message is KMIP's, in the encoding of the text.
#[tokio::test]
async fn a_text_that_is_no_message_is_answered_in_its_encoding() {
    let lab = Lab::new();
    let server = Running::https(&Settings { frame_len_max: 1024, ..lab.settings() });
    let mut stream = lab.client().connect(server.address).await.unwrap();
    let long_xml = format!(
        r#"<RequestMessage><Data type="ByteString" value="{}"/></RequestMessage>"#,
        "00".repeat(2000)
    );
    let long_json = format!(
        r#"{{"tag":"RequestMessage","value":[{{"tag":"Data","type":"ByteString","value":"{}"}}]}}"#,
        "00".repeat(2000)
    );
    let rows: [(Encoding, &[u8], &str); 9] = [
        (XML, b"", "the text is no message: one message is wanted"),
        (JSON, b"", "the text is no message: one message is wanted"),
        (XML, b"\xFF", "the text is not UTF-8"),
        (JSON, b"\xFF", "the text is not UTF-8"),
        (XML, b"<RequestMassage/>", "element RequestMassage: there is no such tag"),
        (JSON, b"{\"tag\":\"RequestMassage\",\"value\":[]}", "there is no such tag"),
        (JSON, b"<RequestMessage/>", "this is no well-formed JSON"),
        (XML, long_xml.as_bytes(), "is too long: at most 1024 are taken"),
        (JSON, long_json.as_bytes(), "is too long: at most 1024 are taken"),
    ];
    for (encoding, body, why) in rows {
        let answer = ask(&mut stream, &post(encoding.name, body)).await;
        assert_eq!(answer.status, 200, "{why}");
        let answer = Element::from_ttlv(&(encoding.decode)(&answer.body)).unwrap();
        assert_eq!(all(&answer, "ResultReason"), ["InvalidMessage"], "{why}");
        assert!(all(&answer, "ResultMessage")[0].contains(why), "{answer:?}: {why}");
    }
}

/// XML has no letter for most control characters: what has one is had in JSON or TTLV.
#[tokio::test]
async fn an_answer_that_xml_cannot_spell_is_said_so() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    let json = r#"{"tag":"RequestMessage","value":[
        {"tag":"RequestHeader","value":[
            {"tag":"ProtocolVersion","value":[
                {"tag":"ProtocolVersionMajor","type":"Integer","value":2},
                {"tag":"ProtocolVersionMinor","type":"Integer","value":1}]},
            {"tag":"BatchCount","type":"Integer","value":1}]},
        {"tag":"BatchItem","value":[
            {"tag":"Operation","type":"Enumeration","value":"Create"},
            {"tag":"RequestPayload","value":[
                {"tag":"ObjectType","type":"Enumeration","value":"SymmetricKey"},
                {"tag":"Attributes","value":[
                    {"tag":"CryptographicAlgorithm","type":"Enumeration","value":"AES"},
                    {"tag":"CryptographicUsageMask","type":"Integer","value":"Encrypt|Decrypt"},
                    {"tag":"ContactInformation","type":"TextString","value":"a\u0001b"}]}]}]}]}"#;
    let create = json::decode(json).unwrap();
    let made = Element::from_ttlv(&exchange(&mut stream, JSON, &create).await).unwrap();
    let id = all(&made, "UniqueIdentifier")[0].to_owned();
    let mut get = Element::from_ttlv(&create).unwrap();
    let Value::Structure(parts) = &mut get.value else { panic!("a structure") };
    parts[1] = Element::structure(
        "BatchItem",
        vec![
            Element::leaf("Operation", Type::Enumeration, "GetAttributes"),
            Element::structure(
                "RequestPayload",
                vec![Element::leaf("UniqueIdentifier", Type::TextString, id)],
            ),
        ],
    );
    let get = get.to_ttlv().unwrap();
    let got = Element::from_ttlv(&exchange(&mut stream, JSON, &get).await).unwrap();
    assert_eq!(all(&got, "ContactInformation"), ["a\u{1}b"]);
    let refused = Element::from_ttlv(&exchange(&mut stream, XML, &get).await).unwrap();
    assert_eq!(all(&refused, "ResultReason"), ["FeatureNotSupported"]);
    let message = all(&refused, "ResultMessage");
    assert!(message[0].contains("ContactInformation: its text has a character"), "{message:?}");
}

/// Names of media types have no case, and a character set may be said if it is UTF-8.
#[tokio::test]
async fn a_content_type_may_be_spelt_in_other_ways() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    for (spelling, encoding) in [
        ("Text/XML", XML),
        ("text/xml; charset=utf-8", XML),
        ("application/json;charset=\"UTF-8\"", JSON),
        ("APPLICATION/OCTET-STREAM", BINARY),
    ] {
        let body = (encoding.encode)(&query("1.4", 2048));
        let answer = ask(&mut stream, &post(spelling, &body)).await;
        assert_eq!(answer.status, 200, "{spelling}");
        assert_eq!(answer.header("Content-Type"), Some(encoding.name), "{spelling}");
    }
}
