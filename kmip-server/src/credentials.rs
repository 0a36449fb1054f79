//! The name and password that a message may carry beside the certificate (1.4, 6.6; 2.1, 9.2).
//!
//! The client is its certificate; a password proves nothing more about who owns an object. But a
//! password that is sent is checked: **a wrong one is refused and not passed over**, when the
//! server has been told the right ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::{constant_time, digest};
use kmip::Decode;
use kmip::message::{Authentication, Credential, UsernameAndPassword};
use kmip::payload::Ticket;
use kmip::vocabulary::{CredentialType, ResultReason, tags};
use zeroize::Zeroizing;

use crate::error::{OperationError, Result};

/// The hash of each user's password.
#[derive(Default)]
pub struct Passwords(BTreeMap<String, digest::Digest>);

impl Passwords {
    /// Reads a file of lines `name:password`; empty lines and lines that begin with `#` are none.
    pub fn read(path: &Path) -> core::result::Result<Self, String> {
        let wrong = |why: String| format!("the users in {}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
        let text = Zeroizing::new(text);
        let mut all = BTreeMap::new();
        for (line, number) in text.lines().zip(1_u64..) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, password) = line
                .split_once(':')
                .ok_or_else(|| wrong(format!("line {number} is not name:password")))?;
            if all.insert(name.to_owned(), hash(password)).is_some() {
                return Err(wrong(format!("line {number} names {name:?} a second time")));
            }
        }
        Ok(Self(all))
    }

    /// Refuses a message whose name and password are not those of a user. Without users nobody's
    /// are wrong, and kinds of credentials other than a password say nothing that could be.
    pub fn check(&self, authentication: Option<&Authentication>) -> Result<()> {
        let credentials = authentication.map_or(&[][..], |a| a.credentials.as_slice());
        if self.0.is_empty() {
            return Ok(());
        }
        credentials
            .iter()
            .filter(|credential| credential.credential_type == CredentialType::UsernameAndPassword)
            .try_for_each(|credential| self.check_one(credential))
    }

    fn check_one(&self, credential: &Credential) -> Result<()> {
        let mut r = credential.credential_value.reader();
        let given = UsernameAndPassword::decode(tags::CredentialValue, &mut r, kmip::Version::V1_0)
            .map_err(|error| {
                OperationError::invalid_message(format!("the credential cannot be read: {error}"))
            })?;
        let password = given.password.as_ref().map_or("", |password| password.as_str());
        let known = self.0.get(&given.username);
        let same = known.is_some_and(|known| {
            constant_time::verify_slices_are_equal(known.as_ref(), hash(password).as_ref()).is_ok()
        });
        match same {
            true => Ok(()),
            false => Err(OperationError::new(
                ResultReason::AuthenticationNotSuccessful,
                "the user name or the password of the credential is wrong",
            )),
        }
    }
}

/// The ticket that a request shows, if it shows one (2.1, 9.9).
pub fn ticket(authentication: Option<&Authentication>) -> Result<Option<Ticket>> {
    let credentials = authentication.map_or(&[][..], |a| a.credentials.as_slice());
    let Some(shown) = credentials.iter().find(|c| c.credential_type == CredentialType::Ticket)
    else {
        return Ok(None);
    };
    let mut r = shown.credential_value.reader();
    let ticket = r
        .structure(tags::CredentialValue, |r| Ticket::decode(tags::Ticket, r, kmip::Version::V2_1));
    ticket.map(Some).map_err(|error| {
        OperationError::invalid_message(format!("the ticket cannot be read: {error}"))
    })
}

fn hash(password: &str) -> digest::Digest {
    digest::digest(&digest::SHA256, password.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::Passwords;
    use kmip::message::{Authentication, Credential};
    use kmip::vocabulary::{CredentialType, ResultReason, tags};
    use ttlv::Raw;

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
        std::fs::write(&file, "# the lab's\n\nforti:se:cret\n").unwrap();
        let passwords = Passwords::read(&file).unwrap();
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
            let found = passwords.check(authentication.as_ref()).map_err(|error| error.reason);
            assert_eq!(found, expected, "{authentication:?}");
            assert_eq!(Passwords::default().check(authentication.as_ref()), Ok(()));
        }
    }

    #[test]
    fn a_line_that_is_no_user_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        std::fs::write(&file, "a:b\nc\n").unwrap();
        let error = Passwords::read(&file).err().unwrap();
        assert!(error.ends_with("line 2 is not name:password"), "{error}");
    }
}
