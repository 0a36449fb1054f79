//! What each operation changes, one row an operation.

use certs::Authority;
use kmip::Version;
use kmip::attributes::{AttributeValue as A, Attributes};
use kmip::codec::{DateTime, Interval};
use kmip::payload::*;
use kmip::structures::UsageLimits;
use kmip::vocabulary::*;

use super::{Case, Seen, certificates, pending, streams};
use crate::channel::{Answer, Channel};
use crate::comparison::message;
use crate::requests::*;
use crate::session::Session;

/// The cases of an operation; none if it changes nothing.
pub(super) fn of(
    session: &mut Session<'_>,
    operation: Operation,
    authority: &Authority,
) -> Vec<Case> {
    match operation {
        Operation::Decrypt
        | Operation::Encrypt
        | Operation::Hash
        | Operation::MAC
        | Operation::MACVerify
        | Operation::Sign
        | Operation::SignatureVerify => {
            let mut cases = streams::of(session, operation);
            cases.extend(used(session, operation));
            cases
        }
        Operation::Cancel | Operation::Poll | Operation::Process => pending::of(session, operation),
        Operation::PKCS_11 => pending::of_module(session),
        Operation::Certify | Operation::ReCertify | Operation::ReProvision => {
            certificates::of(session, operation, authority)
        }
        Operation::DelegatedLogin | Operation::Login | Operation::Logout => {
            tickets(session, operation)
        }
        Operation::SetConstraints | Operation::SetDefaults | Operation::Interop => {
            settings(session, operation)
        }
        Operation::Log => log(),
        Operation::SetEndpointRole => role(),
        _ => made(session, operation),
    }
}

/// A key for every use, not active.
fn key(session: &mut Session<'_>, more: impl IntoIterator<Item = A>) -> String {
    session.done(create(more)).unique_identifier
}

/// Operations that make objects.
fn made(session: &mut Session<'_>, operation: Operation) -> Vec<Case> {
    match operation {
        Operation::Create => {
            let mut cases = Case::state(create([name("new")]));
            cases.push(pending::later(create([name("later")])));
            cases
        }
        Operation::CreateKeyPair => Case::state(create_key_pair([])),
        Operation::CreateSplitKey => {
            Case::state(split(None, SplitKeyMethod::PolynomialSharingGF2_8))
        }
        Operation::DeriveKey => {
            let base = key(session, [active()]);
            Case::state(derive(&base, DerivationMethod::HMAC, []))
        }
        Operation::Import => Case::state(import("imported", opaque(b"new"), None)),
        Operation::JoinSplitKey => {
            let method = SplitKeyMethod::PolynomialSharingGF2_8;
            let parts = session.done(split(None, method)).unique_identifiers;
            Case::state(join(&parts))
        }
        Operation::ReKey => {
            let old = key(session, [active(), name("replaced")]);
            Case::state(re_key(&old))
        }
        Operation::ReKeyKeyPair => {
            let pair = session.done(create_key_pair([active()]));
            Case::state(re_key_key_pair(&pair.private_key_unique_identifier))
        }
        Operation::Register => Case::state(register(secret(b"new"), [name("new")])),
        _ => changed(session, operation),
    }
}

/// Operations that change one object.
fn changed(session: &mut Session<'_>, operation: Operation) -> Vec<Case> {
    let contact = || A::ContactInformation("before".to_owned());
    let id_of = key(session, [contact(), A::ObjectGroup("g".to_owned())]);
    let object = Some(id_of.as_str());
    let unique_identifier = id(&id_of);
    match operation {
        Operation::Activate => Case::state(activate(object)),
        Operation::AddAttribute => Case::state(add(object, name("added"))),
        Operation::AdjustAttribute => {
            let value = Some(AdjustmentValue::Interval(Interval(5)));
            let increment = AdjustmentType::Increment;
            Case::state(adjust(&id_of, "Protection Period", increment, value))
        }
        Operation::Archive => Case::state(ArchiveRequest { unique_identifier }),
        Operation::DeleteAttribute => {
            let current_attribute = Some(A::ObjectGroup("g".to_owned()).into());
            let request = DeleteAttributeRequest {
                current_attribute,
                attribute: None,
                ..delete(&id_of, "Object Group")
            };
            Case::state(request)
        }
        Operation::Destroy => Case::state(destroy(object)),
        // The first time that a key is given out, it is fresh no more.
        Operation::Get => Case::state(get(object)),
        Operation::GetUsageAllocation => {
            let limited = key(session, [active(), limits()]);
            let unique_identifier = id(&limited);
            Case::state(GetUsageAllocationRequest { unique_identifier, usage_limits_count: 3 })
        }
        Operation::ModifyAttribute => {
            Case::state(modify(&id_of, A::ContactInformation("after".to_owned())))
        }
        Operation::Recover => {
            session.done(ArchiveRequest { unique_identifier: unique_identifier.clone() });
            Case::state(RecoverRequest { unique_identifier })
        }
        Operation::Revoke => {
            let compromised = RevokeRequest {
                compromise_occurrence_date: Some(DateTime(1_000_000_000)),
                ..revoke(&id_of, RevocationReasonCode::KeyCompromise)
            };
            Case::state(compromised)
        }
        Operation::SetAttribute => {
            Case::state(set(&id_of, A::ContactInformation("after".to_owned())))
        }
        _ => Vec::new(),
    }
}

fn limits() -> A {
    A::UsageLimits(UsageLimits { total: 100, count: None, unit: UsageLimitsUnit::Object })
}

/// Uses of a key that are counted.
fn used(session: &mut Session<'_>, operation: Operation) -> Vec<Case> {
    let aes = register(
        symmetric_key(CryptographicAlgorithm::AES, AES_KEY),
        [A::CryptographicUsageMask(ALL_USES), active(), limits()],
    );
    let hmac = register(
        symmetric_key(CryptographicAlgorithm::HMAC_SHA256, &[0x0B; 32]),
        [A::CryptographicUsageMask(ALL_USES), active(), limits()],
    );
    match operation {
        Operation::Encrypt => {
            let key = session.done(aes).unique_identifier;
            Case::state(streams::encrypt(&key, &[0; 16]))
        }
        Operation::MAC => {
            let key = session.done(hmac).unique_identifier;
            Case::state(streams::mac(&key, b"text"))
        }
        Operation::Sign => {
            let (private, _) = ec_pair();
            let values = [A::CryptographicUsageMask(ALL_USES), active(), limits()];
            let key = session.done(register(private, values)).unique_identifier;
            Case::state(streams::sign(&key, b"text"))
        }
        _ => Vec::new(),
    }
}

/// The most tickets of one client.
const TICKETS_MAX: usize = 64;

/// Login and Delegated Login, seen in that the client may have no further ticket; and Logout, seen
/// in that its ticket is good no more.
fn tickets(session: &mut Session<'_>, operation: Operation) -> Vec<Case> {
    if operation == Operation::Logout {
        let ticket = session.done(LoginRequest::default()).ticket;
        let shown = ticket.clone();
        let is_good = move |session: &mut Session<'_>| {
            let undone = vec![LogoutRequest { ticket: shown.clone() }.into()];
            undone_items(session, undone)
        };
        let items = vec![LogoutRequest { ticket }.into()];
        return vec![Case::new(items, Seen::Reading(Box::new(is_good)))];
    }
    let login = match operation {
        Operation::Login => RequestPayload::from(LoginRequest::default()),
        _ => {
            let right = Right {
                operations: Some(kmip::structures::Operations { operations: vec![Operation::Get] }),
                ..Right::default()
            };
            let request = DelegatedLoginRequest {
                lease_time: None,
                request_count: None,
                usage_limits: None,
                rights: Rights { rights: vec![right] },
            };
            request.into()
        }
    };
    let further =
        |session: &mut Session<'_>| undone_items(session, vec![LoginRequest::default().into()]);
    vec![Case::new(vec![login; TICKETS_MAX], Seen::Reading(Box::new(further)))]
}

/// What becomes of items that are undone again, since an item after them fails.
fn undone_items(session: &mut Session<'_>, mut items: Vec<RequestPayload>) -> String {
    items.push(get(Some("no such object")).into());
    let mut message = message(Version::V2_1, items);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let answer = session.send(Channel::Port, &message);
    let statuses = answer.items.iter().map(|item| (item.result_status, item.result_reason));
    format!("{:?}", statuses.collect::<Vec<_>>())
}

/// Defaults and constraints of the client, and Interop, which forgets all.
fn settings(session: &mut Session<'_>, operation: Operation) -> Vec<Case> {
    let attributes = Attributes::new([A::CryptographicLength(192)]);
    match operation {
        Operation::SetDefaults => {
            let defaults = ObjectDefaults {
                object_type: Some(ObjectType::SymmetricKey),
                object_types: None,
                attributes,
                object_groups: None,
            };
            let information = DefaultsInformation { object_defaults: vec![defaults] };
            Case::state(SetDefaultsRequest { defaults_information: Some(information) })
        }
        Operation::SetConstraints => {
            let constraint = Constraint {
                object_types: Some(kmip::structures::ObjectTypes {
                    object_types: vec![ObjectType::SymmetricKey],
                }),
                object_groups: None,
                attributes: Some(attributes),
            };
            let constraints = Constraints { constraints: vec![constraint] };
            Case::state(SetConstraintsRequest { constraints })
        }
        _ => {
            key(session, []);
            let interop_function = InteropFunction::Reset;
            let reset = InteropRequest { interop_function, interop_identifier: None };
            // The objects that its batch would read are forgotten by then, so it stands last.
            let read = get_attributes(None, &["State"]);
            let found = locate([A::ObjectType(ObjectType::SymmetricKey)]);
            let items = vec![found.into(), read.into(), reset.into()];
            vec![Case::new(items, Seen::State).exclusive()]
        }
    }
}

/// A line in the log of the server.
fn log() -> Vec<Case> {
    const LINE: &str = "a line that is written once";
    let items = vec![LogRequest { log_message: LINE.to_owned() }.into()];
    let lines = |session: &mut Session<'_>| {
        // A line after it shows that all before it have come.
        let last = format!("the last line {:?}", session.server.log().len());
        session.done(LogRequest { log_message: last.clone() });
        let log = session.server.log_until(&last);
        log.matches(LINE).count().to_string()
    };
    vec![Case::new(items, Seen::Reading(Box::new(lines)))]
}

/// The roles of a connection to the TTLV port: once they are swapped, it is the server that asks.
fn role() -> Vec<Case> {
    let items = vec![SetEndpointRoleRequest { endpoint_role: EndpointRole::Client }.into()];
    let first = |session: &mut Session<'_>| {
        let ping = message(Version::V2_1, vec![PingRequest {}.into()]);
        match session.answer(&ping) {
            Answer::Message(bytes) => format!("{:?}", &bytes[..4]),
            other @ (Answer::Status(_) | Answer::Closed) => format!("{other:?}"),
        }
    };
    let case = Case::new(items, Seen::Reading(Box::new(first)));
    vec![Case { channel: Some(Channel::Port), ..case }.exclusive()]
}
