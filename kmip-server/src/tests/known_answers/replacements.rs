//! Objects in the place of others: what the tables of the standard say of each attribute of the new
//! one (1.4, tables 173, 177 and 187; 2.1, tables 299, 304 and 309), and that a request adds to it.

use std::collections::BTreeSet;

use kmip::attributes::{ATTRIBUTES, AllAttributes, AttributeRow, Settable};
use kmip::payload::{ExportRequest, ImportRequest, ReCertifyRequest, ReKeyKeyPairRequest};

use crate::config::policy::Policy;
use crate::objects::attribute_consistency::RNG;
use crate::objects::attribute_rules::{may_have, short_identifier};
use crate::objects::server_attributes::{STORAGE, key_hint, of_the_object};
use crate::tests::harness::*;
use crate::tests::known_answers::attributes::sample_attributes::attributes as samples;
use crate::tests::known_answers::certificates::{certifying, links, of_key, values};
use AttributeValue as A;

const V1_4: Version = Version::V1_4;

/// One row an attribute: what becomes of it by Re-key, Re-key Key Pair and Re-certify.
///
/// ```text
/// =  copied from the old object      -  not set
/// n  set anew by the server          o  what the new object itself says
/// .  no such object has it
/// ```
const CLASSES: &str = "
    Activation Date                    = = =
    Alternative Name                   = = =
    Always Sensitive                   n n n
    Application Specific Information   = = =
    Archive Date                       - - -
    Certificate Identifier             . . o
    Certificate Issuer                 . . o
    Certificate Issuer C               . . o
    Certificate Issuer CN              . . o
    Certificate Issuer DC              . . o
    Certificate Issuer DN Qualifier    . . o
    Certificate Issuer Email           . . o
    Certificate Issuer L               . . o
    Certificate Issuer O               . . o
    Certificate Issuer OU              . . o
    Certificate Issuer ST              . . o
    Certificate Issuer Serial Number   . . o
    Certificate Issuer Title           . . o
    Certificate Issuer UID             . . o
    Certificate Length                 . . o
    Certificate Subject                . . o
    Certificate Subject C              . . o
    Certificate Subject CN             . . o
    Certificate Subject DC             . . o
    Certificate Subject DN Qualifier   . . o
    Certificate Subject Email          . . o
    Certificate Subject L              . . o
    Certificate Subject O              . . o
    Certificate Subject OU             . . o
    Certificate Subject ST             . . o
    Certificate Subject Serial Number  . . o
    Certificate Subject Title          . . o
    Certificate Subject UID            . . o
    Certificate Type                   . . o
    Comment                            = = =
    Compromise Date                    - - -
    Compromise Occurrence Date         - - -
    Contact Information                = = =
    Cryptographic Algorithm            = = o
    Cryptographic Domain Parameters    . = .
    Cryptographic Length               = = o
    Cryptographic Parameters           = = =
    Cryptographic Usage Mask           = = =
    Deactivation Date                  = = =
    Description                        = = =
    Destroy Date                       - - -
    Digest                             o o o
    Digital Signature Algorithm        . . o
    Extractable                        = = =
    Fresh                              n n n
    Initial Date                       n n n
    Key Format Type                    = = =
    Key Value Location                 = = =
    Key Value Present                  - - -
    Last Change Date                   n n n
    Lease Time                         n n n
    Link                               n n n
    Name                               = = =
    Never Extractable                  n n n
    NIST Key Type                      = = =
    Object Group                       = = =
    Object Type                        = = =
    Opaque Data Type                   . . .
    Operation Policy Name              = = =
    Original Creation Date             n n n
    PKCS#12 Friendly Name              = = =
    Process Start Date                 = = =
    Protect Stop Date                  = = =
    Protection Level                   = = =
    Protection Period                  = = =
    Protection Storage Mask            n n n
    Quantum Safe                       = = =
    Random Number Generator            n n n
    Revocation Reason                  - - -
    Rotate Automatic                   = = =
    Rotate Date                        - - -
    Rotate Generation                  n n n
    Rotate Interval                    = = =
    Rotate Latest                      n n n
    Rotate Name                        = = =
    Rotate Offset                      = = =
    Sensitive                          = = =
    Short Unique Identifier            n n n
    State                              n n n
    Unique Identifier                  n n n
    Usage Limits                       n n n
    X.509 Certificate Identifier       . . o
    X.509 Certificate Issuer           . . o
    X.509 Certificate Subject          . . o
";

fn classes() -> Vec<(&'static str, [char; 3])> {
    let lines = CLASSES.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, letters) = line.split_at(line.len() - 5);
            let letters: Vec<char> = letters.chars().filter(|c| *c != ' ').collect();
            (name.trim(), letters.try_into().unwrap())
        })
        .collect()
}

#[test]
fn every_attribute_is_classified() {
    let named: BTreeSet<&str> = classes().iter().map(|(name, _)| *name).collect();
    let known: BTreeSet<&str> = ATTRIBUTES.iter().map(|row| row.name).collect();
    assert_eq!(named, known);
}

/// Which of the three, by its column.
pub(super) const OPERATIONS: [Operation; 3] =
    [Operation::ReKey, Operation::ReKeyKeyPair, Operation::ReCertify];

/// The objects that an operation replaces, all of them new: one, or a private and a public key.
pub(super) async fn originals(harness: &Harness, operation: Operation) -> Vec<String> {
    match operation {
        Operation::ReKey => vec![harness.create(V1_4, vec![name("old")]).await],
        Operation::ReKeyKeyPair => pair(harness).await,
        _ => {
            let public = pair(harness).await.remove(1);
            let more = [A::CertificateSubjectCN("a name".to_owned()), name("old")];
            vec![harness.ask(NEWEST, of_key(&public, more)).await.unwrap().unique_identifier]
        }
    }
}

/// A pair on a curve: the private key and the public key.
async fn pair(harness: &Harness) -> Vec<String> {
    let mask = A::CryptographicUsageMask(CryptographicUsageMask::Sign);
    let own = |text: &str| Some(Attributes::new([mask.clone(), name(text)]));
    let curve =
        [A::CryptographicAlgorithm(CryptographicAlgorithm::ECDSA), A::CryptographicLength(256)];
    let request = kmip::payload::CreateKeyPairRequest {
        common_attributes: Some(Attributes::new(curve)),
        private_key_attributes: own("private"),
        public_key_attributes: own("public"),
        ..Default::default()
    };
    let made = harness.ask(NEWEST, request).await.unwrap();
    vec![made.private_key_unique_identifier, made.public_key_unique_identifier]
}

/// Attributes that would end the life of an object, so that nothing can replace it.
fn ends_life(row: &AttributeRow, kind: ObjectType) -> bool {
    match row.tag {
        tags::DestroyDate | tags::ArchiveDate => true,
        // A certificate that is compromised is not renewed, and its dates are its own.
        tags::CompromiseDate | tags::ProcessStartDate | tags::ProtectStopDate => {
            kind == ObjectType::Certificate
        }
        _ => false,
    }
}

/// Gives an object, by Import, every attribute that it may have in this version and does not have.
pub(super) async fn give_everything(harness: &Harness, version: Version, object: &str) {
    let export = ExportRequest { unique_identifier: id(object), ..ExportRequest::default() };
    let exported = harness.ask(version, export).await.unwrap();
    let kind = exported.object_type;
    let mut all = exported.attributes.0;
    for (sample, row) in samples().into_iter().zip(ATTRIBUTES) {
        let is_there = all.iter().any(|a| a.value.is_same_attribute(&sample));
        let can_be = row.versions().contains(&version)
            && may_have(&sample.reference(), kind, version)
            && row.object_types.v1 != [ObjectType::Certificate]
            && row.tag != tags::KeyFormatType;
        if is_there || !can_be || ends_life(row, kind) {
            continue;
        }
        all.push(match sample {
            // No key of a pair is safe from a quantum computer here.
            A::QuantumSafe(_) => A::QuantumSafe(kind == ObjectType::SymmetricKey).into(),
            other => other.into(),
        });
    }
    for vendor in ["x", "y"] {
        let custom =
            VendorAttribute { vendor: vendor.to_owned(), ..VendorAttribute::text("Rack", "7") };
        all.push(A::Vendor(custom).into());
    }
    let import = ImportRequest {
        unique_identifier: object.to_owned(),
        object_type: Some(kind),
        replace_existing: Some(true),
        key_wrap_type: None,
        attributes: AllAttributes(all),
        object: exported.object.unwrap(),
    };
    harness.ask(version, import).await.unwrap();
}

/// Replaces objects, with these attributes in the request; the new ones, as they were.
pub(super) async fn replace(
    harness: &Harness,
    version: Version,
    operation: Operation,
    olds: &[String],
    given: Vec<A>,
) -> Result<Vec<String>, ResultReason> {
    let unique_identifier = id(&olds[0]);
    let attributes = Some(Attributes::new(given));
    match operation {
        Operation::ReKey => {
            let request = ReKeyRequest {
                unique_identifier,
                offset: None,
                attributes,
                protection_storage_masks: None,
            };
            Ok(vec![harness.ask(version, request).await?.unique_identifier])
        }
        Operation::ReKeyKeyPair => {
            let request = ReKeyKeyPairRequest {
                private_key_unique_identifier: unique_identifier,
                private_key_attributes: attributes,
                ..ReKeyKeyPairRequest::default()
            };
            let made = harness.ask(version, request).await?;
            Ok(vec![made.private_key_unique_identifier, made.public_key_unique_identifier])
        }
        _ => {
            let request =
                ReCertifyRequest { unique_identifier, attributes, ..ReCertifyRequest::default() };
            Ok(vec![harness.ask(version, request).await?.unique_identifier])
        }
    }
}

/// What an object says of itself.
async fn own(harness: &Harness, version: Version, object: &str, known: &[A]) -> Vec<A> {
    let got = harness.ask(version, get(object)).await.unwrap().object;
    of_the_object(&got, key_hint(known.iter()))
}

fn instances<'a>(values: &'a [A], row: &AttributeRow) -> Vec<&'a A> {
    values.iter().filter(|value| value.tag() == Some(row.tag)).collect()
}

fn same(a: &[&A], b: &[&A]) -> bool {
    a.len() == b.len() && a.iter().all(|value| b.contains(value))
}

/// Every attribute of a key, a pair and a certificate that have all of them, replaced in each
/// version: each as the table says, and no more than once where an object has it once.
#[tokio::test]
async fn each_attribute_of_a_replacement_is_as_the_tables_say() {
    for (column, operation) in OPERATIONS.into_iter().enumerate() {
        for version in [OLDEST, V1_4, Version::V2_0, NEWEST] {
            for known_in in [V1_4, NEWEST].into_iter().filter(|_| operation.exists_in(version)) {
                let harness = Harness::living(certifying());
                let olds = originals(&harness, operation).await;
                for old in &olds {
                    give_everything(&harness, known_in, old).await;
                }
                let mut were = Vec::new();
                for old in &olds {
                    were.push(values(&harness, known_in, old).await);
                }
                let news = replace(&harness, version, operation, &olds, vec![]).await.unwrap();
                for (at, (old, new)) in olds.iter().zip(&news).enumerate() {
                    let case = format!("{operation:?} in {version}, {known_in}, {at}");
                    let is = values(&harness, known_in, new).await;
                    let own = own(&harness, known_in, new, &is).await;
                    check(&case, column, known_in, &were[at], &is, &own);
                    check_links(&case, &is, old, &news, at);
                    let identifiers = [A::UniqueIdentifier(new.clone()), short_identifier(new)];
                    let shown = identifiers.iter().filter(|i| i.exists_in(known_in));
                    shown.for_each(|identifier| assert!(is.contains(identifier), "{case}"));
                    // 1.4, 3.39: what the client made is the key's, what a server made is not.
                    let customs = is.iter().filter(|value| matches!(value, A::Vendor(_)));
                    let customs: Vec<String> = customs.map(A::name).collect();
                    assert_eq!(customs, ["x-Rack"], "{case}");
                    let left = values(&harness, known_in, old).await;
                    let names = left.iter().filter(|value| matches!(value, A::Name(_)));
                    assert_eq!(names.count(), 0, "{case}: names are removed from the old one");
                }
            }
        }
    }
}

fn check(case: &str, column: usize, version: Version, was: &[A], is: &[A], own: &[A]) {
    let classes = classes();
    for row in ATTRIBUTES.iter().filter(|row| row.versions().contains(&version)) {
        let (_, letters) = classes.iter().find(|(name, _)| *name == row.name).unwrap();
        let (was, now) = (instances(was, row), instances(is, row));
        let case = format!("{case}: {} was {was:?} and is {now:?}", row.name);
        assert!(row.multiple || now.len() <= 1, "{case}, twice");
        match letters[column] {
            '=' => assert!(same(&was, &now), "{case}"),
            '-' => assert!(now.is_empty(), "{case}"),
            '.' => assert!(was.is_empty() && now.is_empty(), "{case}"),
            'o' => assert!(same(&now, &instances(own, row)), "{case}, not {own:?}"),
            'n' if row.tag == tags::UsageLimits && was.is_empty() => {
                assert!(now.is_empty(), "{case}");
            }
            'n' => check_new(&case, row, &was, is),
            other => panic!("{other}"),
        }
    }
}

/// What the server sets anew: once, and to what the text of the attribute says.
fn check_new(case: &str, row: &AttributeRow, was: &[&A], is: &[A]) {
    let find = |tag| is.iter().find(|value| value.tag() == Some(tag));
    let Some(now) = find(row.tag) else { panic!("{case}: it is not set") };
    let is_right = match now {
        A::AlwaysSensitive(always) => find(tags::Sensitive) == Some(&A::Sensitive(*always)),
        A::NeverExtractable(never) => find(tags::Extractable) == Some(&A::Extractable(!*never)),
        A::Fresh(fresh) => *fresh,
        A::InitialDate(date) => date.0 > 1_700_000_000,
        A::LastChangeDate(date) => find(tags::InitialDate) == Some(&A::InitialDate(*date)),
        A::OriginalCreationDate(date) => find(tags::InitialDate) == Some(&A::InitialDate(*date)),
        A::LeaseTime(time) => *time == Policy::default().lease_time,
        A::ProtectionStorageMask(mask) => *mask == STORAGE,
        A::RandomNumberGenerator(generator) => *generator == RNG,
        A::RotateGeneration(generation) => {
            let before = was.iter().find_map(|value| match value {
                A::RotateGeneration(before) => Some(*before),
                _ => None,
            });
            *generation == before.unwrap_or(0) + 1
        }
        A::RotateLatest(latest) => *latest,
        A::UsageLimits(limits) => {
            matches!(was, [A::UsageLimits(before)] if before.total == limits.total)
                && limits.count == Some(limits.total)
        }
        // Checked with the objects beside it.
        A::Link(_) | A::ShortUniqueIdentifier(_) | A::UniqueIdentifier(_) | A::State(_) => true,
        other => panic!("{case}: nobody says what {other:?} must be"),
    };
    assert!(is_right, "{case}");
}

/// The links of a new object: to the old one, and of a pair to each other; nothing of the old
/// one's.
fn check_links(case: &str, is: &[A], old: &str, news: &[String], at: usize) {
    let mut expected = vec![(LinkType::ReplacedObjectLink, old.to_owned())];
    if news.len() == 2 {
        let other = if at == 0 { LinkType::PublicKeyLink } else { LinkType::PrivateKeyLink };
        expected.push((other, news[1 - at].clone()));
    }
    let mut found = links(is);
    found.retain(|(link, _)| news.len() == 2 || *link != LinkType::PublicKeyLink);
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{case}");
}

/// A further value of an attribute; none where the test has no use for one.
fn other(value: &A) -> Option<A> {
    use kmip::structures::*;
    let text = || "other".to_owned();
    Some(match value.clone() {
        A::AlternativeName(name) => A::AlternativeName(AlternativeName { value: text(), ..name }),
        A::ApplicationSpecificInformation(information) => {
            A::ApplicationSpecificInformation(ApplicationSpecificInformation {
                namespace: text(),
                ..information
            })
        }
        A::CryptographicParameters(parameters) => {
            let parameters = CryptographicParameters { random_iv: Some(false), ..*parameters };
            A::CryptographicParameters(Box::new(parameters))
        }
        A::KeyValueLocation(location) => {
            A::KeyValueLocation(KeyValueLocation { value: text(), ..location })
        }
        A::Link(_) => A::Link(Link {
            link_type: LinkType::ParentLink,
            linked_object_identifier: Identifier::from("other"),
        }),
        A::Name(_) => name("other"),
        A::NISTKeyType(kind) => A::NISTKeyType(kmip::vocabulary::NISTKeyType(kind.0 + 1)),
        A::ObjectGroup(_) => A::ObjectGroup(text()),
        A::Comment(_) => A::Comment(text()),
        A::ContactInformation(_) => A::ContactInformation(text()),
        A::Description(_) => A::Description(text()),
        A::ProtectionPeriod(period) => A::ProtectionPeriod(kmip::Interval(period.0 + 1)),
        A::Sensitive(sensitive) => A::Sensitive(!sensitive),
        _ => return None,
    })
}

/// KMIP 1.4, 4.4, and 2.1, 6.1.46: of an attribute that an object has several of, a request adds to
/// those of the old object and drops none; of others, what it says counts.
#[tokio::test]
async fn a_request_adds_to_what_is_inherited() {
    for operation in OPERATIONS {
        for (sample, row) in samples().into_iter().zip(ATTRIBUTES) {
            let harness = Harness::living(certifying());
            let olds = originals(&harness, operation).await;
            let kind = harness.ask(NEWEST, get(&olds[0])).await.unwrap().object_type;
            let is_asked = row.settable == Settable::Client
                && row.versions().contains(&NEWEST)
                && may_have(&sample.reference(), kind, NEWEST);
            let given = other(&sample).filter(|_| is_asked);
            assert!(given.is_some() || !row.multiple || !is_asked, "{}: no value", row.name);
            let Some(given) = given else { continue };
            give_everything(&harness, NEWEST, &olds[0]).await;
            let was = values(&harness, NEWEST, &olds[0]).await;
            let was = instances(&was, row);
            let news = replace(&harness, NEWEST, operation, &olds, vec![given.clone()]).await;
            let new = news.unwrap().remove(0);
            let is = values(&harness, NEWEST, &new).await;
            let is = instances(&is, row);
            let case = format!("{operation:?}: {} was {was:?} and is {is:?}", row.name);
            assert!(is.contains(&&given), "{case}");
            let is_link = row.tag == tags::Link;
            match row.multiple {
                // Links are the new object's own.
                true => assert!(is_link || was.iter().all(|value| is.contains(value)), "{case}"),
                false => assert_eq!(is.len(), 1, "{case}"),
            }
        }
    }
}
