//! Relay in front of a key server that counts turns and cuts the connection at a chosen one, so
//! that the server can be killed between any two messages.
//!
//! It sees TLS records only. Records that follow each other in one direction of a connection are
//! one turn: a request, a response, or a part of the handshake.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// The head of a TLS record: its type, its version and its length (RFC 8446, 5.1).
const HEAD_LEN: usize = 5;

/// Number of turns without a limit.
const ENDLESS: u64 = u64::MAX;

pub(crate) struct Relay {
    address: SocketAddr,
    limit: Arc<TurnLimit>,
    cut: Receiver<()>,
}

struct TurnLimit {
    /// How many turns still pass; with none left all connections are cut.
    left: AtomicU64,
    report: Sender<()>,
    /// Every socket that is in use.
    sockets: Mutex<Vec<TcpStream>>,
}

/// Direction of the last record of a connection.
type LastDirection = Arc<Mutex<Option<Direction>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Response,
}

impl Relay {
    /// Relays to this address as long as the test's process lives.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (report, cut) = channel();
        let limit = TurnLimit { left: AtomicU64::new(ENDLESS), report, sockets: Mutex::default() };
        let limit = Arc::new(limit);
        let inner = Arc::clone(&limit);
        thread::spawn(move || {
            for client in listener.incoming() {
                inner.connect(client.unwrap(), server);
            }
        });
        Self { address, limit, cut }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes so many turns and then cuts all connections; the turn after them is lost.
    pub(crate) fn cut_after(&self, turns: u64) {
        self.limit.left.store(turns, Ordering::SeqCst);
    }

    /// Passes everything.
    pub(crate) fn resume(&self) {
        self.limit.left.store(ENDLESS, Ordering::SeqCst);
    }

    /// Whether it has cut the connections since the last call.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut.try_recv().is_ok()
    }
}

impl TurnLimit {
    fn connect(self: &Arc<Self>, client: TcpStream, server: SocketAddr) {
        // After a cut, as with a dead server, a client is not served.
        if self.left.load(Ordering::SeqCst) == 0 {
            return;
        }
        let Ok(server) = TcpStream::connect(server) else { return };
        let mut sockets = self.sockets.lock().unwrap();
        sockets.push(client.try_clone().unwrap());
        sockets.push(server.try_clone().unwrap());
        drop(sockets);
        let last = LastDirection::default();
        let directions = [
            (client.try_clone().unwrap(), server.try_clone().unwrap(), Direction::Request),
            (server, client, Direction::Response),
        ];
        for (from, to, direction) in directions {
            let (limit, last) = (Arc::clone(self), Arc::clone(&last));
            thread::spawn(move || limit.pump(from, to, direction, &last));
        }
    }

    /// Passes records on until either end has closed or the connections are cut.
    fn pump(
        &self,
        mut from: TcpStream,
        mut to: TcpStream,
        direction: Direction,
        last: &LastDirection,
    ) {
        while let Some(record) = read_record(&mut from) {
            let is_turn = last.lock().unwrap().replace(direction) != Some(direction);
            if !self.passes(is_turn) || to.write_all(&record).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Whether a record may pass; it is counted if it begins a turn.
    fn passes(&self, is_turn: bool) -> bool {
        let left = self.left.load(Ordering::SeqCst);
        if !is_turn || left == ENDLESS {
            return left != 0;
        }
        let taken =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match taken {
            Ok(1) => {
                for socket in self.sockets.lock().unwrap().drain(..) {
                    let _ = socket.shutdown(Shutdown::Both);
                }
                self.report.send(()).unwrap();
                false
            }
            Ok(_) => true,
            Err(_) => false,
        }
    }
}

fn read_record(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut record = vec![0; HEAD_LEN];
    from.read_exact(&mut record).ok()?;
    let len = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(HEAD_LEN + len, 0);
    from.read_exact(&mut record[HEAD_LEN..]).ok()?;
    Some(record)
}
