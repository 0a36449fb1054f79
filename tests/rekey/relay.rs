//! A relay before a key server that counts what passes and stops at a chosen point, so that the
//! server can be killed between any two messages.
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

/// The turns that are left when none is the last.
const ENDLESS: u64 = u64::MAX;

pub(crate) struct Relay {
    address: SocketAddr,
    gate: Arc<Gate>,
    shut: Receiver<()>,
}

struct Gate {
    /// How many turns still pass; with none left it is shut.
    left: AtomicU64,
    tell: Sender<()>,
    /// Every socket that is in use.
    sockets: Mutex<Vec<TcpStream>>,
}

/// The way that the last record of a connection took.
type LastWay = Arc<Mutex<Option<Way>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Response,
}

impl Relay {
    /// Relays to this address as long as the test's process lives.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, shut) = channel();
        let gate = Gate { left: AtomicU64::new(ENDLESS), tell, sockets: Mutex::default() };
        let gate = Arc::new(gate);
        let inner = Arc::clone(&gate);
        thread::spawn(move || {
            for client in listener.incoming() {
                inner.connect(client.unwrap(), server);
            }
        });
        Self { address, gate, shut }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets so many turns pass and then shuts; the one after them is lost.
    pub(crate) fn shut_after(&self, turns: u64) {
        self.gate.left.store(turns, Ordering::SeqCst);
    }

    /// Lets everything pass.
    pub(crate) fn open(&self) {
        self.gate.left.store(ENDLESS, Ordering::SeqCst);
    }

    /// Whether it has shut since this was last asked.
    pub(crate) fn has_shut(&self) -> bool {
        self.shut.try_recv().is_ok()
    }
}

impl Gate {
    fn connect(self: &Arc<Self>, client: TcpStream, server: SocketAddr) {
        // Who comes to a shut gate finds nobody, and neither does who comes to a dead server.
        if self.left.load(Ordering::SeqCst) == 0 {
            return;
        }
        let Ok(server) = TcpStream::connect(server) else { return };
        let mut sockets = self.sockets.lock().unwrap();
        sockets.push(client.try_clone().unwrap());
        sockets.push(server.try_clone().unwrap());
        drop(sockets);
        let last = LastWay::default();
        let ways = [
            (client.try_clone().unwrap(), server.try_clone().unwrap(), Way::Request),
            (server, client, Way::Response),
        ];
        for (from, to, way) in ways {
            let (gate, last) = (Arc::clone(self), Arc::clone(&last));
            thread::spawn(move || gate.pump(from, to, way, &last));
        }
    }

    /// Passes records on until either end has closed or the gate shuts.
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, way: Way, last: &LastWay) {
        while let Some(record) = read_record(&mut from) {
            let is_turn = last.lock().unwrap().replace(way) != Some(way);
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
                self.tell.send(()).unwrap();
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
