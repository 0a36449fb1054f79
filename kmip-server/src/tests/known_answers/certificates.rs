//! Certify: requests that OpenSSL made (`requests.txt`), and what the tables of the
//! standard say of the new objects. The certificates are read and checked with another library.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use crate::crypto::keys::pkcs;
use crate::crypto::x509::authority::Authority;
use crate::keystore::process_state::ProcessState;
use kmip::payload::{CertifyRequest, CreateKeyPairRequest, ValidateRequest};
use kmip::structures::{CertificateSubject, Link, X509CertificateSubject};
use kmip::vocabulary::{
    CertificateRequestType as Form, CertificateType, DigitalSignatureAlgorithm, ValidityIndicator,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::tests::harness::*;
use AttributeValue as A;

const DAYS: u32 = 30;
pub(crate) const DAY: i64 = 86_400;
const REQUESTS: &str = include_str!("requests.txt");

/// An authority, and its certificate.
fn authority_of(algorithm: &'static rcgen::SignatureAlgorithm) -> (ProcessState, Vec<u8>) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let der = authority(&key, |_| {});
    let private = pkcs::read_pkcs8(&key.serialize_der()).unwrap();
    let own = Authority::new(der.clone(), private, DAYS).unwrap();
    (ProcessState { authority: Some(Arc::new(own)), ..ProcessState::default() }, der)
}

/// A server with an authority, and the authority's certificate.
fn desk_of(algorithm: &'static rcgen::SignatureAlgorithm) -> (Harness, Vec<u8>) {
    let (state, der) = authority_of(algorithm);
    (Harness::living(state), der)
}

/// What stands beside the store of a server with an authority.
pub(crate) fn certifying() -> ProcessState {
    authority_of(&rcgen::PKCS_ECDSA_P256_SHA256).0
}

pub(crate) fn harness() -> (Harness, Vec<u8>) {
    desk_of(&rcgen::PKCS_ECDSA_P256_SHA256)
}

fn authority(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = OffsetDateTime::now_utc() - Duration::days(100);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(1000);
    change(&mut params);
    params.self_signed(key).unwrap().der().to_vec()
}

/// A certificate with each name that an attribute is made of, as issuer and as subject.
pub(crate) fn certificate_of_many_names() -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let others: [&[u64]; 7] = [
        &[1, 2, 840, 113_549, 1, 9, 1],
        &[0, 9, 2342, 19_200_300, 100, 1, 1],
        &[0, 9, 2342, 19_200_300, 100, 1, 25],
        &[2, 5, 4, 5],
        &[2, 5, 4, 12],
        &[2, 5, 4, 46],
        &[2, 5, 4, 9],
    ];
    let others = others.map(|oid| DnType::CustomDnType(oid.to_vec()));
    let known = [
        DnType::CommonName,
        DnType::CountryName,
        DnType::LocalityName,
        DnType::OrganizationName,
        DnType::OrganizationalUnitName,
        DnType::StateOrProvinceName,
    ];
    for name in known.into_iter().chain(others) {
        params.distinguished_name.push(name, "AT");
    }
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

/// A request of the file, in PEM.
fn pem(name: &str) -> String {
    let (_, after) = REQUESTS.split_once(&format!("# {name}\n")).expect(name);
    let (body, _) = after.split_once("-----END").unwrap();
    format!("{body}-----END CERTIFICATE REQUEST-----\n")
}

/// The same in DER.
pub(crate) fn der(name: &str) -> Vec<u8> {
    x509_parser::pem::parse_x509_pem(pem(name).as_bytes()).unwrap().1.contents
}

/// The outline of a certificate (RFC 5280, 4.1), which says nothing that can be read.
pub(crate) fn outline() -> Vec<u8> {
    let to_be_signed = [&[0x30, 13, 2, 1, 7][..], &[0x30, 0].repeat(5)].concat();
    [&[0x30, 20][..], &to_be_signed, &[0x30, 0, 3, 1, 0]].concat()
}

pub(crate) fn of_request(form: Form, bytes: Vec<u8>) -> CertifyRequest {
    CertifyRequest {
        certificate_request_type: Some(form),
        certificate_request_value: Some(bytes),
        ..CertifyRequest::default()
    }
}

pub(crate) fn of_key(key: &str, values: impl IntoIterator<Item = A>) -> CertifyRequest {
    let x509 = [A::CertificateType(CertificateType::X_509)];
    CertifyRequest {
        unique_identifier: id(key),
        attributes: Some(Attributes::new(x509.into_iter().chain(values))),
        ..CertifyRequest::default()
    }
}

pub(crate) async fn certificate(harness: &Harness, id: &str) -> Vec<u8> {
    match harness.ask(Version::V1_4, get(id)).await.unwrap().object {
        Object::Certificate(certificate) => certificate.certificate_value,
        other => panic!("{:?}", other.object_type()),
    }
}

pub(crate) async fn values(harness: &Harness, version: Version, id: &str) -> Vec<A> {
    let request = GetAttributesRequest {
        unique_identifier: Some(Identifier::from(id)),
        attributes: Vec::new(),
    };
    let found = harness.ask(version, request).await.unwrap();
    found.attributes.0.into_iter().map(|attribute| attribute.value).collect()
}

pub(crate) fn links(values: &[A]) -> Vec<(LinkType, String)> {
    let links = values.iter().filter_map(|value| match value {
        A::Link(Link { link_type, linked_object_identifier: Identifier::Text(id) }) => {
            Some((*link_type, id.clone()))
        }
        _ => None,
    });
    links.collect()
}

pub(crate) fn date(values: &[A], which: fn(&A) -> Option<i64>) -> Option<i64> {
    values.iter().find_map(which)
}

pub(crate) fn activation(value: &A) -> Option<i64> {
    if let A::ActivationDate(date) = value { Some(date.0) } else { None }
}

pub(crate) fn deactivation(value: &A) -> Option<i64> {
    if let A::DeactivationDate(date) = value { Some(date.0) } else { None }
}

/// A public key of the harness's own, with its name.
pub(crate) async fn public_key(harness: &Harness) -> String {
    let common =
        [A::CryptographicAlgorithm(CryptographicAlgorithm::EC), A::CryptographicLength(256)];
    let request = CreateKeyPairRequest {
        common_attributes: Some(Attributes::new(common)),
        private_key_attributes: Some(Attributes::new([A::CryptographicUsageMask(
            CryptographicUsageMask::Sign,
        )])),
        public_key_attributes: Some(Attributes::new([A::CryptographicUsageMask(
            CryptographicUsageMask::Verify,
        )])),
        ..CreateKeyPairRequest::default()
    };
    harness.ask(Version::V1_4, request).await.unwrap().public_key_unique_identifier
}

/// One row a request: its name, and the subject of the certificate. Each in both its forms.
#[tokio::test]
async fn requests_of_openssl() {
    let (harness, authority) = harness();
    let (_, authority) = X509Certificate::from_der(&authority).unwrap();
    let rows = [
        ("rsa-2048", "C=DE, O=Example, CN=kms.example.com"),
        ("rsa-2048-pss", "CN=pss"),
        ("p-256", "DC=com, DC=example, OU=a, OU=b, CN=J\u{f6}rg"),
        ("p-384", "CN=p384"),
        ("p-521", "CN=p521"),
        ("ed25519", "CN=ed"),
    ];
    let mut serials = Vec::new();
    for (name, subject) in rows {
        for (form, bytes) in [(Form::PEM, pem(name).into_bytes()), (Form::PKCS_10, der(name))] {
            let made = harness.ask(Version::V1_4, of_request(form, bytes)).await.unwrap();
            let der_ = certificate(&harness, &made.unique_identifier).await;
            let (rest, cert) = X509Certificate::from_der(&der_).unwrap();
            assert!(rest.is_empty());
            assert_eq!(cert.subject().to_string(), subject, "{name}");
            assert_eq!(cert.issuer().as_raw(), authority.subject().as_raw());
            cert.verify_signature(Some(authority.public_key())).unwrap();
            let request = der(name);
            let spki = cert.public_key().raw;
            assert!(request.windows(spki.len()).any(|part| part == spki), "{name}: the same key");
            assert!(!cert.is_ca());
            let usage = cert.key_usage().unwrap().unwrap();
            assert!(usage.critical && usage.value.digital_signature(), "{name}");
            assert!(!usage.value.key_cert_sign() && !usage.value.crl_sign(), "{name}");
            assert!((15..=17).contains(&cert.raw_serial().len()), "128 random bits");
            serials.push(cert.raw_serial().to_vec());
            let values = values(&harness, Version::V1_4, &made.unique_identifier).await;
            let (from, to) =
                (cert.validity().not_before.timestamp(), cert.validity().not_after.timestamp());
            assert_eq!(to - from, i64::from(DAYS) * DAY);
            assert_eq!(date(&values, activation), Some(from));
            assert_eq!(date(&values, deactivation), Some(to));
            assert_eq!(state(&harness, &made.unique_identifier).await, State::Active);
            let validate = ValidateRequest {
                unique_identifiers: vec![Identifier::from(made.unique_identifier.as_str())],
                ..ValidateRequest::default()
            };
            let verdict = harness.ask(Version::V1_4, validate).await.unwrap().validity_indicator;
            assert_eq!(verdict, ValidityIndicator::Valid);
        }
    }
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), rows.len() * 2, "no serial number is given twice");
}

/// What a request asks for beside its key and its name is an attacker's word: an authority's flag,
/// the account of a directory, the signing of programs.
#[tokio::test]
async fn extensions_that_are_asked_for() {
    let (harness, _) = harness();
    let made = harness.ask(NEWEST, of_request(Form::PKCS_10, der("rsa-2048"))).await.unwrap();
    let der = certificate(&harness, &made.unique_identifier).await;
    let (_, cert) = X509Certificate::from_der(&der).unwrap();
    let names = cert.subject_alternative_name().unwrap().unwrap();
    assert_eq!(
        names.value.general_names,
        [
            GeneralName::DNSName("kms.example.com"),
            GeneralName::IPAddress(&[192, 0, 2, 7]),
            GeneralName::RFC822Name("alice@example.com"),
        ]
    );
    assert!(!names.critical);
    let purposes = cert.extended_key_usage().unwrap().unwrap().value;
    assert!(purposes.server_auth && !purposes.code_signing && !purposes.client_auth);
    let usage = cert.key_usage().unwrap().unwrap().value;
    assert_eq!(usage.flags, 0b101, "digitalSignature and keyEncipherment");
    assert!(!cert.is_ca());
    let mask = CryptographicUsageMask::Verify.union(CryptographicUsageMask::WrapKey);
    let values = values(&harness, NEWEST, &made.unique_identifier).await;
    assert!(values.contains(&A::CryptographicUsageMask(mask)));
    assert!(values.contains(&A::CertificateSubjectCN("kms.example.com".to_owned())));
    assert!(values.contains(&A::CertificateIssuerCN("authority".to_owned())));
}

/// One row a request that is refused: its form, its bytes, the reason.
#[tokio::test]
async fn requests_that_prove_nothing() {
    use ResultReason as R;
    let (harness, own) = harness();
    let mut turned = der("p-256");
    *turned.last_mut().unwrap() ^= 1;
    let mut other_name = der("p-384");
    let at = other_name.windows(4).position(|part| part == b"p384").unwrap();
    other_name[at] = b'q';
    let trailing = [der("p-256"), vec![0]].concat();
    let rows: Vec<(&str, Form, Vec<u8>, R)> = vec![
        ("another signature", Form::PKCS_10, turned, R::InvalidCSR),
        ("another name", Form::PKCS_10, other_name, R::InvalidCSR),
        ("bytes after it", Form::PKCS_10, trailing, R::InvalidCSR),
        ("signed with SHA-1", Form::PKCS_10, der("sha-1"), R::InvalidCSR),
        ("1024 bits", Form::PKCS_10, der("rsa-1024"), R::InvalidCSR),
        ("another curve", Form::PKCS_10, der("secp256k1"), R::InvalidCSR),
        ("a certificate", Form::PKCS_10, own, R::InvalidCSR),
        ("PEM as DER", Form::PKCS_10, pem("p-256").into_bytes(), R::InvalidCSR),
        ("DER as PEM", Form::PEM, der("p-256"), R::InvalidCSR),
        ("nothing", Form::PKCS_10, Vec::new(), R::InvalidCSR),
        ("CRMF", Form::CRMF, der("p-256"), R::FeatureNotSupported),
    ];
    for (name, form, bytes, reason) in rows {
        let found = harness.ask(NEWEST, of_request(form, bytes)).await.unwrap_err();
        assert_eq!(found, reason, "{name}");
    }
    let mut formless = of_request(Form::PEM, der("p-256"));
    formless.certificate_request_type = None;
    assert_eq!(harness.ask(NEWEST, formless).await.unwrap_err(), R::MissingData);
    let old = harness.ask(Version::V1_4, of_request(Form::PKCS_10, vec![1])).await.unwrap_err();
    assert_eq!(old, R::PermissionDenied, "1.4, 11.8: it has no Invalid CSR");
}

/// One row a kind of authority: how it signs.
#[tokio::test]
async fn authorities() {
    use DigitalSignatureAlgorithm as S;
    let rows = [
        (&rcgen::PKCS_RSA_SHA256, Some(S::SHA_256WithRSAEncryption)),
        (&rcgen::PKCS_ECDSA_P256_SHA256, Some(S::ECDSAWithSHA256)),
        (&rcgen::PKCS_ECDSA_P384_SHA384, Some(S::ECDSAWithSHA384)),
        (&rcgen::PKCS_ED25519, None),
    ];
    for (algorithm, name) in rows {
        let (harness, own) = desk_of(algorithm);
        let (_, own) = X509Certificate::from_der(&own).unwrap();
        let made = harness.ask(NEWEST, of_request(Form::PKCS_10, der("p-256"))).await.unwrap();
        let der = certificate(&harness, &made.unique_identifier).await;
        let (_, cert) = X509Certificate::from_der(&der).unwrap();
        cert.verify_signature(Some(own.public_key())).unwrap();
        let values = values(&harness, NEWEST, &made.unique_identifier).await;
        let signature = values.iter().find_map(|value| match value {
            A::DigitalSignatureAlgorithm(name) => Some(*name),
            _ => None,
        });
        assert_eq!(signature, name);
    }
}

/// One row a certificate that is none of an authority, and the words for it.
#[test]
fn no_authorities() {
    let key = KeyPair::generate().unwrap();
    let private = |key: &KeyPair| pkcs::read_pkcs8(&key.serialize_der()).unwrap();
    let other = private(&KeyPair::generate().unwrap());
    let rows = [
        (authority(&key, |params| params.is_ca = IsCa::NoCa), private(&key), "not one of an auth"),
        (
            authority(&key, |params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
            private(&key),
            "key usage",
        ),
        (authority(&key, |_| {}), other, "another one's"),
        (vec![0x30, 0], private(&key), "no X.509 certificate"),
    ];
    for (certificate, key, words) in rows {
        let why = Authority::new(certificate, key, DAYS).err().unwrap();
        assert!(why.contains(words), "{why}");
    }
}

/// Who may certify chooses the subject, and the subject is who a client is: an authority whose
/// clients may connect certifies nothing.
#[test]
fn an_authority_that_lets_clients_in_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    };
    let clients = certs::Authority::new("clients").unwrap();
    let own = certs::Authority::new("own").unwrap();
    let client_ca = file("clients.crt", clients.cert_pem());
    let client_key = file("clients.key", &clients.key_pem());
    let (cert, key) = (file("own.crt", own.cert_pem()), file("own.key", &own.key_pem()));
    assert!(Authority::read(&cert, &key, DAYS, &client_ca).is_ok());
    let why = Authority::read(&client_ca, &client_key, DAYS, &client_ca).err().unwrap();
    assert!(why.contains("let their holders in as clients"), "{why}");
    let why = Authority::read(&cert, &client_key, DAYS, &client_ca).err().unwrap();
    assert!(why.contains("the private key is another one's"), "{why}");
}

/// "The Certificate Request object MAY be omitted, in which case the public key [...] SHALL be
/// specified by its Unique Identifier only": one row a version, with its words for the subject.
#[tokio::test]
async fn public_keys_alone() {
    let name = vec![
        0x30, 0x10, 0x31, 0x0E, 0x30, 0x0C, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0C, 0x05, b'a', b'l',
        b'i', b'c', b'e',
    ];
    let text = A::CertificateSubject(CertificateSubject {
        distinguished_name: "CN=alice,O=Example".to_owned(),
        alternative_names: Vec::new(),
    });
    let raw = A::X_509CertificateSubject(X509CertificateSubject {
        distinguished_name: name,
        alternative_names: vec![[&[0x82, 9][..], b"a.example"].concat()],
    });
    let flat = vec![
        A::CertificateSubjectO("Example".to_owned()),
        A::CertificateSubjectCN("alice".to_owned()),
    ];
    let rows = [
        (Version::V1_0, vec![text], "O=Example, CN=alice"),
        (Version::V1_4, vec![raw], "CN=alice"),
        (NEWEST, flat, "O=Example, CN=alice"),
    ];
    for (version, attributes, subject) in rows {
        let (harness, _) = harness();
        let key = public_key(&harness).await;
        // "MAY be obtained by the client via a Get operation in the same batch".
        let items = vec![of_key(&key, attributes.clone()).into(), get_as(None, None).into()];
        let items = harness.batch(version, items).await;
        let Some(ResponsePayload::Certify(made)) = &items[0].payload else {
            panic!("{:?}", items[0])
        };
        let Some(ResponsePayload::Get(got)) = &items[1].payload else { panic!("{:?}", items[1]) };
        let Object::Certificate(certificate) = &got.object else { panic!("no certificate") };
        let (_, cert) = X509Certificate::from_der(&certificate.certificate_value).unwrap();
        assert_eq!(cert.subject().to_string(), subject, "{version}");
        let made = &made.unique_identifier;
        let of_certificate = values(&harness, Version::V1_4, made).await;
        assert_eq!(links(&of_certificate), [(LinkType::PublicKeyLink, key.clone())]);
        let of_the_key = values(&harness, Version::V1_4, &key).await;
        assert!(links(&of_the_key).contains(&(LinkType::CertificateLink, made.clone())));
        // Certified again, the key links to its newest certificate.
        let again = harness.ask(version, of_key(&key, attributes)).await.unwrap().unique_identifier;
        let of_the_key = links(&values(&harness, Version::V1_4, &key).await);
        assert!(of_the_key.contains(&(LinkType::CertificateLink, again)));
        assert!(!of_the_key.contains(&(LinkType::CertificateLink, made.clone())));
    }
}

/// One row a request without a certificate request that is refused.
#[tokio::test]
async fn public_keys_that_are_not_certified() {
    use ResultReason as R;
    let (harness, _) = harness();
    let key = public_key(&harness).await;
    let revoked = public_key(&harness).await;
    harness.ask(NEWEST, revoke(&revoked, RevocationReasonCode::KeyCompromise)).await.unwrap();
    let symmetric = harness.create(NEWEST, Vec::new()).await;
    let cn = || A::CertificateSubjectCN("alice".to_owned());
    let far = DateTime(OffsetDateTime::now_utc().unix_timestamp() + 31 * DAY);
    let both = A::X_509CertificateSubject(X509CertificateSubject {
        distinguished_name: vec![0x30, 0],
        alternative_names: Vec::new(),
    });
    let untyped =
        CertifyRequest { attributes: Some(Attributes::new([cn()])), ..of_key(&key, Vec::new()) };
    let mut of_another = of_request(Form::PKCS_10, der("p-256"));
    of_another.unique_identifier = id(&key);
    let sign = A::CryptographicUsageMask(CryptographicUsageMask::CertificateSign);
    let control = A::CertificateSubjectCN("a\nb".to_owned());
    let rows = [
        ("nobody is named", of_key(&key, []), R::MissingData),
        ("no Certificate Type", untyped, R::MissingData),
        ("another kind of object", of_key(&symmetric, [cn()]), R::InvalidObjectType),
        ("compromised", of_key(&revoked, [cn()]), R::WrongKeyLifecycleState),
        ("no such object", of_key("nothing", [cn()]), R::ObjectNotFound),
        ("the request is for another key", of_another, R::InvalidCSR),
        ("a new authority", of_key(&key, [cn(), sign]), R::PermissionDenied),
        ("named twice", of_key(&key, [cn(), both]), R::InvalidField),
        ("a control character", of_key(&key, [control]), R::InvalidField),
        ("too long", of_key(&key, [cn(), A::DeactivationDate(far)]), R::InvalidField),
        (
            "the authority's own name",
            of_key(&key, [A::CertificateSubjectCN("authority".to_owned())]),
            R::PermissionDenied,
        ),
        ("nothing at all", CertifyRequest::default(), R::InvalidField),
    ];
    for (name, request, reason) in rows {
        assert_eq!(harness.ask(NEWEST, request).await.unwrap_err(), reason, "{name}");
    }
}

/// Query tells of the two operations where there is an authority, and there alone.
#[tokio::test]
async fn without_an_authority() {
    let query = || QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        object_groups: None,
    };
    let (with, without) = (harness().0, Harness::new());
    for operation in [Operation::Certify, Operation::ReCertify] {
        assert!(with.ask(NEWEST, query()).await.unwrap().operations.contains(&operation));
        assert!(!without.ask(NEWEST, query()).await.unwrap().operations.contains(&operation));
    }
    let found = without.ask(NEWEST, of_request(Form::PKCS_10, der("p-256"))).await;
    assert_eq!(found.unwrap_err(), ResultReason::OperationNotSupported);
}
