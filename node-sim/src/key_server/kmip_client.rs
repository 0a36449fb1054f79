//! KMIP client: mutual TLS, a session for each node and each host of a key server.
//!
//! ```text
//! test, choose_host   Query: are the operations there that the rest needs?
//! ensure              Locate, Get Attributes -> Create -> Activate                at one host
//! fetch               Locate, Get Attributes -> Get: Digest, check value          at the first
//! destroy             Locate, Get Attributes -> Get -> Revoke -> Destroy -> State at all hosts
//! survey              Query, Locate, Get Attributes                               at all hosts
//! ```

use super::error::HostFailure;
use super::host_session::HostSession;
use super::key_destruction::AtHost;
use super::message_trace::{MessageSink, SessionTrace};
use super::object_inventory::ObjectInventory;
use super::{
    Destruction, FetchedKey, HostReport, KeyProviderAccess, KeyServerAccess, KeyServerClient,
    KeyServerError, KeyServerFuture, SurveyFuture,
};
use crate::state::key_ring::{KeyId, KeyOrigin, KnownKey, NodeId, RetiredKey};
use crate::state::key_server_registry::KeyServerId;
use kmip::client::{Client, Error};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a request may take when nothing is set. Longer than a server needs to flush its disk
/// and ask its replicas, and short enough that a node that unlocks soon tries the next host or says
/// what is wrong.
pub(crate) const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// Client of KMIP servers.
pub struct KmipClient {
    sinks: Arc<[Arc<dyn MessageSink>]>,
    request_deadline: Duration,
    sessions: Mutex<BTreeMap<(NodeId, KeyServerId, String), Session>>,
}

/// A node's own client of one host, and what it was made of.
struct Session {
    access: KeyServerAccess,
    client: Client,
}

impl KmipClient {
    /// A client without sessions. The sinks get every message: **its bytes hold keys in the
    /// clear**.
    #[must_use]
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn MessageSink>>) -> Self {
        let sinks = sinks.into_iter().collect();
        Self { sinks, request_deadline: REQUEST_DEADLINE, sessions: Mutex::default() }
    }

    /// Sets how long a request may take, from its first byte to its answer; 15 s by default.
    #[must_use]
    pub const fn with_request_deadline(mut self, limit: Duration) -> Self {
        self.request_deadline = limit;
        self
    }

    /// The node's session with this host; a new one, if the server's names or certificates were
    /// changed.
    fn session(
        &self,
        node_id: NodeId,
        access: &KeyServerAccess,
        host: String,
    ) -> Result<HostSession, HostFailure> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let of_server = (node_id, access.key_server_id);
        sessions.retain(|(node, server, _), session| {
            (*node, *server) != of_server || session.access == *access
        });
        let session_id = (node_id, access.key_server_id, host.clone());
        if let Some(session) = sessions.get(&session_id) {
            return Ok(HostSession { host, client: session.client.clone() });
        }
        let client = self.client(node_id, access, &host)?;
        sessions.insert(session_id, Session { access: access.clone(), client: client.clone() });
        Ok(HostSession { host, client })
    }

    fn client(
        &self,
        node_id: NodeId,
        access: &KeyServerAccess,
        host: &str,
    ) -> Result<Client, Error> {
        let mut builder = Client::builder()
            .server(host)
            .ca_pem(&access.server.ca_certificate)
            .identity_pem(&access.server.client_certificate, access.client_key.as_bytes())
            .request_deadline(self.request_deadline);
        if !self.sinks.is_empty() {
            let (key_server_id, sinks) = (access.key_server_id, Arc::clone(&self.sinks));
            builder = builder.trace(Arc::new(SessionTrace { node_id, key_server_id, sinks }));
        }
        builder.build()
    }

    /// Asks the hosts of the provider in order, until one succeeds.
    async fn first_host<T, F>(
        &self,
        provider: &KeyProviderAccess,
        ask: impl Fn(HostSession) -> F,
    ) -> Result<T, KeyServerError>
    where
        F: Future<Output = Result<T, HostFailure>>,
    {
        let mut failures = Vec::new();
        for (access, host) in provider.hosts() {
            let asked = match self.session(provider.node_id, access, host.clone()) {
                Ok(session) => ask(session).await,
                Err(failure) => Err(failure),
            };
            match asked {
                Ok(answer) => {
                    for (host, failure) in &failures {
                        let cause = HostFailure::cause(failure);
                        tracing::warn!(host, cause, "another host was used instead");
                    }
                    return Ok(answer);
                }
                Err(failure) => failures.push((host, failure)),
            }
        }
        Err(KeyServerError::of_hosts(&failures))
    }

    /// Destroys the key at every host, that which created it first.
    async fn destroy_at_hosts(
        &self,
        provider: &KeyProviderAccess,
        key: &RetiredKey,
    ) -> Result<Destruction, KeyServerError> {
        let mut hosts: Vec<_> = provider.hosts().collect();
        let origin = key.origin();
        hosts.sort_by_key(|(_, host)| origin.is_none_or(|origin| origin.host != *host));
        let (mut failures, mut destroyed) = (Vec::new(), false);
        for (access, host) in &hosts {
            let asked = match self.session(provider.node_id, access, host.clone()) {
                Ok(session) => session.destroy(key).await,
                Err(failure) => Err(failure),
            };
            match asked {
                Ok(AtHost::Destroyed) => destroyed = true,
                Ok(AtHost::NotShown) => {}
                Err(failure) => failures.push((host.clone(), failure)),
            }
        }
        if hosts.is_empty() || !failures.is_empty() {
            return Err(KeyServerError::of_hosts(&failures));
        }
        if destroyed {
            return Ok(Destruction::Confirmed);
        }
        let hosts: Vec<_> = hosts.into_iter().map(|(_, host)| host).collect();
        let mut reason = format!(
            "All hosts of the key provider were reached, and none shows master key {}, living or \
             destroyed: {}. Check whether the host that holds it is still one of them.",
            key.key_id(),
            hosts.join(", ")
        );
        let lost = origin.and_then(|origin| Some((origin, provider.server_of(origin).err()?)));
        if let Some((origin, lost)) = lost {
            let _ = write!(reason, " It was to be created {}.", lost.text(origin));
        }
        Ok(Destruction::NotConfirmed { reason, origin_asked: lost.is_none() })
    }

    async fn survey_hosts(
        &self,
        provider: &KeyProviderAccess,
        key_id: KeyId,
        identifier: Option<&str>,
    ) -> Vec<HostReport> {
        let mut asked = JoinSet::new();
        for (place, (access, host)) in provider.hosts().enumerate() {
            let key_server_id = access.key_server_id;
            let session = self.session(provider.node_id, access, host.clone());
            let identifier = identifier.map(str::to_owned);
            asked.spawn(async move {
                let shown = match session {
                    Ok(session) => session.survey(key_id, identifier.as_deref()).await,
                    Err(failure) => Err(failure),
                };
                let shown = shown.map_err(|failure| failure.at(&host));
                (place, HostReport { key_server_id, host, shown })
            });
        }
        let mut reports = asked.join_all().await;
        reports.sort_by_key(|(place, _)| *place);
        reports.into_iter().map(|(_, report)| report).collect()
    }
}

impl KeyServerClient for KmipClient {
    fn test<'a>(&'a self, provider: &'a KeyProviderAccess) -> KeyServerFuture<'a, ()> {
        Box::pin(self.first_host(provider, |session| async move { session.test().await }))
    }

    fn choose_host<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
    ) -> KeyServerFuture<'a, KeyOrigin> {
        Box::pin(self.first_host(provider, move |session| async move {
            session.test().await?;
            Ok(provider.origin(session.host))
        }))
    }

    fn ensure<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        origin: &'a KeyOrigin,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async move {
            let access = provider.server_of(origin).map_err(|lost| {
                KeyServerError::server(format!(
                    "Master key {key_id} is to be created {}. Take the change of the key server \
                     back, or give the rekey up.",
                    lost.text(origin)
                ))
            })?;
            let ensured = match self.session(provider.node_id, access, origin.host.clone()) {
                Ok(session) => session.ensure(key_id).await,
                Err(failure) => Err(failure),
            };
            ensured.map_err(|failure| failure.at(&origin.host))
        })
    }

    fn fetch<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
        known: &'a KnownKey,
    ) -> KeyServerFuture<'a, FetchedKey> {
        let fetch = move |session: HostSession| async move { session.fetch(key_id, known).await };
        Box::pin(self.first_host(provider, fetch))
    }

    fn destroy<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key: &'a RetiredKey,
    ) -> KeyServerFuture<'a, Destruction> {
        Box::pin(self.destroy_at_hosts(provider, key))
    }

    fn survey<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
        identifier: Option<&'a str>,
    ) -> SurveyFuture<'a> {
        Box::pin(self.survey_hosts(provider, key_id, identifier))
    }

    fn inventory<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
    ) -> KeyServerFuture<'a, ObjectInventory> {
        Box::pin(self.first_host(provider, |session| async move { session.inventory().await }))
    }

    fn destroy_object<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        unique_identifier: &'a str,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(self.first_host(provider, move |session| async move {
            session.destroy_by_identifier(unique_identifier).await
        }))
    }
}
