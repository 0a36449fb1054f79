//! The lab from outside: what it prints, how it ends, and what it leaves behind, which is nothing.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A debug build takes seconds; what hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(120);

/// A lab that runs, and the folder in which it makes its own.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    folder: TempDir,
}

/// How a lab ended.
struct Ended {
    status: ExitStatus,
    out: String,
    err: String,
    /// What is left in the folder of temporary folders.
    left: Vec<String>,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_lab"))
            .args(args)
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, folder }
    }

    /// Reads until a line holds `part`, and returns all until there.
    fn read_until(&mut self, part: &str) -> String {
        let mut text = String::new();
        while !text.lines().last().is_some_and(|line| line.contains(part)) {
            let read = self.out.read_line(&mut text).unwrap();
            assert_ne!(read, 0, "{part:?} was never said:\n{text}");
        }
        text
    }

    fn signal(&self, name: &str) {
        kill(name, &self.child.id().to_string());
    }

    fn end(mut self) -> Ended {
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > PATIENCE => panic!("it does not end:\n{out}{err}"),
                None => std::thread::yield_now(),
            }
        };
        let left = std::fs::read_dir(self.folder.path()).unwrap();
        let left = left.map(|entry| entry.unwrap().path().display().to_string()).collect();
        Ended { status, out, err, left }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(signal: &str, pid: &str) {
    let sent = Command::new("kill").args([signal, pid]).status();
    assert!(sent.unwrap().success(), "kill {signal} {pid}");
}

/// What a lab says of one of its programs.
fn line<'a>(text: &'a str, program: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(program)).expect("a line about it")
}

/// The number of a program's process.
fn pid<'a>(text: &'a str, program: &str) -> &'a str {
    line(text, program).rsplit_once("process ").expect("its number").1
}

/// Whether somebody still listens where the program did.
fn listens(text: &str, program: &str) -> bool {
    let from = line(text, program).find("127.0.0.1:").expect("its address");
    let rest = &line(text, program)[from..];
    let address = rest.split([',', '/']).next().expect("its address");
    TcpStream::connect(address).is_ok()
}

#[test]
fn the_migration_is_told_to_its_end() {
    let ended = Running::start(&[]).end();
    assert!(ended.status.success(), "{}\n{}", ended.out, ended.err);
    assert_eq!((ended.err.as_str(), ended.left.len()), ("", 0));
    let in_order = [
        "certificates ",
        "key server ",
        "cluster ",
        "4 blocks of 4 KiB written to each of 12",
        r#"/result/masterKeyInfo/keyManagementType is "internal""#,
        r#""method": "CreatePublicPrivateKeyPair""#,
        "BEGIN CERTIFICATE REQUEST",
        "certs sign ",
        r#""method": "CreateKeyProviderKmip""#,
        r#""method": "CreateKeyServerKmip""#,
        r#""method": "TestKeyServerKmip""#,
        "KMIP request: Query",
        r#""method": "AddKeyServerToProviderKmip""#,
        "4 nodes hold one share each",
        "=== Step 1 of 5",
        r#""method": "ListKeyProvidersKmip""#,
        "/result/kmipKeyProviders/0/keyProviderID is 1",
        "=== Step 2 of 5",
        r#""method": "rekeysoftwareencryptionatrestmasterkey""#,
        r#""keyManagementType": "external""#,
        r#""keyProviderID": "1""#,
        "=== Step 3 of 5",
        "asyncHandle is 1",
        "=== Step 4 of 5",
        r#""method": "GetAsyncResult""#,
        "Ready: ",
        r#"/result/status is "complete""#,
        r#"/result/result/state is "Ready""#,
        r#"/result/result/newKey is {"keyID":""#,
        r#""keyManagementType":"external","keyProviderID":1}"#,
        "=== Step 5 of 5",
        r#""method": "GetSoftwareEncryptionatRestInfo""#,
        r#"/result/masterKeyInfo is {"keyCreatedTime":""#,
        r#""keyManagementType":"external","keyProviderID":1}"#,
        "/result/rekeyMasterKeyAsyncResultID is 1",
        "all 12 drives are wrapped by one master key, the new one",
        "every drive gives back what was written to it",
        "=== Proof 2 of 4",
        "every drive gives back what was written to it",
        "=== Proof 3 of 4",
        "fault kmipServerFault: ",
        "every drive is locked, and refuses to be read",
        "every drive has unlocked by itself",
        "every drive gives back what was written to it",
        "the fault is resolved",
        "=== Proof 4 of 4",
        "no node holds a share of ",
        "the key server has one key of the cluster: SolidFire-KeyID-",
        "The master key is at the key server, and all data is there.",
    ];
    stand_in_order(&ended.out, &in_order);
    // The rekey goes on while the steps are told, so its messages pass in any of these steps.
    let rekey = ended.out.split_once("=== Step 2 of 5").unwrap().1;
    let rekey = rekey.split_once("=== Step 5 of 5").unwrap().0;
    stand_in_order(rekey, &["KMIP request: Create", "KMIP response: Get", "KeyMaterial", "hidden"]);
}

/// Each part stands in the text, after the one before it.
fn stand_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} is not where it should be:\n{text}");
        };
        rest = after;
    }
}

#[test]
fn a_port_that_is_taken_is_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flag, program) in [("--kmip-listen", "key server"), ("--cluster-listen", "cluster")] {
        let ended = Running::start(&[flag, &address]).end();
        assert_eq!((ended.status.code(), ended.left.len()), (Some(1), 0), "{flag}");
        let begins = format!("lab: the {program} did not start: ");
        let says = format!("cannot listen on {address}: ");
        assert!(ended.err.starts_with(&begins) && ended.err.contains(&says), "{}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
}

#[test]
fn a_program_that_is_killed_breaks_the_story() {
    for program in ["key server", "cluster"] {
        let mut running = Running::start(&[]);
        let text = running.read_until("cluster  ");
        assert!(listens(&text, "key server") && listens(&text, "cluster"));
        kill("-KILL", pid(&text, program));
        let ended = running.end();
        assert_eq!((ended.status.code(), ended.left.len()), (Some(1), 0), "{}", ended.out);
        let says = format!("the {program} has ended by itself (signal: 9");
        assert!(ended.err.contains(&says), "{program}: {}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
        assert!(!listens(&text, "key server") && !listens(&text, "cluster"), "one still runs");
    }
}

#[test]
fn a_lab_that_is_killed_takes_its_programs_along() {
    let mut running = Running::start(&["serve"]);
    let text = running.read_until("Ctrl-C ends everything");
    running.signal("-KILL");
    let ended = running.end();
    assert!(!ended.status.success());
    let begun = Instant::now();
    while listens(&text, "key server") || listens(&text, "cluster") {
        assert!(begun.elapsed() < PATIENCE, "a program outlives the lab");
    }
}

#[test]
fn what_serve_prints_can_be_tried_and_ctrl_c_ends_it() {
    let mut running = Running::start(&["serve"]);
    let text = running.read_until("Ctrl-C ends everything");
    let lines = text.split_once("in another terminal").expect("the lines to try").1;
    let lines = lines.rsplit_once("===").expect("their end").0;
    if ["bash", "curl", "awk", "sed"].iter().all(|name| has(name)) {
        // The call that polls is repeated as the lines say.
        let poll = "rpc '{\"method\":\"GetAsyncResult\"";
        let script =
            lines.replace(poll, &format!("until {poll}")).replace("\"keepResult\":true}}'", UNTIL)
                + "\nsim \"$SIM/state\"";
        let tried =
            Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
        let said = String::from_utf8_lossy(&tried.stdout);
        let errors = String::from_utf8_lossy(&tried.stderr);
        assert!(tried.status.success(), "{script}\n{said}{errors}");
        let refused = ["\"error\":{", "\"error\":\""].iter().any(|error| said.contains(error));
        assert!(!refused, "{said}");
        let external = said.matches(r#""keyManagementType":"external""#).count();
        assert!(external >= 2, "{said}");
        assert!(said.contains(r#""powered":true"#), "{said}");
        assert!(!said.contains(r#""powered":false"#), "every node is on at the end: {said}");
        assert!(said.contains(r#""value": "Success""#), "the key server's HTTPS: {said}");
    }
    running.signal("-INT");
    let ended = running.end();
    assert_eq!((ended.status.code(), ended.left.len()), (Some(0), 0), "{}", ended.err);
}

/// The end of the call that polls, and what it waits for.
const UNTIL: &str = r#""keepResult":true}}' | tee /dev/stderr | grep -q '"complete"'; do :; done
rpc '{"method":"GetAsyncResult","params":{"asyncHandle":1,"keepResult":true}}'"#;

/// Whether the machine has this program; without it the lines are not tried, which CI does not
/// accept.
fn has(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok()
        || Command::new("which").arg(name).output().is_ok_and(|which| which.status.success());
    let strict = ["KMIP_CI", "CI"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(found || !strict, "{name} is not installed; CI skips nothing");
    if !found {
        eprintln!("skipped: the lines to try: {name} is not installed");
    }
    found
}

#[test]
fn scenario_is_run_by_the_controller_of_a_lab_that_serves() {
    if !["bash", "curl", "grep", "sed"].iter().all(|name| has(name)) {
        return;
    }
    let mut running = Running::start(&["serve"]);
    let text = running.read_until("Ctrl-C ends everything");
    let settings = text.lines().filter(|line| line.starts_with("PKI=") || line.starts_with("SIM="));
    let script = settings.collect::<Vec<_>>().join("\n") + RUN_SCENARIO;
    let tried = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&tried.stdout);
    let errors = String::from_utf8_lossy(&tried.stderr);
    assert!(tried.status.success(), "{said}{errors}");
    assert!(said.contains("\"title\":\"The master key moves to an external key manager\""));
    assert!(said.contains("another scenario is running"), "{said}");
    assert!(said.contains("scenario \\\"unheard-of\\\" not found"), "{said}");
    assert!(said.contains("\"status\":\"passed\",\"step\":9"), "{said}");
    assert!(said.contains("<svg") && said.contains("1 of 1 passed"), "{said}");
    running.signal("-INT");
    let ended = running.end();
    assert_eq!((ended.status.code(), ended.left.len()), (Some(0), 0), "{}", ended.err);
}

/// Runs a scenario as the page does, and reads its report.
const RUN_SCENARIO: &str = r#"
LAB="${SIM%/sim/v1}/lab/v1"
lab() { curl -sS --cacert "$PKI/ca.crt" -u admin:admin "$@"; echo; }
lab "$LAB/scenarios"
lab -X POST "$LAB/scenarios/migration/run"
lab -X POST "$LAB/scenarios/migration/run"
lab -X POST "$LAB/scenarios/unheard-of/run"
while lab "$LAB/runs" | grep -q '"step":[0-8],'; do sleep 0.2; done
until lab "$LAB/runs/1/report.html" | grep -q '<svg'; do sleep 0.2; done
lab "$LAB/runs"
lab "$LAB/runs/1/report.html"
"#;
