//! Certificates and keys that the server cannot work with: each is told of at start, by its file.

use std::fs;

use certs::{Authority, CertifiedKey, Fault, HOSTS_DEFAULT};
use kmip_server::config::{Identity, Settings};
use kmip_server::{Protocol, Tls};

use crate::client::{Client, hex};
use crate::running::{Lab, Running};

/// The sentence for the settings, without the folder's name.
fn wrong(lab: &Lab, settings: &Settings) -> String {
    let sentence = match Tls::open(settings) {
        Ok((_, warnings)) => format!("accepted: {}", warnings.join("; ")),
        Err(why) => why.to_string(),
    };
    sentence.replace(&format!("{}/", lab.dir.path().display()), "")
}

/// A certificate of version 1, as `openssl x509 -req` without `-extfile` makes it.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBFzCBvQIUF6U0ICPVUvZdhLOtk9Gg7QzSzAcwCgYIKoZIzj0EAwIwDTELMAkG
A1UEAwwCdjEwIBcNMjYxMTMwMjAwMTE5WhgPMjEyNjExMDYyMDAxMTlaMA0xCzAJ
BgNVBAMMAnYxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbxlC5T0xMgDcUUUP
ymHJULpW/U8CTsqxtBKf0Siyxpk2bYBUd5jO5/wtYtOFANAjtnj2zc9+ym/Sx1p/
W5k2ozAKBggqhkjOPQQDAgNJADBGAiEAwfVXpraEXdUBXnKI8uEB+itSMmNbeJxY
ArRCtB0gW6ACIQDIGAghETBUOtsqRBSoKSUyJcH+v4yfahMhyytp56Lt/Q==
-----END CERTIFICATE-----
";

#[test]
fn a_file_that_is_wrong_is_named_with_its_fault() {
    let lab = Lab::new();
    let ca = lab.authority.cert_pem().to_owned();
    let (cert, key) = {
        let pair = lab.authority.server(&HOSTS_DEFAULT).unwrap();
        (pair.cert_pem.clone(), pair.key_pem.to_string())
    };
    let bad = |fault| lab.authority.bad_server(fault, &HOSTS_DEFAULT).unwrap();
    let (expired, early) = (bad(Fault::Expired), bad(Fault::NotYetValid));
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    let cut = cert.replace("-----END CERTIFICATE-----", "");
    let garbled = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let no_key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    let der = String::from_utf8(hex("30 03 02 01 01")).unwrap();
    let two_keys = format!("{key}{key}");
    // The file that is replaced, by what, and the sentence.
    let marked = format!("\u{feff}{cert}");
    let trusted = cert.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n\
               MAAA\n-----END RSA PRIVATE KEY-----\n";
    let rows: [(&str, &str, &str); 24] = [
        ("server.crt", &marked, "private key server.key: it does not match the certificate"),
        ("server.crt", &trusted, "certificate server.crt: it holds a TRUSTED CERTIFICATE"),
        ("server.crt", VERSION_1, "certificate server.crt: it is X.509 version 1; make it"),
        ("server.key", old, "private key server.key: the key is encrypted with a passphrase"),
        ("server.crt", &key, "certificate server.crt: it holds a PRIVATE KEY, but no CERTIFICATE"),
        ("server.crt", "hello", "certificate server.crt: it is not PEM: no BEGIN CERTIFICATE"),
        ("server.crt", "", "certificate server.crt: it is not PEM: no BEGIN CERTIFICATE"),
        ("server.crt", &der, "certificate server.crt: it is DER, not PEM: convert it"),
        ("server.crt", &cut, "certificate server.crt: a PEM section has no END line"),
        ("server.crt", garbled, "certificate server.crt: a PEM section is not base64"),
        ("server.crt", empty, "certificate server.crt: it is no X.509 certificate"),
        ("server.crt", &expired.cert_pem, "certificate server.crt: it expired on 20"),
        ("server.crt", &early.cert_pem, "certificate server.crt: it is not valid before 20"),
        ("server.key", &cert, "private key server.key: it holds a CERTIFICATE, but no PRIVATE KEY"),
        ("server.key", "", "private key server.key: it is not PEM: no BEGIN PRIVATE KEY"),
        ("server.key", encrypted, "private key server.key: the key is encrypted with a passphrase"),
        ("server.key", no_key, "private key server.key: it is no RSA, ECDSA or Ed25519 key"),
        ("server.key", &two_keys, "private key server.key: it holds several private keys"),
        (
            "server.key",
            &key,
            "private key server.key: it does not match the certificate server.crt",
        ),
        ("ca.crt", "", "list of authorities ca.crt: it is not PEM: no BEGIN CERTIFICATE"),
        ("ca.crt", &key, "list of authorities ca.crt: it holds a PRIVATE KEY, but no CERTIFICATE"),
        ("ca.crt", empty, "list of authorities ca.crt: it is no X.509 certificate"),
        ("list.crl", &ca, "revocation list list.crl: it holds a CERTIFICATE, but no X509 CRL"),
        ("list.crl", "", "revocation list list.crl: it is not PEM: no BEGIN X509 CRL"),
    ];
    for (file, text, sentence) in rows {
        let mut settings = lab.settings();
        let before = fs::read(lab.path(file)).ok();
        fs::write(lab.path(file), text).unwrap();
        if file == "list.crl" {
            settings.client_crl = Some(lab.path(file));
        }
        let said = wrong(&lab, &settings);
        assert!(said.starts_with(sentence), "{said}");
        assert!(!said.contains('\n'), "one sentence: {said}");
        if let Some(before) = before {
            fs::write(lab.path(file), before).unwrap();
        }
    }
    assert_eq!(wrong(&lab, &lab.settings()), "accepted: ");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let lab = Lab::new();
    let gone = || lab.path("gone");
    let rows = [
        (Settings { cert: gone(), ..lab.settings() }, "certificate gone: No such file"),
        (Settings { key: gone(), ..lab.settings() }, "private key gone: No such file"),
        (Settings { client_ca: gone(), ..lab.settings() }, "list of authorities gone: No such"),
        (Settings { client_crl: Some(gone()), ..lab.settings() }, "revocation list gone: No such"),
    ];
    for (settings, sentence) in rows {
        let said = wrong(&lab, &settings);
        assert!(said.starts_with(sentence), "{said}");
    }
}

#[test]
fn what_clients_may_dislike_is_a_warning() {
    let lab = Lab::new();
    let bad = |fault| lab.authority.bad_server(fault, &HOSTS_DEFAULT).unwrap();
    let soon =
        Authority::new("x").unwrap().with_validity(20).unwrap().server(&HOSTS_DEFAULT).unwrap();
    let rows: [(CertifiedKey, &str); 4] = [
        (bad(Fault::NoSubjectAltName), "it has no subject alternative name"),
        (bad(Fault::NoExtendedKeyUsage), "its extended key usage does not name server"),
        (bad(Fault::OtherUsage), "its extended key usage does not name server"),
        (soon, "it expires on 20"),
    ];
    for (pair, warning) in rows {
        fs::write(lab.path("server.crt"), &pair.cert_pem).unwrap();
        fs::write(lab.path("server.key"), pair.key_pem.as_bytes()).unwrap();
        let said = wrong(&lab, &lab.settings());
        assert!(said.starts_with("accepted: certificate server.crt: "), "{said}");
        assert!(said.contains(warning), "{said}");
    }
}

#[tokio::test]
async fn certificates_are_renewed_for_new_connections_and_kept_if_they_are_wrong() {
    let lab = Lab::new();
    let (tls, _) = Tls::open(&lab.settings()).unwrap();
    let other = Authority::new("another authority").unwrap();
    let pair = other.client("its client").unwrap();
    let client = Client::new(lab.authority.cert_pem(), Some(&pair));
    let server = lab.authority.server(&HOSTS_DEFAULT).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let comes_in = async || {
        let accept = async {
            let (tcp, _) = listener.accept().await.unwrap();
            tls.accept(tcp, Protocol::Kmip, lab.settings().handshake_deadline()).await.map(drop)
        };
        let call = async {
            if let Ok(mut stream) = client.connect(address).await {
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await;
            }
        };
        tokio::join!(accept, call).0.is_ok()
    };
    assert!(!comes_in().await, "its authority is not trusted yet");
    fs::write(lab.path("ca.crt"), other.cert_pem()).unwrap();
    fs::write(lab.path("server.crt"), &server.cert_pem).unwrap();
    assert!(tls.reload().is_err(), "the new certificate came without its key");
    assert!(!comes_in().await, "nothing of a half renewal is taken");
    fs::write(lab.path("server.key"), server.key_pem.as_bytes()).unwrap();
    tls.reload().unwrap();
    assert!(comes_in().await, "the new authority is trusted");
}

#[tokio::test]
async fn a_server_with_all_files_right_serves() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    lab.client().is_served(server.address).await;
}

/// Each of two authorities can make a client of any subject, and so of any owner.
#[test]
fn two_authorities_are_refused_where_an_owner_is_a_subject() {
    let lab = Lab::new();
    let other = Authority::new("another authority").unwrap();
    let write = |first: &str, second: &str| {
        fs::write(lab.path("ca.crt"), format!("{first}{second}")).unwrap();
    };
    let own = lab.authority.cert_pem();
    write(own, other.cert_pem());
    let why = Tls::open(&lab.settings()).unwrap_err().to_string();
    assert!(why.contains("it holds 2 authorities"), "{why}");
    for settings in [
        Settings { identity: Identity::Fingerprint, ..lab.settings() },
        Settings { authorities_share_subjects: true, ..lab.settings() },
    ] {
        Tls::open(&settings).unwrap();
    }
    // The same key twice, as while its certificate is renewed, is one authority.
    write(own, own);
    Tls::open(&lab.settings()).unwrap();
}
