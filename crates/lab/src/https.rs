//! Client of one HTTPS server: one request, one answer, one connection. The only user of TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A call that asks a key server answers in 20 seconds, whatever that does; all others sooner.
const DEADLINE: Duration = Duration::from_secs(30);

/// The longest answer is some blocks of a drive.
const ANSWER_LEN_MAX: u64 = 16 << 20;

/// A client that trusts one authority.
pub struct Https {
    tls: TlsConnector,
    authority: String,
    name: ServerName<'static>,
}

/// What the server answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Https {
    /// A client of the server at this host and port, whose certificate must be for the host and
    /// signed by the authority in `ca`.
    pub fn new(authority: &str, ca: &Path) -> Result<Self, String> {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host)
            .map_err(|_| format!("{authority:?} must be a host and a port"))?;
        let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", ca.display());
        let mut roots = RootCertStore::empty();
        for cert in CertificateDer::pem_file_iter(ca).map_err(|why| wrong(&why))? {
            roots.add(cert.map_err(|why| wrong(&why))?).map_err(|why| wrong(&why))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|why| wrong(&why))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            authority: authority.to_owned(),
            name,
        })
    }

    /// Host and port of the server.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Sends one request and reads the whole answer.
    pub async fn send(
        &self,
        verb: &str,
        path: &str,
        authorization: &str,
        body: &[u8],
    ) -> Result<Answer, String> {
        let head = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {authorization}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.authority,
            body.len()
        );
        let request = [head.as_bytes(), body].concat();
        let exchange = self.exchange(&request);
        match tokio::time::timeout(DEADLINE, exchange).await {
            Ok(answered) => answered.map_err(|why| format!("https://{}: {why}", self.authority)),
            Err(_) => Err(format!("https://{} did not answer in {DEADLINE:?}", self.authority)),
        }
    }

    async fn exchange(&self, request: &[u8]) -> Result<Answer, String> {
        let text = |why: std::io::Error| why.to_string();
        let socket = TcpStream::connect(&self.authority).await.map_err(text)?;
        let mut stream = self.tls.connect(self.name.clone(), socket).await.map_err(text)?;
        stream.write_all(request).await.map_err(text)?;
        let mut bytes = Vec::new();
        let read = stream.take(ANSWER_LEN_MAX).read_to_end(&mut bytes).await;
        // A server that ends without close_notify may still have sent all: the length says so.
        parse(&bytes).map_err(|why| read.err().map_or(why, text))
    }
}

/// Takes a whole answer apart.
fn parse(bytes: &[u8]) -> Result<Answer, String> {
    let cut = || "the answer is not whole".to_owned();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(cut)?;
    let (head, rest) = bytes.split_at_checked(end).ok_or_else(cut)?;
    let body = rest.get(4..).ok_or_else(cut)?;
    let head = String::from_utf8_lossy(head);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    if length != Some(body.len()) {
        return Err(cut());
    }
    Ok(Answer { status, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_answer_is_whole_or_no_answer() {
        let whole = b"HTTP/1.1 423 Locked\r\nContent-Length: 2\r\n\r\n{}";
        let answer = parse(whole).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (423, b"{}".as_slice()));
        for len in 0..whole.len() {
            assert!(parse(&whole[..len]).is_err(), "{len} bytes");
        }
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n{}").is_err(), "no length");
    }
}
