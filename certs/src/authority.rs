//! Certificate authority, and the contents of its certificates.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use x509_parser::pem::Pem;
use zeroize::Zeroizing;

use crate::certified_key::PrivateKey;
use crate::files::{self, FileAccess};
use crate::validity::{DAYS_DEFAULT, DAYS_MAX};
use crate::{CertifiedKey, Error, request};

/// An authority outlives what it signs by far.
const AUTHORITY_DAYS: u32 = 3_650;
/// A certificate is good a little before it is made, for peers whose clock is behind.
const CLOCK_SKEW: Duration = Duration::hours(1);
/// X.520 ends a common name at 64 characters, and OpenSSL holds to it.
const COMMON_NAME_MAX: usize = 64;

/// The kind of key that an authority and its certificates have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256.
    #[default]
    EcdsaP256,
    /// RSA of 2048 bits with SHA-256, for clients that know no elliptic curve.
    Rsa2048,
}

impl Algorithm {
    /// A new key of this kind.
    pub(crate) fn generate(self) -> Result<PrivateKey, Error> {
        let algorithm = match self {
            Self::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Self::Rsa2048 => &PKCS_RSA_SHA256,
        };
        Ok(PrivateKey(KeyPair::generate_for(algorithm)?))
    }
}

/// The private key of a file in PEM: PKCS#8, or what OpenSSL wrote before it, where parameters of
/// the curve may stand first.
fn private_key(pem: &str) -> Result<KeyPair, Error> {
    let wrong = |why: &str| Error::Authority(format!("the key {why}"));
    if pem.contains("ENCRYPTED") {
        return Err(wrong("is encrypted with a passphrase: decrypt it with openssl pkey"));
    }
    let sections = Pem::iter_from_buffer(pem.as_bytes()).filter_map(Result::ok);
    let key = sections.map(zeroizing).find(|(label, _)| label.ends_with("PRIVATE KEY"));
    let (_, der) = key.ok_or_else(|| wrong("is no private key in PEM"))?;
    KeyPair::try_from(der.as_slice())
        .map_err(|_| wrong("is neither ECDSA P-256 nor RSA of 2048 bits or more"))
}

fn zeroizing(section: Pem) -> (String, Zeroizing<Vec<u8>>) {
    (section.label, Zeroizing::new(section.contents))
}

/// What a certificate's holder does in a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is connected to: key server or cluster.
    Server,
    /// It connects.
    Client,
}

impl Role {
    /// The extended key usage that the role needs.
    pub(crate) fn usage(self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Self::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }
    }
}

/// A certificate authority with its key.
pub struct Authority {
    cert_pem: String,
    key: PrivateKey,
    algorithm: Algorithm,
    not_after: OffsetDateTime,
    days: u32,
}

impl Authority {
    /// Makes an authority with an ECDSA key.
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::with_options(name, Algorithm::default(), DAYS_DEFAULT)
    }

    /// Makes an authority with keys of `algorithm` and certificates that are valid for `days`.
    pub fn with_options(name: &str, algorithm: Algorithm, days: u32) -> Result<Self, Error> {
        check_days(days)?;
        let key = algorithm.generate()?;
        let mut params = params_valid_for(common_name(name)?, days.max(AUTHORITY_DAYS))?;
        // No authority below this one.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cert_pem = params.self_signed(&key.0)?.pem();
        Ok(Self { cert_pem, key, algorithm, not_after: params.not_after, days })
    }

    /// Reads an authority back from its certificate and key in PEM.
    pub fn from_pem(cert_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let key = private_key(key_pem)?;
        let algorithm = if key.is_compatible(&PKCS_ECDSA_P256_SHA256) {
            Algorithm::EcdsaP256
        } else if key.is_compatible(&PKCS_RSA_SHA256) {
            Algorithm::Rsa2048
        } else {
            return Err(Error::Authority("its key is neither ECDSA P-256 nor RSA".to_owned()));
        };
        let not_after = check_authority(cert_pem, &key)?;
        let (cert_pem, key, days) = (cert_pem.to_owned(), PrivateKey(key), DAYS_DEFAULT);
        Ok(Self { cert_pem, key, algorithm, not_after, days })
    }

    /// Reads an authority back from `ca.crt` and `ca.key` in `dir`; nobody but the owner may read
    /// or write the key.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let [cert, key] = Self::files(dir);
        let cert_pem = files::read(&cert)?;
        Self::from_pem(&cert_pem, &files::read_secret(&key)?)
    }

    /// The files of an authority in `dir`.
    pub(crate) fn files(dir: &Path) -> [PathBuf; 2] {
        ["ca.crt", "ca.key"].map(|name| dir.join(name))
    }

    /// Sets the validity of the certificates made from here on.
    pub fn with_validity(self, days: u32) -> Result<Self, Error> {
        check_days(days)?;
        Ok(Self { days, ..self })
    }

    /// The authority's certificate in PEM: what its peers trust.
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// The authority's private key in PEM, PKCS#8; wiped when dropped.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.key.pem()
    }

    /// The authority's own certificate and key.
    pub(crate) fn certified_key(&self) -> CertifiedKey {
        CertifiedKey { cert_pem: self.cert_pem.clone(), key_pem: self.key_pem() }
    }

    /// Writes `ca.crt` alone into `dir`: what a peer needs to trust this authority.
    pub fn write_cert(&self, dir: &Path) -> Result<(), Error> {
        let file = files::File::new("ca.crt", &self.cert_pem, FileAccess::Public);
        files::write_all(dir, &[file], false).map(|_| ())
    }

    /// A certificate for a server that is reached under each of `hosts` (DNS names, IP addresses).
    pub fn server<S: AsRef<str>>(&self, hosts: &[S]) -> Result<CertifiedKey, Error> {
        self.issue(&self.server_params(hosts)?)
    }

    /// A certificate for the client called `name`.
    pub fn client(&self, name: &str) -> Result<CertifiedKey, Error> {
        self.issue(&self.client_params(name)?)
    }

    /// Signs a request of a client that keeps its own key, and returns the certificate in PEM.
    ///
    /// Subject and key are the request's. Everything else that it asks for is ignored: it becomes
    /// a client certificate and nothing more.
    pub fn sign(&self, request_pem: &str) -> Result<String, Error> {
        self.sign_request(&request::parse(request_pem, None)?)
    }

    /// As [`Self::sign`], under `name` instead of the subject that the request asks for.
    pub fn sign_as(&self, request_pem: &str, name: &str) -> Result<String, Error> {
        self.sign_request(&request::parse(request_pem, Some(common_name(name)?))?)
    }

    fn sign_request(&self, asked: &request::Request) -> Result<String, Error> {
        let params = self.leaf_params(Role::Client, asked.subject.clone())?;
        self.certify(&params, &asked.public_key)
    }

    pub(crate) fn server_params<S: AsRef<str>>(
        &self,
        hosts: &[S],
    ) -> Result<CertificateParams, Error> {
        let first = hosts.first().ok_or(Error::NoHost)?;
        // The common name is for people: peers check the alternative names alone (RFC 9525, 2).
        let subject = common_name(first.as_ref()).or_else(|_| common_name("server"))?;
        let mut params = self.leaf_params(Role::Server, subject)?;
        params.subject_alt_names =
            hosts.iter().map(|host| alternative_name(host.as_ref())).collect::<Result<_, _>>()?;
        Ok(params)
    }

    pub(crate) fn client_params(&self, name: &str) -> Result<CertificateParams, Error> {
        self.leaf_params(Role::Client, common_name(name)?)
    }

    /// Makes a key and a certificate for it.
    pub(crate) fn issue(&self, params: &CertificateParams) -> Result<CertifiedKey, Error> {
        let key = self.algorithm.generate()?;
        Ok(CertifiedKey { cert_pem: self.certify(params, &key.0)?, key_pem: key.pem() })
    }

    /// Signs a certificate for a key that somebody else holds.
    pub(crate) fn certify(
        &self,
        params: &CertificateParams,
        public_key: &impl PublicKeyData,
    ) -> Result<String, Error> {
        let issuer = Issuer::from_ca_cert_pem(&self.cert_pem, &self.key.0)?;
        Ok(params.signed_by(public_key, &issuer)?.pem())
    }

    /// Signs a list of revoked certificates.
    pub(crate) fn sign_list(
        &self,
        params: &CertificateRevocationListParams,
    ) -> Result<String, Error> {
        let issuer = Issuer::from_ca_cert_pem(&self.cert_pem, &self.key.0)?;
        Ok(params.signed_by(&issuer)?.pem()?)
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What every certificate of an end entity has.
    fn leaf_params(
        &self,
        role: Role,
        subject: DistinguishedName,
    ) -> Result<CertificateParams, Error> {
        let mut params = params_valid_for(subject, self.days)?;
        // What outlives its authority fails on the day that nobody expects.
        params.not_after = params.not_after.min(self.not_after);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = match self.algorithm {
            Algorithm::EcdsaP256 => vec![KeyUsagePurpose::DigitalSignature],
            Algorithm::Rsa2048 => {
                vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment]
            }
        };
        params.extended_key_usages = vec![role.usage()];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }
}

/// Parameters with a subject, a random serial number and a validity from now on.
fn params_valid_for(subject: DistinguishedName, days: u32) -> Result<CertificateParams, Error> {
    // 127 random bits, positive and not zero (RFC 5280, 4.1.2.2 allows 20 octets).
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial)
        .map_err(|_| Error::Authority("the system gives no random numbers".to_owned()))?;
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    let mut params = CertificateParams::default();
    let now = OffsetDateTime::now_utc();
    params.distinguished_name = subject;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = now.saturating_sub(CLOCK_SKEW);
    params.not_after = now.saturating_add(Duration::days(days.into()));
    Ok(params)
}

/// A subject that is one common name.
pub(crate) fn common_name(name: &str) -> Result<DistinguishedName, Error> {
    let refused = |why| Err(Error::Name { name: name.to_owned(), why });
    if name.trim().is_empty() {
        return refused("it is empty");
    }
    if name.chars().count() > COMMON_NAME_MAX {
        return refused("it is longer than 64 characters");
    }
    if name.chars().any(char::is_control) {
        return refused("it has a control character");
    }
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    Ok(subject)
}

/// An IP address, or a DNS name; a leading `*` stands for one label.
fn alternative_name(host: &str) -> Result<SanType, Error> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let refused = || Error::Host(host.to_owned());
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if host.len() > 253 || !host.strip_prefix("*.").unwrap_or(host).split('.').all(label) {
        return Err(refused());
    }
    Ok(SanType::DnsName(host.try_into().map_err(|_| refused())?))
}

fn check_days(days: u32) -> Result<(), Error> {
    if (1..=DAYS_MAX).contains(&days) { Ok(()) } else { Err(Error::Days(days)) }
}

/// Checks that a certificate is an authority's, good today and `key`'s own; returns its end.
fn check_authority(cert_pem: &str, key: &KeyPair) -> Result<OffsetDateTime, Error> {
    let refused = |why: &str| Error::Authority(why.to_owned());
    let pem = Pem::iter_from_buffer(cert_pem.as_bytes())
        .next()
        .and_then(Result::ok)
        .ok_or_else(|| refused("its certificate is not in PEM"))?;
    let cert = pem.parse_x509().map_err(|_| refused("its certificate cannot be read"))?;
    if !cert.is_ca() {
        return Err(refused("its certificate is not one of an authority"));
    }
    if cert.public_key().raw != key.subject_public_key_info() {
        return Err(refused("its key belongs to another certificate"));
    }
    if !cert.validity().is_valid() {
        return Err(refused("its certificate has expired or is not valid yet"));
    }
    Ok(cert.validity().not_after.to_datetime())
}
