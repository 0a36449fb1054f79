//! The running program: the cluster, its listeners and its certificate monitor, until it is
//! stopped.

use crate::api::api_state::ApiState;
use crate::api::http::basic_auth::Credentials;
use crate::api::http::listener;
use crate::api::http::login_throttle::LoginThrottle;
use crate::api::methods::element_api;
use crate::api::methods::method::Scope;
use crate::api::router::router;
use crate::cli::listener_certificate::acceptor;
use crate::cli::settings::{DEFAULT_PASSWORD, Settings};
use crate::cluster::Cluster;
use crate::cluster::certificate_monitor;
use crate::key_server::KeyServerClient;
use crate::state::durable_file;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Addresses of the listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddresses {
    /// The listener of the cluster.
    pub(crate) cluster: SocketAddr,
    /// The listener of a node, if it has its own.
    pub(crate) node: Option<SocketAddr>,
}

/// Runs until `stop` completes. `ready` is called as soon as the listeners answer.
pub(crate) async fn serve(
    settings: Settings,
    key_servers: Arc<dyn KeyServerClient>,
    ready: impl FnOnce(ListenAddresses),
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    warn_of_known_password(&settings);
    let listener = bind(settings.listen).await?;
    let node_listener = match settings.node_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let addresses = ListenAddresses {
        cluster: local_address(&listener)?,
        node: node_listener.as_ref().map(local_address).transpose()?,
    };
    let folder = settings.cluster.folder.clone();
    durable_file::make_folder(&folder)
        .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    let acceptor = acceptor(&settings.certificate, &folder, addresses.cluster.ip())?;
    let Settings { user, password, cluster, body_deadline, .. } = settings;
    let cluster = Cluster::open(cluster, key_servers)
        .await
        .map_err(|error| format!("no cluster: {error}"))?;
    let watch = tokio::spawn(certificate_monitor::run(Arc::clone(&cluster)));

    let login_throttle = Arc::new(LoginThrottle::default());
    let routes = |scope| {
        let api = element_api(Arc::clone(&cluster), user.clone(), scope);
        let credentials = Credentials::new(&user, &password);
        let login_throttle = Arc::clone(&login_throttle);
        router(Arc::new(ApiState { api, credentials, login_throttle, body_deadline }))
    };
    let scope = if node_listener.is_some() { Scope::Cluster } else { Scope::Both };
    let (stopping, stopped) = watch::channel(false);
    let cluster_listener =
        listener::serve(listener, acceptor.clone(), routes(scope), stop_requested(stopped.clone()));
    let node_listener = async {
        if let Some(listener) = node_listener {
            listener::serve(listener, acceptor, routes(Scope::Node), stop_requested(stopped)).await;
        }
    };
    ready(addresses);
    let wait_for_stop = async {
        stop.await;
        tracing::info!("stopping");
        stopping.send_replace(true);
    };
    tokio::join!(wait_for_stop, cluster_listener, node_listener);
    watch.abort();
    cluster.close().await;
    Ok(())
}

fn warn_of_known_password(settings: &Settings) {
    if settings.password.as_str() == DEFAULT_PASSWORD {
        tracing::warn!(
            "the administrator has the password that the documentation names; \
             set --password or NODE_SIM_PASSWORD"
        );
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| format!("cannot tell where the door is: {error}"))
}

async fn stop_requested(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody can tell any more: then it is over as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
