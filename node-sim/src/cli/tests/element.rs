//! Conversations with the cluster as clients have them, over TLS, byte for byte.
//!
//! Each file of `element/` is one conversation with a new cluster of two nodes:
//!
//! ```text
//! # comment
//! at /json-rpc/7.0             where the following requests go; /json-rpc/12.3 at first
//! as NAME:PASSWORD | nobody    with which credentials; admin:secret at first
//! header NAME: VALUE           for the next request
//! status CODE                  what the next answer has; 200 if nothing is said
//! has NAME: VALUE              a header of the next answer
//! key-server off N KIND REASON key server N answers only that: connection, authentication, server
//! key-server on N              key server N answers again
//! sign DAYS                    a CA certifies what is in {{csr}}, into {{client}}
//! > BODY                       sends a POST; several lines are one body
//! >> VERB PATH                 sends any other request
//! ~> BODY                      sends a POST again and again, until the answer is the expected one
//! < TEXT                       the whole answer; several lines are one
//! ```
//!
//! In the texts `{{uuid NAME}}`, `{{date NAME}}`, `{{micros NAME}}`, `{{int NAME}}` and
//! `{{text NAME}}` stand for any of that kind (a text ends before the next quote), and `{{NAME}}`
//! for what was found under that name before; `_` is a name that is not kept. `{{ca}}` is the CA's
//! certificate, `{{stranger}}` one of it for somebody else.

use super::harness::{Answer, PATIENCE, Request, Running, start};
use crate::key_server::KeyServerError;
use crate::key_server::in_memory::InMemoryKeyServers;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two askings of the same question. The answer, not the time, ends the asking.
const PAUSE: Duration = Duration::from_millis(2);

/// A conversation under way.
struct Conversation<'a> {
    running: &'a Running,
    key_servers: &'a InMemoryKeyServers,
    authority: certs::Authority,
    variables: BTreeMap<String, String>,
    path: String,
    credentials: Option<String>,
    headers: Vec<String>,
    status: u16,
    has: Vec<String>,
}

/// What is to be sent.
enum Outgoing {
    Nothing,
    Once(String, String, String),
    Until(String),
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_goes_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/tests/element");
    let mut scripts: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    let conversations =
        scripts.into_iter().map(|script| tokio::spawn(async move { converse(&script).await }));
    let mut wrong = Vec::new();
    for conversation in conversations.collect::<Vec<_>>() {
        wrong.extend(conversation.await.unwrap().err());
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

async fn converse(script: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let key_servers = Arc::new(InMemoryKeyServers::new());
    let running = start(folder.path(), Arc::clone(&key_servers), "").await;
    let authority = certs::Authority::new("CA of the conversation").unwrap();
    let ca = json_text(authority.cert_pem().trim_end());
    let stranger = json_text(authority.client("stranger").unwrap().cert_pem.trim_end());
    let mut conversation = Conversation {
        running: &running,
        key_servers: &key_servers,
        authority,
        variables: BTreeMap::from([("ca".to_owned(), ca), ("stranger".to_owned(), stranger)]),
        path: "/json-rpc/12.3".to_owned(),
        credentials: Some("admin:secret".to_owned()),
        headers: Vec::new(),
        status: 200,
        has: Vec::new(),
    };
    let outcome = conversation.follow(&std::fs::read_to_string(script).unwrap()).await;
    running.stop().await;
    outcome.map_err(|reason| format!("{}:{reason}", script.display()))
}

impl Conversation<'_> {
    async fn follow(&mut self, script: &str) -> Result<(), String> {
        let (mut outgoing, mut expected) = (Outgoing::Nothing, None::<String>);
        let lines = script.lines().enumerate().map(|(at, line)| (at + 1, line));
        for (at, line) in lines.chain([(0, "")]) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word != "<" && expected.is_some() {
                let expected = expected.take().unwrap_or_default();
                self.ask(std::mem::replace(&mut outgoing, Outgoing::Nothing), &expected)
                    .await
                    .map_err(|reason| format!("{at}: above this line: {reason}"))?;
            }
            match word {
                "<" => expected.get_or_insert_default().push_str(rest),
                ">" => match &mut outgoing {
                    Outgoing::Once(_, _, body) => body.push_str(&format!("\n{rest}")),
                    Outgoing::Nothing | Outgoing::Until(_) => {
                        outgoing = Outgoing::Once("POST".into(), self.path.clone(), rest.into());
                    }
                },
                "~>" => outgoing = Outgoing::Until(rest.into()),
                ">>" => {
                    let (verb, path) = rest.split_once(' ').unwrap();
                    outgoing = Outgoing::Once(verb.into(), path.into(), String::new());
                }
                _ => self.set(word, rest).map_err(|reason| format!("{at}: {reason}"))?,
            }
        }
        Ok(())
    }

    fn set(&mut self, word: &str, rest: &str) -> Result<(), String> {
        match word {
            "" | "#" => {}
            "at" => self.path = rest.into(),
            "as" => self.credentials = (rest != "nobody").then(|| rest.into()),
            "header" => self.headers.push(rest.into()),
            "status" => self.status = rest.parse().map_err(|_| "a status is a number")?,
            "has" => self.has.push(rest.into()),
            "key-server" => self.switch(rest)?,
            "sign" => {
                let csr = self.variables.get("csr").ok_or("nothing to sign")?;
                let csr: String = serde_json::from_str(&format!("\"{csr}\"")).unwrap();
                let days = rest.parse().map_err(|_| "sign DAYS")?;
                let key = self.authority.key_pem();
                let client = certs::Authority::from_pem(self.authority.cert_pem(), &key)
                    .and_then(|authority| authority.with_validity(days)?.sign(&csr))
                    .map_err(|error| error.to_string())?;
                self.variables.insert("client".into(), json_text(client.trim_end()));
            }
            other => return Err(format!("{other} is not known")),
        }
        Ok(())
    }

    fn switch(&self, rest: &str) -> Result<(), String> {
        let words: Vec<_> = rest.splitn(4, ' ').collect();
        let number = |text: &str| text.parse::<u64>().map_err(|_| "a key server is a number");
        match words[..] {
            ["on", server] => self.key_servers.switch_on(number(server)?),
            ["off", server, kind, reason] => {
                let error = match kind {
                    "connection" => KeyServerError::connection(reason),
                    "authentication" => KeyServerError::authentication(reason),
                    "server" => KeyServerError::server(reason),
                    other => return Err(format!("{other} is no sub-kind")),
                };
                self.key_servers.switch_off(number(server)?, error);
            }
            _ => return Err("key-server on N, or key-server off N KIND REASON".into()),
        }
        Ok(())
    }

    async fn ask(&mut self, outgoing: Outgoing, expected: &str) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let answer = match &outgoing {
                Outgoing::Nothing => return Err("an answer without a request".into()),
                Outgoing::Once(verb, path, body) => self.send(verb, path, body).await,
                Outgoing::Until(body) => self.send("POST", &self.path.clone(), body).await,
            };
            let found = self.compare(&answer, expected);
            let again = matches!(outgoing, Outgoing::Until(_)) && begun.elapsed() < PATIENCE;
            if found.is_ok() || !again {
                self.headers.clear();
                self.has.clear();
                self.status = 200;
                return found;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn send(&self, verb: &str, path: &str, body: &str) -> Answer {
        let fill = |text: &str| {
            let filled = self.variables.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{{{name}}}}}"), value)
            });
            assert!(!filled.contains("{{"), "{filled}");
            filled
        };
        let (path, body) = (fill(path), fill(body));
        let request = Request {
            address: None,
            verb,
            path: &path,
            credentials: self.credentials.as_deref(),
            headers: self.headers.iter().map(String::as_str).collect(),
            body: body.as_bytes(),
        };
        self.running.send(&request).await
    }

    fn compare(&mut self, answer: &Answer, expected: &str) -> Result<(), String> {
        if answer.status != self.status {
            let Answer { head, .. } = answer;
            return Err(format!("status {}, not {}: {head}", answer.status, self.status));
        }
        for header in &self.has {
            let (name, value) = header.split_once(": ").ok_or("has NAME: VALUE")?;
            if answer.header(name) != Some(value) {
                return Err(format!("no header {header} in {}", answer.head));
            }
        }
        let text = answer.text();
        let found = match_text(text.trim_end(), expected, &self.variables);
        let found = found.map_err(|(left, wanted)| {
            format!("\nwanted {wanted}\nfound  {left}\nin     {text}\n")
        })?;
        self.variables.extend(found);
        Ok(())
    }
}

/// The text as it stands between the quotes of a JSON string.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string().trim_matches('"').to_owned()
}

/// Compares piece by piece. What does not match is answered with what was wanted there.
fn match_text(
    text: &str,
    expected: &str,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, (String, String)> {
    let (mut text, mut expected) = (text, expected);
    let mut found = BTreeMap::new();
    loop {
        let (literal, rest) = expected.split_once("{{").unwrap_or((expected, ""));
        let wrong = |text: &str, wanted: &str| (text.to_owned(), wanted.to_owned());
        text = text.strip_prefix(literal).ok_or_else(|| {
            let same = text.bytes().zip(literal.bytes()).take_while(|(a, b)| a == b).count();
            let same = (0..=same).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            wrong(&text[same..], literal.get(same..).unwrap_or(literal))
        })?;
        if literal.len() == expected.len() {
            return text.is_empty().then_some(found).ok_or_else(|| wrong(text, "the end"));
        }
        let (slot, rest) = rest.split_once("}}").expect("{{ has its }}");
        let value = match slot.split_once(' ') {
            None => known.get(slot).or_else(|| found.get(slot)).expect(slot).clone(),
            Some((kind, _)) => of_kind(kind, text).ok_or_else(|| wrong(text, slot))?,
        };
        text = text.strip_prefix(&value).ok_or_else(|| wrong(text, &value))?;
        if let Some((_, name)) = slot.split_once(' ').filter(|(_, name)| *name != "_") {
            found.insert(name.to_owned(), value);
        }
        expected = rest;
    }
}

/// The beginning of the text, if it is of this kind.
fn of_kind(kind: &str, text: &str) -> Option<String> {
    let shape = match kind {
        "uuid" => "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        "date" => "dddd-dd-ddTdd:dd:ddZ",
        "micros" => "dddd-dd-ddTdd:dd:dd.ddddddZ",
        "int" => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            return (digits > 0).then(|| text[..digits].to_owned());
        }
        "text" => return text.split_once('"').map(|(found, _)| found.to_owned()),
        other => panic!("{other} is no kind"),
    };
    let found = text.get(..shape.len())?;
    let fits = found.chars().zip(shape.chars()).all(|(c, shape)| match shape {
        'x' => c.is_ascii_hexdigit() && !c.is_ascii_uppercase(),
        'd' => c.is_ascii_digit(),
        literal => c == literal,
    });
    fits.then(|| found.to_owned())
}

#[test]
fn a_difference_is_found_and_shown() {
    let known = BTreeMap::from([("n".to_owned(), "7".to_owned())]);
    let same = match_text(
        r#"{"a":12,"b":"x","c":7}"#,
        r#"{"a":{{int a}},"b":"{{text _}}","c":{{n}}}"#,
        &known,
    );
    assert_eq!(same, Ok(BTreeMap::from([("a".to_owned(), "12".to_owned())])));
    let table = [
        (r#"{"a":1}"#, r#"{"a":2}"#, "1}", "2}"),
        (r#"{"a":1} "#, r#"{"a":1}"#, " ", "the end"),
        (r#"{"a":x}"#, r#"{"a":{{int _}}}"#, "x}", "int _"),
        (r#"{"a":8}"#, r#"{"a":{{n}}}"#, "8}", "7"),
    ];
    for (text, expected, left, wanted) in table {
        let found = match_text(text, expected, &known);
        assert_eq!(found, Err((left.to_owned(), wanted.to_owned())), "{text}");
    }
}
