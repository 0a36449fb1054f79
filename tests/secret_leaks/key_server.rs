//! A known key, keys that the server makes and passwords go through the key server's operations.

use std::fmt::{Debug, Write as _};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use harness::{FrameConnection, KmipServer, Lab, Program};
use kmip::attributes::AttributeReference;
use kmip::client::{Client, Error};
use kmip::payload::{
    ActivateRequest, CheckRequest, DestroyRequest, Filter, GetAttributesRequest, LocateRequest,
    ReKeyRequest, Request, RevokeRequest,
};
use kmip::structures::RevocationReason;
use kmip::vocabulary::{CryptographicUsageMask, KeyFormatType, RevocationReasonCode};
use kmip::{Identifier, Version};
use kmip_server::MESSAGE_TRACE;
use tokio::runtime::Runtime;

use crate::malformed_messages;
use crate::requests::{attributes, create, get, register};
use crate::search::{Search, private_part};

pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";
pub(crate) const WRONG_PASSWORD: &str = "incorrect-mule-capacitor-clip";

/// A key whose bytes are no text, and no two of them are equal.
pub(crate) fn known_key() -> Vec<u8> {
    (0..32).map(|n: u8| 0x83_u8.wrapping_add(n * 7)).collect()
}

/// Adds the arguments for the most verbose log and for a user with a password.
pub(crate) fn with_trace_log(lab: &Lab, program: Program) -> Program {
    let users = lab.path("users");
    std::fs::write(&users, format!("alice:{PASSWORD}\n")).unwrap();
    std::fs::set_permissions(&users, Permissions::from_mode(0o600)).unwrap();
    program.arg("--log").arg("trace").arg("--users-file").arg(users)
}

/// A client that records every error that it gets.
struct RecordingClient {
    runtime: Runtime,
    client: Client,
    errors: String,
}

impl RecordingClient {
    fn new(lab: &Lab, server: &KmipServer, version: Version) -> Self {
        let client = Client::builder()
            .server(server.address().to_string())
            .ca_pem(lab.pem("ca.crt"))
            .identity_pem(lab.pem("client.crt"), lab.pem("client.key"))
            .with_version(version)
            .build()
            .unwrap();
        Self { runtime: Runtime::new().unwrap(), client, errors: String::new() }
    }

    fn request<R: Request>(&self, request: R) -> Result<R::Response, Error> {
        self.runtime.block_on(self.client.request(request))
    }

    fn done<R: Request>(&self, request: R) -> R::Response {
        self.request(request).unwrap()
    }

    fn refused<R: Request>(&mut self, what: &str, request: R)
    where
        R::Response: Debug,
    {
        let error = self.request(request).expect_err(what);
        writeln!(self.errors, "{what}: {error} {error:?}").unwrap();
    }

    fn key(&self, id: &str) -> Vec<u8> {
        let object = self.done(get(id)).object;
        object.key_block().and_then(|block| block.bytes()).unwrap().to_vec()
    }

    /// Takes a known key and made ones through their lives; gives those that were made.
    fn key_lifecycle(&mut self, name: &str, group: &str) -> [Vec<u8>; 2] {
        let key = known_key();
        let id = self.done(register(attributes(name, group, 256), &key)).unique_identifier;
        assert_eq!(self.key(&id), key);
        let one = || Some(Identifier::from(id.as_str()));
        self.refused("a second of the name", register(attributes(name, group, 256), &key));
        let wrong_length = attributes(&format!("{name}-short"), group, 128);
        self.refused("a wrong length", register(wrong_length, &key));
        let odd = attributes(&format!("{name}-odd"), group, 256);
        self.refused("a key cut short", register(odd, &key[..31]));
        let mut as_rsa = get(&id);
        as_rsa.key_format_type = Some(KeyFormatType::PKCS_1);
        self.refused("another format", as_rsa);
        self.refused("no such object", get("there-is-no-such-object"));

        let wanted: Filter = attributes(name, group, 256).values().cloned().collect();
        let request = LocateRequest { attributes: wanted, ..LocateRequest::default() };
        assert_eq!(self.done(request).unique_identifiers, std::slice::from_ref(&id));
        self.done(GetAttributesRequest { unique_identifier: one(), attributes: Vec::new() });
        let names = vec![AttributeReference::from_name("Digest")];
        self.done(GetAttributesRequest { unique_identifier: one(), attributes: names });
        self.done(ActivateRequest { unique_identifier: one() });
        self.done(CheckRequest {
            unique_identifier: one(),
            usage_limits_count: None,
            cryptographic_usage_mask: Some(CryptographicUsageMask::Encrypt),
            lease_time: None,
        });
        self.refused("an active key", DestroyRequest { unique_identifier: one() });

        let made = create(attributes(&format!("{name}-made"), group, 256));
        let made = self.done(made).unique_identifier;
        self.done(ActivateRequest { unique_identifier: Some(made.as_str().into()) });
        let renewed = self.done(ReKeyRequest {
            unique_identifier: Some(made.as_str().into()),
            offset: None,
            attributes: None,
            protection_storage_masks: None,
        });
        let keys = [self.key(&made), self.key(&renewed.unique_identifier)];
        self.done(RevokeRequest {
            unique_identifier: Some(made.as_str().into()),
            revocation_reason: RevocationReason {
                code: RevocationReasonCode::CessationOfOperation,
                message: None,
            },
            compromise_occurrence_date: None,
        });
        self.done(DestroyRequest { unique_identifier: Some(made.as_str().into()) });
        self.refused("a destroyed key", get(&made));
        keys
    }
}

#[test]
fn no_secret_is_in_what_the_key_server_says_or_keeps() {
    let lab = Lab::new();
    let mut server = KmipServer::start_with(&lab, "kmip-server", |it| with_trace_log(&lab, it));
    let (mut search, mut names) = (Search::default(), Search::default());
    search.key("the known key", &known_key());
    let mut output = String::new();
    for version in [Version::V1_0, Version::V1_4, Version::V2_1] {
        let mut client = RecordingClient::new(&lab, &server, version);
        let (name, group) = (format!("plain-name-{version}"), format!("plain-group-{version}"));
        for key in client.key_lifecycle(&name, &group) {
            search.key("a key that the server made", &key);
        }
        names.text("a name", &name);
        names.text("a group", &group);
        output.push_str(&client.errors);
    }
    search.text("a password", PASSWORD);
    search.text("a wrong password", WRONG_PASSWORD);
    for pem in ["client.key", "server.key", "ca.key"] {
        search.key(pem, &private_part(&lab.pem(pem)));
    }
    let root_key = std::fs::read_to_string(server.data().join("store.key")).unwrap();
    search.key("the store's key", &from_hex(root_key.trim()));

    let connect = || {
        let (cert, key) = (lab.pem("client.crt"), lab.pem("client.key"));
        FrameConnection::connect(server.address(), &lab.pem("ca.crt"), &cert, &key)
    };
    let answers = malformed_messages::exchange(connect);

    // What is in memory may not have been written; and what is said at the end counts as well.
    server.process().terminate();
    output.push_str(&server.log());
    // The search is in the right place: the messages are there, and the names in them.
    for there in [MESSAGE_TRACE, "TRACE", "plain-name-1.4", "KeyMaterial", "UsernameAndPassword"] {
        assert!(output.contains(there), "the log does not tell of {there}");
    }
    assert_eq!(search.in_bytes(output.as_bytes()), [].into(), "in the log or an error text");
    for (message, answer) in answers {
        assert_eq!(search.in_bytes(&answer), [].into(), "in the answer to {message}");
    }
    let root_key = ("the store's key".to_owned(), "lower hex", "store.key".to_owned());
    assert_eq!(search.in_folder(server.data()), [root_key].into());
    assert_eq!(names.in_folder(server.data()), [].into());
    std::fs::write(server.data().join("planted"), known_key()).unwrap();
    assert_eq!(search.in_folder(server.data()).len(), 2, "a planted key is found");
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}
