//! Operations about the server and the client: queries, tickets, defaults, constraints, requests
//! that are answered later, and what only a server sends.

use kmip::attributes::{AttributeList, AttributeValue as A, Attributes};
use kmip::message::{Asynchronous, Authentication, Credential, RequestMessage};
use kmip::payload::*;
use kmip::structures::{ObjectGroups, ObjectTypes, Operations};
use kmip::vocabulary::*;
use kmip::{Encode as _, Identifier, Interval, SecretBytes, Version};
use ttlv::Raw;

use super::Objects;
use crate::comparison::KEYS;
use crate::requests::*;
use crate::script::Script;

pub(super) fn run(script: &mut Script<'_>, objects: &Objects) {
    queries(script);
    tickets(script, objects);
    defaults(script);
    constraints(script);
    answered_later(script, objects);
    sent_by_servers(script, objects);
    rest(script);
}

fn queries(script: &mut Script<'_>) {
    let query = |query_functions| QueryRequest { query_functions, object_groups: None };
    let all = QueryFunction::ROWS.iter().map(|row| QueryFunction(row.value)).collect();
    script.done(query(vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects]));
    let _ = script.ask(query(all));
    let _ = script.ask(query(vec![QueryFunction::QueryServerInformation; 2]));
    let _ = script.ask(query(vec![QueryFunction(0x8000_0001)]));
    let _ = script.ask(query(Vec::new()));
    let version = |minor| Version { major: 1, minor };
    for protocol_versions in [Vec::new(), vec![version(9), version(4)], vec![version(77)]] {
        let _ = script.ask(DiscoverVersionsRequest { protocol_versions });
    }
    let mut short = script.batch(vec![DiscoverVersionsRequest::default().into()]);
    short.header.maximum_response_size = Some(8);
    script.send(&short);
    let _ = script.ask(PingRequest {});
}

/// A message of one item that shows a ticket.
fn with_ticket(script: &Script<'_>, ticket: &Ticket, item: RequestPayload) -> RequestMessage {
    let version = script.version;
    let credential_value = Raw::build(|w| {
        w.structure(tags::CredentialValue, |w| ticket.encode(tags::Ticket, w, version));
    });
    let credential_type = CredentialType::Ticket;
    let credentials = vec![Credential { credential_type, credential_value }];
    let mut message = script.batch(vec![item]);
    message.header.authentication = Some(Authentication { credentials });
    message
}

/// Login, Delegated Login and Logout.
fn tickets(script: &mut Script<'_>, objects: &Objects) {
    let login = LoginRequest {
        lease_time: Some(TicketLease::For(Interval(600))),
        request_count: Some(3),
        usage_limits: None,
    };
    let ticket = script.ask_drawn(login.clone(), &["TicketValue"]).map(|answer| answer.ticket);
    script.refused(LoginRequest { request_count: Some(-3), ..login });
    let unknown =
        Ticket { ticket_type: TicketType::Login, ticket_value: SecretBytes::new(&[7; 32]) };
    let ticket = ticket.unwrap_or_else(|_| unknown.clone());
    let message = with_ticket(script, &ticket, get(Some(&objects.key)).into());
    script.send(&message);
    let message = with_ticket(script, &unknown, get(Some(&objects.key)).into());
    script.send(&message);
    for ticket in [&ticket, &ticket, &unknown] {
        let _ = script.ask(LogoutRequest { ticket: ticket.clone() });
    }
    let operations = Operations { operations: vec![Operation::Get, Operation::Locate] };
    let named =
        kmip::payload::Objects { unique_identifiers: vec![Identifier::from(objects.key.as_str())] };
    let right = Right { operations: Some(operations), objects: Some(named), ..Right::default() };
    let delegated = |rights| DelegatedLoginRequest {
        lease_time: None,
        request_count: Some(5),
        usage_limits: None,
        rights: Rights { rights },
    };
    let ticket = script.ask_drawn(delegated(vec![right]), &["TicketValue"]);
    let _ = script.ask_drawn(delegated(Vec::new()), &["TicketValue"]);
    let Ok(DelegatedLoginResponse { ticket }) = ticket else { return };
    for object in [&objects.key, &objects.made] {
        let message = with_ticket(script, &ticket, get(Some(object)).into());
        script.send(&message);
    }
    let message = with_ticket(script, &ticket, destroy(Some(&objects.key)).into());
    script.send(&message);
    let _ = script.ask(LogoutRequest { ticket });
}

fn defaults(script: &mut Script<'_>) {
    let set = |object_defaults: Vec<ObjectDefaults>| SetDefaultsRequest {
        defaults_information: Some(DefaultsInformation { object_defaults }),
    };
    let of = |object_type, values: Vec<A>| ObjectDefaults {
        object_type: Some(object_type),
        object_types: None,
        attributes: Attributes::new(values),
        object_groups: None,
    };
    let basic = vec![
        A::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        A::CryptographicLength(192),
        A::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
    ];
    let _ = script.ask(set(vec![of(ObjectType::SymmetricKey, basic)]));
    let bare = CreateRequest { attributes: Attributes::default(), ..create([]) };
    if let Ok(made) = script.ask_drawn(bare, KEYS) {
        script.done(get_attributes(Some(&made.unique_identifier), &["Cryptographic Length"]));
    }
    let _ = script.ask(set(vec![of(ObjectType::SymmetricKey, vec![A::State(State::Active)])]));
    let function = QueryFunction::QueryDefaultsInformation;
    let _ = script.ask(QueryRequest { query_functions: vec![function], object_groups: None });
    let _ = script.ask(SetDefaultsRequest::default());
}

fn constraints(script: &mut Script<'_>) {
    let set = |constraints| SetConstraintsRequest { constraints: Constraints { constraints } };
    let constraint = Constraint {
        object_types: Some(ObjectTypes { object_types: vec![ObjectType::SymmetricKey] }),
        object_groups: None,
        attributes: Some(Attributes::new([A::CryptographicLength(256)])),
    };
    let _ = script.ask(set(vec![constraint]));
    let _ = script.ask(GetConstraintsRequest {});
    let _ = script.ask_drawn(create([script.name("constrained")]), KEYS);
    let mut short = create([]);
    short.attributes.attributes[1].value = A::CryptographicLength(128);
    let _ = script.ask_drawn(short, KEYS);
    let groups = ObjectGroups { object_groups: vec!["g".to_owned()] };
    let empty = Constraint { object_types: None, object_groups: Some(groups), attributes: None };
    let _ = script.ask(set(vec![empty]));
    let _ = script.ask(set(Vec::new()));
    let _ = script.ask(GetConstraintsRequest {});
}

/// Messages that are answered later, with Poll, Process, Cancel and Query Asynchronous Requests.
fn answered_later(script: &mut Script<'_>, objects: &Objects) {
    let mut later = script.batch(vec![
        create([script.name("later")]).into(),
        get(Some(&objects.key)).into(),
        get(Some("nobody's")).into(),
    ]);
    // In 1.x the server decides, and takes its time for none of these.
    later.header.asynchronous_indicator = Some(Asynchronous(AsynchronousIndicator::Mandatory));
    let pending =
        script.comparison.message(&later, &["AsynchronousCorrelationValue", "KeyMaterial"]);
    let unknown = vec![9; 16];
    let values = pending.items.into_iter().filter_map(|item| item.asynchronous_correlation_value);
    for value in values.chain([unknown.clone()]) {
        let process = || ProcessRequest { asynchronous_correlation_value: value.clone() };
        let _ = script.ask(process());
        let _ = script.ask(process());
        let one =
            AsynchronousCorrelationValues { asynchronous_correlation_values: vec![value.clone()] };
        let query = QueryAsynchronousRequestsRequest {
            asynchronous_correlation_values: Some(one),
            operations: None,
        };
        let _ = script.ask(query);
        let _ = script.ask(CancelRequest { asynchronous_correlation_value: value.clone() });
        let poll = PollRequest { asynchronous_correlation_value: value.clone() };
        let poll = script.batch(vec![poll.into()]);
        script.send(&poll);
        script.send(&poll);
    }
    let _ = script.ask(QueryAsynchronousRequestsRequest::default());
    for mixed in [Operation::Poll, Operation::Cancel] {
        let payload = match mixed {
            Operation::Poll => PollRequest { asynchronous_correlation_value: vec![1] }.into(),
            _ => CancelRequest { asynchronous_correlation_value: vec![1] }.into(),
        };
        let mut message = script.batch(vec![payload, get(Some(&objects.key)).into()]);
        message.header.asynchronous_indicator =
            Some(Asynchronous(AsynchronousIndicator::Mandatory));
        script.send(&message);
    }
}

/// Notify and Put, which a server does not take.
fn sent_by_servers(script: &mut Script<'_>, objects: &Objects) {
    let notify = NotifyRequest {
        unique_identifier: objects.key.clone(),
        attributes: AttributeList(vec![name("n").into()]),
        deleted: Vec::new(),
    };
    script.refused(notify);
    let put = PutRequest {
        unique_identifier: objects.key.clone(),
        put_function: PutFunction::New,
        replaced_unique_identifier: None,
        object: opaque(b"put"),
        attributes: AttributeList::default(),
    };
    script.refused(put);
}

fn rest(script: &mut Script<'_>) {
    for message in ["a line & a <tag>\nand another".to_owned(), "long".repeat(2000)] {
        let _ = script.ask(LogRequest { log_message: message });
    }
    for interop_function in [InteropFunction::Begin, InteropFunction::End, InteropFunction(9)] {
        let interop_identifier = Some("CASE-1 \u{e9}".to_owned());
        let _ = script.ask(InteropRequest { interop_function, interop_identifier });
    }
    let begin = InteropFunction::Begin;
    let _ = script.ask(InteropRequest { interop_function: begin, interop_identifier: None });
    let _ = script.ask(SetEndpointRoleRequest { endpoint_role: EndpointRole(7) });
    let _ = script.ask(ReProvisionRequest::default());
    let call = PKCS11Request {
        interface: Some("PKCS 11".to_owned()),
        function: PKCS11Call::Standard(PKCS_11Function::C_Initialize),
        correlation_value: None,
        input_parameters: Some(SecretBytes::new(&[1])),
    };
    let called = script.ask_drawn(call, &["CorrelationValue"]);
    let value = called.ok().and_then(|answer| answer.correlation_value);
    for function in
        [PKCS_11Function::C_GetInfo, PKCS_11Function::C_Login, PKCS_11Function::C_Finalize]
    {
        let call = PKCS11Request {
            interface: None,
            function: PKCS11Call::Standard(function),
            correlation_value: value.clone(),
            input_parameters: None,
        };
        let _ = script.ask(call);
    }
    let vendor = PKCS11Request {
        interface: Some("a vendor's".to_owned()),
        function: PKCS11Call::Vendor(-7),
        correlation_value: value,
        input_parameters: None,
    };
    let _ = script.ask(vendor);
}
