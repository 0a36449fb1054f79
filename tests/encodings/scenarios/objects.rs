//! Objects of every type: made, brought, given out, split, derived, replaced and certified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::Lab;
use kmip::Interval;
use kmip::attributes::{AttributeList, AttributeValue as A, Attributes};
use kmip::codec::DateTime;
use kmip::objects::{CertificateRequest, KeyBlock, Object, PGPKey, Template};
use kmip::payload::*;
use kmip::structures::*;
use kmip::vocabulary::*;

use super::Objects;
use crate::comparison::KEYS;
use crate::requests::*;
use crate::script::Script;

pub(super) fn run(script: &mut Script<'_>, lab: &Lab) -> Objects {
    let objects = brought(script);
    made(script);
    further_types(script, lab);
    given_out(script, &objects);
    parts(script, &objects);
    derived(script, &objects);
    replaced(script, &objects);
    imported(script, &objects);
    certified(script, lab);
    objects
}

fn brought(script: &mut Script<'_>) -> Objects {
    let mask = || A::CryptographicUsageMask(ALL_USES);
    let aes = symmetric_key(CryptographicAlgorithm::AES, AES_KEY);
    let values = [mask(), active(), script.name("brought \"key\" & 'co'"), script.name("n2")];
    let key = script.done(register(aes, values)).unique_identifier;
    let hmac = symmetric_key(CryptographicAlgorithm::HMAC_SHA256, &[0x0B; 32]);
    let code_key = script.done(register(hmac, [mask(), active()])).unique_identifier;
    let (private, public) = ec_pair();
    let private = script.done(register(private, [mask(), active()])).unique_identifier;
    let public = script.done(register(public, [mask(), active()])).unique_identifier;
    let bytes = opaque(&[0, 1, 2, 0xFD, 0xFE, 0xFF]);
    let opaque = script.done(register(bytes, [script.name("opaque")])).unique_identifier;
    let made = script.made(create([active(), script.name("made")])).unique_identifier;
    Objects { key, made, code_key, private, public, opaque }
}

/// Objects that the server makes, and those that it refuses to make.
fn made(script: &mut Script<'_>) {
    let rows: [(CryptographicAlgorithm, i32); 7] = [
        (CryptographicAlgorithm::AES, 128),
        (CryptographicAlgorithm::DES3, 192),
        (CryptographicAlgorithm::HMAC_SHA512, 512),
        (CryptographicAlgorithm::Camellia, 256),
        // None of these can be made.
        (CryptographicAlgorithm::AES, 100),
        (CryptographicAlgorithm(0x8000_0007), 128),
        (CryptographicAlgorithm::AES, -1),
    ];
    for (algorithm, length) in rows {
        let values = [
            A::CryptographicAlgorithm(algorithm),
            A::CryptographicLength(length),
            A::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
        ];
        let attributes = Attributes::new(values);
        let _ = script.ask_drawn(CreateRequest { attributes, ..create([]) }, KEYS);
    }
    // A name can be had once.
    script.refused(create([script.name("made")]));
    script.refused(create([script.name("made"), script.name("other")]));
    script.refused(CreateRequest { object_type: ObjectType::PublicKey, ..create([]) });
    let bare = CreateRequest { attributes: Attributes::default(), ..create([]) };
    let _ = script.ask_drawn(bare, KEYS);
    let _ = script.ask_drawn(create([A::State(State::Compromised)]), KEYS);
    script.made(create([
        script.name("with many attributes"),
        A::ObjectGroup("group \u{e9}\u{1F511} \\ / \n line two\ttab".to_owned()),
        A::ObjectGroup("<group a=\"b\">&amp;</group>".to_owned()),
        A::ContactInformation("]]> -- 'quoted' \"double\"".to_owned()),
        A::ActivationDate(DateTime(-1)),
        A::DeactivationDate(DateTime(7_258_118_400)),
        A::ProcessStartDate(DateTime(0)),
        A::ApplicationSpecificInformation(ApplicationSpecificInformation {
            namespace: "ssl".to_owned(),
            data: Some("www.example.com".to_owned()),
        }),
        A::CryptographicParameters(cipher(BlockCipherMode::CBC).unwrap()),
        A::UsageLimits(UsageLimits { total: 1 << 53, count: None, unit: UsageLimitsUnit::Byte }),
    ]));
}

/// Certificates, parts of keys, secrets, PGP keys, certificate requests and templates.
fn further_types(script: &mut Script<'_>, lab: &Lab) {
    let der = certificate_of(&lab.pem("alice.crt"));
    let password = secret(b"correct horse");
    let pgp_block = KeyBlock::plain(KeyFormatType::Raw, b"\x99\x01\x0d\x04");
    let request = CertificateRequest {
        certificate_request_type: CertificateRequestType::PKCS_10,
        certificate_request_value: bytes("3003020100"),
    };
    let rows = [
        Object::Certificate(certificate(&der)),
        Object::Certificate(certificate(&der[..40])),
        password.clone(),
        part(1, &[0x0F; 16]),
        part(2, &[0xF0; 16]),
        Object::PGPKey(PGPKey { version: 4, key_block: pgp_block }),
        Object::CertificateRequest(request),
        symmetric_key(CryptographicAlgorithm::AES, &[7; 5]),
        symmetric_key(CryptographicAlgorithm::ChaCha20Poly1305, &[7; 32]),
    ];
    for object in rows {
        let mask = A::CryptographicUsageMask(CryptographicUsageMask(3));
        let values = [mask, A::ContactInformation(script.own("register"))];
        let kept = script.ask(register(object, values));
        if let Ok(RegisterResponse { unique_identifier, .. }) = kept {
            script.done(get(Some(&unique_identifier)));
            script.done(get_attributes(Some(&unique_identifier), &[]));
        }
    }
    // The type says something else than the object.
    let request =
        RegisterRequest { object_type: ObjectType::OpaqueObject, ..register(password, []) };
    script.refused(request);
    let group = A::ObjectGroup("of the template".to_owned());
    let template = AttributeList(vec![group.into()]);
    let template = Object::Template(Template { attributes: template });
    let mut by_template = create([]);
    by_template.attributes.names = vec![Name::text(&script.own("template"))];
    let _ = script.ask(register(template, [script.name("template")]));
    let _ = script.ask_drawn(by_template, KEYS);
}

/// The bytes of a certificate in PEM.
pub(crate) fn certificate_of(pem: &str) -> Vec<u8> {
    let lines = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN CERTIFICATE"));
    let body: String = lines.skip(1).take_while(|line| !line.starts_with("-----END")).collect();
    STANDARD.decode(body).expect("a certificate in PEM")
}

/// Get and Export, in several formats, bare and wrapped.
fn given_out(script: &mut Script<'_>, objects: &Objects) {
    for object in [&objects.key, &objects.made, &objects.private, &objects.opaque] {
        script.done(get(Some(object)));
    }
    script.refused(get(Some("there is no such object")));
    script.refused(get(Some("00000000-0000-7000-8000-000000000000")));
    let formats = [
        (&objects.key, KeyFormatType::TransparentSymmetricKey),
        (&objects.key, KeyFormatType::PKCS_1),
        (&objects.private, KeyFormatType::PKCS_8),
        (&objects.private, KeyFormatType::TransparentECPrivateKey),
        (&objects.private, KeyFormatType::TransparentECDSAPrivateKey),
        (&objects.public, KeyFormatType::TransparentECPublicKey),
        (&objects.public, KeyFormatType::Raw),
        (&objects.opaque, KeyFormatType::Opaque),
        (&objects.key, KeyFormatType(0x8000_0001)),
    ];
    for (object, format) in formats {
        let _ = script.ask(GetRequest { key_format_type: Some(format), ..get(Some(object)) });
    }
    for (key, names) in [
        (&objects.key, &[][..]),
        (&objects.key, &["Cryptographic Usage Mask", "Name"]),
        (&objects.opaque, &[]),
    ] {
        let wrapped = GetRequest {
            key_wrapping_specification: wrapping(key, names),
            ..get(Some(&objects.code_key))
        };
        let _ = script.ask(wrapped);
    }
    for object in [&objects.key, &objects.opaque, &objects.private] {
        let export = ExportRequest { unique_identifier: id(object), ..ExportRequest::default() };
        let _ = script.ask(export);
    }
    let export = ExportRequest {
        unique_identifier: id(&objects.code_key),
        key_wrapping_specification: wrapping(&objects.key, &[]),
        ..ExportRequest::default()
    };
    let _ = script.ask(export);
}

fn parts(script: &mut Script<'_>, objects: &Objects) {
    let method = SplitKeyMethod::PolynomialSharingGF2_8;
    for request in [
        split(None, method),
        split(Some(&objects.key), SplitKeyMethod::XOR),
        CreateSplitKeyRequest { split_key_parts: 1, ..split(Some(&objects.key), method) },
        CreateSplitKeyRequest { split_key_threshold: -2, ..split(Some(&objects.key), method) },
    ] {
        let Ok(parts) = script.ask_drawn(request, KEYS) else { continue };
        for part in &parts.unique_identifiers {
            script.ask_drawn(get(Some(part)), KEYS).unwrap();
        }
        let _ = script.ask_drawn(join(&parts.unique_identifiers), KEYS);
        let _ = script.ask(join(&parts.unique_identifiers[..1]));
    }
}

fn derived(script: &mut Script<'_>, objects: &Objects) {
    for method in [
        DerivationMethod::HMAC,
        DerivationMethod::HASH,
        DerivationMethod::NIST800_108_C,
        DerivationMethod::NIST800_108_F,
        DerivationMethod::PBKDF2,
        DerivationMethod(0x8000_0001),
    ] {
        let derived = script.ask(derive(&objects.key, method, []));
        if let Ok(DeriveKeyResponse { unique_identifier, .. }) = derived {
            script.done(get(Some(&unique_identifier)));
        }
    }
    script.refused(derive(&objects.opaque, DerivationMethod::HMAC, []));
}

/// Re-key and Re-key Key Pair.
fn replaced(script: &mut Script<'_>, objects: &Objects) {
    let old = script.made(create([active(), script.name("replaced")])).unique_identifier;
    let new = script.made(re_key(&old)).unique_identifier;
    script.done(get_attributes(Some(&old), &["Link", "Name", "State"]));
    script.done(get_attributes(Some(&new), &["Link", "Name", "State", "Object Type"]));
    let _ = script.ask_drawn(re_key(&old), KEYS);
    let later = ReKeyRequest { offset: Some(Interval(86_400)), ..re_key(&new) };
    let _ = script.ask_drawn(later, KEYS);
    script.refused(re_key(&objects.opaque));
    script.refused(re_key("there is no such object"));

    let pair = script.made(create_key_pair([active(), A::ObjectGroup("pairs".to_owned())]));
    script.done(get(Some(&pair.private_key_unique_identifier)));
    script.done(get(Some(&pair.public_key_unique_identifier)));
    script.done(get_attributes(Some(&pair.private_key_unique_identifier), &[]));
    let new = script.ask_drawn(re_key_key_pair(&pair.private_key_unique_identifier), KEYS);
    if let Ok(new) = new {
        script.done(get_attributes(Some(&new.public_key_unique_identifier), &["Link"]));
    }
    let _ = script.ask(re_key_key_pair(&pair.public_key_unique_identifier));
    let none = CreateKeyPairRequest { common_attributes: None, ..create_key_pair([]) };
    let _ = script.ask_drawn(none, KEYS);
}

fn imported(script: &mut Script<'_>, objects: &Objects) {
    let own = script.own("imported");
    let key = || symmetric_key(CryptographicAlgorithm::AES, &[9; 16]);
    let _ = script.ask(import(&own, key(), None));
    let _ = script.ask(import(&own, key(), Some(false)));
    let _ = script.ask(import(&own, opaque(b"another"), Some(true)));
    let _ = script.ask(import("", key(), None));
    let wrong =
        ImportRequest { object_type: Some(ObjectType::Certificate), ..import("w", key(), None) };
    let _ = script.ask(wrong);
    let _ = script.ask(get(Some(&own)));
    let _ = script.ask(get_attributes(Some(&own), &[]));
    let _ = script.ask(import(&objects.key, key(), None));
}

/// Items of a certificate that the server has made.
pub(crate) const CERTIFICATES: &[&str] = &[
    "KeyMaterial",
    "DigestValue",
    "CertificateValue",
    "CertificateLength",
    "CertificateSerialNumber",
    "SerialNumber",
];

/// Certify, Re-certify and Validate.
fn certified(script: &mut Script<'_>, lab: &Lab) {
    let pair = script.made(create_key_pair([active()]));
    let public = pair.public_key_unique_identifier;
    let made = script.ask_drawn(certify(&public, "a name"), CERTIFICATES);
    script.refused(certify(&pair.private_key_unique_identifier, "a name"));
    let _ = script.ask(CertifyRequest::default());
    let certificates = match made {
        Ok(CertifyResponse { unique_identifier, .. }) => vec![unique_identifier],
        Err(_) => Vec::new(),
    };
    for certificate in &certificates {
        script.ask_drawn(get(Some(certificate)), CERTIFICATES).unwrap();
        script.ask_drawn(get_attributes(Some(certificate), &[]), CERTIFICATES).unwrap();
        let renew =
            ReCertifyRequest { unique_identifier: id(certificate), ..ReCertifyRequest::default() };
        let _ = script.ask_drawn(renew, CERTIFICATES);
    }
    let unknown = id("there is no such certificate");
    let renew = ReCertifyRequest { unique_identifier: unknown, ..ReCertifyRequest::default() };
    let _ = script.ask(renew);
    let der = certificate_of(&lab.pem("alice.crt"));
    for certificates in [vec![certificate(&der)], vec![certificate(&der[..30])], Vec::new()] {
        let _ = script.ask(ValidateRequest { certificates, ..ValidateRequest::default() });
    }
    let validate = ValidateRequest {
        certificates: vec![certificate(&der)],
        validity_date: Some(DateTime(0)),
        ..ValidateRequest::default()
    };
    let _ = script.ask(validate);
}
