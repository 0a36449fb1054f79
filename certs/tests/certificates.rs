//! What the certificates say, read back by another library than the one that wrote them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it says"
)]

use std::net::IpAddr;

use base64::Engine;
use certs::{Algorithm, Authority, BAD, BadCase, CertifiedKey, Error, Fault, Role};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

const HOSTS: [&str; 4] = ["localhost", "kmip-server", "127.0.0.1", "::1"];

/// Runs `check` on the certificate in `cert_pem`.
fn reading<T>(cert_pem: &str, check: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
    let pem = Pem::iter_from_buffer(cert_pem.as_bytes()).next().unwrap().unwrap();
    check(&pem.parse_x509().unwrap())
}

/// The alternative names as text; none when there is no such extension.
fn names(cert: &X509Certificate<'_>) -> Vec<String> {
    let Some(san) = cert.subject_alternative_name().unwrap() else { return Vec::new() };
    san.value
        .general_names
        .iter()
        .map(|name| {
            if let GeneralName::DNSName(name) = name {
                (*name).to_owned()
            } else if let GeneralName::IPAddress(octets) = name {
                match <[u8; 4]>::try_from(*octets) {
                    Ok(v4) => IpAddr::from(v4).to_string(),
                    Err(_) => IpAddr::from(<[u8; 16]>::try_from(*octets).unwrap()).to_string(),
                }
            } else {
                panic!("an alternative name of another kind: {name}")
            }
        })
        .collect()
}

/// The extended key usages as (server, client); `None` when there is no such extension.
fn usages(cert: &X509Certificate<'_>) -> Option<(bool, bool)> {
    cert.extended_key_usage().unwrap().map(|usage| {
        let rest = usage.value;
        assert!(!rest.any && !rest.code_signing && !rest.ocsp_signing && rest.other.is_empty());
        (rest.server_auth, rest.client_auth)
    })
}

/// Whether `pair`'s key is the one that its certificate speaks of.
fn key_matches(pair: &CertifiedKey) -> bool {
    let key = KeyPair::from_pem(&pair.key_pem).unwrap();
    reading(&pair.cert_pem, |cert| {
        cert.public_key().raw == rcgen::PublicKeyData::subject_public_key_info(&key)
    })
}

fn signed_by(cert_pem: &str, authority: &Authority) -> bool {
    reading(authority.cert_pem(), |ca| {
        reading(cert_pem, |cert| cert.verify_signature(Some(ca.public_key())).is_ok())
    })
}

#[test]
fn an_authority_may_sign_and_nothing_below_it_may() {
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Rsa2048] {
        let authority = Authority::with_options("Test authority", algorithm, 1).unwrap();
        reading(authority.cert_pem(), |cert| {
            let constraints = cert.basic_constraints().unwrap().unwrap();
            assert!(constraints.critical && constraints.value.ca);
            assert_eq!(constraints.value.path_len_constraint, Some(0));
            let usage = cert.key_usage().unwrap().unwrap();
            assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
            assert!(cert.validity().is_valid());
            assert!(cert.verify_signature(None).is_ok());
        });
        assert!(authority.key_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
    }
}

#[test]
fn a_server_certificate_names_every_host_and_can_only_serve() {
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Rsa2048] {
        let authority = Authority::with_options("Test authority", algorithm, 30).unwrap();
        let pair = authority.server(&HOSTS).unwrap();
        assert!(signed_by(&pair.cert_pem, &authority));
        assert!(key_matches(&pair));
        assert!(pair.key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        reading(&pair.cert_pem, |cert| {
            assert_eq!(names(cert), HOSTS);
            assert_eq!(usages(cert), Some((true, false)));
            assert!(!cert.is_ca());
            assert!(cert.key_usage().unwrap().unwrap().value.digital_signature());
            assert!(cert.validity().is_valid());
            let days = (cert.validity().not_after.timestamp()
                - cert.validity().not_before.timestamp())
                / 86_400;
            assert_eq!(days, 30);
        });
    }
}

#[test]
fn a_client_certificate_carries_its_name_and_can_only_ask() {
    let authority = Authority::new("Test authority").unwrap();
    let pair = authority.client("array 7").unwrap();
    assert!(signed_by(&pair.cert_pem, &authority));
    assert!(key_matches(&pair));
    reading(&pair.cert_pem, |cert| {
        assert_eq!(cert.subject().to_string(), "CN=array 7");
        assert_eq!(usages(cert), Some((false, true)));
        assert!(!cert.is_ca());
    });
}

#[test]
fn no_certificate_outlives_its_authority() {
    let authority = Authority::new("Test authority").unwrap().with_validity(36_500).unwrap();
    let end = |pem: &str| reading(pem, |cert| cert.validity().not_after.timestamp());
    assert_eq!(end(&authority.client("c").unwrap().cert_pem), end(authority.cert_pem()));
}

#[test]
fn no_serial_number_comes_twice() {
    let authority = Authority::new("Test authority").unwrap();
    let request = request(&KeyPair::generate().unwrap(), &CertificateParams::default());
    let serial = |pem: &str| reading(pem, |cert| cert.raw_serial_as_string());
    let mut serials: Vec<String> =
        (0..8).map(|_| serial(&authority.sign(&request).unwrap())).collect();
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 8, "the same key, signed again, needs a number of its own");
}

/// One row a name: what is wrong with it, for a server or a client.
#[test]
fn a_name_that_cannot_be_certified_is_refused() {
    let authority = Authority::new("Test authority").unwrap();
    for host in ["", "two words", "-a", "a..b", "http://h", "1.2.3.4.5:1", "ä", "*.*.a", "a\n"] {
        let refused = authority.server(&["ok", host]);
        assert!(matches!(refused, Err(Error::Host(ref named)) if named == host), "{host:?}");
    }
    assert!(authority.server(&["*.lab.example"]).is_ok());
    assert!(matches!(authority.server::<&str>(&[]), Err(Error::NoHost)));
    for name in ["", "  ", "a\0b", "line\nbreak", &"x".repeat(65)] {
        assert!(matches!(authority.client(name), Err(Error::Name { .. })), "{name:?}");
    }
    assert!(matches!(Authority::with_options("a", Algorithm::EcdsaP256, 0), Err(Error::Days(0))));
    assert!(matches!(authority.with_validity(36_501), Err(Error::Days(36_501))));
}

#[test]
fn an_authority_read_back_signs_as_before() {
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Rsa2048] {
        let first = Authority::with_options("Test authority", algorithm, 1).unwrap();
        let again = Authority::from_pem(first.cert_pem(), &first.key_pem()).unwrap();
        assert!(signed_by(&again.client("c").unwrap().cert_pem, &first));
    }
}

#[test]
fn what_is_no_authority_is_not_read() {
    let good = Authority::new("Test authority").unwrap();
    let other = Authority::new("Test authority").unwrap();
    let client = good.client("client").unwrap();
    let old = good.bad_client(Fault::Expired, "old").unwrap();
    let rows: [(&str, &str, &str); 5] = [
        ("another key", good.cert_pem(), &other.key_pem()),
        ("a client's certificate", &client.cert_pem, &client.key_pem),
        ("an expired one", &old.cert_pem, &old.key_pem),
        ("no PEM", "hello", &good.key_pem()),
        ("a certificate as the key", good.cert_pem(), good.cert_pem()),
    ];
    for (what, cert, key) in rows {
        let refused = Authority::from_pem(cert, key).err();
        assert!(matches!(refused, Some(Error::Authority(_))), "{what}: {refused:?}");
    }
}

fn request(key: &KeyPair, params: &CertificateParams) -> String {
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn a_request_gets_its_subject_and_its_key_and_nothing_else_it_asks_for() {
    let authority = Authority::new("Test authority").unwrap();
    for algorithm in [&PKCS_RSA_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut greedy = CertificateParams::new(["kmip-server".to_owned()]).unwrap();
        greedy.distinguished_name = rcgen::DistinguishedName::new();
        greedy.distinguished_name.push(DnType::OrganizationName, "Example");
        greedy.distinguished_name.push(DnType::CommonName, "cluster-1");
        greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        greedy.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        greedy.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any];
        // An extension that no library here knows must neither pass nor stop the signing.
        let unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![5, 0]);
        greedy.custom_extensions = vec![unknown];

        let signed = authority.sign(&request(&key, &greedy)).unwrap();
        assert!(signed_by(&signed, &authority));
        reading(&signed, |cert| {
            assert_eq!(cert.subject().to_string(), "O=Example, CN=cluster-1");
            assert_eq!(cert.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
            assert_eq!(names(cert), [""; 0]);
            assert_eq!(usages(cert), Some((false, true)));
            assert!(!cert.is_ca());
            let usage = cert.key_usage().unwrap().unwrap().value;
            assert!(usage.digital_signature() && !usage.key_cert_sign());
            assert_eq!(cert.extensions().len(), 5, "nothing else came along");
        });
    }
}

#[test]
fn a_request_can_be_signed_under_a_name_of_our_choice() {
    let authority = Authority::new("Test authority").unwrap();
    let key = KeyPair::generate().unwrap();
    let pem = request(&key, &CertificateParams::default());
    let signed = authority.sign_as(&pem, "cluster-2").unwrap();
    reading(&signed, |cert| assert_eq!(cert.subject().to_string(), "CN=cluster-2"));
}

#[test]
fn a_request_that_proves_nothing_is_refused() {
    let authority = Authority::new("Test authority").unwrap();
    let key = KeyPair::generate().unwrap();
    let good = request(&key, &CertificateParams::default());
    let long = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
    let mut nameless = CertificateParams::default();
    nameless.distinguished_name = rcgen::DistinguishedName::new();
    let forged = {
        // The last byte belongs to the signature.
        let mut pem = pem_of(&good);
        *pem.contents.last_mut().unwrap() ^= 1;
        armour(&pem.contents)
    };
    let longer = armour(&[pem_of(&good).contents, vec![0]].concat());
    let rows = [
        ("no PEM", "hello".to_owned(), "not in PEM"),
        ("a certificate", authority.cert_pem().to_owned(), "not a CERTIFICATE REQUEST"),
        ("empty", armour(&[]), "PKCS#10"),
        ("a forged signature", forged, "signature does not match"),
        ("trailing bytes", longer, "bytes follow"),
        ("no subject", request(&key, &nameless), "no subject: give --name NAME"),
        (
            "a curve of 521 bits",
            request(&long, &CertificateParams::default()),
            "use P-256 or P-384",
        ),
    ];
    for (what, pem, why) in rows {
        let refused = authority.sign(&pem).unwrap_err().to_string();
        assert!(refused.contains(why), "{what}: {refused}");
    }
}

/// What `openssl ecparam -genkey` writes: parameters, and the key of RFC 5915 with its curve.
#[test]
fn an_authority_is_read_whose_key_openssl_wrote() {
    let authority = Authority::new("Test authority").unwrap();
    let pkcs8 = pem_of(&authority.key_pem()).contents;
    // The key is the last element of PKCS#8: SEQUENCE { 1, OCTET STRING of 32 bytes, ... }
    let begin = [0x02, 0x01, 0x01, 0x04, 0x20];
    let at = pkcs8.windows(begin.len()).position(|part| part == begin).unwrap();
    let curve = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
    let (secret, rest) = pkcs8[at..].split_at(begin.len() + 32);
    let parameters = [&[0xA0, 0x0A], &curve[..]].concat();
    let inner = [secret, &parameters, rest].concat();
    let sec1 = [&[0x30, u8::try_from(inner.len()).unwrap()][..], &inner].concat();
    let section = |label: &str, bytes: &[u8]| {
        let text = base64::prelude::BASE64_STANDARD.encode(bytes);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let pem = [section("EC PARAMETERS", &curve), section("EC PRIVATE KEY", &sec1)].concat();
    let again = Authority::from_pem(authority.cert_pem(), &pem).unwrap();
    reading(&again.client("a").unwrap().cert_pem, |cert| {
        assert_eq!(cert.issuer().to_string(), "CN=Test authority");
    });
    let encrypted = pem.replace("EC PRIVATE", "ENCRYPTED PRIVATE");
    let refused = Authority::from_pem(authority.cert_pem(), &encrypted).err().unwrap();
    assert!(refused.to_string().contains("passphrase"), "{refused}");
}

fn pem_of(text: &str) -> Pem {
    Pem::iter_from_buffer(text.as_bytes()).next().unwrap().unwrap()
}

/// Bytes as a request in PEM.
fn armour(bytes: &[u8]) -> String {
    let text = base64::prelude::BASE64_STANDARD.encode(bytes);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
}

/// Each row of the bad set has its one fault, and no other.
#[test]
fn the_bad_set_is_bad_in_one_way_each() {
    let authority = Authority::new("Test authority").unwrap();
    for case in &BAD {
        let pair = authority.bad(case, &HOSTS, "client").unwrap();
        let found = faults(case, &pair, &authority);
        let mut meant = vec![case.fault];
        if case.fault == Fault::SelfSigned {
            // No authority signed it, so another one than ours did.
            meant = vec![Fault::OtherAuthority, Fault::SelfSigned];
        }
        assert_eq!(found, meant, "{}", case.name);
    }
}

/// The same look at a good pair finds nothing, so the look can tell.
#[test]
fn a_good_pair_has_none_of_the_faults() {
    let authority = Authority::new("Test authority").unwrap();
    let server = BadCase { role: Role::Server, ..BAD[0] };
    assert_eq!(faults(&server, &authority.server(&HOSTS).unwrap(), &authority), []);
    let client = BadCase { role: Role::Client, ..BAD[0] };
    assert_eq!(faults(&client, &authority.client("client").unwrap(), &authority), []);
}

fn faults(case: &BadCase, pair: &CertifiedKey, authority: &Authority) -> Vec<Fault> {
    let mut found = Vec::new();
    reading(&pair.cert_pem, |cert| {
        let now = x509_parser::time::ASN1Time::now();
        let (server, asks) = (case.role == Role::Server, usages(cert));
        let rows = [
            (cert.validity().not_after < now, Fault::Expired),
            (cert.validity().not_before > now, Fault::NotYetValid),
            (!signed_by(&pair.cert_pem, authority), Fault::OtherAuthority),
            (asks.is_none(), Fault::NoExtendedKeyUsage),
            (asks == Some((!server, server)), Fault::OtherUsage),
            (server && names(cert).is_empty(), Fault::NoSubjectAltName),
            (
                server && !names(cert).is_empty() && !names(cert).contains(&HOSTS[0].to_owned()),
                Fault::OtherHost,
            ),
            (!key_matches(pair), Fault::OtherKey),
            (cert.issuer() == cert.subject(), Fault::SelfSigned),
        ];
        found.extend(rows.into_iter().filter(|(is, _)| *is).map(|(_, fault)| fault));
    });
    found
}
