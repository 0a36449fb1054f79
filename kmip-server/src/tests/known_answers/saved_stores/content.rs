//! What is in the saved stores: each object that there is, in each form and version, with each
//! attribute, in each state, and all that clients set for themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use certs::Authority;
use kmip::objects::{Certificate, CertificateRequest, OpaqueObject, PGPKey, Template};
use kmip::payload::{
    ArchiveRequest, Constraint, Constraints, ImportRequest, SetConstraintsRequest,
    SetDefaultsRequest,
};
use kmip::structures::UsageLimits;
use kmip::vocabulary::{CertificateRequestType, CertificateType, OpaqueDataType, UsageLimitsUnit};
use kmip::{Interval, payload};

use super::{ENGINES, hex, opened, rows, text};
use crate::config::Engine;
use crate::store::{OpenStore, StoreSettings, offline};
use crate::tests::harness::*;
use crate::tests::known_answers::certificates::{certificate_of_many_names, certifying, der};
use crate::tests::known_answers::key_forms::every_key;
use crate::tests::known_answers::re_provision;
use crate::tests::known_answers::replacements::{OPERATIONS, give_everything, originals, replace};
use crate::tests::sessions::guarded_reads::requests;
use AttributeValue as A;

/// Clients that have set something for themselves, or have objects.
pub(super) const OWNERS: [&str; 3] = ["alice", "bob", "subject:CN=node-1"];

/// Why a Get in the version of the object may be refused.
pub(super) const MAY_STAY: [ResultReason; 3] =
    [ResultReason::Sensitive, ResultReason::NotExtractable, ResultReason::KeyValueNotPresent];

const V1_4: Version = Version::V1_4;

/// Bytes of digits.
pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()
}

/// Not a test: makes the saved stores anew, where the variable says. It does nothing in any other
/// run.
#[tokio::test]
async fn saved_stores_are_made() {
    let Ok(folder) = std::env::var("SAVED_STORES") else { return };
    let folder = PathBuf::from(folder);
    fs::create_dir(&folder).unwrap();
    let sled = folder.join("sled");
    let ciphertext = {
        let settings = StoreSettings { free_space_reserve: 0, ..StoreSettings::new(&sled) };
        let opened = crate::store::open(settings).await.unwrap();
        fill(&opened).await
    };
    fs::write(folder.join("ciphertext.hex"), format!("{}\n", hex(&ciphertext))).unwrap();
    let redb = folder.join("redb");
    fs::create_dir(&redb).unwrap();
    fs::copy(sled.join("store.key"), redb.join("store.key")).unwrap();
    let export = folder.join("export");
    offline::export(StoreSettings::new(&sled), &folder, &export).unwrap();
    let settings = StoreSettings { engine: Engine::Redb, ..StoreSettings::new(&redb) };
    offline::import(&settings, &export).unwrap();
    fs::remove_file(export).unwrap();
    let mut said = Vec::new();
    for engine in ENGINES {
        said.push(text(&rows(&opened(&folder, engine).await).await));
    }
    assert_eq!(said[0], said[1]);
    fs::write(folder.join("rows.txt"), &said[0]).unwrap();
    pack(&folder);
}

fn pack(folder: &Path) {
    let mut pack = Command::new("tar");
    pack.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--exclude=reserve"]);
    pack.arg("-C").arg(folder).arg("-czf").arg(folder.with_extension("tar.gz"));
    pack.args(["sled", "redb", "rows.txt", "ciphertext.hex"]);
    assert!(pack.status().unwrap().success());
}

/// Fills a store; the zeros that were encrypted with the key `encrypts`.
async fn fill(opened: &OpenStore) -> Vec<u8> {
    let harness = Harness::opened(opened, certifying());
    keys_in_every_form(&harness).await;
    objects_without_a_key(&harness).await;
    for operation in OPERATIONS {
        everything(&harness, operation).await;
    }
    every_state(&harness).await;
    settings(&harness).await;
    let authority = Authority::new("authority").unwrap();
    let signed = Harness::opened(opened, signed_by(&authority));
    re_provision::replace_certificate(&signed, &authority).await;
    let more = vec![name("encrypts"), A::ActivationDate(DateTime(1))];
    let harness = Harness::opened(opened, certifying());
    let key = harness.create(NEWEST, more).await;
    harness.ask(NEWEST, requests::encrypt(&key)).await.unwrap().data.unwrap().as_bytes().to_vec()
}

/// Each form of each key, under an identifier of the client's and one of the server's; a key in
/// each version; one that came wrapped.
async fn keys_in_every_form(harness: &Harness) {
    for (at, (object, values)) in every_key().into_iter().enumerate() {
        let mask = A::CryptographicUsageMask(CryptographicUsageMask(0));
        let values: Vec<A> = values.into_iter().chain([mask]).collect();
        let chosen = ImportRequest {
            attributes: kmip::attributes::AllAttributes(
                values.iter().cloned().map(Attribute::from).collect(),
            ),
            ..requests::import(&format!("form-{at}"), object.clone())
        };
        harness.ask(NEWEST, chosen).await.unwrap();
        if at % 8 == 0 {
            harness.ask(NEWEST, register(object, values)).await.unwrap();
        }
    }
    for version in Version::SERVED {
        let mut key_block = KeyBlock::plain(KeyFormatType::Raw, &[7; 32]);
        key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
        key_block.cryptographic_length = Some(256);
        let key = Object::SymmetricKey(Key { key_block });
        let values = vec![A::CryptographicUsageMask(CryptographicUsageMask::Encrypt)];
        harness.ask(*version, register(key, values)).await.unwrap();
    }
    let wraps = A::CryptographicUsageMask(CryptographicUsageMask::WrapKey);
    let algorithm = A::CryptographicAlgorithm(CryptographicAlgorithm::AES);
    let wraps = create_with([wraps, algorithm, A::ActivationDate(DateTime(1))]);
    let wraps = harness.ask(NEWEST, wraps).await.unwrap().unique_identifier;
    let inner = harness.create(NEWEST, vec![]).await;
    let wrapped = harness.ask(V1_4, requests::get_wrapped(&inner, &wraps)).await.unwrap().object;
    let values = vec![A::CryptographicUsageMask(CryptographicUsageMask::Encrypt)];
    harness.ask(V1_4, register(wrapped, values)).await.unwrap();
}

fn register(object: Object, values: Vec<A>) -> RegisterRequest {
    RegisterRequest {
        object_type: object.object_type(),
        attributes: Attributes::new(values),
        object,
        protection_storage_masks: None,
    }
}

/// A template, a certificate and a request for one, a key of OpenPGP; opaque bytes, few and so many
/// that an engine cuts them.
async fn objects_without_a_key(harness: &Harness) {
    let contact = A::ContactInformation("c".to_owned());
    let values = vec![A::CryptographicLength(256).into(), contact.into()];
    let attributes = kmip::attributes::AttributeList(values);
    let template = Object::Template(Template { attributes });
    harness.ask(V1_4, register(template, vec![name("template")])).await.unwrap();
    let request = Object::CertificateRequest(CertificateRequest {
        certificate_request_type: CertificateRequestType::PKCS_10,
        certificate_request_value: der("p-256"),
    });
    harness.ask(NEWEST, register(request, vec![])).await.unwrap();
    let certificate = Object::Certificate(Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: certificate_of_many_names(),
    });
    harness.ask(NEWEST, register(certificate, vec![])).await.unwrap();
    let key_block = KeyBlock::plain(KeyFormatType::Raw, &[0x99, 0, 1, 4]);
    let of_openpgp = Object::PGPKey(PGPKey { version: 4, key_block });
    let values = vec![A::CryptographicUsageMask(CryptographicUsageMask(0))];
    harness.ask(V1_4, register(of_openpgp, values)).await.unwrap();
    for len in [0, 9, 70_000] {
        let object = Object::OpaqueObject(OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0001),
            opaque_data_value: SecretBytes::new(&vec![7; len]),
        });
        let named = vec![name(&format!("opaque {len}"))];
        harness.ask(V1_4, register(object.clone(), named)).await.unwrap();
        harness.ask(NEWEST, requests::import(&format!("opaque-{len}"), object)).await.unwrap();
    }
}

/// Objects with each attribute that they may have, and those that took their places.
async fn everything(harness: &Harness, operation: Operation) {
    let olds = originals(harness, operation).await;
    for version in [V1_4, NEWEST] {
        for old in &olds {
            give_everything(harness, version, old).await;
        }
    }
    replace(harness, NEWEST, operation, &olds, vec![]).await.unwrap();
}

/// Keys in each state, in the archive, with a name that is another's too, to be replaced in 2094,
/// with a limit that was drawn from.
async fn every_state(harness: &Harness) {
    let active = || vec![A::ActivationDate(DateTime(1)), name("shared")];
    let mut keys = Vec::new();
    for _ in 0..7 {
        keys.push(harness.create(NEWEST, active()).await);
    }
    let [deactivated, compromised, destroyed, both, archived, ..] = &keys[..] else { panic!() };
    let end = RevocationReasonCode::CessationOfOperation;
    for key in [deactivated, destroyed] {
        harness.ask(NEWEST, revoke(key, end)).await.unwrap();
    }
    for key in [compromised, both] {
        harness.ask(NEWEST, requests::compromise(key)).await.unwrap();
    }
    for key in [destroyed, both] {
        harness.ask(NEWEST, requests::destroy(key)).await.unwrap();
    }
    harness.ask(NEWEST, ArchiveRequest { unique_identifier: id(archived) }).await.unwrap();
    let turning = [A::RotateAutomatic(true), A::RotateInterval(Interval(2_000_000_000))];
    harness.create(NEWEST, turning.to_vec()).await;
    let unit = UsageLimitsUnit::Byte;
    let policy = A::OperationPolicyName("default".to_owned());
    harness.create(OLDEST, vec![policy]).await;
    let limits = UsageLimits { total: 1000, count: None, unit };
    let limited = [A::UsageLimits(limits), A::ActivationDate(DateTime(1))];
    let limited = harness.create(NEWEST, limited.to_vec()).await;
    harness.ask(NEWEST, requests::encrypt(&limited)).await.unwrap();
    harness.create(NEWEST, vec![A::Vendor(VendorAttribute::text("Rack", "7"))]).await;
}

/// Defaults and constraints of another client.
async fn settings(harness: &Harness) {
    let bob = harness.beside("bob");
    bob.create(NEWEST, vec![name("bob's")]).await;
    let set = payload::ObjectDefaults {
        object_type: Some(ObjectType::SymmetricKey),
        object_types: None,
        attributes: Attributes::new([A::ContactInformation("bob".to_owned())]),
        object_groups: None,
    };
    let defaults_information = Some(payload::DefaultsInformation { object_defaults: vec![set] });
    bob.ask(NEWEST, SetDefaultsRequest { defaults_information }).await.unwrap();
    let attributes = Attributes::new([A::CryptographicLength(128)]);
    let constraint = Constraint { attributes: Some(attributes), ..Constraint::default() };
    let constraints = Constraints { constraints: vec![constraint] };
    bob.ask(NEWEST, SetConstraintsRequest { constraints }).await.unwrap();
}
