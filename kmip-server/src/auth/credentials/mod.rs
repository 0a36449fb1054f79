//! What a message may carry beside the certificate (1.4, 2.1.2 and 6.6; 2.1, 9.4 and 9.11).
//!
//! ```text
//! UsernameAndPassword   checked, where the server was told of users
//! Device                its password likewise, under the first of its names; without one it is a
//!                       name alone, and nothing is proved by it
//! OneTimePassword       RFC 6238, for users whose secret the server was told
//! HashedPassword        checked, and answered with the server's own proof
//! Ticket                see `tickets`
//! Attestation           refused: the server verifies none
//! ```
//!
//! The client is its certificate; a password proves nothing more about who owns an object. But a
//! password that is sent is checked: **a wrong one is refused and not passed over**, when the
//! server has been told the right ones.

use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::{constant_time, digest, rand};
use kmip::message::{
    Authentication, Credential, DeviceIdentity, HashedPassword, OneTimePassword,
    UsernameAndPassword,
};
use kmip::payload::Ticket;
use kmip::vocabulary::{CredentialType, ResultReason, tags};
use kmip::{Decode, Version, item_error};
use zeroize::Zeroizing;

use crate::crypto::x509::certificate::hex;
use crate::objects::error::{OperationError, Result};

mod hashed_password;
mod one_time_password;
mod secrets_file;

pub(crate) use one_time_password::OneTime;
use secrets_file::lines;

/// What the server was told of users.
pub(crate) struct Users {
    passwords: BTreeMap<String, Known>,
    /// What the password of an unknown user is compared with: so it takes as long to be refused.
    nobody: Known,
    hashed: hashed_password::Seen,
    one_time: OneTime,
}

/// What is kept of a password: nothing that it can be read from.
struct Known {
    password: digest::Digest,
    proofs: hashed_password::Proofs,
}

impl Default for Users {
    fn default() -> Self {
        let mut random = Zeroizing::new([0; 32]);
        // Without random bytes no password is right either: nobody is in no list.
        let _ = rand::fill(random.as_mut());
        Self {
            passwords: BTreeMap::new(),
            nobody: Known::of("", &Zeroizing::new(hex(random.as_ref()))),
            hashed: hashed_password::Seen::default(),
            one_time: OneTime::default(),
        }
    }
}

impl Known {
    fn of(name: &str, password: &str) -> Self {
        let proofs = hashed_password::Proofs::of(name, password);
        Self { password: hash(password), proofs }
    }
}

impl Users {
    /// Reads a file of lines `name:password`; empty lines and lines that begin with `#` are none.
    pub(crate) fn read(path: &Path) -> core::result::Result<Self, String> {
        let wrong = |why: String| format!("the users in {}: {why}", path.display());
        let mut passwords = BTreeMap::new();
        for (number, name, password) in lines(path).map_err(wrong)? {
            let known = Known::of(&name, &password);
            if passwords.insert(name.clone(), known).is_some() {
                return Err(wrong(format!("line {number} names {name:?} a second time")));
            }
        }
        Ok(Self { passwords, ..Self::default() })
    }

    /// The same, with the secrets of one-time passwords.
    #[must_use]
    pub(crate) fn with_one_time(self, one_time: OneTime) -> Self {
        Self { one_time, ..self }
    }

    /// Refuses a message whose credentials are not all right, at this time in microseconds since
    /// 1970. Gives the server's own proof where the client asked for one (2.1, 8.5).
    ///
    /// Without users no password is wrong, and kinds that are not named above say nothing that
    /// could be.
    pub(crate) fn check(
        &self,
        authentication: Option<&Authentication>,
        now: i64,
    ) -> Result<Option<Vec<u8>>> {
        let mut proof = None;
        for credential in authentication.map_or(&[][..], |a| a.credentials.as_slice()) {
            match credential.credential_type {
                CredentialType::UsernameAndPassword if !self.passwords.is_empty() => {
                    let given: UsernameAndPassword = read(credential)?;
                    let password = given.password.as_ref().map_or("", |word| word.as_str());
                    self.password(&given.username, password)?;
                }
                CredentialType::Device => self.device(&read(credential)?)?,
                CredentialType::OneTimePassword => self.one_time(&read(credential)?, now)?,
                CredentialType::HashedPassword => {
                    let given: HashedPassword = read(credential)?;
                    let known = self.passwords.get(&given.username);
                    let proofs = &known.unwrap_or(&self.nobody).proofs;
                    let checked = self.hashed.check(proofs, &given, now)?;
                    known.ok_or_else(OperationError::wrong_credential)?;
                    proof = Some(checked);
                }
                CredentialType::Attestation => {
                    return Err(OperationError::new(
                        ResultReason::FeatureNotSupported,
                        "this server verifies no attestation: leave the credential out",
                    ));
                }
                _ => {}
            }
        }
        Ok(proof)
    }

    fn password(&self, name: &str, password: &str) -> Result<()> {
        let known = self.passwords.get(name);
        let (right, given) = (&known.unwrap_or(&self.nobody).password, hash(password));
        let same = constant_time::verify_slices_are_equal(right.as_ref(), given.as_ref()).is_ok();
        if same && known.is_some() { Ok(()) } else { Err(OperationError::wrong_credential()) }
    }

    fn device(&self, given: &DeviceIdentity) -> Result<()> {
        let names = [
            &given.device_serial_number,
            &given.device_identifier,
            &given.network_identifier,
            &given.machine_identifier,
            &given.media_identifier,
        ];
        let name = names.into_iter().flatten().next().ok_or_else(|| {
            OperationError::invalid_message("the credential of a device names none")
        })?;
        match &given.password {
            Some(password) if !self.passwords.is_empty() => self.password(name, password.as_str()),
            Some(_) | None => Ok(()),
        }
    }

    fn one_time(&self, given: &OneTimePassword, now: i64) -> Result<()> {
        if let Some(password) = &given.password {
            self.password(&given.username, password.as_str())?;
        }
        match self.one_time.check(&given.username, given.one_time_password.as_str(), now) {
            true => Ok(()),
            false => Err(OperationError::wrong_credential()),
        }
    }
}

/// The value of a credential.
fn read<T: Decode>(credential: &Credential) -> Result<T> {
    let mut r = credential.credential_value.reader();
    T::decode(tags::CredentialValue, &mut r, Version::V2_1).map_err(|error| {
        OperationError::invalid_message(format!(
            "the credential cannot be read: {}",
            item_error(&error, Version::V2_1)
        ))
    })
}

/// The ticket that a request shows, if it shows one (2.1, 9.9).
pub(crate) fn ticket(authentication: Option<&Authentication>) -> Result<Option<Ticket>> {
    let credentials = authentication.map_or(&[][..], |a| a.credentials.as_slice());
    let Some(shown) = credentials.iter().find(|c| c.credential_type == CredentialType::Ticket)
    else {
        return Ok(None);
    };
    let mut r = shown.credential_value.reader();
    let ticket =
        r.structure(tags::CredentialValue, |r| Ticket::decode(tags::Ticket, r, Version::V2_1));
    ticket.map(Some).map_err(|error| {
        OperationError::invalid_message(format!(
            "the ticket cannot be read: {}",
            item_error(&error, Version::V2_1)
        ))
    })
}

fn hash(password: &str) -> digest::Digest {
    digest::digest(&digest::SHA256, password.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{OneTime, Users};
    use kmip::message::{Authentication, Credential};
    use kmip::vocabulary::{CredentialType, ResultReason, tags};
    use ttlv::Raw;

    fn write_secret(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    /// Some microsecond.
    const NOW: i64 = 1_795_000_000_000_000;

    fn sent(kind: CredentialType, name: &str, password: Option<&str>) -> Authentication {
        let credential_value = Raw::build(|w| {
            w.structure(tags::CredentialValue, |w| {
                w.text_string(tags::Username, name);
                if let Some(password) = password {
                    w.text_string(tags::Password, password);
                }
            });
        });
        Authentication { credentials: vec![Credential { credential_type: kind, credential_value }] }
    }

    #[test]
    fn a_wrong_password_is_refused_and_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        write_secret(&file, "# the lab's\n\nforti:se:cret\n");
        let users = Users::read(&file).unwrap();
        let kind = CredentialType::UsernameAndPassword;
        let vendors = CredentialType(0x8000_0001);
        let refused = Err(ResultReason::AuthenticationNotSuccessful);
        let rows = [
            (None, Ok(())),
            (Some(sent(kind, "forti", Some("se:cret"))), Ok(())),
            (Some(sent(kind, "forti", Some("secret"))), refused),
            (Some(sent(kind, "forti", None)), refused),
            (Some(sent(kind, "nobody", Some("se:cret"))), refused),
            (Some(sent(vendors, "anything", None)), Ok(())),
        ];
        for (authentication, expected) in rows {
            let found = users.check(authentication.as_ref(), NOW).map(|_| ()).map_err(|e| e.reason);
            assert_eq!(found, expected, "{authentication:?}");
            assert_eq!(Users::default().check(authentication.as_ref(), NOW), Ok(None));
        }
    }

    #[test]
    fn a_line_that_is_no_user_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        write_secret(&file, "a:b\nc\n");
        let error = Users::read(&file).err().unwrap();
        assert!(error.ends_with("line 2 is not name:password"), "{error}");
    }

    fn credential(kind: CredentialType, items: impl FnOnce(&mut ttlv::Writer)) -> Authentication {
        let credential_value = Raw::build(|w| w.structure(tags::CredentialValue, items));
        Authentication { credentials: vec![Credential { credential_type: kind, credential_value }] }
    }

    fn users(text: &str) -> Users {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        write_secret(&file, text);
        Users::read(&file).unwrap()
    }

    /// 1.4, 2.1.2: one row a device's names and password, and what becomes of it.
    #[test]
    fn a_device_is_named_by_the_first_of_its_names() {
        let users = users("SN-7:secret\nhost:other\n");
        let refused = Err(ResultReason::AuthenticationNotSuccessful);
        let rows = [
            (&[(tags::DeviceSerialNumber, "SN-7"), (tags::Password, "secret")][..], Ok(())),
            (&[(tags::DeviceSerialNumber, "SN-7"), (tags::Password, "other")], refused),
            (&[(tags::Password, "other"), (tags::DeviceIdentifier, "host")], Ok(())),
            (&[(tags::Password, "other"), (tags::MediaIdentifier, "tape")], refused),
            (&[(tags::MediaIdentifier, "tape")], Ok(())),
            (&[(tags::Password, "secret")], Err(ResultReason::InvalidMessage)),
        ];
        for (items, expected) in rows {
            let sent = credential(CredentialType::Device, |w| {
                items.iter().for_each(|(tag, text)| w.text_string(*tag, text));
            });
            let found = users.check(Some(&sent), NOW).map(|_| ()).map_err(|e| e.reason);
            assert_eq!(found, expected, "{items:?}");
        }
    }

    #[test]
    fn an_attestation_is_refused_and_not_passed_over() {
        let sent = credential(CredentialType::Attestation, |_| {});
        let found = Users::default().check(Some(&sent), NOW).map_err(|error| error.reason);
        assert_eq!(found, Err(ResultReason::FeatureNotSupported));
    }

    /// RFC 4226, appendix D: the secret "12345678901234567890" at its second count.
    #[test]
    fn a_one_time_password_is_good_once_and_with_the_password_if_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets");
        write_secret(&file, "ada:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n");
        let users = users("ada:lovelace\n").with_one_time(OneTime::read(&file).unwrap());
        let sent = |password: Option<&str>, code: &str| {
            credential(CredentialType::OneTimePassword, |w| {
                w.text_string(tags::Username, "ada");
                if let Some(password) = password {
                    w.text_string(tags::Password, password);
                }
                w.text_string(tags::OneTimePassword, code);
            })
        };
        let second = 59_000_000;
        let refused = Err(ResultReason::AuthenticationNotSuccessful);
        let rows = [
            (sent(Some("wrong"), "287082"), refused),
            (sent(None, "287083"), refused),
            (sent(Some("lovelace"), "287082"), Ok(())),
            (sent(Some("lovelace"), "287082"), refused),
        ];
        for (authentication, expected) in rows {
            let found = users.check(Some(&authentication), second);
            let found = found.map(|_| ()).map_err(|error| error.reason);
            assert_eq!(found, expected);
        }
    }
}
