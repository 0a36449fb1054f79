//! The program as a process: what it prints, how it ends, and what it says of a wrong setting.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at what is not as it says"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longer than anything takes that goes well.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the log of a test's program goes.
const LOG: &str = "log.txt";

/// The program, without what the surroundings may have set for it.
fn node_sim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node-sim"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NODE_SIM_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(arguments: &[&str]) -> Output {
    node_sim(arguments).output().unwrap()
}

/// Starts it and waits for the line that it prints when it is ready. Its log goes to a file, for a
/// pipe that nobody reads would hold it up.
fn serve(folder: &Path, environment: &[(&str, &str)]) -> (Child, String) {
    serve_nodes(folder, "1", environment)
}

fn serve_nodes(folder: &Path, nodes: &str, environment: &[(&str, &str)]) -> (Child, String) {
    let mut command = node_sim(&["serve", "--nodes", nodes]);
    command.env("NODE_SIM_DATA", folder).env("NODE_SIM_LISTEN", "127.0.0.1:0");
    command.stderr(File::create(folder.join(LOG)).unwrap());
    let mut child = command.envs(environment.iter().copied()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

fn terminate(mut child: Child, folder: &Path) -> (Option<i32>, String) {
    let id = child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    let status = child.wait().unwrap();
    (status.code(), std::fs::read_to_string(folder.join(LOG)).unwrap())
}

/// Connects to the program at this address, which must show this certificate.
async fn connect(address: &str, trusted: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

#[test]
fn it_says_where_it_listens_answers_the_health_check_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let (child, line) = serve(folder.path(), &[("NODE_SIM_PASSWORD", "secret")]);
    let url = line.strip_prefix("node-sim listening on ").expect("the line").trim_end();
    let port = url.strip_prefix("https://127.0.0.1:").and_then(|port| port.parse::<u16>().ok());
    assert!(port.is_some_and(|port| port != 0), "{line}");

    let data = folder.path().to_str().unwrap();
    let healthy = output(&["health", "--url", url, "--data", data]);
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
    // A second one must not touch the same folder.
    let second = output(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");

    let (code, log) = terminate(child, folder.path());
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("secret") && !log.contains("\u{1b}"), "{log}");
    let gone = output(&["health", "--url", url, "--data", data]);
    assert_eq!(gone.status.code(), Some(1), "{gone:?}");
    let modes = ["ledger.json", "door.key"].map(|name| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777
    });
    assert_eq!(modes, [0o600, 0o600]);
}

#[test]
fn the_known_password_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let (child, _) = serve(folder.path(), &[]);
    let (_, log) = terminate(child, folder.path());
    assert!(log.contains("WARN") && log.contains("set --password or NODE_SIM_PASSWORD"), "{log}");
}

/// The state of the cluster as of its first start, at the usual level: what unlocked, and nothing
/// to worry about.
#[test]
fn the_log_of_a_first_start_says_what_is_unlocked_and_warns_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (child, _) = serve_nodes(folder.path(), "4", &[("NODE_SIM_PASSWORD", "secret")]);
    let log = || std::fs::read_to_string(folder.path().join(LOG)).unwrap();
    let begun = Instant::now();
    while !log().contains("Cluster unlocked") {
        assert!(begun.elapsed() < PATIENCE, "{}", log());
        std::thread::yield_now();
    }
    let (_, log) = terminate(child, folder.path());
    for node in 1..=4 {
        assert!(log.contains(&format!("3 of 3 drives of node {node} unlocked")), "{log}");
    }
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

/// At the most talkative level, over the real socket: no password, no CHAP secret, no private key.
#[test]
fn no_secret_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let password = "a-password-nobody-has";
    let talkative = [("NODE_SIM_PASSWORD", password), ("NODE_SIM_LOG", "trace")];
    let (child, line) = serve(folder.path(), &talkative);
    let address = line.trim_end().rsplit_once('/').unwrap().1.to_owned();
    let trusted = std::fs::read_to_string(folder.path().join("door.crt")).unwrap();
    let basic = STANDARD.encode(format!("admin:{password}"));
    let call = |body: &str| {
        let request = format!(
            "POST /json-rpc/12.3 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {basic}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut stream = connect(&address, &trusted).await;
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer).await;
            assert!(answer.contains("\"result\":"), "{answer}");
        });
    };
    call(r#"{"method":"AddAccount","params":{"username":"u","initiatorSecret":"chap-secret-1"}}"#);
    call(r#"{"method":"CreatePublicPrivateKeyPair","params":{}}"#);
    let (_, log) = terminate(child, folder.path());
    assert!(log.contains("TRACE") && log.contains("answered"), "{log}");
    for secret in [password, &basic, "chap-secret-1", "PRIVATE KEY"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let ledger = std::fs::read_to_string(folder.path().join("ledger.json")).unwrap();
    assert!(ledger.contains("sealed_initiator_secret"), "{ledger}");
    assert!(!ledger.contains("chap-secret-1"), "a secret is in clear in the ledger");
}

#[test]
fn a_wrong_setting_is_one_sentence_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "data = 'd'\nport = 1\n").unwrap();
    let (file, data) = (file.to_str().unwrap(), folder.path().to_str().unwrap());
    let table: &[(&[&str], &str)] = &[
        (&["serve"], "node-sim: data must be set: the folder for everything that is kept.\n"),
        (
            &["serve", "--data", data, "--listen", "here"],
            "node-sim: listen is \"here\"; it must be an address and a port, like 127.0.0.1:8443.",
        ),
        (&["serve", "--data", data, "--nodes", "0"], "node-sim: nodes is 0; it must be 1 to 40.\n"),
        (
            &["serve", "--data", data, "--cert", "x"],
            "node-sim: cert is set, so key must be set as well.\n",
        ),
        (&["serve", "--data", data, "--log", "node_sim=loud"], "node-sim: log is "),
        (&["serve", "--config", file], "node-sim: config file "),
        (&["serve", "--config", "/nowhere.toml"], "node-sim: config file /nowhere.toml: "),
        (&["health"], "node-sim: ca must be set, or data where the door's own one is.\n"),
        (&["serve", "--data", data, "--nodes", "many"], "error: invalid value 'many'"),
        (&["serve", "--colour"], "error: unexpected argument '--colour'"),
    ];
    for (arguments, sentence) in table {
        let output = output(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(sentence), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn every_setting_is_explained_by_help() {
    let mut help = String::new();
    let mut child = node_sim(&["serve", "--help"]).spawn().unwrap();
    child.stdout.take().unwrap().read_to_string(&mut help).unwrap();
    assert!(child.wait().unwrap().success());
    let example = include_str!("../node-sim.example.toml");
    let settings = example.lines().filter_map(|line| {
        let (name, _) = line.trim_start_matches('#').split_once(" = ")?;
        (!name.contains(' ')).then_some(name)
    });
    let settings: Vec<_> = settings.collect();
    assert_eq!(settings.len(), 25, "{settings:?}");
    for name in settings {
        let variable = format!("NODE_SIM_{}", name.replace('-', "_").to_uppercase());
        assert!(help.contains(&format!("--{name} <")), "{name}");
        assert!(help.contains(&variable), "{variable}");
    }
}
