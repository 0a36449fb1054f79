//! The cluster's one key pair for KMIP, and the request by which somebody else certifies it.
//!
//! The private key never leaves the cluster: it is in a file of its own, and the ledger knows only
//! that file's name and the request. The file is durable before the ledger names it, so a crash
//! leaves at worst a file that nothing names.

use crate::state::durable_file::{self, Steps};
use crate::state::error::{ElementError, ErrorName};
use crate::state::key_pair_record::KeyPairRecord;
use rcgen::string::{Ia5String, PrintableString};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// Longest part of a subject: X.520 allows 64 characters in most of them, and 128 is what the most
/// generous part, the e-mail address of PKCS #9, needs in practice.
const SUBJECT_PART_LEN_MAX: usize = 128;

/// `emailAddress` of PKCS #9.
const EMAIL_ADDRESS: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 1];

/// How the files of private keys begin; the rest tells one pair from the next.
const FILE_PREFIX: &str = "kmip-key-pair-";

/// Who the cluster says that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    /// `CN`.
    pub(crate) common_name: Option<String>,
    /// `O`.
    pub(crate) organization: Option<String>,
    /// `OU`.
    pub(crate) organizational_unit: Option<String>,
    /// `L`.
    pub(crate) locality: Option<String>,
    /// `ST`.
    pub(crate) state: Option<String>,
    /// `C`, two letters.
    pub(crate) country: Option<String>,
    /// `emailAddress`.
    pub(crate) email_address: Option<String>,
}

/// A pair that was just made and that no ledger knows yet.
pub(crate) struct NewKeyPair {
    record: KeyPairRecord,
    private_key: Zeroizing<String>,
}

impl Subject {
    /// In the order in which a real cluster writes them, each in its own string type.
    fn distinguished_name(&self) -> Result<DistinguishedName, ElementError> {
        use Form::{Country, Email, Text};
        let email = DnType::CustomDnType(EMAIL_ADDRESS.to_vec());
        let unit = DnType::OrganizationalUnitName;
        let parts = [
            ("commonName", DnType::CommonName, Text, &self.common_name),
            ("organization", DnType::OrganizationName, Text, &self.organization),
            ("organizationalUnit", unit, Text, &self.organizational_unit),
            ("locality", DnType::LocalityName, Text, &self.locality),
            ("state", DnType::StateOrProvinceName, Text, &self.state),
            ("country", DnType::CountryName, Country, &self.country),
            ("emailAddress", email, Email, &self.email_address),
        ];
        let mut name = DistinguishedName::new();
        for (parameter, kind, form, text) in parts {
            // An empty part says nothing, and X.520 does not allow one.
            if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                let value = part(parameter, form, text)?;
                name.push(kind, value);
            }
        }
        Ok(name)
    }
}

/// What a part of a subject may hold, and as which string type.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Country,
    Email,
}

fn part(parameter: &str, form: Form, text: &str) -> Result<DnValue, ElementError> {
    if text.chars().count() > SUBJECT_PART_LEN_MAX {
        let reason = format!("at most {SUBJECT_PART_LEN_MAX} characters");
        return Err(ElementError::invalid(parameter, &reason));
    }
    match form {
        Form::Text => Ok(DnValue::Utf8String(text.to_owned())),
        Form::Country => match PrintableString::try_from(text) {
            Ok(code) if text.len() == 2 => Ok(DnValue::PrintableString(code)),
            Ok(_) | Err(_) => {
                Err(ElementError::invalid(parameter, "a country is its code of two letters"))
            }
        },
        Form::Email => Ia5String::try_from(text)
            .map(DnValue::Ia5String)
            .map_err(|_| ElementError::invalid(parameter, "an e-mail address is ASCII")),
    }
}

impl NewKeyPair {
    /// Makes a pair: RSA with 2048 bits, and a request signed with SHA-256.
    pub(crate) fn create(subject: &Subject) -> Result<Self, ElementError> {
        let distinguished_name = subject.distinguished_name()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name;
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];

        let mut key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .map_err(|error| creation_error(&error))?;
        let request = params.serialize_request(&key).and_then(|request| request.pem());
        let private_key = Zeroizing::new(key.serialize_pem());
        key.zeroize();
        let record = KeyPairRecord {
            file: format!("{FILE_PREFIX}{}.pem", uuid::Uuid::new_v4()),
            certificate_sign_request: request.map_err(|error| creation_error(&error))?,
        };
        Ok(Self { record, private_key })
    }

    /// The private key in PEM.
    #[must_use]
    pub(crate) const fn private_key(&self) -> &Zeroizing<String> {
        &self.private_key
    }

    /// Writes the private key where it will be kept, and answers what the ledger shall know.
    pub(crate) fn store(self, steps: &Steps, folder: &Path) -> io::Result<KeyPairRecord> {
        durable_file::replace(steps, &folder.join(&self.record.file), self.private_key.as_bytes())?;
        Ok(self.record)
    }
}

/// Reads the private key of this pair, in PEM, and compares it with the public key of the request.
///
/// # Errors
/// It cannot be read, or is not the key of the pair. The text names the file and what to do.
pub(crate) fn read_private_key(
    folder: &Path,
    record: &KeyPairRecord,
) -> Result<Zeroizing<String>, String> {
    let path = folder.join(&record.file);
    let unusable = |cause: &str| {
        format!(
            "the private key for key servers {} cannot be used: {cause}. Put the file back as it \
             was, or make another key pair with CreatePublicPrivateKeyPair.",
            path.display()
        )
    };
    let bytes = std::fs::read(&path).map(Zeroizing::new);
    let bytes = bytes.map_err(|error| unusable(&error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable("it is not PEM"))?;
    let mut key =
        KeyPair::from_pem(text).map_err(|_| unusable("it holds no private key in PEM"))?;
    let public_key = key.subject_public_key_info();
    key.zeroize();
    if record.public_key_der().is_some_and(|of_request| of_request != public_key) {
        return Err(unusable("it is not that of the cluster's certificate sign request"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Removes the private keys that the ledger does not name: those that were replaced, and one that
/// a crash left before it was named.
pub(crate) fn remove_unreferenced_keys(
    steps: &Steps,
    folder: &Path,
    named: Option<&KeyPairRecord>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_named = named.is_some_and(|record| record.file == name);
        if name.starts_with(FILE_PREFIX) && !is_named {
            let path: PathBuf = folder.join(name);
            durable_file::remove(steps, &path)?;
        }
    }
    Ok(())
}

fn creation_error(error: &rcgen::Error) -> ElementError {
    tracing::error!(%error, "the key pair for KMIP could not be made");
    ElementError::new(ErrorName::Internal, "The key pair could not be made; see the log.")
}

#[cfg(test)]
mod tests {
    use super::{NewKeyPair, Subject, read_private_key, remove_unreferenced_keys};
    use crate::state::durable_file::Steps;
    use rcgen::KeyPair;
    use std::os::unix::fs::PermissionsExt;
    use x509_parser::prelude::{FromDer, X509CertificationRequest};

    fn subject() -> Subject {
        Subject {
            common_name: Some("cluster.example".into()),
            organization: Some("Storage".into()),
            organizational_unit: Some("Lab".into()),
            locality: Some("Bär".into()),
            state: Some("Utah".into()),
            country: Some("US".into()),
            email_address: Some("admin@example.com".into()),
        }
    }

    #[test]
    fn the_request_is_that_of_a_real_cluster() {
        let pair = NewKeyPair::create(&subject()).unwrap();
        let text = pair.record.certificate_sign_request();
        assert!(text.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n") && text.ends_with("\n"));
        assert!(text.lines().all(|line| line.len() <= 64) && !text.contains('\r'));
        let (_, pem) = x509_parser::pem::parse_x509_pem(text.as_bytes()).unwrap();
        let (_, request) = X509CertificationRequest::from_der(&pem.contents).unwrap();
        let parts: Vec<_> = request
            .certification_request_info
            .subject
            .iter_attributes()
            .map(|part| {
                let value = part.attr_value();
                (part.attr_type().to_id_string(), value.tag().0, part.as_str().unwrap().to_owned())
            })
            .collect();
        let parts: Vec<_> =
            parts.iter().map(|(oid, tag, text)| (oid.as_str(), *tag, text.as_str())).collect();
        // CN, O, OU, L, ST, C, emailAddress: UTF8String (12) but for C, PrintableString (19), and
        // emailAddress, IA5String (22).
        let expected = [
            ("2.5.4.3", 12, "cluster.example"),
            ("2.5.4.10", 12, "Storage"),
            ("2.5.4.11", 12, "Lab"),
            ("2.5.4.7", 12, "Bär"),
            ("2.5.4.8", 12, "Utah"),
            ("2.5.4.6", 19, "US"),
            ("1.2.840.113549.1.9.1", 22, "admin@example.com"),
        ];
        assert_eq!(parts, expected);
        assert_eq!(
            request.signature_algorithm.algorithm.to_id_string(),
            "1.2.840.113549.1.1.11",
            "sha256WithRSAEncryption"
        );
        let extensions: Vec<_> = request
            .requested_extensions()
            .unwrap()
            .map(|extension| format!("{extension:?}"))
            .collect();
        assert_eq!(extensions.len(), 2);
        let public_key = request.certification_request_info.subject_pki.parsed().unwrap();
        assert_eq!(public_key.key_size(), 2048);
    }

    #[test]
    fn the_private_key_is_in_a_file_of_its_own_and_a_replaced_one_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let steps = Steps::new();
        let old = NewKeyPair::create(&Subject::default()).unwrap();
        let old = old.store(&steps, folder.path()).unwrap();
        let new = NewKeyPair::create(&Subject::default()).unwrap();
        let new = new.store(&steps, folder.path()).unwrap();
        let mode = folder.path().join(&new.file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        remove_unreferenced_keys(&steps, folder.path(), Some(&new)).unwrap();
        assert!(read_private_key(folder.path(), &new).unwrap().contains("PRIVATE KEY"));
        assert!(read_private_key(folder.path(), &old).is_err());
        assert_ne!(old.public_key_der(), new.public_key_der());
    }

    #[test]
    fn a_damaged_private_key_is_named_or_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let pair = NewKeyPair::create(&subject()).unwrap();
        let pair = pair.store(&Steps::new(), folder.path()).unwrap();
        let path = folder.path().join(&pair.file);
        let sound = std::fs::read(&path).unwrap();
        let read = || read_private_key(folder.path(), &pair);
        let same = KeyPair::from_pem(&read().unwrap()).unwrap().serialize_der();
        for bit in (0..8 * sound.len()).step_by(83) {
            let mut damaged = sound.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, damaged).unwrap();
            match read() {
                Ok(text) => {
                    assert_eq!(KeyPair::from_pem(&text).unwrap().serialize_der(), same, "{bit}");
                }
                Err(error) => {
                    assert!(error.contains(&pair.file), "{error}");
                    assert!(!error.contains("PRIVATE KEY"), "{error}");
                }
            }
        }
        let other = NewKeyPair::create(&subject()).unwrap().store(&Steps::new(), folder.path());
        std::fs::copy(folder.path().join(other.unwrap().file), &path).unwrap();
        assert!(read().unwrap_err().contains("it is not that of the cluster's"));
    }

    #[test]
    fn a_subject_that_no_certificate_could_carry_is_refused() {
        let long = "x".repeat(129);
        let table = [
            (Subject { country: Some("USA".into()), ..Subject::default() }, "country"),
            (Subject { country: Some("Ü1".into()), ..Subject::default() }, "country"),
            (Subject { email_address: Some("ä@b".into()), ..Subject::default() }, "emailAddress"),
            (Subject { common_name: Some(long), ..Subject::default() }, "commonName"),
        ];
        for (subject, parameter) in table {
            let error = NewKeyPair::create(&subject).err().unwrap();
            assert!(error.message.starts_with(&format!("Invalid {parameter}: ")), "{error}");
        }
    }
}
