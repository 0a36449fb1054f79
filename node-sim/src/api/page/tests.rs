//! The page as it is served, and rules on its files.

use super::files::{Encoding, StaticFile};
use super::{CONTENT_SECURITY_POLICY, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tower::ServiceExt;

/// What the page may weigh on its way to a browser.
const TRANSFER_MAX: usize = 150_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap()
}

fn paths_with(ending: &str) -> impl Iterator<Item = &'static str> {
    StaticFile::paths().filter(move |path| path.ends_with(ending))
}

fn files_below(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files_below(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path);
        }
    }
}

async fn ask(method: Method, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let router: Router = router();
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[tokio::test]
async fn page_is_served_with_its_policy_and_not_sent_twice() {
    let answer = ask(Method::GET, "/ui/", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(answer.header(header::CONTENT_SECURITY_POLICY), CONTENT_SECURITY_POLICY);
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-cache");
    assert_eq!(answer.body, text("index.html").into_bytes());
    let tag = answer.header(header::ETAG);
    for known in [tag, &format!("\"x\", {tag}"), "*"] {
        let again = ask(Method::GET, "/ui/", &[(header::IF_NONE_MATCH, known)]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
        assert_eq!(again.header(header::ETAG), tag);
    }
    let other = ask(Method::GET, "/ui/", &[(header::IF_NONE_MATCH, "W/\"x\"")]).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn root_leads_to_the_page_and_other_paths_and_methods_are_refused() {
    for path in ["/", "/ui"] {
        let answer = ask(Method::GET, path, &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header(header::LOCATION), "/ui/");
    }
    for path in ["/ui/nothing.js", "/ui/../Cargo.toml", "/ui/lib/", "/ui/index.html/"] {
        assert_eq!(ask(Method::GET, path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let posted = ask(Method::POST, "/ui/", &[]).await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    let head = ask(Method::HEAD, "/ui/main.js", &[]).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn body_is_compressed_only_for_clients_that_take_it() {
    let plain = text("main.js").into_bytes();
    for (accepted, expected) in [
        ("gzip, deflate, br", "deflate"),
        ("Deflate;q=0.5", "deflate"),
        ("deflate;q=0", ""),
        ("gzip", ""),
    ] {
        let answer = ask(Method::GET, "/ui/main.js", &[(header::ACCEPT_ENCODING, accepted)]).await;
        assert_eq!(answer.header(header::CONTENT_ENCODING), expected, "{accepted}");
        assert_eq!(answer.header(header::VARY), "accept-encoding");
        let body = match expected {
            "" => answer.body,
            _ => miniz_oxide::inflate::decompress_to_vec_zlib(&answer.body).unwrap(),
        };
        assert_eq!(body, plain, "{accepted}");
    }
}

#[test]
fn every_file_of_the_folder_is_embedded_as_it_is() {
    let mut found = BTreeSet::new();
    files_below(&folder(), "", &mut found);
    assert_eq!(found, StaticFile::paths().map(str::to_owned).collect());
    for path in StaticFile::paths() {
        let (encoding, bytes) = StaticFile::of(path).unwrap().body(false);
        assert_eq!(encoding, Encoding::Identity);
        assert_eq!(bytes, std::fs::read(folder().join(path)).unwrap(), "{path}");
        assert_ne!(StaticFile::of(path).unwrap().content_type, "application/octet-stream");
    }
}

#[test]
fn page_is_small_on_its_way() {
    let sizes = StaticFile::paths().map(|path| StaticFile::of(path).unwrap().body(true).1.len());
    let size: usize = sizes.sum();
    assert!(size < TRANSFER_MAX, "{size} bytes, {TRANSFER_MAX} allowed");
}

/// Texts in double quotes after a word, such as the paths of imports.
fn quoted_after(text: &str, word: &str) -> Vec<String> {
    let rest = text.split(word).skip(1);
    rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// The path that a module at `from` imports.
fn resolved(from: &str, import: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => assert!(parts.pop().is_some(), "{import} leaves the folder"),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[test]
fn every_reference_leads_to_a_file_and_every_file_is_referenced() {
    let index = text("index.html");
    let mut referenced = BTreeSet::from(["index.html".to_owned()]);
    for word in ["src=\"", "href=\""] {
        for reference in quoted_after(&index, word) {
            referenced.insert(reference.strip_prefix("/ui/").unwrap().to_owned());
        }
    }
    for path in paths_with(".js") {
        let text = text(path);
        for word in [" from \"", "import \""] {
            for import in quoted_after(&text, word) {
                assert!(import.starts_with("./") || import.starts_with("../"), "{path}: {import}");
                referenced.insert(resolved(path, &import));
            }
        }
    }
    assert_eq!(referenced, StaticFile::paths().map(str::to_owned).collect());
}

#[test]
fn files_name_no_other_origin_and_make_no_markup_from_text() {
    const NAMESPACE: &str = "http://www.w3.org/2000/svg";
    const MARKUP: [&str; 8] = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "setHTML",
        "eval(",
        "new Function",
    ];
    for path in StaticFile::paths() {
        let text = text(path).replace(NAMESPACE, "");
        for other in ["http://", "https://", "ws://", "wss://"] {
            assert!(!text.contains(other), "{path}: {other}");
        }
        let is_loaded = ["@import", "url("].iter().any(|word| text.contains(word));
        assert!(!(path.ends_with(".css") && is_loaded), "{path}");
        for markup in MARKUP {
            assert!(!text.contains(markup), "{path}: {markup}");
        }
    }
    let index = text("index.html");
    for inline in ["<style", " style=", "<script>", " onclick", " onload", "javascript:"] {
        assert!(!index.contains(inline), "{inline}");
    }
}

#[test]
fn policy_allows_this_origin_only() {
    let directives: Vec<&str> = CONTENT_SECURITY_POLICY.split("; ").collect();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(directives.contains(&directive), "{directive}");
    }
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
}
