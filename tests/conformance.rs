//! The conformance runner against the key server as a process, and against PyKMIP's.
//!
//! The cases are OASIS's and stay outside this repository: in the folder `shared` beside it, or
//! where `KMIP_CASES` says. The reports are left in `target/conformance/`, and docs/conformance.md
//! is made of them:
//!
//! ```text
//! kmip-conformance docs --report kmip-server=target/conformance/ours.json
//!     --beside PyKMIP=target/conformance/pykmip.json > docs/conformance.md
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it says"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use harness::foreign::{ForeignClients, skip};
use harness::{KmipServer, Lab, Program, PykmipServer, SoftHsm, repository};
use kmip_conformance::case::{self, Case};
use kmip_conformance::prerequisites::{self, Prerequisite, SeedPolicy};
use kmip_conformance::report::{json, terminal};
use kmip_conformance::run::{self, Outcome, Settings, Verdict};
use kmip_conformance::transport::Server;
use kmip_conformance::wire;

/// How many cases OASIS has for 1.0 to 2.1: 395 that are mandatory, and 58 that are not.
const CASES_OF_1_0_TO_2_1: usize = 453;

/// What the server is told of seeds, and what the runner calls that.
const POLICIES: [(&str, SeedPolicy); 4] = [
    ("all", SeedPolicy::All),
    ("some", SeedPolicy::Part),
    ("none", SeedPolicy::Nothing),
    ("refuse", SeedPolicy::Denied),
];

#[test]
fn our_server_holds_every_case() {
    let Some(cases) = cases() else { return };
    let lab = Lab::new();
    let Some(module) = SoftHsm::new(&lab) else { return };
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (setting, policy) in POLICIES {
        let server = ours(&lab, &format!("seed-{setting}"), |program| {
            module.configure(program.arg("--rng-seed").arg(setting))
        });
        let settings = Settings { seed: Some(policy), ..Settings::default() };
        // The first run is of everything, the others of what needs their policy.
        let wanted = |case: &Case| match prerequisites::find(case) {
            Some(Prerequisite::Seed(needed)) => needed == policy,
            Some(Prerequisite::After(_) | Prerequisite::Https(_) | Prerequisite::Tls13) | None => {
                policy == SeedPolicy::All
            }
        };
        outcomes.extend(run::run(&target(&lab, &server), &cases, &wanted, &settings, &mut |_| ()));
    }
    write("ours.json", &json::report("kmip-server", &outcomes));
    let held = outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Held)).count();
    assert_eq!(held, cases.len(), "{}", terminal::report(&outcomes, false));
    assert!(held >= CASES_OF_1_0_TO_2_1, "only {held} cases were found");
}

#[test]
fn hostile_messages_are_answered_rightly_and_the_server_still_serves() {
    let lab = Lab::new();
    let users = lab.path("users");
    fs::write(&users, "somebody:a password\n").expect("a file");
    fs::set_permissions(&users, Permissions::from_mode(0o600)).expect("a mode");
    let server = ours(&lab, "wire", |program| program.arg("--users-file").arg(&users));
    let outcomes = wire::run(&target(&lab, &server), &mut |_| ()).expect("a table");
    let faults: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| Some(format!("{}: {}", outcome.row.name, outcome.fault.as_ref()?)))
        .collect();
    assert!(faults.is_empty() && outcomes.len() > 40, "{faults:#?}");
}

/// What PyKMIP's server does is written down and not judged: that it holds some and not others
/// shows that the runner tells servers apart.
#[test]
fn pykmips_server_is_measured_too() {
    let Some(cases) = cases() else { return };
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let theirs = PykmipServer::start(&python, &lab);
    let files = files(&lab);
    let server = Server::new(&theirs.address().to_string(), None, files_of(&files)).unwrap();
    let outcomes = run::run(&server, &cases, &|_| true, &Settings::default(), &mut |_| ());
    write("pykmip.json", &json::report("PyKMIP", &outcomes));
    let held = |version: &str, profile: &str| {
        let of = |o: &&Outcome| o.version.to_string() == version && o.profile == profile;
        outcomes.iter().filter(of).filter(|o| matches!(o.verdict, Verdict::Held)).count()
    };
    assert!(held("1.2", "SKFF") > 0, "{}", terminal::report(&outcomes, false));
    assert_eq!(held("2.1", "CS-RNG"), 0);
}

/// The program: its exit status, and its reports.
#[test]
fn the_program_says_whether_all_held() {
    let Some(folder) = folder() else { return };
    let lab = Lab::new();
    let server = ours(&lab, "program", |program| program);
    let files = files(&lab);
    let report = |name: &str| lab.path(name).display().to_string();
    let run = |only: &str| {
        let mut program = Program::new("kmip-conformance", "").arg("run").arg("--cases");
        program = program.arg(&folder).arg("--server").arg(server.address().to_string());
        for (flag, path) in ["--ca", "--cert", "--key"].iter().zip(&files) {
            program = program.arg(*flag).arg(path);
        }
        for flag in ["--html", "--junit", "--json"] {
            program = program.arg(flag).arg(report(&flag[2..]));
        }
        program.arg("--only").arg(only).command().output().expect("the program runs")
    };
    let good = run("SKFF-M-1");
    let said = String::from_utf8_lossy(&good.stdout);
    assert!(good.status.success() && said.contains("6 of 6 cases held"), "{said}");
    assert!(fs::read_to_string(report("html")).unwrap().contains("6 of 6 cases held"));
    assert!(fs::read_to_string(report("junit")).unwrap().contains("failures=\"0\""));
    assert_eq!(json::read(&fs::read_to_string(report("json")).unwrap()).unwrap().len(), 6);
    // Over HTTPS, and no door was named.
    let bad = run("MSGENC-XML-M-1-21");
    assert_eq!(bad.status.code(), Some(1), "{}", String::from_utf8_lossy(&bad.stdout));
    assert_eq!(run("NO-SUCH-CASE").status.code(), Some(2));
}

fn ours(lab: &Lab, folder: &str, more: impl FnOnce(Program) -> Program) -> KmipServer {
    KmipServer::start_with(lab, folder, |program| {
        let program = program.arg("--store").arg("memory").arg("--interop").arg("true");
        more(program.arg("--https-listen").arg("127.0.0.1:0"))
    })
}

/// The server as the runner finds it.
fn target(lab: &Lab, server: &KmipServer) -> Server {
    let files = files(lab);
    let (binary, https) = (server.address().to_string(), server.https_address());
    Server::new(&binary, Some(&https), files_of(&files)).expect("certificates")
}

fn files(lab: &Lab) -> [PathBuf; 3] {
    ["ca.crt", "client.crt", "client.key"].map(|name| lab.pki(name))
}

fn files_of([ca, cert, key]: &[PathBuf; 3]) -> (&Path, &Path, &Path) {
    (ca, cert, key)
}

fn write(name: &str, report: &str) {
    let folder = repository().join("target/conformance");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), report).expect("a file");
}

/// Where OASIS's cases are; otherwise the test is skipped.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("KMIP_CASES").map(PathBuf::from);
    let path = named.unwrap_or_else(|| repository().join("../shared/kmip/testcases"));
    if path.exists() {
        return Some(path);
    }
    skip(&format!("{} is missing; KMIP_CASES can say where it is", path.display()));
    None
}

fn cases() -> Option<Vec<Case>> {
    let folder = folder()?;
    Some(case::read_all(&folder).expect("the cases can be read").all)
}
