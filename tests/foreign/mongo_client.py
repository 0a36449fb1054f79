"""MongoDB's libmongocrypt, unmodified, with a KMIP server that keeps its customer master keys.

    mongo_client.py HOST PORT CLIENT.crt CLIENT.key CA.crt HOW...

HOW is "own" (the server keeps the master key and gives it out) or "delegated" (the server encrypts
and decrypts). Prints "HOW STEP" for each step that held; the first that does not ends the script.

The library says what to send and reads what comes back; this is the socket, and the key vault that
a database would be.
"""

import socket
import ssl
import sys

import bson
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback

DETERMINISTIC = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"


class Socket(MongoCryptCallback):
    """Carries the library's messages; counts them."""

    def __init__(self, host, port, cert, key, ca, vault):
        self.address = (host, int(port))
        self.tls = ssl.create_default_context(cafile=ca)
        self.tls.load_cert_chain(cert, key)
        self.vault = vault
        self.messages = 0

    def kms_request(self, kms_context):
        self.messages += 1
        with socket.create_connection(self.address, timeout=30) as tcp:
            with self.tls.wrap_socket(tcp, server_hostname="localhost") as stream:
                stream.sendall(kms_context.message)
                while kms_context.bytes_needed > 0:
                    data = stream.recv(kms_context.bytes_needed)
                    if not data:
                        raise SystemExit("the server closed before the whole answer came")
                    kms_context.feed(data)

    def insert_data_key(self, data_key):
        self.vault.append(bytes(data_key))
        return bson.decode(data_key)["_id"]

    def fetch_keys(self, filter):
        return iter(self.vault)

    def bson_encode(self, doc):
        return bson.encode(doc)

    def collection_info(self, database, filter):
        raise SystemExit("no collection is asked for here")

    def mark_command(self, database, cmd):
        raise SystemExit("no command is marked here")

    def close(self):
        pass


def library(server, vault):
    """A library that knows nothing but the vault: what it has of keys comes from the server."""
    callback = Socket(*server, vault)
    options = MongoCryptOptions({"kmip": {"endpoint": "localhost:%s" % server[1]}})
    return callback, ExplicitEncrypter(callback, options)


def walk(server, how):
    vault = []
    master_key = {"delegated": True} if how == "delegated" else {}
    callback, encrypter = library(server, vault)
    key = encrypter.create_data_key("kmip", master_key)
    print(how, "create_data_key", callback.messages, "messages")

    told = bson.decode(vault[0])["masterKey"]
    if not told.get("keyId"):
        raise SystemExit("the vault does not say which master key wraps the data key: %r" % told)

    value = bson.encode({"v": "457-55-5462"})
    sealed = []
    for _ in range(2):
        callback, encrypter = library(server, vault)
        sealed.append(encrypter.encrypt(value, DETERMINISTIC, key_id=bytes(key)))
        if callback.messages == 0:
            raise SystemExit("the library did not ask the server for its master key")
    if sealed[0] != sealed[1]:
        raise SystemExit("two libraries have different data keys")
    print(how, "encrypt")

    _, encrypter = library(server, vault)
    if bytes(encrypter.decrypt(sealed[0])) != value:
        raise SystemExit("what was decrypted is not what was encrypted")
    print(how, "decrypt")


for how in sys.argv[6:]:
    walk(sys.argv[1:6], how)
