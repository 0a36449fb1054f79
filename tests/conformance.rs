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

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::foreign::{Foreign, skip};
use harness::{KmipServer, Lab, Program, PykmipServer, repository};
use kmip_conformance::case::{self, Case};
use kmip_conformance::door::Server;
use kmip_conformance::needs::{self, Need, SeedPolicy};
use kmip_conformance::report::{json, terminal};
use kmip_conformance::run::{self, Outcome, Settings, Verdict};
use kmip_conformance::wire;
use kmip_server::operations::SERVED;

/// What the server is told of seeds, and what the runner calls that.
const POLICIES: [(&str, SeedPolicy); 4] = [
    ("all", SeedPolicy::All),
    ("some", SeedPolicy::Part),
    ("none", SeedPolicy::Nothing),
    ("refuse", SeedPolicy::Denied),
];

/// Cases whose operations are served, but not yet all that they ask of them.
const PENDING: &[&str] = &["AX-M-2-", "CS-AC-M-OAEP-", "PKCS11-M-1-", "SUITEB_"];

#[test]
fn our_server_holds_every_case_of_the_operations_that_it_serves() {
    let Some(cases) = cases() else { return };
    let served: BTreeSet<&str> = SERVED.iter().filter_map(|operation| operation.name()).collect();
    let is_served = |case: &Case| case.operations().iter().all(|o| served.contains(o.as_str()));
    let lab = Lab::new();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (setting, policy) in POLICIES {
        let server = ours(&lab, &format!("seed-{setting}"), &["--rng-seed", setting]);
        let settings = Settings { seed: Some(policy), ..Settings::default() };
        // The first run is of everything, the others of what needs their policy.
        let is_own = |case: &Case| match needs::of(case) {
            Some(Need::Seed(needed)) => needed == policy,
            _ => policy == SeedPolicy::All,
        };
        let wanted = |case: &Case| is_served(case) && is_own(case);
        outcomes.extend(run::run(&target(&lab, &server), &cases, &wanted, &settings, &mut |_| ()));
    }
    write("ours.json", &json::report("kmip-server", &outcomes));
    let is_pending = |outcome: &Outcome| PENDING.iter().any(|name| outcome.name.starts_with(name));
    let wrong = outcomes.iter().filter(|o| o.verdict.is_bad() != is_pending(o)).count();
    assert!(wrong == 0 && outcomes.len() > 300, "{}", terminal::report(&outcomes, false));
    // What is left out is what is not served.
    let left = cases.iter().filter(|case| !is_served(case)).count();
    assert_eq!(outcomes.len().saturating_add(left), cases.len());
}

#[test]
fn hostile_messages_are_answered_rightly_and_the_server_still_serves() {
    let lab = Lab::new();
    let users = lab.path("users");
    fs::write(&users, "somebody:a password\n").expect("a file");
    let server = ours(&lab, "wire", &["--users-file", &users.display().to_string()]);
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
    let Some(python) = Foreign::python() else { return };
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
    let server = ours(&lab, "program", &[]);
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

fn ours(lab: &Lab, folder: &str, more: &[&str]) -> KmipServer {
    KmipServer::start_with(lab, folder, |program| {
        let program = program.arg("--store").arg("memory").arg("--interop").arg("true");
        let program = program.arg("--https-listen").arg("127.0.0.1:0");
        more.iter().fold(program, |program, arg| program.arg(*arg))
    })
}

/// The server as the runner finds it.
fn target(lab: &Lab, server: &KmipServer) -> Server {
    let said = server.log();
    let https = said.lines().find_map(|line| line.strip_prefix("kmip-server https listening on "));
    let files = files(lab);
    Server::new(&server.address().to_string(), https, files_of(&files)).expect("certificates")
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
