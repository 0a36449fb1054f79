//! The same messages to several servers, each by a channel of its own, and their answers compared.
//!
//! ```text
//! message -+-> server 0, TTLV port  -> answer -------------------------> the answer
//!          +-> server 1, HTTPS TTLV -> answer -> in values of server 0 -> must be the same bytes
//!          +-> server 2, HTTPS XML  -> answer -> in values of server 0 -> must be the same bytes
//!          +-> server 3, HTTPS JSON -> ...
//!          +-> server 4, any of the four by chance
//! ```
//!
//! Messages are written in the values of server 0, and each server is sent its own.

use std::collections::BTreeSet;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use harness::{Lab, Program, Random};
use kmip::Version;
use kmip::encoding::{Element, Value};
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{Request, RequestPayload};
use kmip::vocabulary::{ResultReason, ResultStatus};

use crate::channel::Channel;
use crate::coverage::Coverage;
use crate::server::{Identity, Server};
use crate::values::{Counts, Pairs, Rules, identifiers};

/// Items that hold a key which the server made, or what follows from it.
pub(crate) const KEYS: &[&str] = &["KeyMaterial", "DigestValue", "D", "QString"];

/// Servers that are sent the same messages.
pub(crate) struct Comparison {
    servers: Vec<Compared>,
    client: Identity,
    /// The channel of all messages, in the place of each server's own.
    channel: Option<Channel>,
    chance: Random,
    begun: i64,
    /// Objects with keys that a server made, by their identifiers.
    made: BTreeSet<String>,
    pub(crate) counts: Counts,
    pub(crate) coverage: Coverage,
}

struct Compared {
    server: Server,
    /// None for any of them, by chance.
    channel: Option<Channel>,
    pairs: Pairs,
}

impl Comparison {
    /// Starts a server for each channel, and one for messages by any of them.
    pub(crate) fn start(lab: &Lab, seed: u64, more: impl Fn(Program) -> Program) -> Self {
        let channels = Channel::ALL.into_iter().map(Some).chain([None]);
        let servers = channels.enumerate().map(|(number, channel)| {
            let server = Server::start(lab, &format!("server-{number}"), &more);
            Compared { server, channel, pairs: Pairs::default() }
        });
        Self {
            servers: servers.collect(),
            client: Identity::of(lab, "alice"),
            channel: None,
            chance: Random::new(seed, usize::MAX),
            begun: now(),
            made: BTreeSet::new(),
            counts: Counts::default(),
            coverage: Coverage::default(),
        }
    }

    /// Sends all that follows as another client; returns the previous one.
    pub(crate) fn act_as(&mut self, client: Identity) -> Identity {
        std::mem::replace(&mut self.client, client)
    }

    /// Sends all that follows by one channel.
    pub(crate) fn send_by(&mut self, channel: Channel) {
        self.channel = Some(channel);
    }

    /// Sends all that follows by each server's own channel.
    pub(crate) fn send_by_all(&mut self) {
        self.channel = None;
    }

    /// The servers, for what cannot be the same on each channel.
    pub(crate) fn servers(&mut self) -> impl Iterator<Item = &mut Server> {
        self.servers.iter_mut().map(|compared| &mut compared.server)
    }

    /// Whether an object has a key that a server made.
    pub(crate) fn is_made(&self, id: &str) -> bool {
        self.made.contains(id)
    }

    /// Sends a message to every server; returns the one answer. `random` are the items in which a
    /// value may come that a server has drawn.
    #[track_caller]
    pub(crate) fn exchange(&mut self, frame: &[u8], random: &[&'static str]) -> Vec<u8> {
        let request = Element::from_ttlv(frame).unwrap();
        assert_eq!(request.to_ttlv().unwrap().as_slice(), frame, "no message of every encoding");
        let allowed = self.allowed(&request, random);
        let mut answers = self.answers(&request).into_iter();
        let (_, element, answer) = answers.next().expect("a first server");
        for (compared, (channel, own, bytes)) in self.servers.iter_mut().skip(1).zip(answers) {
            let rules = Rules { random: &allowed, run: (self.begun, now() + 1) };
            let aligned = compared.pairs.aligned(&element, &own, rules, &mut self.counts);
            let aligned = aligned.and_then(|it| it.to_ttlv().map_err(|why| why.to_string()));
            match aligned {
                Ok(aligned) if aligned.as_slice() == answer.as_slice() => {}
                Ok(_) => panic!("{channel:?}: the bytes differ, and no value does"),
                Err(why) => panic!(
                    "{channel:?}: {why}\nrequest: {}\nTTLV port: {}\n{channel:?}: {}",
                    kmip::redacted_text(frame),
                    kmip::redacted_text(&answer),
                    kmip::redacted_text(&bytes),
                ),
            }
        }
        if random.contains(&"KeyMaterial") {
            self.made.extend(made_objects(&element));
        }
        self.coverage.answer(&element);
        answer
    }

    /// What each server answers, at the same time as the others, and by which channel.
    fn answers(&mut self, request: &Element) -> Vec<(Channel, Element, Vec<u8>)> {
        let (all, chance) = (self.channel, &mut self.chance);
        let client = &self.client;
        thread::scope(|scope| {
            let exchanges = self.servers.iter_mut().map(|Compared { server, channel, pairs }| {
                let any = || Channel::ALL[chance.below(Channel::ALL.len())];
                let channel = all.or(*channel).unwrap_or_else(any);
                scope.spawn(move || {
                    let own = pairs.for_server(request).to_ttlv().unwrap();
                    let answer = server.exchange(client, channel, &own);
                    (channel, Element::from_ttlv(&answer).unwrap(), answer)
                })
            });
            let exchanges: Vec<_> = exchanges.collect();
            exchanges.into_iter().map(|exchange| exchange.join().unwrap()).collect()
        })
    }

    /// The items that may hold drawn values: those that are given, and those of the objects that
    /// the message names.
    fn allowed(&self, request: &Element, random: &[&'static str]) -> Vec<&'static str> {
        let mut named = Vec::new();
        texts(request, &mut named);
        let is_made = |text: &&str| identifiers(text).iter().any(|id| self.made.contains(*id));
        let of_objects = if named.iter().any(is_made) { KEYS } else { &[] };
        random.iter().chain(of_objects).copied().collect()
    }

    /// Sends a message, and returns its answer.
    #[track_caller]
    pub(crate) fn message(
        &mut self,
        request: &RequestMessage,
        random: &[&'static str],
    ) -> ResponseMessage {
        let answer = self.exchange(&request.encode(), random);
        let response = ResponseMessage::decode(&answer).unwrap();
        self.coverage.count(request, &response);
        response
    }

    /// Sends one item; returns what it is answered, or the reason why not.
    #[track_caller]
    pub(crate) fn ask<R: Request>(
        &mut self,
        version: Version,
        request: R,
        random: &[&'static str],
    ) -> Result<R::Response, ResultReason> {
        let response = self.message(&message(version, vec![request.into()]), random);
        let item = response.items.into_iter().next().expect("one item");
        match (item.result_status, item.payload) {
            (ResultStatus::Success, Some(payload)) => {
                Ok(R::Response::try_from(payload).unwrap_or_else(|other| panic!("{other:?}")))
            }
            (status, _) => {
                let why = item.result_message;
                Err(item.result_reason.unwrap_or_else(|| panic!("{status:?}: {why:?}")))
            }
        }
    }

    /// How many values of other servers were paired with those of the first.
    pub(crate) fn pairs(&self) -> usize {
        self.servers.iter().map(|compared| compared.pairs.len()).sum()
    }
}

/// A message of these items, with nothing special in its header.
pub(crate) fn message(version: Version, payloads: Vec<RequestPayload>) -> RequestMessage {
    let count = i32::try_from(payloads.len()).unwrap();
    let items = payloads.into_iter().map(RequestBatchItem::from).collect();
    RequestMessage { header: RequestHeader::new(version, count), items }
}

/// All texts of an element and of what is inside it.
pub(crate) fn texts<'a>(element: &'a Element, found: &mut Vec<&'a str>) {
    found.extend(element.text());
    element.children().iter().for_each(|child| texts(child, found));
}

/// Operations that make a key or a certificate out of random bytes, or may.
const MAKES: &[&str] = &[
    "Certify",
    "Create",
    "CreateKeyPair",
    "CreateSplitKey",
    "JoinSplitKey",
    "ReCertify",
    "ReKey",
    "ReKeyKeyPair",
];

/// The identifiers of objects that an answer says were made.
fn made_objects(answer: &Element) -> Vec<String> {
    let is_made = |item: &&Element| {
        let operation = item.child("Operation").and_then(Element::text).unwrap_or_default();
        item.name == "BatchItem" && MAKES.contains(&operation)
    };
    answer.children().iter().filter(is_made).flat_map(unique_identifiers).collect()
}

fn unique_identifiers(element: &Element) -> Vec<String> {
    match &element.value {
        Value::Structure(children) => children.iter().flat_map(unique_identifiers).collect(),
        Value::Text(_, text) if element.name.ends_with("UniqueIdentifier") => {
            vec![text.to_string()]
        }
        Value::Text(..) => Vec::new(),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
