//! Damage to the certificate of the listeners and to its private key.

use crate::api::http::tls::Acceptor;
use crate::cli::listener_certificate::{CERTIFICATE_FILE_NAME, KEY_FILE_NAME, acceptor};
use crate::cli::settings::CertificateSource;
use std::net::Ipv4Addr;
use std::path::Path;

fn open(folder: &Path) -> Result<Acceptor, String> {
    acceptor(&CertificateSource::SelfSigned, folder, Ipv4Addr::LOCALHOST.into())
}

#[test]
fn a_flipped_bit_or_a_cut_is_named_unless_clients_notice_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    let certificate = std::fs::read_to_string(folder.path().join(CERTIFICATE_FILE_NAME)).unwrap();
    for name in [CERTIFICATE_FILE_NAME, KEY_FILE_NAME] {
        let path = folder.path().join(name);
        let sound = std::fs::read(&path).unwrap();
        let flipped = (0..8 * sound.len()).map(|bit| {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        });
        let cut = (0..sound.len()).map(|len| sound[..len].to_vec());
        let mut refused = 0;
        for damaged in flipped.step_by(5).chain(cut.step_by(7)) {
            std::fs::write(&path, damaged).unwrap();
            match open(folder.path()) {
                Ok(acceptor) => acceptor.prove(&certificate).unwrap(),
                Err(error) => {
                    assert!(error.contains(name), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > sound.len(), "{name}: {refused}");
        std::fs::write(&path, &sound).unwrap();
    }
    open(folder.path()).unwrap();
}

#[test]
fn one_of_the_two_files_is_not_made_again_once_there_is_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    let key = folder.path().join(KEY_FILE_NAME);
    let certificate = folder.path().join(CERTIFICATE_FILE_NAME);
    let sound = std::fs::read(&key).unwrap();
    // A crash before the certificate was written.
    std::fs::remove_file(&certificate).unwrap();
    open(folder.path()).unwrap();
    assert_ne!(std::fs::read(&key).unwrap(), sound);
    std::fs::write(folder.path().join("ledger.json"), b"").unwrap();
    for (missing, name) in [(&key, KEY_FILE_NAME), (&certificate, CERTIFICATE_FILE_NAME)] {
        let sound = std::fs::read(missing).unwrap();
        std::fs::remove_file(missing).unwrap();
        let error = open(folder.path()).err().unwrap();
        assert!(error.contains(&format!("{name} is missing")), "{error}");
        assert!(!missing.exists());
        std::fs::write(missing, sound).unwrap();
        // Nobody but the owner may read a private key.
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(missing, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    open(folder.path()).unwrap();
    std::fs::remove_file(&key).unwrap();
    std::fs::remove_file(&certificate).unwrap();
    open(folder.path()).unwrap();
}
