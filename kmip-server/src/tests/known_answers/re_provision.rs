//! Re-Provision (KMIP 2.1, 6.1.48): each row a sentence of it.

use crate::auth::client::{CertificateChain, Client};
use crate::config::Identity;
use crate::crypto::x509::certificate::Certificate as Credential;
use certs::Authority;
use kmip::objects::{Certificate, CertificateRequest};
use kmip::payload::ReProvisionRequest;
use kmip::vocabulary::{CertificateRequestType, CertificateType};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::tests::harness::*;

fn der(authority: &Authority, name: &str) -> Vec<u8> {
    use x509_parser::pem::parse_x509_pem;
    let pair = authority.client(name).unwrap();
    parse_x509_pem(pair.cert_pem.as_bytes()).unwrap().1.contents
}

fn with(harness: &Harness, der: &[u8]) -> Harness {
    let credential = Credential::parse(der).unwrap();
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    let client = Client::from_certificate(credential, Identity::Subject, peer);
    let chain = Some(Arc::new(CertificateChain(vec![der.to_vec()])));
    harness.as_client(Client { chain, ..client })
}

fn bring(der: &[u8]) -> ReProvisionRequest {
    ReProvisionRequest {
        certificate: Some(Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: der.to_vec(),
        }),
        certificate_request: None,
    }
}

/// A client with a key replaces its certificate.
pub(super) async fn replace_certificate(harness: &Harness, authority: &Authority) {
    let (first, second) = (der(authority, "node-1"), der(authority, "node-1"));
    let client = with(harness, &first);
    client.create(NEWEST, vec![]).await;
    client.ask(NEWEST, bring(&second)).await.unwrap();
}

/// "The server SHALL associate the certificate with the client [and] return the unique identifier
/// for the certificate stored on the server. The current client credential SHALL be made invalid
/// and cannot be used in future KMIP requests."
#[tokio::test]
async fn a_new_certificate_takes_the_place_of_the_old_one() {
    let authority = Authority::new("authority").unwrap();
    let (first, second) = (der(&authority, "node-1"), der(&authority, "node-1"));
    let harness = Harness::living(signed_by(&authority));
    let (before, after) = (with(&harness, &first), with(&harness, &second));
    let key = before.create(NEWEST, vec![]).await;
    let kept = before.ask(NEWEST, bring(&second)).await.unwrap().unique_identifier.unwrap();

    assert_eq!(before.ask(NEWEST, get(&key)).await, Err(ResultReason::AuthenticationNotSuccessful));
    assert_eq!(before.ask(OLDEST, get(&key)).await, Err(ResultReason::AuthenticationNotSuccessful));
    after.ask(NEWEST, get(&key)).await.unwrap();
    match after.ask(NEWEST, get(&kept)).await.unwrap().object {
        Object::Certificate(certificate) => assert_eq!(certificate.certificate_value, second),
        other => panic!("{other:?}"),
    }
    // And back it does not go.
    assert_eq!(after.ask(NEWEST, bring(&first)).await, Err(ResultReason::PermissionDenied));
}

#[tokio::test]
async fn what_is_refused_leaves_the_old_certificate_valid() {
    let authority = Authority::new("authority").unwrap();
    let other = Authority::new("another authority").unwrap();
    let current = der(&authority, "node-1");
    let harness = with(&Harness::living(signed_by(&authority)), &current);
    let mut forged = der(&authority, "node-1");
    *forged.last_mut().unwrap() ^= 1;
    let own = Authority::new("authority").unwrap();
    let csr = CertificateRequest {
        certificate_request_type: CertificateRequestType::PKCS_10,
        certificate_request_value: vec![0x30, 0],
    };
    let signed = ReProvisionRequest { certificate: None, certificate_request: Some(csr) };
    let rows = [
        ("another client's", bring(&der(&authority, "node-2")), ResultReason::PermissionDenied),
        ("another authority's", bring(&der(&other, "node-1")), ResultReason::PermissionDenied),
        ("one that nobody signed", bring(&forged), ResultReason::PermissionDenied),
        (
            "one that another of this name signed",
            bring(&der(&own, "node-1")),
            ResultReason::PermissionDenied,
        ),
        ("the one in use", bring(&current), ResultReason::PermissionDenied),
        ("no certificate", bring(b"x"), ResultReason::InvalidField),
        ("one to be signed", signed, ResultReason::FeatureNotSupported),
        ("one to be made", ReProvisionRequest::default(), ResultReason::FeatureNotSupported),
    ];
    for (what, request, reason) in rows {
        assert_eq!(harness.ask(NEWEST, request).await, Err(reason), "{what}");
        harness.create(NEWEST, vec![]).await;
    }
    let without = Harness::new().ask(NEWEST, bring(&current)).await;
    assert_eq!(without, Err(ResultReason::PermissionDenied));
}
