//! Re-certify, and requests that are kept: what the tables of the standard say of the new
//! certificate, of the old one and of their key.

use kmip::Interval;
use kmip::objects::{Certificate, CertificateRequest};
use kmip::payload::{CertifyRequest, ReCertifyRequest};
use kmip::structures::X509CertificateSubject;
use kmip::vocabulary::{CertificateRequestType as Form, CertificateType};
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::tests::harness::*;
use crate::tests::known_answers::certificates::{
    DAY, activation, certificate, date, deactivation, der, harness, links, of_key, outline,
    public_key, values,
};
use AttributeValue as A;

/// 2.1, 6.1.6: the Unique Identifier may be that of a kept Certificate Request.
#[tokio::test]
async fn a_kept_request() {
    let (harness, _) = harness();
    let kept = RegisterRequest {
        object_type: ObjectType::CertificateRequest,
        attributes: Attributes::default(),
        object: Object::CertificateRequest(CertificateRequest {
            certificate_request_type: Form::PKCS_10,
            certificate_request_value: der("p-256"),
        }),
        protection_storage_masks: None,
    };
    let kept = harness.ask(NEWEST, kept).await.unwrap().unique_identifier;
    let certify = CertifyRequest { unique_identifier: id(&kept), ..CertifyRequest::default() };
    let made = harness.ask(NEWEST, certify).await.unwrap().unique_identifier;
    let first = certificate(&harness, &made).await;
    let renew = ReCertifyRequest {
        unique_identifier: id(&made),
        certificate_request_unique_identifier: id(&kept),
        ..ReCertifyRequest::default()
    };
    let renewed = harness.ask(NEWEST, renew).await.unwrap().unique_identifier;
    let second = certificate(&harness, &renewed).await;
    let subject = |der: &[u8]| X509Certificate::from_der(der).unwrap().1.subject().to_string();
    assert_eq!(subject(&first), subject(&second));
    assert_ne!(first, second);
}

/// 1.4, tables 186 and 187; 2.1, tables 298 and 299. One row an Offset: how far the new dates lie
/// from the old ones.
#[tokio::test]
async fn renewal() {
    for (version, offset) in
        [(Version::V1_2, None), (Version::V1_4, Some(0)), (NEWEST, Some(3 * 86_400))]
    {
        let (harness, _) = harness();
        let key = public_key(&harness).await;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let (from, to) = (now - 10 * DAY, now + 5 * DAY);
        let old = of_key(
            &key,
            [
                A::X_509CertificateSubject(X509CertificateSubject {
                    distinguished_name: vec![0x30, 0],
                    alternative_names: vec![[&[0x82, 9][..], b"a.example"].concat()],
                }),
                A::ActivationDate(DateTime(from)),
                A::DeactivationDate(DateTime(to)),
                name("certificate"),
            ],
        );
        let old = harness.ask(Version::V1_4, old).await.unwrap().unique_identifier;
        let renew = ReCertifyRequest {
            unique_identifier: id(&old),
            offset: offset.map(Interval),
            ..ReCertifyRequest::default()
        };
        let new = harness.ask(version, renew).await.unwrap().unique_identifier;
        let (of_old, of_new) = (
            values(&harness, Version::V1_4, &old).await,
            values(&harness, Version::V1_4, &new).await,
        );
        assert!(of_new.contains(&name("certificate")) && !of_old.contains(&name("certificate")));
        assert!(links(&of_old).contains(&(LinkType::ReplacementObjectLink, new.clone())));
        assert!(links(&of_new).contains(&(LinkType::ReplacedObjectLink, old.clone())));
        assert!(links(&of_new).contains(&(LinkType::PublicKeyLink, key.clone())));
        let of_key = links(&values(&harness, Version::V1_4, &key).await);
        assert!(of_key.contains(&(LinkType::CertificateLink, new.clone())));
        assert!(!of_key.contains(&(LinkType::CertificateLink, old.clone())));
        assert_eq!(state(&harness, &old).await, State::Active, "the old one stays");

        let (found_from, found_to) =
            (date(&of_new, activation).unwrap(), date(&of_new, deactivation).unwrap());
        match offset {
            None => assert_eq!((found_from, found_to), (from, to), "copied"),
            Some(offset) => {
                assert!((0..60).contains(&(found_from - now - i64::from(offset))));
                assert_eq!(found_to - found_from, to - from, "DT1 + (AT2 - AT1)");
            }
        }
        let (old, new) = (certificate(&harness, &old).await, certificate(&harness, &new).await);
        let (_, old) = X509Certificate::from_der(&old).unwrap();
        let (_, new) = X509Certificate::from_der(&new).unwrap();
        assert_eq!(old.public_key().raw, new.public_key().raw);
        assert_ne!(old.raw_serial(), new.raw_serial());
        assert_eq!(new.validity().not_before.timestamp(), found_from);
        assert_eq!(new.validity().not_after.timestamp(), found_to);
        let names = new.subject_alternative_name().unwrap().unwrap();
        assert_eq!(names.value.general_names, [GeneralName::DNSName("a.example")]);
        assert!(names.critical, "RFC 5280, 4.2.1.6: without a subject the names are critical");
    }
}

/// One row a renewal that is refused.
#[tokio::test]
async fn no_renewal() {
    use ResultReason as R;
    let (harness, _) = harness();
    let key = public_key(&harness).await;
    let cn = A::CertificateSubjectCN("alice".to_owned());
    let made = harness.ask(NEWEST, of_key(&key, [cn])).await.unwrap().unique_identifier;
    let renew =
        |id_: &str| ReCertifyRequest { unique_identifier: id(id_), ..ReCertifyRequest::default() };
    let of_another = ReCertifyRequest {
        certificate_request_type: Some(Form::PKCS_10),
        certificate_request_value: Some(der("p-256")),
        ..renew(&made)
    };
    let garbage = RegisterRequest {
        object_type: ObjectType::Certificate,
        attributes: Attributes::default(),
        object: Object::Certificate(Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: outline(),
        }),
        protection_storage_masks: None,
    };
    let garbage = harness.ask(NEWEST, garbage).await.unwrap().unique_identifier;
    for (request, reason) in [
        (renew(&key), R::InvalidObjectType),
        (of_another, R::InvalidCSR),
        (renew(&garbage), R::PermissionDenied),
        (renew("nothing"), R::ObjectNotFound),
    ] {
        assert_eq!(harness.ask(NEWEST, request).await.unwrap_err(), reason);
    }
    harness.ask(NEWEST, revoke(&made, RevocationReasonCode::KeyCompromise)).await.unwrap();
    assert_eq!(harness.ask(NEWEST, renew(&made)).await.unwrap_err(), R::WrongKeyLifecycleState);
}
