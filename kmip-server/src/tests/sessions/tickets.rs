//! Login, Logout and Delegated Login (2.1, 6.1.12, 6.1.30 and 6.1.31).

use std::net::SocketAddr;
use std::sync::Arc;

use certs::Authority;
use kmip::message::{Asynchronous, Authentication, Credential};
use kmip::payload::{
    DelegatedLoginRequest, LoginRequest, LogoutRequest, Objects, ReProvisionRequest, Right, Rights,
    Ticket, TicketLease,
};
use kmip::structures::{ObjectGroups, Operations, UsageLimits};
use kmip::vocabulary::{AsynchronousIndicator, CredentialType, UsageLimitsUnit};
use kmip::{Encode as _, Interval};

use x509_parser::pem::parse_x509_pem;

use crate::auth::client::{CertificateChain, Client};
use crate::config::Identity;
use crate::crypto::x509::certificate::Certificate;
use crate::tests::harness::*;

const V2_1: Version = Version::V2_1;

/// What a request with a ticket is answered: nothing, or the reason why not.
async fn with(harness: &Harness, ticket: &Ticket, payload: impl Into<RequestPayload>) -> Outcome {
    with_header(harness, ticket, RequestHeader::new(V2_1, 1), payload).await
}

async fn with_header(
    harness: &Harness,
    ticket: &Ticket,
    mut header: RequestHeader,
    payload: impl Into<RequestPayload>,
) -> Outcome {
    let credential_value = Raw::build(|w| {
        w.structure(tags::CredentialValue, |w| ticket.encode(tags::Ticket, w, V2_1));
    });
    let credential_type = CredentialType::Ticket;
    header.authentication = Some(Authentication {
        credentials: vec![Credential { credential_type, credential_value }],
    });
    let payload: RequestPayload = payload.into();
    let items = vec![RequestBatchItem::from(payload)];
    let mut response = harness.message(&RequestMessage { header, items }).await;
    let item = response.items.remove(0);
    match item.result_reason {
        None => Ok(item.payload.unwrap()),
        Some(reason) => Err(reason),
    }
}

type Outcome = Result<ResponsePayload, ResultReason>;

async fn login(harness: &Harness, request: LoginRequest) -> Ticket {
    harness.ask(V2_1, request).await.unwrap().ticket
}

fn right(operations: &[Operation], objects: Option<&[&String]>) -> Right {
    let named = |ids: &[&String]| Objects {
        unique_identifiers: ids.iter().map(|id| Identifier::from(id.as_str())).collect(),
    };
    Right {
        operations: Some(Operations { operations: operations.to_vec() }),
        objects: objects.map(named),
        ..Right::default()
    }
}

async fn delegated(harness: &Harness, rights: Vec<Right>) -> Ticket {
    let request = DelegatedLoginRequest {
        lease_time: None,
        request_count: None,
        usage_limits: None,
        rights: Rights { rights },
    };
    harness.ask(V2_1, request).await.unwrap().ticket
}

#[tokio::test]
async fn a_login_is_good_for_its_client_until_it_logs_out() {
    let alice = Harness::new();
    let key = alice.create(V2_1, vec![]).await;
    let ticket = login(&alice, LoginRequest::default()).await;
    assert!(with(&alice, &ticket, get(&key)).await.is_ok());
    let stolen = with(&alice.beside("mallory"), &ticket, get(&key)).await;
    assert_eq!(stolen.err(), Some(ResultReason::InvalidTicket));
    let logout = || LogoutRequest { ticket: ticket.clone() };
    let others = alice.beside("mallory").ask(V2_1, logout()).await;
    assert_eq!(others.err(), Some(ResultReason::InvalidTicket));
    assert!(alice.ask(V2_1, logout()).await.is_ok());
    let spent = with(&alice, &ticket, get(&key)).await;
    assert_eq!(spent.err(), Some(ResultReason::InvalidTicket));
}

/// A ticket that alice gives under a certificate, and the server.
async fn given_under(
    authority: &Authority,
    der: &[u8],
    not_after: Option<i64>,
) -> (Harness, Ticket) {
    let mut shown = Certificate::parse(der).unwrap();
    shown.validity.1 = not_after.unwrap_or(shown.validity.1);
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    let chain = Some(Arc::new(CertificateChain(vec![der.to_vec()])));
    let alice = Client { chain, ..Client::from_certificate(shown, Identity::Subject, peer) };
    let alice = Harness::living(signed_by(authority)).as_client(alice);
    let ticket = delegated(&alice, vec![right(&[Operation::Create], None)]).await;
    (alice, ticket)
}

fn der(authority: &Authority) -> Vec<u8> {
    let pair = authority.client("alice").unwrap();
    parse_x509_pem(pair.cert_pem.as_bytes()).unwrap().1.contents
}

/// What a certificate gives ends with it: when it is revoked, replaced or over.
#[tokio::test]
async fn a_ticket_ends_with_the_certificate_under_which_it_was_given() {
    let authority = Authority::new("authority").unwrap();
    let (first, second) = (der(&authority), der(&authority));
    let is_first = |shown: &CertificateChain| shown.0.first() == Some(&first);
    let create = || aes(vec![]);

    let (alice, ticket) = given_under(&authority, &first, None).await;
    let bob = alice.beside("bob");
    assert!(with(&bob, &ticket, create()).await.is_ok());
    assert_eq!(alice.server.state().tickets.forget_where(|shown| !is_first(shown)), 0);
    assert!(with(&bob, &ticket, create()).await.is_ok(), "another's was revoked");
    assert_eq!(alice.server.state().tickets.forget_where(is_first), 1);
    assert_eq!(with(&bob, &ticket, create()).await.err(), Some(ResultReason::InvalidTicket));

    let (alice, ticket) = given_under(&authority, &first, None).await;
    let certificate = kmip::objects::Certificate {
        certificate_type: kmip::vocabulary::CertificateType::X_509,
        certificate_value: second,
    };
    let replace = ReProvisionRequest { certificate: Some(certificate), certificate_request: None };
    alice.ask(V2_1, replace).await.unwrap();
    let replaced = with(&alice.beside("bob"), &ticket, create()).await;
    assert_eq!(replaced.err(), Some(ResultReason::InvalidTicket));

    let (alice, ticket) = given_under(&authority, &first, Some(1)).await;
    let over = with(&alice.beside("bob"), &ticket, create()).await;
    assert_eq!(over.err(), Some(ResultReason::InvalidTicket));
}

/// One row a limit: what the request says, and how many uses it is good for.
#[tokio::test]
async fn a_ticket_has_the_limits_that_were_asked_for() {
    let alice = Harness::new();
    let key = alice.create(V2_1, vec![]).await;
    let limits = |unit| UsageLimits { total: 3, count: None, unit };
    let rows = [
        (LoginRequest { request_count: Some(2), ..LoginRequest::default() }, 2),
        (
            LoginRequest {
                usage_limits: Some(limits(UsageLimitsUnit::Object)),
                ..LoginRequest::default()
            },
            3,
        ),
    ];
    for (request, good_for) in rows {
        let ticket = login(&alice, request).await;
        for _ in 0..good_for {
            assert!(with(&alice, &ticket, get(&key)).await.is_ok());
        }
        let spent = with(&alice, &ticket, get(&key)).await;
        assert_eq!(spent.err(), Some(ResultReason::InvalidTicket));
    }
    // 2.1, 6.1.30: no time of the client's own; the server's longest.
    let unlimited =
        LoginRequest { lease_time: Some(TicketLease::For(Interval(0))), ..LoginRequest::default() };
    let ticket = login(&alice, unlimited).await;
    assert!(with(&alice, &ticket, get(&key)).await.is_ok());
    let refused = [
        (
            LoginRequest {
                lease_time: Some(TicketLease::Until(DateTime(1))),
                ..LoginRequest::default()
            },
            ResultReason::InvalidField,
        ),
        (
            LoginRequest {
                usage_limits: Some(limits(UsageLimitsUnit::Byte)),
                ..LoginRequest::default()
            },
            ResultReason::FeatureNotSupported,
        ),
        (
            LoginRequest { request_count: Some(-1), ..LoginRequest::default() },
            ResultReason::InvalidField,
        ),
    ];
    for (request, reason) in refused {
        assert_eq!(alice.ask(V2_1, request).await.err(), Some(reason));
    }
}

#[tokio::test]
async fn a_holder_does_what_the_rights_say_and_no_more() {
    let alice = Harness::new();
    let (one, two) =
        (alice.create(V2_1, vec![name("one")]).await, alice.create(V2_1, vec![name("two")]).await);
    let bob = alice.beside("bob");
    let of_bob = bob.create(V2_1, vec![]).await;
    let rights = right(&[Operation::Get, Operation::Locate], Some(&[&one]));
    let ticket = delegated(&alice, vec![rights]).await;

    assert!(with(&bob, &ticket, get(&one)).await.is_ok());
    assert_eq!(bob.ask(V2_1, get(&one)).await.err(), Some(ResultReason::ObjectNotFound));
    // What is alice's and not granted, and what is bob's own, are both not there for who acts so.
    for hidden in [&two, &of_bob] {
        let refused = with(&bob, &ticket, get(hidden)).await;
        assert_eq!(refused.err(), Some(ResultReason::ObjectNotFound));
    }
    // By the name, too, where the row of the index alone would say that there is one.
    let own: &[String] = std::slice::from_ref(&one);
    for (filter, expected) in [(vec![], own), (vec![name("one")], own), (vec![name("two")], &[])] {
        let Ok(ResponsePayload::Locate(found)) = with(&bob, &ticket, locate(filter)).await else {
            panic!("Locate is granted")
        };
        assert_eq!(found.unique_identifiers, expected);
    }
    let rows: [RequestPayload; 4] = [
        DestroyRequest { unique_identifier: id(&one) }.into(),
        aes(vec![]).into(),
        LoginRequest::default().into(),
        LogoutRequest { ticket: ticket.clone() }.into(),
    ];
    for payload in rows {
        let operation = payload.operation();
        let refused = with(&bob, &ticket, payload).await;
        assert_eq!(refused.err(), Some(ResultReason::PermissionDenied), "{operation:?}");
    }
}

#[tokio::test]
async fn a_right_can_be_of_a_group() {
    let alice = Harness::new();
    let group = || AttributeValue::ObjectGroup("lent".to_owned());
    let (lent, kept) = (alice.create(V2_1, vec![group()]).await, alice.create(V2_1, vec![]).await);
    let of_group = Right {
        object_groups: Some(ObjectGroups { object_groups: vec!["lent".to_owned()] }),
        ..right(&[Operation::Get, Operation::Create], None)
    };
    let ticket = delegated(&alice, vec![of_group]).await;
    let bob = alice.beside("bob");
    assert!(with(&bob, &ticket, get(&lent)).await.is_ok());
    let refused = with(&bob, &ticket, get(&kept)).await;
    assert_eq!(refused.err(), Some(ResultReason::ObjectNotFound));
    assert!(with(&bob, &ticket, aes(vec![group()])).await.is_ok());
    let refused = with(&bob, &ticket, aes(vec![])).await;
    assert_eq!(refused.err(), Some(ResultReason::PermissionDenied));
}

#[tokio::test]
async fn nobody_grants_what_is_another_clients() {
    let alice = Harness::new();
    let key = alice.create(V2_1, vec![]).await;
    let request = DelegatedLoginRequest {
        lease_time: None,
        request_count: None,
        usage_limits: None,
        rights: Rights { rights: vec![right(&[Operation::Get], Some(&[&key]))] },
    };
    let refused = alice.beside("mallory").ask(V2_1, request).await;
    assert_eq!(refused.err(), Some(ResultReason::ObjectNotFound));
}

/// The results would be the other's to poll, and fill what it may have.
#[tokio::test]
async fn what_is_done_for_another_is_answered_at_once_or_not_at_all() {
    let alice = Harness::new();
    let ticket = delegated(&alice, vec![right(&[Operation::Create], None)]).await;
    let bob = alice.beside("bob");
    let rows = [
        (AsynchronousIndicator::Mandatory, Some(ResultReason::PermissionDenied)),
        (AsynchronousIndicator::Optional, None),
    ];
    for (indicator, reason) in rows {
        let mut header = RequestHeader::new(V2_1, 1);
        header.asynchronous_indicator = Some(Asynchronous(indicator));
        let answer = with_header(&bob, &ticket, header, aes(vec![])).await;
        assert_eq!(answer.err(), reason, "{indicator:?}");
    }
}
