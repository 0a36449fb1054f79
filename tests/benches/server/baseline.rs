//! The least that a server of such messages could do: answer, and commit in groups.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use harness::Lab;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::load::{LEN_BYTES, Measured};
use crate::tls;

/// The row of [`bare_loop`].
pub(crate) const LOOP: &str = "bare group-commit loop, no socket";

/// The most commits in one flush: as many as the server's store takes.
const GROUP_MAX: usize = 256;
/// Bytes that a Create of the server writes: two sealed records and two index rows.
const COMMIT_LEN: usize = 1_024;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Answers at once.
    Echo,
    /// Answers when the request's bytes are on disk.
    Commit,
}

type Waiter = oneshot::Sender<()>;

/// One thread, one file, one flush for all that wait.
fn committer(folder: &Path) -> Sender<Waiter> {
    let mut file = File::create(folder.join("bare-commits")).unwrap();
    let (tell, told): (Sender<Waiter>, Receiver<Waiter>) = channel();
    std::thread::spawn(move || {
        while let Ok(first) = told.recv() {
            let mut group = vec![first];
            group.extend(told.try_iter().take(GROUP_MAX - 1));
            file.write_all(&vec![0x5A; COMMIT_LEN * group.len()]).unwrap();
            file.sync_data().unwrap();
            for waiter in group {
                let _ = waiter.send(());
            }
        }
    });
    tell
}

/// Serves until it is killed.
pub(crate) fn serve(pki: &str, kind: Kind) {
    let pki = PathBuf::from(pki);
    let committer = (kind == Kind::Commit).then(|| committer(&pki));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let acceptor = TlsAcceptor::from(tls::server(&pki));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on {}", listener.local_addr().unwrap());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(acceptor.clone(), socket, committer.clone()));
        }
    });
}

async fn answer(acceptor: TlsAcceptor, socket: TcpStream, committer: Option<Sender<Waiter>>) {
    socket.set_nodelay(true).unwrap();
    let Ok(mut stream) = acceptor.accept(socket).await else { return };
    let mut frame = vec![0; 8];
    loop {
        frame.resize(8, 0);
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let len = u32::from_be_bytes([frame[4], frame[5], frame[6], frame[7]]) as usize;
        frame.resize(8 + len, 0);
        stream.read_exact(&mut frame[8..]).await.unwrap();
        let tail = frame.len() - LEN_BYTES;
        let wanted = u32::from_be_bytes(frame[tail..].try_into().unwrap()) as usize;
        if let Some(committer) = &committer {
            let (tell, told) = oneshot::channel();
            committer.send(tell).unwrap();
            told.await.unwrap();
        }
        let mut response = vec![0; wanted];
        response[4..8].copy_from_slice(&(wanted as u32 - 8).to_be_bytes());
        stream.write_all(&response).await.unwrap();
        stream.flush().await.unwrap();
    }
}

/// The group commit alone: so many tasks, and no socket.
pub(crate) async fn bare_loop(lab: &Lab, tasks: usize, round: Duration) -> Measured {
    let committer = committer(&lab.path("pki"));
    let start = Instant::now();
    let writers: Vec<_> = (0..tasks)
        .map(|_| {
            let committer = committer.clone();
            tokio::spawn(async move {
                let mut count = 0_u64;
                while start.elapsed() < round {
                    let (tell, told) = oneshot::channel();
                    committer.send(tell).unwrap();
                    told.await.unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for writer in writers {
        count += writer.await.unwrap();
    }
    Measured { rate: count as f64 / start.elapsed().as_secs_f64(), processor_us: None }
}
