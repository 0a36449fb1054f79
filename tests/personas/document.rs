//! docs/personas.md: its tables are what the personas say of both servers.

use std::fs;
use std::path::PathBuf;

use harness::foreign::ForeignClients;
use harness::{Lab, PykmipServer, repository};
use serde_json::Value;

use crate::own_files::assert_nothing_left;
use crate::{kmip_server, play, run, steps};

/// Line before the tables, to the end of the document.
const BEGIN: &str = "<!-- lab persona table -->\n";

/// Writes a report and returns its path.
fn write(name: &str, report: &str) -> PathBuf {
    let folder = repository().join("target/personas");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), report).expect("a file");
    folder.join(name)
}

/// How many steps had a TLS session resumed for them.
fn resumed(report: &Value) -> usize {
    let personas = report["personas"].as_array().expect("personas");
    let steps = personas.iter().flat_map(|persona| persona["steps"].as_array().expect("steps"));
    steps.filter(|step| step["resumedTlsSession"] == true).count()
}

#[test]
fn key_server_passes_every_persona() {
    let lab = Lab::new();
    let server = kmip_server(&lab);
    let run = play(&lab, server.address(), &["all", "--json"]);
    write("kmip-server.json", &run.out);
    let report = run.json();
    let bad: Vec<_> =
        steps(&report).into_iter().filter(|(_, _, verdict)| verdict != "passed").collect();
    assert!(bad.is_empty(), "{bad:?}\n{}", run.out);
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
    assert_nothing_left(&lab, server.address());
}

#[test]
fn tables_of_the_document_are_what_the_personas_say() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let (server, theirs) = (kmip_server(&lab), PykmipServer::start(&python, &lab));
    let ours = play(&lab, server.address(), &["all", "--json"]);
    let played = play(&lab, theirs.address(), &["all", "--json"]);
    assert_eq!(played.status, Some(1), "{}", played.err);
    let theirs_steps = steps(&played.json());
    assert!(theirs_steps.iter().any(|(_, _, verdict)| verdict == "passed"), "{}", played.out);
    assert_eq!((resumed(&ours.json()), resumed(&played.json())), (0, 6), "veeam resumes");
    assert_nothing_left(&lab, theirs.address());
    let reports = [
        format!("kmip-server={}", write("kmip-server-beside.json", &ours.out).display()),
        format!("PyKMIP 0.11.0={}", write("pykmip.json", &played.out).display()),
    ];
    let table = run(&["table", &reports[0], &reports[1]]);
    assert_eq!(table.status, Some(0), "{}", table.err);
    let path = repository().join("docs/personas.md");
    let document = fs::read_to_string(&path).expect("the document is there");
    let (before, tables) = document.split_once(BEGIN).expect("the document has its tables");
    if std::env::var_os("PERSONAS_WRITE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{}", table.out)).expect("a file");
        return;
    }
    assert_eq!(tables, table.out, "PERSONAS_WRITE=1 cargo test -p tests --test personas");
}
