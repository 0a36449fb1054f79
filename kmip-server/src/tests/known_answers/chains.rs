//! Validate: chains that another library made, each row a rule of RFC 5280 and its verdict.

use std::sync::Arc;

use crate::crypto::keys::pkcs;
use crate::crypto::x509::authority::Authority;
use crate::keystore::process_state::ProcessState;
use kmip::objects::Certificate;
use kmip::payload::{CertifyRequest, ValidateRequest};
use kmip::vocabulary::{CertificateRequestType, CertificateType, ValidityIndicator as Verdict};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};
use time::{Duration, OffsetDateTime};

use crate::tests::harness::*;

/// A year before the moment at which the rows are judged, and a year after it.
const FIRST: i64 = 1_700_000_000;
const MOMENT: i64 = FIRST + YEAR;
const LAST: i64 = MOMENT + YEAR;
const YEAR: i64 = 365 * 86_400;

/// What a certificate of a chain says.
struct Said {
    params: CertificateParams,
    /// Whether its issuer's key signs it, or a stranger's.
    by_stranger: bool,
    /// A bit of it is turned over after it was signed.
    turned: bool,
}

fn said(name: &str, is_ca: IsCa) -> Said {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::from_unix_timestamp(FIRST).unwrap();
    params.not_after = OffsetDateTime::from_unix_timestamp(LAST).unwrap();
    if is_ca != IsCa::NoCa {
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    }
    params.is_ca = is_ca;
    Said { params, by_stranger: false, turned: false }
}

const ANY: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

fn most(between: u8) -> IsCa {
    IsCa::Ca(BasicConstraints::Constrained(between))
}

/// Root, authority and leaf.
fn three() -> Vec<Said> {
    vec![said("root", ANY), said("authority", ANY), said("leaf", IsCa::NoCa)]
}

/// The certificates in DER; the first signs itself, and each the next.
fn chain(all: &[Said]) -> Vec<Vec<u8>> {
    let keys: Vec<KeyPair> = all.iter().map(|_| KeyPair::generate().unwrap()).collect();
    let stranger = KeyPair::generate().unwrap();
    let mut chain = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let above = at.saturating_sub(1);
        let signer = if one.by_stranger { &stranger } else { &keys[above] };
        let issuer = Issuer::from_params(&all[above].params, signer);
        let mut der = one.params.signed_by(&keys[at], &issuer).unwrap().der().to_vec();
        if one.turned {
            let middle = der.len() / 2;
            der[middle] ^= 1;
        }
        chain.push(der);
    }
    chain
}

fn given(chain: &[Vec<u8>], moment: i64) -> ValidateRequest {
    let certificates = chain.iter().map(|der| Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: der.clone(),
    });
    ValidateRequest {
        certificates: certificates.collect(),
        unique_identifiers: Vec::new(),
        validity_date: Some(DateTime(moment)),
    }
}

async fn verdict(harness: &Harness, request: ValidateRequest) -> Result<Verdict, ResultReason> {
    harness.ask(Version::V1_4, request).await.map(|response| response.validity_indicator)
}

fn unknown_extension(critical: bool) -> CustomExtension {
    let mut extension =
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![5, 0]);
    extension.set_criticality(critical);
    extension
}

/// One row a rule: its section of RFC 5280, what is changed of a good chain, the verdict.
#[tokio::test]
async fn the_rules_of_a_path() {
    type Change = fn(&mut Vec<Said>);
    let rows: [(&str, Change, Verdict); 20] = [
        ("6.1", |_| {}, Verdict::Valid),
        ("6.1.3 (a)(1)", |all| all[2].by_stranger = true, Verdict::Invalid),
        ("6.1.3 (a)(1)", |all| all[1].by_stranger = true, Verdict::Invalid),
        ("6.1.3 (a)(1)", |all| all[2].turned = true, Verdict::Invalid),
        ("6.1.3 (a)(2), leaf over", |all| end(&mut all[2], MOMENT - 1), Verdict::Invalid),
        ("6.1.3 (a)(2), leaf's last second", |all| end(&mut all[2], MOMENT), Verdict::Valid),
        ("6.1.3 (a)(2), authority over", |all| end(&mut all[1], MOMENT - 1), Verdict::Invalid),
        ("6.1.3 (a)(2), root over", |all| end(&mut all[0], MOMENT - 1), Verdict::Invalid),
        ("6.1.3 (a)(2), not begun", |all| begin(&mut all[1], MOMENT + 1), Verdict::Invalid),
        ("6.1.4 (k), no constraints", |all| all[1].params.is_ca = IsCa::NoCa, Verdict::Invalid),
        ("6.1.4 (k), CA false", |all| all[1].params.is_ca = IsCa::ExplicitNoCa, Verdict::Invalid),
        ("6.1.4 (m), 0 of 1", |all| all[0].params.is_ca = most(0), Verdict::Invalid),
        ("6.1.4 (m), 1 of 1", |all| all[0].params.is_ca = most(1), Verdict::Valid),
        ("6.1.4 (m), 0 of 0", |all| all[1].params.is_ca = most(0), Verdict::Valid),
        (
            "6.1.4 (n), no keyCertSign",
            |all| all[1].params.key_usages = vec![KeyUsagePurpose::CrlSign],
            Verdict::Invalid,
        ),
        ("6.1.4 (n), no key usage", |all| all[1].params.key_usages.clear(), Verdict::Valid),
        (
            "4.2, critical",
            |all| all[2].params.custom_extensions.push(unknown_extension(true)),
            Verdict::Invalid,
        ),
        (
            "4.2, not critical",
            |all| all[2].params.custom_extensions.push(unknown_extension(false)),
            Verdict::Valid,
        ),
        (
            "4.2.1.10, rules on names are not followed here",
            |all| {
                all[1].params.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
                    excluded_subtrees: Vec::new(),
                });
            },
            Verdict::Unknown,
        ),
        (
            "6.1, a leaf that is wrong is so with every root",
            |all| {
                end(&mut all[2], MOMENT - 1);
                all[1].params.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
                    excluded_subtrees: Vec::new(),
                });
            },
            Verdict::Invalid,
        ),
    ];
    let harness = Harness::new();
    for (source, change, expected) in rows {
        let mut all = three();
        change(&mut all);
        let found = verdict(&harness, given(&chain(&all), MOMENT)).await;
        assert_eq!(found, Ok(expected), "RFC 5280, {source}");
    }
}

fn end(said: &mut Said, second: i64) {
    said.params.not_after = OffsetDateTime::from_unix_timestamp(second).unwrap();
}

fn begin(said: &mut Said, second: i64) {
    said.params.not_before = OffsetDateTime::from_unix_timestamp(second).unwrap();
}

/// "The order in which the supplied certificate chain is validated and the specification of trust
/// anchors [...] are also controlled by the server" (1.4, 4.24): here any order, and the roots that
/// are brought.
#[tokio::test]
async fn what_is_brought_in_any_order() {
    let harness = Harness::new();
    let all = chain(&three());
    let (root, authority, leaf) = (&all[0], &all[1], &all[2]);
    let other = &chain(&three())[0];
    let far = chain(&[said("another root", ANY)]).remove(0);
    type Row<'a> = (&'a str, Vec<&'a Vec<u8>>, Result<Verdict, ResultReason>);
    let no_chain = Err(ResultReason::InvalidField);
    let rows: Vec<Row<'_>> = vec![
        ("leaf first", vec![leaf, authority, root], Ok(Verdict::Valid)),
        ("root first", vec![root, authority, leaf], Ok(Verdict::Valid)),
        ("mixed", vec![authority, leaf, root], Ok(Verdict::Valid)),
        ("one twice", vec![leaf, authority, root, authority], Ok(Verdict::Valid)),
        ("a root alone", vec![root], Ok(Verdict::Valid)),
        ("no root", vec![leaf, authority], Ok(Verdict::Unknown)),
        ("a leaf alone", vec![leaf], Ok(Verdict::Unknown)),
        ("a root of the same name", vec![leaf, authority, other], Ok(Verdict::Invalid)),
        ("a gap", vec![leaf, root], no_chain),
        ("two chains", vec![leaf, authority, root, &far], no_chain),
    ];
    for (name, chain, expected) in rows {
        let chain: Vec<Vec<u8>> = chain.into_iter().cloned().collect();
        assert_eq!(verdict(&harness, given(&chain, MOMENT)).await, expected, "{name}");
    }
    let garbage = vec![vec![0x30, 3, 1, 1, 1]];
    assert_eq!(verdict(&harness, given(&garbage, MOMENT)).await, Ok(Verdict::Invalid));
    // Without a date it is now, when all of these are over.
    let mut now = given(&all, MOMENT);
    now.validity_date = None;
    assert_eq!(verdict(&harness, now).await, Ok(Verdict::Invalid));
}

fn register(der: &[u8]) -> RegisterRequest {
    RegisterRequest {
        object_type: ObjectType::Certificate,
        attributes: Attributes::new([
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Verify),
            AttributeValue::ActivationDate(DateTime(FIRST)),
        ]),
        object: Object::Certificate(Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: der.to_vec(),
        }),
        protection_storage_masks: None,
    }
}

/// Kept certificates and given ones are one chain; one that its owner gave up spoils it.
#[tokio::test]
async fn kept_certificates() {
    use RevocationReasonCode as Code;
    let harness = Harness::new();
    let all = chain(&three());
    for (reason, expected) in [
        (None, Verdict::Valid),
        (Some(Code::KeyCompromise), Verdict::Invalid),
        (Some(Code::CessationOfOperation), Verdict::Invalid),
    ] {
        let kept = harness.ask(Version::V1_4, register(&all[1])).await.unwrap().unique_identifier;
        if let Some(reason) = reason {
            harness.ask(Version::V1_4, revoke(&kept, reason)).await.unwrap();
        }
        let mut request = given(&[all[2].clone(), all[0].clone()], MOMENT);
        request.unique_identifiers = vec![Identifier::from(kept.as_str())];
        assert_eq!(verdict(&harness, request.clone()).await, Ok(expected), "{reason:?}");
        if reason.is_some() {
            let destroy = DestroyRequest { unique_identifier: id(&kept) };
            harness.ask(Version::V1_4, destroy).await.unwrap();
            assert_eq!(verdict(&harness, request).await, Ok(Verdict::Invalid), "{reason:?}");
        }
    }
}

/// One row a request that is none: what is wrong, and the reason.
#[tokio::test]
async fn no_chain_at_all() {
    let harness = Harness::new();
    let key = harness.create(Version::V2_1, Vec::new()).await;
    let mut of_pgp = given(&[vec![1]], MOMENT);
    of_pgp.certificates[0].certificate_type = CertificateType::PGP;
    let named = |id: &str| ValidateRequest {
        unique_identifiers: vec![Identifier::from(id)],
        ..ValidateRequest::default()
    };
    let rows = [
        (ValidateRequest::default(), ResultReason::MissingData),
        (of_pgp, ResultReason::FeatureNotSupported),
        (named(&key), ResultReason::InvalidObjectType),
        (named("nothing"), ResultReason::ObjectNotFound),
        (given(&vec![vec![1]; 17], MOMENT), ResultReason::InvalidField),
    ];
    for (request, reason) in rows {
        assert_eq!(harness.ask(Version::V2_1, request).await.unwrap_err(), reason);
    }
}

/// The server trusts its own authority without being shown it, and no other server's.
#[tokio::test]
async fn the_servers_own_authority() {
    let harness = |name: &str| {
        let (mut said, key) = (said(name, ANY), KeyPair::generate().unwrap());
        said.params.not_before = OffsetDateTime::now_utc() - Duration::days(1);
        said.params.not_after = OffsetDateTime::now_utc() + Duration::days(1000);
        let der = said.params.self_signed(&key).unwrap().der().to_vec();
        let key = pkcs::read_pkcs8(&key.serialize_der()).unwrap();
        let authority = Some(Arc::new(Authority::new(der, key, 30).unwrap()));
        Harness::living(ProcessState { authority, ..ProcessState::default() })
    };
    let mut wanted = CertificateParams::default();
    wanted.distinguished_name = rcgen::DistinguishedName::new();
    wanted.distinguished_name.push(DnType::CommonName, "leaf");
    let request = wanted.serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let certify = CertifyRequest {
        certificate_request_type: Some(CertificateRequestType::PKCS_10),
        certificate_request_value: Some(request.der().to_vec()),
        ..CertifyRequest::default()
    };
    let here = harness("here");
    let made = here.ask(Version::V1_4, certify).await.unwrap().unique_identifier;
    let Object::Certificate(certificate) =
        here.ask(Version::V1_4, get(&made)).await.unwrap().object
    else {
        panic!("no certificate");
    };
    let ask = |moment| ValidateRequest {
        certificates: vec![certificate.clone()],
        unique_identifiers: Vec::new(),
        validity_date: moment,
    };
    assert_eq!(verdict(&here, ask(None)).await, Ok(Verdict::Valid));
    assert_eq!(verdict(&harness("there"), ask(None)).await, Ok(Verdict::Unknown));
    assert_eq!(verdict(&harness("here"), ask(None)).await, Ok(Verdict::Invalid), "another key");
    assert_eq!(verdict(&Harness::new(), ask(None)).await, Ok(Verdict::Unknown));
    let late = OffsetDateTime::now_utc() + Duration::days(40);
    let late = Some(DateTime(late.unix_timestamp()));
    assert_eq!(verdict(&here, ask(late)).await, Ok(Verdict::Invalid));
}
