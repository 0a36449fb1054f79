//! PyKMIP's own integration tests, unmodified from its source archive, against this key server and
//! against PyKMIP's own: **nothing fails here that does not fail there**.
//!
//! ```text
//! pytest kmip/tests/integration --> kmip-server     passed here
//!                               --> PyKMIP's server  passed there
//! ```
//!
//! They make two keys of one name, which the standard forbids, so the key server lets names be
//! shared here.

#![allow(clippy::panic, clippy::expect_used, reason = "a test stops at its first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use harness::foreign::ForeignClients;
use harness::{KmipServer, Lab, PykmipServer};

/// The tests need a server each; the rest of PyKMIP's tests are of its own parts.
const SUITE: &str = "kmip/tests/integration/services";

/// All tests of the suite, and those of them that pass at PyKMIP's own server: the other four call
/// its client as it was before.
const TESTS: usize = 41;
const PASSED_THERE: usize = 37;

/// Runs the suite against the server at `address`: whether each test passed, and all it said.
fn run(
    python: &ForeignClients,
    source: &Path,
    lab: &Lab,
    who: &str,
    address: SocketAddr,
) -> (BTreeMap<String, bool>, String) {
    let home = lab.path(who);
    let folder = home.join(".pykmip");
    fs::create_dir_all(&folder).expect("a folder");
    let (cert, key, ca) = (lab.pki("client.crt"), lab.pki("client.key"), lab.pki("ca.crt"));
    let settings = format!(
        "[client]\nhost={}\nport={}\ncertfile={}\nkeyfile={}\nca_certs={}\n\
         cert_reqs=CERT_REQUIRED\nssl_version=PROTOCOL_TLSv1_2\ndo_handshake_on_connect=True\n\
         suppress_ragged_eofs=True\nusername=\npassword=\n",
        address.ip(),
        address.port(),
        cert.display(),
        key.display(),
        ca.display(),
    );
    fs::write(folder.join("pykmip.conf"), settings).expect("a file");
    let output = python
        .program("python")
        .current_dir(source)
        .env("HOME", &home)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "--tb=short"])
        .args(["--config", "client", SUITE])
        .output()
        .expect("pytest runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let results = said.lines().filter_map(result).collect();
    (results, said)
}

/// A line of pytest's summary: `PASSED kmip/tests/...::TestClass::test_name`.
fn result(line: &str) -> Option<(String, bool)> {
    let (word, rest) = line.split_once(' ')?;
    let passed = match word {
        "PASSED" => true,
        "FAILED" | "ERROR" => false,
        _ => return None,
    };
    let path = rest.strip_prefix(SUITE)?.split(' ').next()?;
    let (file, rest) = path.trim_start_matches('/').split_once("::")?;
    let (_, name) = rest.rsplit_once("::")?;
    Some((format!("{file} {name}"), passed))
}

#[test]
fn a_line_of_the_summary_is_understood() {
    let line = format!("FAILED {SUITE}/test_a.py::TestA::test_b - kmip.Error: c");
    assert_eq!(result(&line), Some(("test_a.py test_b".to_owned(), false)));
    let line = format!("PASSED {SUITE}/test_a.py::TestA::test_b");
    assert_eq!(result(&line), Some(("test_a.py test_b".to_owned(), true)));
    assert_eq!(result("ERROR    kmip.services.kmip_client:kmip_client.py:274 An error"), None);
}

#[test]
fn nothing_fails_here_that_passes_at_pykmips_own_server() {
    let Some(python) = ForeignClients::python() else { return };
    let Some(source) = python.source("PyKMIP", "0.11.0") else { return };
    let lab = Lab::new();
    let ours =
        KmipServer::start_with(&lab, "kmip-server", |program| program.arg("--names").arg("shared"));
    let theirs = PykmipServer::start(&python, &lab);
    let ((here, said), (there, said_there)) = thread::scope(|scope| {
        let there = scope.spawn(|| run(&python, &source, &lab, "there", theirs.address()));
        let here = run(&python, &source, &lab, "here", ours.address());
        (here, there.join().expect("the other run ends"))
    });
    let passed_there = there.values().filter(|passed| **passed).count();
    assert_eq!(there.len(), TESTS, "all tests ran there:\n{said_there}");
    assert_eq!(passed_there, PASSED_THERE, "as they did before:\n{said_there}");
    let names = |results: &BTreeMap<String, bool>| results.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&here), names(&there), "the same tests ran here:\n{said}");

    let unexpected: Vec<&str> = here
        .iter()
        .filter(|(name, passed)| !**passed && there.get(*name) == Some(&true))
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(unexpected.is_empty(), "these fail here and pass there: {unexpected:?}\n{said}");
}
