//! The HTTP interface of a running proxy.

use harness::proxy_http::{delete, get, post, send};
use harness::{KmipProxy, KmipServer, Lab};

use crate::client::{TestClient, locate};

const RULE: &str =
    "{\"name\": \"r\", \"operation\": \"Locate\", \"action\": {\"delay\": {\"ms\": 1}}}";

#[test]
fn rules_are_added_shown_counted_and_removed() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| program);
    let http = proxy.http();
    assert!(get(http, "/health").1.contains("\"status\":\"ok\""));
    assert_eq!(get(http, "/rules"), (200, "[]\n".to_owned()));
    assert_eq!(post(http, "/rules", RULE).0, 201);
    assert_eq!(post(http, "/rules", RULE).0, 409);
    let (status, why) = post(http, "/rules", "{\"name\": \"s\", \"acton\": 1}");
    assert_eq!(status, 400);
    assert!(why.contains("unknown field `acton`, expected one of `name`, `client`"), "{why}");
    assert_eq!(post(http, "/rules", &" ".repeat(2 << 20)).0, 413);
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    client.ask(locate()).unwrap();
    let (status, rule) = get(http, "/rules/r");
    assert_eq!(status, 200);
    assert!(rule.contains("\"matched\":1") && rule.contains("\"fired\":1"), "{rule}");
    let lines = get(http, "/conversation?connection=1&last=1").1;
    assert_eq!(lines.lines().count(), 1);
    assert!(lines.contains("\"way\":\"response\""), "{lines}");
    assert_eq!(get(http, "/conversation?connection=2").1, "");
    assert_eq!(get(http, "/conversation?since=2").0, 400);
    assert_eq!(delete(http, "/rules/r").0, 200);
    assert_eq!(delete(http, "/rules/r").0, 404);
    assert_eq!(get(http, "/rules/r").0, 404);
    assert_eq!(post(http, "/rules", RULE).0, 201);
    assert_eq!(delete(http, "/rules").1, "{\"removed\":1}\n");
    assert_eq!(get(http, "/").0, 404);
}

/// A certificate is shown from the change on, connections that are open are closed, and a key that
/// is not the certificate's is shown all the same.
#[test]
fn clients_are_shown_the_certificate_that_is_chosen() {
    let lab = Lab::with(certs::Algorithm::EcdsaP256, true);
    let server = KmipServer::start(&lab);
    let folder = lab.pki("bad");
    let proxy = KmipProxy::start(&lab, server.address(), |program| {
        program.arg("--certificates").arg(&folder)
    });
    let http = proxy.http();
    let (_, listed) = get(http, "/certificates");
    assert!(listed.contains("\"server-expired\"") && listed.contains("\"server-other-key\""));
    let mut open = TestClient::connect(proxy.address(), &lab, "alice");
    open.ask(locate()).unwrap();
    let show = |name: &str| {
        let json = ["Content-Type: application/json"];
        send(http, "PUT", "/certificate", &json, &format!("{{\"name\": \"{name}\"}}"))
    };
    for name in ["server-expired", "server-other-key", "server-other-host"] {
        let shown = format!("{{\"handshakes\":0,\"name\":\"{name}\"}}\n");
        assert_eq!(show(name), (200, shown));
        let refused = std::panic::catch_unwind(|| {
            TestClient::connect(proxy.address(), &lab, "alice").ask(locate()).is_err()
        });
        assert!(refused.unwrap_or(true), "{name}");
        let (_, shown) = get(http, "/certificate");
        assert!(shown.contains("\"handshakes\":1"), "{shown}");
    }
    assert!(open.ask(locate()).is_err(), "the open connection was closed");
    assert_eq!(show("default").0, 200);
    TestClient::connect(proxy.address(), &lab, "alice").ask(locate()).unwrap();
    for name in ["server-unheard-of", "../server", ""] {
        assert_eq!(show(name).0, 404, "{name}");
    }
}

#[test]
fn foreign_page_changes_and_reads_nothing() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| program);
    let http = proxy.http();
    let json = "Content-Type: application/json";
    let rows: [(&str, &[&str], u16); 6] = [
        ("POST", &["Content-Type: text/plain"], 415),
        ("POST", &[], 415),
        ("POST", &[json, "Origin: http://attacker.example"], 403),
        ("POST", &[json, "Host: attacker.example"], 403),
        ("DELETE", &[], 415),
        ("GET", &["Host: attacker.example:80"], 403),
    ];
    for (method, headers, expected) in rows {
        let (status, body) = send(http, method, "/rules", headers, RULE);
        assert_eq!(status, expected, "{method} {headers:?}: {body}");
    }
    assert_eq!(get(http, "/rules"), (200, "[]\n".to_owned()));
}
