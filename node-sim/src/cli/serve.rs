//! The running program: the cluster, its listeners and its certificate monitor, until it is
//! stopped.

use crate::api::api_state::ApiState;
use crate::api::http::basic_auth::Credentials;
use crate::api::http::listener;
use crate::api::http::login_throttle::LoginThrottle;
use crate::api::http::session::Sessions;
use crate::api::lab_controller::LabController;
use crate::api::methods::element_api;
use crate::api::methods::method::Scope;
use crate::api::methods::method_errors::MethodErrors;
use crate::api::router::router;
use crate::cli::listener_certificate::acceptor;
use crate::cli::settings::{DEFAULT_PASSWORD, Settings};
use crate::cluster::Cluster;
use crate::cluster::certificate_monitor;
use crate::key_server::KeyServerClient;
use crate::state::durable_file;
use crate::stream::{Stream, state_changes};
use serde_json::{Map, json};
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

/// What the program is made of besides its settings.
pub(crate) struct Parts {
    /// Client of key servers.
    pub(crate) key_servers: Arc<dyn KeyServerClient>,
    /// Stream of events, of which the client's messages are a part.
    pub(crate) stream: Arc<Stream>,
}

/// Runs until `stop` completes. `ready` is called as soon as the listeners answer.
pub(crate) async fn serve(
    settings: Settings,
    Parts { key_servers, stream }: Parts,
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
    let Settings { user, password, cluster, body_deadline, session_idle, lab, .. } = settings;
    let facts = [("lab", json!(lab.is_some())), ("user", json!(user))];
    let facts: Map<_, _> =
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // It is set once: a stream has one program.
    let _ = stream.facts.set(facts);
    let cluster = Cluster::open(cluster, key_servers)
        .await
        .map_err(|error| format!("no cluster: {error}"))?;
    let watch = tokio::spawn(certificate_monitor::run(Arc::clone(&cluster)));
    let shown = tokio::spawn(state_changes::run(Arc::clone(&cluster), Arc::clone(&stream)));

    let login_throttle = Arc::new(LoginThrottle::default());
    let sessions = Arc::new(Sessions::new(session_idle));
    let method_errors = Arc::new(MethodErrors::default());
    let controller = |authority: &String| LabController::new(authority.clone(), &user, &password);
    let routes = |scope| {
        let shared = (Arc::clone(&stream), Arc::clone(&method_errors));
        let state = ApiState {
            api: element_api(Arc::clone(&cluster), shared, user.clone(), scope),
            credentials: Credentials::new(&user, &password),
            login_throttle: Arc::clone(&login_throttle),
            sessions: Arc::clone(&sessions),
            lab: lab.as_ref().map(controller).transpose()?,
            body_deadline,
        };
        Ok::<_, String>(router(Arc::new(state)))
    };
    let scope = if node_listener.is_some() { Scope::Cluster } else { Scope::Both };
    let (stopping, stopped) = watch::channel(false);
    let (cluster_routes, node_routes) = (routes(scope)?, routes(Scope::Node)?);
    let cluster_listener = listener::serve(
        listener,
        acceptor.clone(),
        cluster_routes,
        stop_requested(stopped.clone()),
    );
    let node_listener = async {
        if let Some(listener) = node_listener {
            listener::serve(listener, acceptor, node_routes, stop_requested(stopped)).await;
        }
    };
    ready(addresses);
    let wait_for_stop = async {
        stop.await;
        tracing::info!("stopping");
        stopping.send_replace(true);
        stream.log.close();
    };
    tokio::join!(wait_for_stop, cluster_listener, node_listener);
    watch.abort();
    cluster.close().await;
    // It ends with the cluster.
    let _ = shown.await;
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
