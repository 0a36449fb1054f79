//! Limits of requests and answers, on every channel: what is at a limit is done, and what is beyond
//! it is refused and has no effect.
//!
//! ```text
//! frame-len-max           counts TTLV in every encoding
//! items of a message      100
//! response-len-max        counts the answer in its own encoding
//! ```

use harness::{Lab, Program};
use kmip::Version;
use kmip::attributes::AttributeValue as A;
use kmip::message::{Asynchronous, RequestMessage, ResponseMessage};
use kmip::payload::*;
use kmip::vocabulary::*;

use crate::channel::{Answer, Channel, Encoding};
use crate::comparison::message;
use crate::requests::*;
use crate::server::{Identity, Server};
use crate::session::Session;

/// Runs a test with a client of its own on each channel of a server with this limit.
fn on_every_channel(setting: Option<(&str, usize)>, test: impl Fn(&mut Session<'_>, Channel)) {
    let lab = Lab::new();
    let mut server = Server::start(&lab, "server", |program: Program| match setting {
        Some((name, value)) => program.arg(format!("--{name}")).arg(value.to_string()),
        None => program,
    });
    let authority = lab.authority();
    for (number, channel) in Channel::ALL.into_iter().enumerate() {
        let client = Identity::issued(&authority, &format!("client-{number}"));
        test(&mut Session { server: &mut server, client }, channel);
    }
}

/// The one reason of all items.
fn reason(answer: &ResponseMessage) -> Option<ResultReason> {
    let first = answer.items[0].result_reason;
    assert!(answer.items.iter().all(|item| item.result_reason == first), "{answer:?}");
    first
}

/// A Register whose message has this length in TTLV.
fn register_of(len: usize) -> RequestMessage {
    let of =
        |bytes: usize| message(Version::V2_1, vec![register(opaque(&vec![7; bytes]), []).into()]);
    let message = of(len - of(0).encode().len());
    assert_eq!(message.encode().len(), len);
    message
}

#[test]
fn request_has_the_same_greatest_length_on_every_channel() {
    const MAX: usize = 8192;
    on_every_channel(Some(("frame-len-max", MAX)), |session, channel| {
        let answer = session.send(channel, &register_of(MAX));
        assert_eq!(reason(&answer), None, "{channel:?}");
        let before = session.state();
        let body = channel.encoding().encode(&register_of(MAX + 8).encode());
        match (session.send_bytes(channel, &body), channel) {
            // HTTP has a status for it, and the body is not read.
            (Answer::Status(413), Channel::Https(Encoding::Ttlv)) => {}
            (Answer::Message(body), _) => {
                let ttlv = channel.encoding().decode(&body);
                let answer = ResponseMessage::decode(&ttlv).unwrap();
                assert_eq!(reason(&answer), Some(ResultReason::InvalidMessage), "{channel:?}");
                let text = answer.items[0].result_message.as_deref().unwrap();
                assert!(text.contains("is too long: at most 8192 "), "{channel:?}: {text}");
            }
            (other, _) => panic!("{channel:?}: {other:?}"),
        }
        // The TTLV port closes after it, since what follows is not read.
        let client = session.client.clone();
        session.server.disconnect(&client);
        assert_eq!(session.state(), before, "{channel:?}");
        // Text has as much room again as the longest message needs, and that has an end too.
        if channel.encoding() != Encoding::Ttlv {
            let mut body = channel.encoding().encode(&register_of(MAX).encode());
            body.resize(MAX * 16, b' ');
            assert!(matches!(session.send_bytes(channel, &body), Answer::Message(_)));
            let before = session.state();
            body.push(b' ');
            assert_eq!(session.send_bytes(channel, &body), Answer::Status(413), "{channel:?}");
            assert_eq!(session.state(), before, "{channel:?}");
        }
    });
}

#[test]
fn message_has_as_many_items_on_every_channel() {
    const MAX: usize = 100;
    on_every_channel(None, |session, channel| {
        let mut items = |count| {
            let item = |_| register(opaque(b"x"), []).into();
            let items = message(Version::V2_1, (0..count).map(item).collect());
            let answer = session.send(channel, &items);
            (reason(&answer), answer.items.len(), session.done(locate([])).unique_identifiers.len())
        };
        let refused = Some(ResultReason::ServerLimitExceeded);
        assert_eq!(items(MAX + 1), (refused, 1, 0), "{channel:?}");
        assert_eq!(items(MAX), (None, MAX, MAX), "{channel:?}");
    });
}

/// The shortest `response-len-max` that a server takes.
const RESPONSE_LEN_MAX: usize = 1 << 16;

/// Registers so many bytes; returns the object.
fn registered(session: &mut Session<'_>, len: usize) -> String {
    session.done(register(opaque(&vec![7; len]), [])).unique_identifier
}

/// Whether an object has not been given out yet.
fn is_fresh(session: &mut Session<'_>, id: &str) -> bool {
    let found = session.done(get_attributes(Some(id), &["Fresh"])).attributes.0;
    matches!(found[..], [ref fresh] if fresh.value == A::Fresh(true))
}

#[test]
fn answer_has_the_same_greatest_length_on_every_channel() {
    on_every_channel(Some(("response-len-max", RESPONSE_LEN_MAX)), |session, channel| {
        let mut given = |len| {
            let id = registered(session, len);
            let get = message(Version::V2_1, vec![get(Some(&id)).into()]);
            let body = channel.encoding().encode(&get.encode());
            let Answer::Message(body) = session.send_bytes(channel, &body) else {
                panic!("{channel:?}: no answer")
            };
            let answer = ResponseMessage::decode(&channel.encoding().decode(&body)).unwrap();
            (body.len(), reason(&answer), is_fresh(session, &id))
        };
        let (beside, ..) = given(0);
        // Two digits are a byte, and eight bytes are what a value is filled up to.
        let (per_byte, step) = if channel.encoding() == Encoding::Ttlv { (1, 8) } else { (2, 1) };
        let most = (RESPONSE_LEN_MAX - beside) / per_byte / step * step;
        let (len, reason, is_fresh) = given(most);
        assert!((RESPONSE_LEN_MAX - 7..=RESPONSE_LEN_MAX).contains(&len), "{channel:?}: {len}");
        assert_eq!((reason, is_fresh), (None, false), "{channel:?}");
        let (_, reason, is_fresh) = given(most + 1);
        let refused = Some(ResultReason::ResponseTooLarge);
        assert_eq!((reason, is_fresh), (refused, true), "{channel:?}");
    });
}

/// Of three items whose answers are too long together, the last one is refused in TTLV; in text
/// two are too long already, and so all are.
#[test]
fn batch_whose_answers_are_too_long_together_is_done_as_far_as_it_is_answered() {
    on_every_channel(Some(("response-len-max", RESPONSE_LEN_MAX)), |session, channel| {
        for undo in [false, true] {
            let ids: Vec<String> = (0..3).map(|_| registered(session, 30_000)).collect();
            let items = ids.iter().map(|id| get(Some(id)).into()).collect();
            let mut message = message(Version::V2_1, items);
            message.header.batch_error_continuation_option =
                undo.then_some(BatchErrorContinuationOption::Undo);
            let answer = session.send(channel, &message);
            let is_given: Vec<bool> = ids.iter().map(|id| !is_fresh(session, id)).collect();
            let is_answered = answer.items.iter().map(|item| item.payload.is_some());
            let expected = match channel.encoding() {
                Encoding::Ttlv if !undo => [true, true, false],
                Encoding::Ttlv | Encoding::Xml | Encoding::Json => [false; 3],
            };
            assert_eq!(is_given, expected, "{channel:?}, undo {undo}");
            assert_eq!(is_answered.collect::<Vec<_>>(), expected, "{channel:?}, undo {undo}");
            let reason = answer.items[2].result_reason;
            assert_eq!(reason, Some(ResultReason::ResponseTooLarge), "{channel:?}, undo {undo}");
        }
    });
}

/// Sends a message that is answered later; returns the correlation value of its first item.
fn submitted(session: &mut Session<'_>, channel: Channel, item: RequestPayload) -> Vec<u8> {
    let mut message = message(Version::V2_1, vec![item]);
    message.header.asynchronous_indicator = Some(Asynchronous(AsynchronousIndicator::Mandatory));
    let value = session.send(channel, &message).items.remove(0).asynchronous_correlation_value;
    let asynchronous_correlation_value = value.expect("a value to poll for");
    let process = ProcessRequest { asynchronous_correlation_value };
    session.done(process.clone());
    process.asynchronous_correlation_value
}

/// A result that no Poll could give is not kept, and its request not done.
#[test]
fn result_that_no_poll_could_give_is_not_that_of_a_request_that_was_done() {
    on_every_channel(Some(("response-len-max", RESPONSE_LEN_MAX)), |session, channel| {
        for (len, expected) in
            [(100, None), (RESPONSE_LEN_MAX, Some(ResultReason::ResponseTooLarge))]
        {
            let id = registered(session, len);
            let value = submitted(session, channel, get(Some(&id)).into());
            let poll = PollRequest { asynchronous_correlation_value: value };
            let answer = session.send(channel, &message(Version::V2_1, vec![poll.into()]));
            assert_eq!(answer.items[0].operation, Some(Operation::Get), "{channel:?}");
            assert_eq!(reason(&answer), expected, "{channel:?}");
            assert_eq!(is_fresh(session, &id), expected.is_some(), "{channel:?}");
        }
    });
}

/// A result that one encoding cannot spell waits until it is polled in another.
#[test]
fn result_that_xml_cannot_spell_waits_to_be_polled_in_another_encoding() {
    on_every_channel(None, |session, channel| {
        let contact = A::ContactInformation("a\u{1}b\u{FFFF}".to_owned());
        let id = session.done(register(opaque(b"x"), [contact])).unique_identifier;
        let value = submitted(session, channel, get_attributes(Some(&id), &[]).into());
        let poll = PollRequest { asynchronous_correlation_value: value };
        let poll = message(Version::V2_1, vec![poll.into()]);
        let all = [channel, Channel::Https(Encoding::Xml), Channel::Https(Encoding::Json)];
        for channel in all.into_iter().chain([Channel::Port]) {
            let expected = (channel == Channel::Https(Encoding::Xml))
                .then_some(ResultReason::FeatureNotSupported);
            assert_eq!(reason(&session.send(channel, &poll)), expected, "{channel:?}");
        }
    });
}
