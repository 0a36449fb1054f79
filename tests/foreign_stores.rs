//! Key stores of other projects, unmodified: MongoDB's library, OpenStack's Barbican and Swift.

use harness::foreign::ForeignClients;
use harness::{KmipServer, Lab};

/// Runs a script that walks through `what`, as the lab's client; returns its lines.
fn walk(script: &str, what: &[&str]) -> Option<Vec<String>> {
    let python = ForeignClients::python()?;
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let file = |name: &str| lab.pki(name).display().to_string();
    let (host, port) = (server.address().ip().to_string(), server.address().port().to_string());
    let server_args = [host, port, file("client.crt"), file("client.key"), file("ca.crt")];
    let args: Vec<&str> =
        server_args.iter().map(String::as_str).chain(what.iter().copied()).collect();
    Some(python.run(script, &args).lines().map(str::to_owned).collect())
}

/// A master key that the server gives out, as drivers have it by default, and one that stays there.
/// "own" is Register of a Seed of 96 bytes with no usage, Activate, Get.
#[test]
fn mongodbs_library_keeps_its_master_keys_here() {
    let ways = ["own", "delegated"];
    let Some(lines) = walk("mongo_client.py", &ways) else { return };
    let expected = ways.iter().flat_map(|how| {
        ["create_data_key 3 messages", "encrypt", "decrypt"].map(|step| format!("{how} {step}"))
    });
    assert_eq!(lines, expected.collect::<Vec<_>>());
}

/// What Barbican's users store, and what they let be made. A pair is not among it: Barbican asks
/// for one without a Cryptographic Usage Mask, which 1.4, 4.2 requires; PyKMIP's server refuses it
/// too.
#[test]
fn barbicans_secret_store_keeps_every_kind_here() {
    let kinds =
        ["symmetric", "passphrase", "opaque", "certificate", "private", "public", "generated-key"];
    let Some(lines) = walk("barbican_store.py", &kinds) else { return };
    assert_eq!(lines, kinds);
}

/// An object store whose proxies read their root secrets when they start.
#[test]
fn swifts_key_master_takes_its_root_secrets_from_here() {
    let Some(lines) = walk("swift_keymaster.py", &[]) else { return };
    assert_eq!(lines, ["root secrets"]);
}
