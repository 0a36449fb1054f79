//! The operation PKCS#11 over mutual TLS, with a real module behind the server: SoftHSM2.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise, also in what tests share"
)]

use harness::{KmipServer, Lab, SoftHsm};
use kmip::SecretBytes;
use kmip::client::{Client, Error};
use kmip::payload::{PKCS11Call, PKCS11Request, PKCS11Response, QueryRequest};
use kmip::vocabulary::{
    Operation, PKCS_11Function as Function, PKCS_11ReturnCode as Code, QueryFunction, ResultReason,
};

/// A server with a token of its own; `None` where there is no SoftHSM2.
fn server(lab: &Lab) -> Option<KmipServer> {
    let module = SoftHsm::new(lab)?;
    Some(KmipServer::start_with(lab, "kmip-server", |program| module.configure(program)))
}

fn client(lab: &Lab, server: &KmipServer, pair: &str) -> Client {
    let (cert, key) = (lab.pem(&format!("{pair}.crt")), lab.pem(&format!("{pair}.key")));
    let builder = Client::builder().ca_pem(lab.pem("ca.crt")).identity_pem(cert, key);
    builder.server(server.address().to_string()).build().unwrap()
}

/// A caller with its instance.
struct Caller<'a> {
    client: &'a Client,
    correlation_value: Option<Vec<u8>>,
}

impl<'a> Caller<'a> {
    async fn new(client: &'a Client) -> Self {
        let mut caller = Caller { client, correlation_value: None };
        let begun = caller.call(Function::C_Initialize, &[1]).await.unwrap();
        assert_eq!((begun.return_code, begun.output_parameters), (Code::OK, None));
        caller.correlation_value = begun.correlation_value;
        assert!(caller.correlation_value.is_some());
        caller
    }

    async fn call(&self, function: Function, input: &[u8]) -> Result<PKCS11Response, Error> {
        let request = PKCS11Request {
            interface: None,
            function: PKCS11Call::Standard(function),
            correlation_value: self.correlation_value.clone(),
            input_parameters: (!input.is_empty()).then(|| SecretBytes::new(input)),
        };
        self.client.request(request).await
    }

    async fn output(&self, function: Function, input: &[u8]) -> Vec<u8> {
        let answer = self.call(function, input).await.unwrap();
        assert_eq!(answer.return_code, Code::OK, "{function:?}");
        answer.output_parameters.map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default()
    }
}

fn ulong(value: u64) -> [u8; 8] {
    value.to_be_bytes()
}

/// PKCS#11 3.0, 5 by way of 2.1 profiles, 5.18: information, a session, random numbers, digests.
#[tokio::test]
async fn a_module_is_called_through_the_server() {
    let lab = Lab::new();
    let Some(server) = server(&lab) else { return };
    let client = client(&lab, &server, "alice");
    let caller = Caller::new(&client).await;

    let info = caller.output(Function::C_GetInfo, &[]).await;
    assert_eq!(info.len(), 2 + 32 + 8 + 32 + 2);
    assert_eq!(info[0], 2, "Cryptoki 2.40 of SoftHSM2");
    assert_eq!(info[2..34], *b"SoftHSM                         ");

    let count = caller.output(Function::C_GetSlotList, &[1, 0]).await;
    let slots = caller.output(Function::C_GetSlotList, &[1, 1, 0, 0, 0, 8]).await;
    assert_eq!(slots[..4], count[..4]);
    let slot = &slots[4..12];
    let small = caller.call(Function::C_GetSlotList, &[1, 1, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(small.return_code, Code::BUFFER_TOO_SMALL);
    assert_eq!(caller.output(Function::C_GetSlotInfo, slot).await.len(), 64 + 32 + 8 + 2 + 2);
    let asked = [slot, &[1, 0, 0, 1, 0]].concat();
    let mechanisms = caller.output(Function::C_GetMechanismList, &asked).await;
    assert!(mechanisms.chunks(8).count() > 8);

    let session = caller.output(Function::C_OpenSession, &[slot, &ulong(4)].concat()).await;
    let random = [&session[..], &[1, 0, 0, 0, 32]].concat();
    let (one, two) = (
        caller.output(Function::C_GenerateRandom, &random).await,
        caller.output(Function::C_GenerateRandom, &random).await,
    );
    assert_eq!((one.len(), two.len()), (36, 36));
    assert_ne!(one, two);

    // FIPS 180-4, the example "abc" of SHA-256 (CKM_SHA256 is 0x250).
    caller.output(Function::C_DigestInit, &[&session[..], &ulong(0x250), &[0]].concat()).await;
    let abc = [&session[..], &[0, 0, 0, 3], b"abc", &[1, 0, 0, 0, 64]].concat();
    let digest = caller.output(Function::C_Digest, &abc).await;
    assert_eq!(digest[..4], [0, 0, 0, 32]);
    assert_eq!(digest[4..8], [0xBA, 0x78, 0x16, 0xBF]);

    assert!(caller.output(Function::C_CloseSession, &session).await.is_empty());
    let closed = caller.call(Function::C_GenerateRandom, &random).await.unwrap();
    assert_eq!(closed.return_code, Code::SESSION_HANDLE_INVALID);
    let login = caller.call(Function::C_Login, &[]).await.unwrap();
    assert_eq!(login.return_code, Code::FUNCTION_NOT_SUPPORTED);
    assert!(caller.output(Function::C_Finalize, &[]).await.is_empty());
    refused(&caller, &[], ResultReason::InvalidCorrelationValue).await;
}

async fn refused(caller: &Caller<'_>, input: &[u8], reason: ResultReason) {
    let answer = caller.call(Function::C_GetInfo, input).await;
    match answer {
        Err(Error::Refused { reason: found, .. }) => assert_eq!(found, reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_instance_is_its_clients_alone_and_its_parameters_are_read_whole() {
    let lab = Lab::new();
    let Some(server) = server(&lab) else { return };
    let (alice, mallory) = (client(&lab, &server, "alice"), client(&lab, &server, "bob"));
    let alices = Caller::new(&alice).await;
    let stolen = Caller { client: &mallory, correlation_value: alices.correlation_value.clone() };
    refused(&stolen, &[], ResultReason::InvalidCorrelationValue).await;
    refused(&alices, &[0], ResultReason::PKCS_11CodecError).await;
    assert!(!alices.output(Function::C_GetInfo, &[]).await.is_empty());
    // What has a byte too many is not begun: the module's sessions are still free.
    let slots = alices.output(Function::C_GetSlotList, &[1, 1, 0, 0, 0, 8]).await;
    let slot: [u8; 8] = slots[4..12].try_into().unwrap();
    for _ in 0..40 {
        let input = [&slot[..], &ulong(4), &[0]].concat();
        let answer = alices.call(Function::C_OpenSession, &input).await;
        let Err(Error::Refused { reason, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(reason, ResultReason::PKCS_11CodecError);
    }
    let opened = alices.output(Function::C_OpenSession, &[slot, ulong(4)].concat()).await;
    assert_eq!(opened.len(), 8);
}

#[tokio::test]
async fn without_a_module_there_is_no_such_operation() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let client = client(&lab, &server, "alice");
    let caller = Caller { client: &client, correlation_value: None };
    refused(&caller, &[1], ResultReason::OperationNotSupported).await;
    let query =
        QueryRequest { query_functions: vec![QueryFunction::QueryOperations], object_groups: None };
    let served = client.request(query).await.unwrap().operations;
    assert!(served.contains(&Operation::Get) && !served.contains(&Operation::PKCS_11));
}
