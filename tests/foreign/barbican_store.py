"""OpenStack Barbican's KMIP secret store, unmodified: each kind of secret goes in and comes out.

    barbican_store.py HOST PORT CLIENT.crt CLIENT.key CA.crt KIND...

Prints each KIND that held. The first that does not ends the script.
"""

import base64
import os
import shutil
import sys
import tempfile

# Barbican reads the command line when it is imported.
ARGUMENTS = sys.argv[1:]
sys.argv = sys.argv[:1]

from barbican.plugin import kmip_secret_store  # noqa: E402
from barbican.plugin.interface import secret_store as ss  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402

AES_256 = ss.KeySpec(alg=ss.KeyAlgorithm.AES, bit_length=256)
RSA_2048 = ss.KeySpec(alg=ss.KeyAlgorithm.RSA, bit_length=2048)


def store(folder, host, port, cert, key, ca):
    # It takes a key file that only its owner can read, and nobody write.
    own = os.path.join(folder, "client.key")
    shutil.copyfile(key, own)
    os.chmod(own, 0o400)
    settings = {
        "host": host,
        "port": int(port),
        "certfile": cert,
        "keyfile": own,
        "ca_certs": ca,
    }
    for name, value in settings.items():
        kmip_secret_store.CONF.set_override(name, value, group="kmip_plugin")
    return kmip_secret_store.KMIPSecretStore()


def secrets(cert):
    """Each kind with its specification and its bytes."""
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = pair.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = pair.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with open(cert, "rb") as file:
        certificate = x509.load_pem_x509_certificate(file.read())
    return {
        ss.SecretType.SYMMETRIC: (AES_256, os.urandom(32)),
        ss.SecretType.PASSPHRASE: (ss.KeySpec(), b"correct horse battery staple"),
        ss.SecretType.OPAQUE: (ss.KeySpec(), os.urandom(100)),
        ss.SecretType.CERTIFICATE: (
            ss.KeySpec(),
            certificate.public_bytes(serialization.Encoding.PEM),
        ),
        ss.SecretType.PRIVATE: (RSA_2048, private),
        ss.SecretType.PUBLIC: (RSA_2048, public),
    }


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit("%s: it is not what went in" % what)


def delete(backend, metadata):
    backend.delete_secret(metadata)
    try:
        backend.get_secret(ss.SecretType.SYMMETRIC, metadata)
    except ss.SecretGeneralException:
        return
    raise SystemExit("what was deleted can still be had")


def stored(backend, kind, spec, data):
    text = base64.b64encode(data)
    metadata = backend.store_secret(ss.SecretDTO(kind, text, spec, "application/octet-stream"))
    found = backend.get_secret(kind, metadata)
    expect(kind, base64.b64decode(found.secret).strip(), data.strip())
    if spec.alg:
        expect(kind, (found.key_spec.alg, found.key_spec.bit_length), (spec.alg, spec.bit_length))
    delete(backend, metadata)


def generated(backend, kind):
    metadata = backend.generate_symmetric_key(AES_256)
    found = backend.get_secret(ss.SecretType.SYMMETRIC, metadata)
    expect(kind, len(base64.b64decode(found.secret)), 32)
    delete(backend, metadata)


with tempfile.TemporaryDirectory() as folder:
    backend = store(folder, *ARGUMENTS[:5])
    known = secrets(ARGUMENTS[2])
    for kind in ARGUMENTS[5:]:
        if kind in known:
            stored(backend, kind, *known[kind])
        else:
            generated(backend, kind)
        print(kind)
