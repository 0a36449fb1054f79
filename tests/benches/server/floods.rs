//! One client while another floods: 99th percentile of Get on a kept connection, slowest handshake,
//! memory of the server, length of its log.
//!
//! ```text
//! bob     Get, Get, Get ...  one after another; a new connection every 50 ms
//! alice   one of the floods, again as soon as it is answered
//! ```

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harness::Lab;
use kmip::attributes::{AttributeValue as A, Attributes};
use kmip::message::{
    Asynchronous, RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage,
};
use kmip::objects::{KeyBlock, Object, SecretData};
use kmip::payload::{
    CreateKeyPairRequest, CreateSplitKeyRequest, DecryptRequest, DerivationParameters,
    DeriveKeyRequest, EncryptRequest, LocateRequest, RegisterRequest, Request, RequestPayload,
};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    AsynchronousIndicator, CryptographicAlgorithm, CryptographicUsageMask, DerivationMethod,
    HashingAlgorithm, KeyFormatType, ObjectType, PaddingMethod, SecretDataType, SplitKeyMethod,
};
use kmip::{Identifier, InputData, SecretBytes, Version};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::load::{self, Stream, ask, connect_with};
use crate::{Peer, asked_engines, messages, tls};

/// How long a flood lasts.
const ROUND: Duration = Duration::from_secs(8);
/// After so long the memory is looked at again.
const REST: Duration = Duration::from_secs(5);
/// Objects of the client that floods.
const OBJECTS: usize = 60_000;
/// Objects of the other one.
const SMALL: usize = 100;
/// Any use.
const ALL: CryptographicUsageMask = CryptographicUsageMask(0x000F_FFFF);

/// What the floods need.
struct World {
    alice: TlsConnector,
    bob: TlsConnector,
    address: String,
    bobs: Vec<String>,
    pair: (String, String),
    password: String,
    cipher_text: Vec<u8>,
}

pub(crate) fn measure() {
    let engine = asked_engines()[0];
    let (lab, runtime) = (Lab::new(), Runtime::new().unwrap());
    let log = lab.path("log");
    let peer = Peer::kmip_with(
        &lab,
        "floods",
        engine,
        &["--log", "info"],
        File::create(&log).unwrap().into(),
    );
    let world = Arc::new(runtime.block_on(World::new(&lab, &peer)));
    println!(
        "| flood | Get, 99th percentile | slowest handshake | memory, most | after {REST:?} | log |"
    );
    println!("|---|---|---|---|---|---|");
    let only = std::env::var("BENCH_ROWS").ok();
    for flood in FLOODS {
        if only.as_ref().is_some_and(|only| !flood.name().contains(only.as_str())) {
            continue;
        }
        let before = std::fs::metadata(&log).unwrap().len();
        let row = runtime.block_on(world.measure(&peer, *flood));
        let written = std::fs::metadata(&log).unwrap().len() - before;
        println!("| {} | {row} | {} kB |", flood.name(), written / 1000);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flood {
    Quiet,
    Decrypts,
    Splits,
    Locates,
    Pairs,
    Rounds,
    Unread,
    Connects,
    Failures,
}

const FLOODS: &[Flood] = &[
    Flood::Quiet,
    Flood::Decrypts,
    Flood::Splits,
    Flood::Locates,
    Flood::Pairs,
    Flood::Rounds,
    Flood::Unread,
    Flood::Connects,
    Flood::Failures,
];

impl Flood {
    const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "none",
            Self::Decrypts => "4 messages of 100 RSA-4096 Decrypts",
            Self::Splits => "2 Create Split Key of 100 parts over a prime of 4423 bits",
            Self::Locates => "3 messages of 100 Locates over 60,000 objects",
            Self::Pairs => "256 asynchronous RSA-2048 pairs",
            Self::Rounds => "100 Derive Key of 4 M rounds of PBKDF2",
            Self::Unread => "16 x 100 Locates of 60,000 identifiers, answers not read",
            Self::Connects => "anonymous connects, 4 at once",
            Self::Failures => "messages of 100 items that fail, 4 at once",
        }
    }

    /// Messages at once.
    const fn connections(self) -> usize {
        match self {
            Self::Quiet => 0,
            Self::Splits => 2,
            Self::Locates => 3,
            Self::Pairs | Self::Rounds => 1,
            Self::Unread => 16,
            Self::Decrypts | Self::Connects | Self::Failures => 4,
        }
    }

    fn message(self, world: &World) -> Vec<u8> {
        match self {
            Self::Quiet | Self::Connects => Vec::new(),
            Self::Decrypts => messages::frame(vec![world.decrypt(); 100]),
            Self::Splits => messages::frame(vec![split()]),
            Self::Locates => messages::frame(vec![missing(); 100]),
            Self::Unread => messages::frame(vec![LocateRequest::default().into(); 100]),
            Self::Pairs => {
                let mut header = RequestHeader::new(Version::V1_4, 100);
                header.asynchronous_indicator =
                    Some(Asynchronous(AsynchronousIndicator::Mandatory));
                let items = vec![RequestBatchItem::from(RequestPayload::from(pair(2048))); 100];
                RequestMessage { header, items }.encode()
            }
            Self::Rounds => messages::frame(vec![world.derive(); 100]),
            Self::Failures => messages::frame(vec![messages::get("no such object\n"); 100]),
        }
    }
}

impl World {
    async fn new(lab: &Lab, peer: &Peer) -> Self {
        let connector = |name| TlsConnector::from(tls::client_named(&lab.path("pki"), name));
        let (alice, bob) = (connector("alice"), connector("bob"));
        let mut bobs = connect_with(bob.clone(), &peer.address).await;
        let bobs = load::create_named_on(&mut bobs, 0..SMALL).await;
        let mut stream = connect_with(alice.clone(), &peer.address).await;
        load::create_named_on(&mut stream, 0..OBJECTS).await;
        let made = one(&mut stream, pair(4096)).await;
        let pair = (made.private_key_unique_identifier, made.public_key_unique_identifier);
        let password = one(&mut stream, password()).await.unique_identifier;
        let mut world = Self {
            alice,
            bob,
            address: peer.address.clone(),
            bobs,
            pair,
            password,
            cipher_text: Vec::new(),
        };
        let made = one(&mut stream, world.encrypt()).await;
        world.cipher_text = made.data.unwrap().as_bytes().to_vec();
        world
    }

    /// Percentile, handshake, memory now and after a rest.
    async fn measure(self: &Arc<Self>, peer: &Peer, flood: Flood) -> String {
        let over = Arc::new(AtomicBool::new(false));
        let floods: Vec<JoinHandle<()>> = (0..flood.connections())
            .map(|_| tokio::spawn(Arc::clone(self).flood(flood, Arc::clone(&over))))
            .collect();
        let handshakes = tokio::spawn(Arc::clone(self).handshakes(Arc::clone(&over)));
        let gets = tokio::spawn(Arc::clone(self).gets(Arc::clone(&over)));
        let (begun, mut most) = (Instant::now(), 0);
        while begun.elapsed() < ROUND {
            tokio::time::sleep(Duration::from_millis(20)).await;
            most = most.max(peer.memory());
        }
        over.store(true, Ordering::Relaxed);
        let (mut gets, slowest) = (gets.await.unwrap(), handshakes.await.unwrap());
        // Those that wait for their answers are cut off.
        floods.iter().for_each(JoinHandle::abort);
        gets.sort_unstable();
        let percentile = gets[gets.len() * 99 / 100];
        tokio::time::sleep(REST).await;
        let mib = |bytes: u64| bytes >> 20;
        format!(
            "{:.1} ms | {:.0} ms | {} MiB | {} MiB",
            percentile.as_secs_f64() * 1e3,
            slowest.as_secs_f64() * 1e3,
            mib(most),
            mib(peer.memory())
        )
    }

    async fn gets(self: Arc<Self>, over: Arc<AtomicBool>) -> Vec<Duration> {
        let mut stream = connect_with(self.bob.clone(), &self.address).await;
        let (mut times, mut answer) = (Vec::new(), Vec::new());
        while !over.load(Ordering::Relaxed) {
            let frame = messages::frame(vec![messages::get(&self.bobs[times.len() % SMALL])]);
            let begun = Instant::now();
            ask(&mut stream, &frame, &mut answer).await;
            times.push(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times
    }

    async fn handshakes(self: Arc<Self>, over: Arc<AtomicBool>) -> Duration {
        let mut slowest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let mut stream = connect_with(self.bob.clone(), &self.address).await;
            slowest = slowest.max(begun.elapsed());
            let _ = stream.shutdown().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        slowest
    }

    async fn flood(self: Arc<Self>, flood: Flood, over: Arc<AtomicBool>) {
        let frame = flood.message(&self);
        let mut answer = Vec::new();
        while !over.load(Ordering::Relaxed) {
            if flood == Flood::Connects {
                drop(TcpStream::connect(&self.address).await);
                continue;
            }
            let mut stream = connect_with(self.alice.clone(), &self.address).await;
            if flood == Flood::Unread {
                stream.write_all(&frame).await.unwrap();
                stream.flush().await.unwrap();
                tokio::time::sleep(ROUND).await;
                continue;
            }
            while !over.load(Ordering::Relaxed) {
                ask(&mut stream, &frame, &mut answer).await;
                // All that are taken are under way: they are what is measured.
                if flood == Flood::Pairs {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    fn encrypt(&self) -> EncryptRequest {
        EncryptRequest {
            unique_identifier: Some(Identifier::from(self.pair.1.as_str())),
            cryptographic_parameters: Some(Box::new(oaep())),
            data: Some(InputData::Bytes(SecretBytes::new(b"a message"))),
            ..EncryptRequest::default()
        }
    }

    fn decrypt(&self) -> RequestPayload {
        DecryptRequest {
            unique_identifier: Some(Identifier::from(self.pair.0.as_str())),
            cryptographic_parameters: Some(Box::new(oaep())),
            data: Some(InputData::Bytes(SecretBytes::new(&self.cipher_text))),
            ..DecryptRequest::default()
        }
        .into()
    }

    fn derive(&self) -> RequestPayload {
        let parameters = DerivationParameters {
            cryptographic_parameters: Some(CryptographicParameters {
                hashing_algorithm: Some(HashingAlgorithm::SHA_256),
                ..CryptographicParameters::default()
            }),
            salt: Some(SecretBytes::new(b"salt")),
            iteration_count: Some(4_000_000),
            ..DerivationParameters::default()
        };
        DeriveKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: vec![Identifier::from(self.password.as_str())],
            derivation_method: DerivationMethod::PBKDF2,
            derivation_parameters: Box::new(parameters),
            attributes: aes(),
        }
        .into()
    }
}

/// Asks for one thing that must succeed.
async fn one<R: Request>(stream: &mut Stream, request: R) -> R::Response {
    let mut answer = Vec::new();
    ask(stream, &messages::frame(vec![request.into()]), &mut answer).await;
    let item = ResponseMessage::decode(&answer).unwrap().items.remove(0);
    let payload = item.payload.unwrap_or_else(|| panic!("{:?}", item.result_message));
    R::Response::try_from(payload).unwrap_or_else(|other| panic!("{other:?}"))
}

fn oaep() -> CryptographicParameters {
    CryptographicParameters {
        padding_method: Some(PaddingMethod::OAEP),
        hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        ..CryptographicParameters::default()
    }
}

fn aes() -> Attributes {
    Attributes::new([
        A::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        A::CryptographicLength(256),
        A::CryptographicUsageMask(ALL),
    ])
}

fn pair(bits: i32) -> CreateKeyPairRequest {
    let common = [
        A::CryptographicAlgorithm(CryptographicAlgorithm::RSA),
        A::CryptographicLength(bits),
        A::ActivationDate(kmip::DateTime(1)),
    ];
    let mask = || Some(Attributes::new([A::CryptographicUsageMask(ALL)]));
    CreateKeyPairRequest {
        common_attributes: Some(Attributes::new(common)),
        private_key_attributes: mask(),
        public_key_attributes: mask(),
        ..CreateKeyPairRequest::default()
    }
}

fn password() -> RegisterRequest {
    let object = Object::SecretData(SecretData {
        secret_data_type: SecretDataType::Password,
        key_block: KeyBlock::plain(KeyFormatType::Raw, b"a password"),
    });
    RegisterRequest {
        object_type: ObjectType::SecretData,
        attributes: Attributes::new([
            A::CryptographicUsageMask(ALL),
            A::ActivationDate(kmip::DateTime(1)),
        ]),
        object,
        protection_storage_masks: None,
    }
}

/// In parts over the Mersenne prime 2^4423 - 1.
fn split() -> RequestPayload {
    let prime = [&[0; 7][..], &[0x7F], &[0xFF; 552]].concat();
    CreateSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: None,
        split_key_parts: 100,
        split_key_threshold: 100,
        split_key_method: SplitKeyMethod::PolynomialSharingPrimeField,
        prime_field_size: Some(kmip::codec::BigInteger(prime)),
        attributes: aes(),
        protection_storage_masks: None,
    }
    .into()
}

/// A condition that no index knows, and no object meets.
fn missing() -> RequestPayload {
    LocateRequest {
        attributes: [A::CryptographicLength(7)].into_iter().collect(),
        ..LocateRequest::default()
    }
    .into()
}
