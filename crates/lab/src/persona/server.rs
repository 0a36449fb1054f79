//! A key server as a persona sees it.

use zeroize::Zeroizing;

use super::tls::{Connection, Connector};

/// What a key server is to a persona.
pub(super) trait KeyServer {
    /// Sends a message and returns its answer; connects if need be.
    fn exchange(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, String>;

    /// Whether the connection has resumed a TLS session.
    fn is_resumed(&self) -> bool;

    /// Closes the connection.
    fn close(&mut self);
}

/// A key server over TLS.
pub(super) struct TlsKeyServer {
    connector: Connector,
    connection: Option<Connection>,
}

impl TlsKeyServer {
    /// A server that is not connected yet.
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, connection: None }
    }
}

impl KeyServer for TlsKeyServer {
    fn exchange(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let connection = match &mut self.connection {
            Some(open) => open,
            none => none.insert(self.connector.connect()?),
        };
        connection.exchange(request)
    }

    fn is_resumed(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_resumed)
    }

    fn close(&mut self) {
        self.connection = None;
    }
}
