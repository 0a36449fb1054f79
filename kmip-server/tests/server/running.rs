//! A server inside the test, on a port of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use certs::{Authority, CertifiedKey, HOSTS_DEFAULT};
use kmip_server::KeyServer;
use kmip_server::config::{PushTargets, Settings};
use kmip_server::store::MemoryStore;
use kmip_server::store::{IndexKey, KEY_LEN};
use kmip_server::{Protocol, Tls};
use kmip_server::{Server, listen};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;

/// An authority with a server's and a client's certificate, and the files of the server.
pub(crate) struct Lab {
    pub(crate) authority: Authority,
    pub(crate) client: CertifiedKey,
    pub(crate) dir: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("the tests' authority").unwrap();
        let dir = tempfile::tempdir().unwrap();
        authority.write_cert(dir.path()).unwrap();
        authority.server(&HOSTS_DEFAULT).unwrap().write(dir.path(), "server").unwrap();
        let client = authority.client("a client").unwrap();
        client.write(dir.path(), "client").unwrap();
        Self { authority, client, dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Settings with this lab's files, on a free port.
    pub(crate) fn settings(&self) -> Settings {
        let path = |name| self.path(name);
        let mut settings = Settings::new(path("server.crt"), path("server.key"), path("ca.crt"));
        settings.data = Some(path("data"));
        settings.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        settings
    }

    /// A client that the server lets in.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.authority.cert_pem(), Some(&self.client))
    }
}

/// A server that serves until it is dropped or stopped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) server: Arc<Server>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(settings: &Settings) -> Self {
        Self::start_with(settings, Protocol::Kmip, PushTargets::default())
    }

    /// The same, with clients that are notified without having asked.
    pub(crate) fn with_push_targets(settings: &Settings, push_targets: PushTargets) -> Self {
        Self::start_with(settings, Protocol::Kmip, push_targets)
    }

    /// The same, with KMIP over HTTPS.
    pub(crate) fn https(settings: &Settings) -> Self {
        Self::start_with(settings, Protocol::Http, PushTargets::default())
    }

    fn start_with(settings: &Settings, protocol: Protocol, push_targets: PushTargets) -> Self {
        let listener = listen(settings.listen).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let index_key = IndexKey::new(&[7; KEY_LEN]);
        let key_server = KeyServer::new(Arc::new(MemoryStore::default()), index_key);
        let key_server = Arc::new(key_server.with_push_targets(push_targets));
        let (tls, _) = Tls::open(settings).unwrap();
        let server = Server::new(settings, tls, key_server);
        let task = tokio::spawn(Arc::clone(&server).run(listener, protocol, stopped));
        Self { address, server, stop: Some(stop), task }
    }

    /// Tells the server to stop, and returns at once.
    pub(crate) fn stop(&mut self) {
        self.stop.take().expect("stopped once").send(()).unwrap();
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(self) {
        self.task.await.unwrap();
    }
}
