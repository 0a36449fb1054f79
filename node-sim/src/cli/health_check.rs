//! Health check of a running cluster, for containers.

use crate::api::http::tls;
use crate::cli::listener_certificate::CERTIFICATE_FILE_NAME;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest time to an answer: health checks run every few seconds.
const DEADLINE: Duration = Duration::from_secs(5);

/// Longest answer that is read: its first line is enough.
const ANSWER_LEN_MAX: u64 = 1024;

/// Arguments of the health check.
#[derive(Args, Debug)]
pub(crate) struct HealthArgs {
    /// The door
    #[arg(
        long,
        env = "NODE_SIM_HEALTH_URL",
        value_name = "URL",
        default_value = "https://127.0.0.1:8443"
    )]
    pub(crate) url: String,
    /// Certificate that the door's own is checked against, PEM; without it, the one that the
    /// program made for itself in the data folder
    #[arg(long, env = "NODE_SIM_HEALTH_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The data folder of the program that is asked
    #[arg(long, env = "NODE_SIM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Address of a cluster, and the certificate that it must have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    trusted: PathBuf,
}

impl HealthArgs {
    /// Returns the endpoint; a sentence if the arguments are wrong.
    pub(crate) fn endpoint(self) -> Result<Endpoint, String> {
        let url = self.url;
        let (host, port) = url
            .strip_prefix("https://")
            .map(|rest| rest.trim_end_matches('/'))
            .and_then(|rest| rest.rsplit_once(':'))
            .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)))
            .filter(|(host, _)| !host.is_empty())
            .ok_or_else(|| format!("url is {url:?}; it must be like https://127.0.0.1:8443."))?;
        let trusted =
            self.ca.or_else(|| self.data.map(|folder| folder.join(CERTIFICATE_FILE_NAME)));
        Ok(Endpoint {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            trusted: trusted.ok_or("ca must be set, or data where the door's own one is.")?,
        })
    }
}

impl Endpoint {
    /// Requests the health; a sentence if there is no good answer.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let trusted = std::fs::read_to_string(&self.trusted)
            .map_err(|error| format!("cannot read {}: {error}", self.trusted.display()))?;
        let Self { host, port, .. } = self;
        match tokio::time::timeout(DEADLINE, self.ask(&trusted)).await {
            Ok(Ok(answer)) if answer.starts_with("HTTP/1.1 200 ") => Ok(()),
            Ok(Ok(_)) => Err(format!("{host}:{port} answers, but not as node-sim does")),
            Ok(Err(error)) => Err(format!("{host}:{port} does not answer: {error}")),
            Err(_) => Err(format!("{host}:{port} does not answer within {DEADLINE:?}")),
        }
    }

    async fn ask(&self, trusted: &str) -> std::io::Result<String> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let mut stream = tls::connect(stream, &self.host, trusted).await?;
        let request = format!(
            "GET /sim/v1/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.host
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_LEN_MAX).read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, HealthArgs};

    #[test]
    fn arguments_name_the_endpoint() {
        let endpoint_of = |url: &str, ca: Option<&str>, data: Option<&str>| {
            HealthArgs { url: url.into(), ca: ca.map(Into::into), data: data.map(Into::into) }
                .endpoint()
        };
        let target = |host: &str, port, trusted: &str| {
            Ok(Endpoint { host: host.into(), port, trusted: trusted.into() })
        };
        assert_eq!(
            endpoint_of("https://localhost:8443", Some("ca.crt"), Some("d")),
            target("localhost", 8443, "ca.crt")
        );
        assert_eq!(
            endpoint_of("https://[::1]:1/", None, Some("d")),
            target("::1", 1, "d/door.crt")
        );
        for url in ["localhost:8443", "http://localhost:8443", "https://localhost", "https://:1"] {
            assert!(
                endpoint_of(url, Some("ca.crt"), None).unwrap_err().starts_with("url is"),
                "{url}"
            );
        }
        assert!(endpoint_of("https://h:1", None, None).unwrap_err().starts_with("ca must be set"));
    }
}
