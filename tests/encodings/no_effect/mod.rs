//! A batch whose answer cannot be written has no effect: for every operation that changes
//! something, on every channel, and for each reason why an answer cannot be written.
//!
//! ```text
//! Maximum Response Size     counts TTLV            refused on every channel
//! response-len-max          counts the text        refused in XML and JSON, done in TTLV
//! a character               that XML cannot have   refused in XML, done in TTLV and JSON
//! ```
//!
//! After each refusal, what the operation changes is as it was. Then the same items are sent again
//! without the reason, and succeed, and have changed it.

mod cases;
mod certificates;
mod pending;
mod streams;

use harness::{Lab, SoftHsm};
use kmip::Version;
use kmip::attributes::AttributeValue as A;
use kmip::message::{Asynchronous, RequestMessage, ResponseMessage};
use kmip::payload::{OPERATIONS, RequestPayload};
use kmip::vocabulary::{AsynchronousIndicator, Operation, ResultReason, ResultStatus};

use crate::channel::{Channel, Encoding};
use crate::comparison::message;
use crate::requests::{get, get_attributes, opaque, register};
use crate::server::{Identity, Server};
use crate::session::Session;
use crate::settings::{certifier, with_all_operations};

/// Operations that change nothing that could be seen.
const CHANGES_NOTHING: &[Operation] = &[
    Operation::Check,
    Operation::DiscoverVersions,
    Operation::Export,
    Operation::GetAttributeList,
    Operation::GetAttributes,
    Operation::GetConstraints,
    Operation::Locate,
    Operation::Notify,
    Operation::ObtainLease,
    Operation::Ping,
    Operation::Put,
    Operation::Query,
    Operation::QueryAsynchronousRequests,
    Operation::RNGRetrieve,
    // What it adds to the random bytes can be seen by nobody.
    Operation::RNGSeed,
    Operation::Validate,
];

/// The shortest `response-len-max` that a server takes.
const RESPONSE_LEN_MAX: usize = 1 << 16;

/// Something that an operation changes: the items that change it, and how the change is seen.
struct Case {
    items: Vec<RequestPayload>,
    seen: Seen,
    /// The one channel by which the items have an effect; any, if none.
    channel: Option<Channel>,
    /// Whether other items may stand beside these.
    combines: bool,
    /// Whether the message is answered later.
    is_later: bool,
}

/// Panics unless an answer is that of items that are done for the first time.
type Check = Box<dyn Fn(&mut Session<'_>, &ResponseMessage)>;

/// How a change is seen.
enum Seen {
    /// In the objects, defaults and constraints of the client.
    State,
    /// In something that is read and not changed by reading.
    Reading(Box<dyn Fn(&mut Session<'_>) -> String>),
    /// In the answer to the items: it is right only if they are done for the first time.
    Answer(Check),
}

impl Case {
    fn new(items: Vec<RequestPayload>, seen: Seen) -> Self {
        Self { items, seen, channel: None, combines: true, is_later: false }
    }

    /// Of a request that changes what the server keeps of the client.
    fn state(request: impl Into<RequestPayload>) -> Vec<Self> {
        vec![Self::new(vec![request.into()], Seen::State)]
    }

    /// Of items that no other may stand beside, or that are answered later.
    fn exclusive(self) -> Self {
        Self { combines: false, ..self }
    }

    /// The items as a message.
    fn message(&self, more: Option<RequestPayload>) -> RequestMessage {
        let items = self.items.iter().cloned().chain(more).collect();
        let mut message = message(Version::V2_1, items);
        let later = Asynchronous(AsynchronousIndicator::Mandatory);
        message.header.asynchronous_indicator = self.is_later.then_some(later);
        message
    }

    fn read(&self, session: &mut Session<'_>) -> String {
        match &self.seen {
            Seen::State => session.state(),
            Seen::Reading(read) => read(session),
            Seen::Answer(_) => String::new(),
        }
    }
}

/// Why an answer cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unwritable {
    /// Maximum Response Size is less than any answer.
    Size,
    /// Its text is longer than the server gives.
    Length,
    /// A text in it has a character that XML cannot have.
    Character,
    /// The same, of those that are no control characters.
    Noncharacter,
}

/// A reason, and the channels on which it holds.
const REASONS: &[(Unwritable, ResultReason, &[Channel])] = &[
    (Unwritable::Size, ResultReason::ResponseTooLarge, &Channel::ALL),
    (
        Unwritable::Length,
        ResultReason::ResponseTooLarge,
        &[Channel::Https(Encoding::Xml), Channel::Https(Encoding::Json)],
    ),
    (Unwritable::Character, ResultReason::FeatureNotSupported, &[Channel::Https(Encoding::Xml)]),
    (Unwritable::Noncharacter, ResultReason::FeatureNotSupported, &[Channel::Https(Encoding::Xml)]),
];

/// Objects of a client whose answers cannot be written.
struct Obstacles {
    long: String,
    control: String,
    noncharacter: String,
}

impl Obstacles {
    fn new(session: &mut Session<'_>) -> Self {
        // In TTLV it is shorter than the limit, and in hex it is not.
        let long = register(opaque(&vec![7; RESPONSE_LEN_MAX * 5 / 8]), []);
        let marked =
            |text: &str| register(opaque(b"marked"), [A::ContactInformation(text.to_owned())]);
        Self {
            long: session.done(long).unique_identifier,
            control: session.done(marked("a\u{1}b")).unique_identifier,
            noncharacter: session.done(marked("a\u{FFFE}b")).unique_identifier,
        }
    }

    /// The message of a case with this reason in it.
    fn message(&self, case: &Case, reason: Unwritable) -> RequestMessage {
        let contact = |object| get_attributes(Some(object), &["Contact Information"]).into();
        let mut message = case.message(match reason {
            Unwritable::Size => None,
            Unwritable::Length => Some(get(Some(&self.long)).into()),
            Unwritable::Character => Some(contact(&self.control)),
            Unwritable::Noncharacter => Some(contact(&self.noncharacter)),
        });
        message.header.maximum_response_size = (reason == Unwritable::Size).then_some(SIZE_MIN);
        message
    }
}

/// No answer is so short.
const SIZE_MIN: i32 = 64;

/// Sends a message that may be refused for this reason; returns whether it was. What is refused has
/// no effect, and what is not is done.
fn is_refused(
    label: &str,
    case: &Case,
    (channel, message): (Channel, &RequestMessage),
    reason: ResultReason,
    session: &mut Session<'_>,
) -> bool {
    let before = case.read(session);
    let answer = session.send(channel, message);
    if answer.items[0].result_reason != Some(reason) {
        done(label, case, &before, &answer, session);
        return false;
    }
    assert_eq!(answer.items.len(), message.items.len(), "{label}");
    for (item, asked) in answer.items.iter().zip(&message.items) {
        assert_eq!(item.result_reason, Some(reason), "{label}: {:?}", item.result_message);
        assert_eq!(item.operation, Some(asked.payload.operation()), "{label}");
        let found = (&item.payload, item.result_status);
        assert_eq!(found, (&None, ResultStatus::OperationFailed), "{label}");
    }
    assert_eq!(case.read(session), before, "{label} has an effect");
    true
}

/// Sends the message of a case with each reason for a refusal, and then without one; returns how
/// often it was refused.
fn check(
    (operation, number): (Operation, usize),
    case: &Case,
    obstacles: &Obstacles,
    session: &mut Session<'_>,
) -> usize {
    let mut refusals = 0;
    for (unwritable, reason, channels) in REASONS {
        if *unwritable != Unwritable::Size && !case.combines {
            continue;
        }
        let message = obstacles.message(case, *unwritable);
        for channel in *channels {
            let label = format!("{operation:?}, case {number}, {unwritable:?}, {channel:?}");
            let sent = (*channel, &message);
            assert!(is_refused(&label, case, sent, *reason, session), "{label} is not refused");
            refusals += 1;
        }
    }
    let channel = case.channel.unwrap_or(Channel::ALL[number % Channel::ALL.len()]);
    let label = format!("{operation:?}, case {number}, {channel:?}");
    let mut message = case.message(None);
    if !case.combines {
        // What acts at once is refused before it acts, also where its answer is only just too long.
        let too_large = ResultReason::ResponseTooLarge;
        let mut size = SIZE_MIN;
        message.header.maximum_response_size = Some(size);
        while is_refused(&label, case, (channel, &message), too_large, session) {
            size += 8;
            refusals += 1;
            message.header.maximum_response_size = Some(size);
        }
        return refusals;
    }
    let never = ResultReason::ResponseTooLarge;
    assert!(!is_refused(&label, case, (channel, &message), never, session), "{label} is refused");
    refusals
}

/// Checks that the items were done.
fn done(
    label: &str,
    case: &Case,
    before: &str,
    answer: &ResponseMessage,
    session: &mut Session<'_>,
) {
    let expected = match case.is_later {
        true => ResultStatus::OperationPending,
        false => ResultStatus::Success,
    };
    for item in &answer.items {
        assert_eq!(item.result_status, expected, "{label}: {:?}", item.result_message);
    }
    match &case.seen {
        Seen::Answer(is_right) => is_right(session, answer),
        Seen::State | Seen::Reading(_) => {
            assert_ne!(case.read(session), before, "{label} has no effect at all");
        }
    }
}

/// One row an operation; a new one fails until it is known what it changes.
#[test]
fn batch_whose_answer_cannot_be_written_has_no_effect() {
    let lab = Lab::new();
    certifier(&lab);
    let module = SoftHsm::new(&lab);
    let mut server = Server::start(&lab, "server", |program| {
        let program = with_all_operations(&lab, module.as_ref(), program);
        program.arg("--response-len-max").arg(RESPONSE_LEN_MAX.to_string())
    });
    let authority = lab.authority();
    let mut number = 0;
    let mut refusals = 0;
    // What is canceled waits for what takes long, and so do others that are answered later.
    let mut operations = OPERATIONS.to_vec();
    operations.sort_by_key(|operation| *operation == Operation::Cancel);
    for operation in operations {
        if operation == Operation::PKCS_11 && module.is_none() {
            continue;
        }
        let checked = (0..).take_while(|which| {
            let client = Identity::issued(&authority, &format!("client-{number}"));
            let mut session = Session { server: &mut server, client: client.clone() };
            // Before them, since a long message waits for what a case has the server do.
            let obstacles = Obstacles::new(&mut session);
            let cases = cases::of(&mut session, operation, &authority);
            let Some(case) = cases.into_iter().nth(*which) else { return false };
            refusals += check((operation, number), &case, &obstacles, &mut session);
            session.server.disconnect(&client);
            number += 1;
            true
        });
        let is_other = CHANGES_NOTHING.contains(&operation);
        assert_eq!(checked.count() == 0, is_other, "{operation:?} is not classified, or twice");
    }
    eprintln!("{number} cases, {refusals} refusals without an effect");
    assert!(refusals > 300, "{refusals}");
}
