//! Settings by which a server has every operation.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use certs::Authority;
use harness::{Lab, Program, SoftHsm};

/// Writes the certificate and the key of an authority for Certify.
pub(crate) fn certifier(lab: &Lab) {
    let authority = Authority::new("certifier").unwrap();
    fs::write(lab.path("certify.crt"), authority.cert_pem()).unwrap();
    let key = lab.path("certify.key");
    fs::write(&key, authority.key_pem().as_bytes()).unwrap();
    fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
}

/// Adds the arguments by which every operation is there. Without a module there is no PKCS#11.
pub(crate) fn with_all_operations(
    lab: &Lab,
    module: Option<&SoftHsm>,
    program: Program,
) -> Program {
    let program = program.arg("--interop").arg("true");
    let program = program.arg("--certify-ca-cert").arg(lab.path("certify.crt"));
    let program = program.arg("--certify-ca-key").arg(lab.path("certify.key"));
    match module {
        Some(module) => module.configure(program),
        None => program,
    }
}
