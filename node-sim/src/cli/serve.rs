//! The running program: the cluster, its listeners and its certificate monitor, until it is
//! stopped.

use crate::api::api_state::ApiState;
use crate::api::http::basic_auth::Credentials;
use crate::api::http::listener;
use crate::api::http::login_throttle::LoginThrottle;
use crate::api::http::tls::{self, Acceptor, CertifiedKey};
use crate::api::methods::element_api;
use crate::api::methods::method::Scope;
use crate::api::router::router;
use crate::cli::settings::{CertificateSource, DEFAULT_PASSWORD, Settings};
use crate::cluster::Cluster;
use crate::cluster::certificate_monitor;
use crate::key_server::KeyServerClient;
use crate::state::durable_file::{self, Steps};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use support::small_files;
use tokio::net::TcpListener;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// File of the self-signed certificate, in the data folder.
pub(crate) const CERTIFICATE_FILE_NAME: &str = "door.crt";

/// File of its private key.
pub(crate) const KEY_FILE_NAME: &str = "door.key";

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
    let acceptor =
        Acceptor::new(&certified_key(&settings.certificate, &folder, addresses.cluster.ip())?)?;
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

fn certified_key(
    from: &CertificateSource,
    folder: &Path,
    address: IpAddr,
) -> Result<CertifiedKey, String> {
    match from {
        CertificateSource::Files { cert, key } => read_certificate(cert, key),
        CertificateSource::SelfSigned => {
            let (cert, key) = (folder.join(CERTIFICATE_FILE_NAME), folder.join(KEY_FILE_NAME));
            if !(cert.exists() && key.exists()) {
                make_certificate(&cert, &key, address)?;
            }
            read_certificate(&cert, &key)
        }
    }
}

fn read_certificate(cert: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let private_key = small_files::read_secret(key)
        .and_then(|text| String::from_utf8(text.to_vec()).map_err(io::Error::other))
        .map_err(|error| format!("cannot read {}: {error}", key.display()))?;
    Ok(CertifiedKey { certificate: read(cert)?, private_key: Zeroizing::new(private_key) })
}

/// The key is written first: a certificate is there only when its key is.
fn make_certificate(cert: &Path, key: &Path, address: IpAddr) -> Result<(), String> {
    let mut addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if !addresses.contains(&address) && !address.is_unspecified() {
        addresses.push(address);
    }
    let mut names = vec!["localhost".to_owned(), "node-sim".to_owned()];
    names.extend(std::env::var("HOSTNAME").ok().filter(|name| !names.contains(name)));
    let pair = tls::self_signed(&names, &addresses)
        .map_err(|error| format!("cannot make a certificate for the door: {error}"))?;
    let steps = Steps::new();
    for (path, text) in [(key, pair.private_key.as_str()), (cert, pair.certificate.as_str())] {
        durable_file::replace(&steps, path, text.as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
