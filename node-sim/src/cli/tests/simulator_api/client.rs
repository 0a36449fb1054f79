//! A client that holds every answer against the description.

use super::description::{Description, Operation};
use crate::cli::tests::harness::{Answer, PATIENCE, Request, Running, parse};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Between two askings of the same question. The answer, not the time, ends the asking.
const PAUSE: Duration = Duration::from_millis(2);

/// The description, and the statuses that were answered.
pub(super) struct Coverage {
    pub(super) description: Description,
    pub(super) answered: BTreeSet<(Operation, u16)>,
}

/// A client of one cluster.
pub(super) struct Client<'a> {
    pub(super) running: &'a Running,
    pub(super) coverage: &'a mut Coverage,
}

/// A request of the description: `GET /sim/v1/nodes/{nodeID}/stop`, and what stands for the braces.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) operation: &'a str,
    pub(super) parameters: &'a [&'a str],
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

/// An operation, with parameters of its path.
pub(super) fn ask<'a>(operation: &'a str, parameters: &'a [&'a str]) -> Ask<'a> {
    Ask { operation, parameters, query: "", body: b"" }
}

impl<'a> Ask<'a> {
    pub(super) fn query(self, query: &'a str) -> Self {
        Self { query, ..self }
    }

    pub(super) fn body(self, body: &'a [u8]) -> Self {
        Self { body, ..self }
    }

    fn method_and_template(&self) -> (&'a str, &'a str) {
        self.operation.split_once(' ').unwrap()
    }

    fn path(&self) -> String {
        let (_, template) = self.method_and_template();
        let mut values = self.parameters.iter();
        let filled = template.split('/').map(|part| match part.strip_prefix('{') {
            Some(_) => *values.next().expect("a value for each parameter"),
            None => part,
        });
        filled.collect::<Vec<_>>().join("/") + self.query
    }
}

impl Client<'_> {
    /// Sends the request and requires this status; the answer, if it is JSON.
    pub(super) async fn expect(&mut self, status: u16, ask: Ask<'_>) -> Value {
        let answer = self.send(ask, Some("admin:secret")).await;
        assert_eq!(answer.status, status, "{}: {}", ask.operation, answer.text());
        self.check(ask, &answer)
    }

    /// Sends the request again and again, until its answer is what is waited for.
    pub(super) async fn until(
        &mut self,
        ask: Ask<'_>,
        holds: impl Fn(u16, &Value) -> bool,
    ) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.send(ask, Some("admin:secret")).await;
            let value = self.check(ask, &answer);
            if holds(answer.status, &value) {
                return value;
            }
            assert!(begun.elapsed() < PATIENCE, "{}: {} {value}", ask.operation, answer.status);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends the request with these credentials, and checks nothing.
    pub(super) async fn send(&self, ask: Ask<'_>, credentials: Option<&str>) -> Answer {
        let (verb, _) = ask.method_and_template();
        let (path, headers) = (ask.path(), Vec::new());
        let request =
            Request { address: None, verb, path: &path, credentials, headers, body: ask.body };
        self.running.send(&request).await
    }

    /// Sends only the head of the request, which says that a body of this length follows.
    pub(super) async fn expect_without_body(&mut self, status: u16, ask: Ask<'_>, len: usize) {
        let (verb, _) = ask.method_and_template();
        let head = format!(
            "{verb} {} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n\
             Content-Length: {len}\r\nConnection: close\r\n\r\n",
            ask.path()
        );
        let mut stream = self.running.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes));
        let _ = read.await.expect("the listener ends the connection");
        let answer = parse(&bytes);
        assert_eq!(answer.status, status, "{}: {}", ask.operation, answer.text());
        self.check(ask, &answer);
    }

    /// Holds an answer against the description, and notes its status.
    pub(super) fn check(&mut self, ask: Ask<'_>, answer: &Answer) -> Value {
        let (method, template) = ask.method_and_template();
        let operation = (method.to_owned(), template.to_owned());
        let description = &self.coverage.description;
        let operations = description.operations();
        let said = operations.get(&operation).unwrap_or_else(|| panic!("{}", ask.operation));
        check_parameters(description, said, ask, answer.status);
        check_request(description, said, ask, answer.status);

        let at = format!("{} {}", ask.operation, answer.status);
        let response = said["responses"].get(answer.status.to_string());
        let response = response.unwrap_or_else(|| panic!("{at} is not described"));
        let response = description.resolve(response);
        for header in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys())
        {
            assert!(answer.header(header).is_some(), "{at}: {header} is missing");
        }
        let kind = answer.header("Content-Type").expect("a type of content");
        let kind = kind.split(';').next().unwrap_or_default();
        let content = response["content"].get(kind);
        let content = content.unwrap_or_else(|| panic!("{at}: {kind} is not described"));
        let value = match kind {
            "application/json" => serde_json::from_slice(&answer.body).unwrap(),
            "text/plain" => Value::from(answer.text()),
            _ => Value::Null,
        };
        if let Some(schema) = content.get("schema") {
            let valid = description.validate(schema, &value, "$");
            assert!(valid.is_ok(), "{at}: {valid:?}\n{value}");
        } else {
            assert!(!answer.body.is_empty(), "{at}");
        }
        self.coverage.answered.insert((operation, answer.status));
        value
    }
}

/// A parameter that the description allows is never the reason of a 400, and the reverse.
fn check_parameters(description: &Description, said: &Value, ask: Ask<'_>, status: u16) {
    let (_, template) = ask.method_and_template();
    let names = template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let query = ask.query.trim_start_matches('?').split('&').filter_map(|p| p.split_once('='));
    let given = names.map(|name| ("path", name)).zip(ask.parameters.iter().copied());
    let query = query.map(|(name, value)| (("query", name), value));
    let parameters = said["parameters"].as_array().cloned().unwrap_or_default();
    let parameters: Vec<_> = parameters.iter().map(|one| description.resolve(one)).collect();
    for ((place, name), text) in given.chain(query) {
        let found = parameters.iter().find(|one| one["in"] == place && one["name"] == name);
        let value = text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from);
        let valid =
            found.is_some_and(|one| description.validate(&one["schema"], &value, "").is_ok());
        let refused = status == 400 || status == 404 || status == 401;
        assert!(valid || refused, "{place} {name}={text} is answered {status}");
    }
    let described = parameters.iter().filter(|one| one["in"] == "path").count();
    assert_eq!(described, ask.parameters.len(), "{}", ask.operation);
}

/// A JSON body is taken if and only if the description allows it.
fn check_request(description: &Description, said: &Value, ask: Ask<'_>, status: u16) {
    let body = &said["requestBody"];
    assert!(body["content"].is_object() || ask.body.is_empty(), "{}: a body", ask.operation);
    let schema = &body["content"]["application/json"]["schema"];
    if schema.is_null() || !(status == 200 || status == 400) {
        return;
    }
    let value = serde_json::from_slice(ask.body).map_err(|error| error.to_string());
    let valid = value.and_then(|value| description.validate(schema, &value, "$"));
    assert_eq!(valid.is_ok(), status == 200, "{}: {valid:?}", String::from_utf8_lossy(ask.body));
}
