//! Puts the program together: the cluster, its doors, and what watches over it, until it is told
//! to stop.

use crate::api::api_state::ApiState;
use crate::api::http::basic_auth::Credentials;
use crate::api::http::listener;
use crate::api::http::tls::{self, Acceptor, Pair};
use crate::api::methods::element_api;
use crate::api::methods::method::Scope;
use crate::api::router::router;
use crate::cli::config::{Config, DEFAULT_PASSWORD, DoorPair};
use crate::cluster::Cluster;
use crate::cluster::certificate_monitor;
use crate::key_server::KeyServerClient;
use crate::state::durable_file::{self, Steps};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// The certificate that the program makes for its door, in the data folder.
pub(crate) const DOOR_CERTIFICATE: &str = "door.crt";

/// Its private key.
pub(crate) const DOOR_KEY: &str = "door.key";

/// Where the doors are, once they answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doors {
    /// The door of the cluster.
    pub(crate) cluster: SocketAddr,
    /// The door of a node, if it has its own.
    pub(crate) node: Option<SocketAddr>,
}

/// Runs until it is told to stop. `ready` is told where the doors are, as soon as they answer.
pub(crate) async fn serve(
    config: Config,
    key_servers: Arc<dyn KeyServerClient>,
    ready: impl FnOnce(Doors),
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    warn_of_known_password(&config);
    let listener = bind(config.listen).await?;
    let node_listener = match config.node_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let doors =
        Doors { cluster: local(&listener)?, node: node_listener.as_ref().map(local).transpose()? };
    let folder = config.cluster.folder.clone();
    durable_file::make_folder(&folder)
        .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    let acceptor = Acceptor::new(&door_pair(&config.pair, &folder, doors.cluster.ip())?)?;
    let Config { user, password, cluster, .. } = config;
    let cluster = Cluster::open(cluster, key_servers)
        .await
        .map_err(|error| format!("no cluster: {error}"))?;
    let watch = tokio::spawn(certificate_monitor::run(Arc::clone(&cluster)));

    let door = |scope| {
        let element = element_api(Arc::clone(&cluster), user.clone(), scope);
        let credentials = Credentials::new(&user, &password);
        router(Arc::new(ApiState { element, credentials }))
    };
    let scope = if node_listener.is_some() { Scope::Cluster } else { Scope::Both };
    let (stopping, stopped) = watch::channel(false);
    let cluster_door =
        listener::serve(listener, acceptor.clone(), door(scope), told(stopped.clone()));
    let node_door = async {
        if let Some(listener) = node_listener {
            listener::serve(listener, acceptor, door(Scope::Node), told(stopped)).await;
        }
    };
    ready(doors);
    let told_to_stop = async {
        stop.await;
        tracing::info!("stopping");
        stopping.send_replace(true);
    };
    tokio::join!(told_to_stop, cluster_door, node_door);
    watch.abort();
    cluster.close().await;
    Ok(())
}

fn warn_of_known_password(config: &Config) {
    if config.password.as_str() == DEFAULT_PASSWORD {
        tracing::warn!(
            "the administrator has the password that the documentation names; \
             set --password or NODE_SIM_PASSWORD"
        );
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}

fn local(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| format!("cannot tell where the door is: {error}"))
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody can tell any more: then it is over as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn door_pair(from: &DoorPair, folder: &Path, address: IpAddr) -> Result<Pair, String> {
    match from {
        DoorPair::Files { cert, key } => read_pair(cert, key),
        DoorPair::SelfMade => {
            let (cert, key) = (folder.join(DOOR_CERTIFICATE), folder.join(DOOR_KEY));
            if !(cert.exists() && key.exists()) {
                make_pair(&cert, &key, address)?;
            }
            read_pair(&cert, &key)
        }
    }
}

fn read_pair(cert: &Path, key: &Path) -> Result<Pair, String> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    Ok(Pair { certificate: read(cert)?, private_key: Zeroizing::new(read(key)?) })
}

/// The key is written first: a certificate is there only when its key is.
fn make_pair(cert: &Path, key: &Path, address: IpAddr) -> Result<(), String> {
    let mut addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if !addresses.contains(&address) && !address.is_unspecified() {
        addresses.push(address);
    }
    let mut names = vec!["localhost".to_owned(), "node-sim".to_owned()];
    names.extend(std::env::var("HOSTNAME").ok().filter(|name| !names.contains(name)));
    let pair = tls::self_made(&names, &addresses)
        .map_err(|error| format!("cannot make a certificate for the door: {error}"))?;
    let steps = Steps::new();
    for (path, text) in [(key, pair.private_key.as_str()), (cert, pair.certificate.as_str())] {
        durable_file::replace(&steps, path, text.as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
