//! Address of a key server, and how to connect to it.

use std::sync::Arc;

use super::connection::Connection;
use super::error::{Error, Setting};
use super::settings::Settings;
use super::tls::Name;

/// The port of a key server when none is given (KMIP profiles 1.4, 3.1.3).
pub const KMIP_PORT: u16 = 5696;

/// Address of a key server, and the name that its certificate must be for.
pub(super) struct Endpoint {
    /// `host:port`, with brackets where they are needed.
    address: Arc<str>,
    host: String,
    port: u16,
    name: Name,
}

impl Endpoint {
    /// Reads `host`, `host:port`, `address`, `[address]` or `[address]:port`.
    pub(super) fn parse(address: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::settings(Setting::Servers, format!("{address:?} {why}"));
        let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
            None if address.matches(':').count() > 1 => (address, None),
            None => match address.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        let port = match port {
            None => KMIP_PORT,
            Some(text) => match text.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(wrong("has no port between 1 and 65535 after its colon")),
            },
        };
        let name = Name::parse(host);
        let name =
            name.ok_or_else(|| wrong("has neither a DNS name nor an IP address as its host"))?;
        let text = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        Ok(Self { address: text.into(), host: host.to_owned(), port, name })
    }

    /// The address as `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, settings: &Settings) -> Result<Connection, Error> {
        Connection::open(&self.address, (&self.host, self.port), &self.name, settings).await
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn addresses_in_all_their_forms() {
        let table = [
            ("kms.example", Some("kms.example:5696")),
            ("kms.example:1", Some("kms.example:1")),
            ("10.0.0.1", Some("10.0.0.1:5696")),
            ("10.0.0.1:65535", Some("10.0.0.1:65535")),
            ("::1", Some("[::1]:5696")),
            ("[::1]", Some("[::1]:5696")),
            ("[::1]:7", Some("[::1]:7")),
            ("kms:0", None),
            ("kms:65536", None),
            ("kms:", None),
            ("kms:x", None),
            ("", None),
            (":5696", None),
            ("a b:5696", None),
            ("https://kms:5696", None),
        ];
        for (given, expected) in table {
            let read = Endpoint::parse(given).ok().map(|endpoint| endpoint.address().to_owned());
            assert_eq!(read.as_deref(), expected, "{given}");
        }
    }
}
