//! Scenarios: each passes, and fails when its faults are left out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::process::{Command, Output};

use lab_tools::scenario::Scenario;

fn run(args: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).arg("run").args(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, text + &errors)
}

fn passes(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let (output, text) = run(&[name, "--report", report.to_str().unwrap()]);
    assert!(output.status.success(), "{text}");
    let scenario = Scenario::find(name).unwrap();
    let report = std::fs::read_to_string(report).unwrap();
    for step in &scenario.step {
        assert!(text.contains(&step.say), "{}: {text}", step.say);
    }
    let title = scenario.title.replace('\'', "&#39;");
    assert!(report.contains(&title) && report.contains("<svg"), "{report}");
    assert!(report.contains("1 of 1 passed"), "{report}");

    let Some(first) = scenario.step.iter().position(|step| step.action.is_fault()) else { return };
    let (output, text) = run(&[name, "--without-faults"]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAILED: "), "{text}");
    // It is what the fault shows that fails, and nothing before it.
    for step in scenario.step.iter().take(first) {
        assert!(text.contains(&step.say), "{}: {text}", step.say);
    }
    let failed = text.split("FAILED: ").next().unwrap();
    let after = scenario.step.iter().skip(first.saturating_add(1));
    let shown = after.filter(|step| failed.contains(&step.say)).count();
    assert!(shown > 0, "{text}");
}

macro_rules! scenarios {
    ($($test:ident = $name:literal,)*) => {
        const TESTED: &[&str] = &[$($name,)*];

        $(
            #[test]
            fn $test() {
                passes($name);
            }
        )*
    };
}

scenarios! {
    migration_passes = "migration",
    back_to_internal_passes = "back-to-internal",
    another_key_manager_passes = "another-key-manager",
    key_server_down_at_boot_passes = "key-server-down-at-boot",
    certificate_expired_passes = "certificate-expired",
    power_loss_passes = "power-loss",
    node_away_passes = "node-away",
    key_destroyed_passes = "key-destroyed",
    lying_key_server_passes = "lying-key-server",
    wrong_client_certificate_passes = "wrong-client-certificate",
    lagging_replica_passes = "lagging-replica",
}

#[test]
fn every_scenario_is_tested() {
    let built_in: Vec<_> =
        Scenario::built_in().unwrap().into_iter().map(|scenario| scenario.name).collect();
    assert_eq!(built_in, TESTED);
}

#[test]
fn what_is_no_scenario_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    let file = file.to_str().unwrap();
    let (output, text) = run(&["unheard-of"]);
    assert!(!output.status.success() && text.contains("\"unheard-of\" not found"), "{text}");
    for (content, why) in [
        ("title = 'a'\nstory = ''\nstep = []\n", "must have a step"),
        ("title = 'a'\n", "missing field"),
        ("title='a'\nstory=''\n[[step]]\nsay='x'\ndo='dance'\n", "unknown variant `dance`"),
    ] {
        std::fs::write(file, content).unwrap();
        let (output, text) = run(&[file]);
        assert!(!output.status.success() && text.contains(why), "{text}");
    }
}
