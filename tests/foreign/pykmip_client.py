"""PyKMIP's own client, unmodified, over mutual TLS: every version it speaks, every step.

    pykmip_client.py HOST PORT CLIENT.crt CLIENT.key CA.crt

Prints "VERSION STEP" for each step that held. The first that does not hold ends the script.
"""

import sys

from kmip.core import enums
from kmip.core.enums import CryptographicUsageMask as Mask
from kmip.pie.client import ProxyKmipClient
from kmip.pie.exceptions import KmipOperationFailure
from kmip.pie.objects import SecretData, SymmetricKey

VERSIONS = ["1_0", "1_1", "1_2", "1_3", "1_4"]
MASKS = [Mask.ENCRYPT, Mask.DECRYPT]


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit("%s: found %r, wanted %r" % (what, found, wanted))


def refused(what, reason, call, *args):
    """The call must fail, and for this reason."""
    try:
        call(*args)
    except KmipOperationFailure as failure:
        expect(what + ": status", failure.status, enums.ResultStatus.OPERATION_FAILED)
        if reason is not None:
            expect(what + ": reason", failure.reason, reason)
    else:
        raise SystemExit(what + ": it was allowed")


def values(client, uid, names=None):
    """Attributes as a dictionary from name to values, after a look at the identifier."""
    found, attributes = client.get_attributes(uid, names)
    expect("the identifier with the attributes", found, uid)
    result = {}
    for attribute in attributes:
        result.setdefault(attribute.attribute_name.value, []).append(attribute.attribute_value)
    return result


def state(client, uid):
    return values(client, uid, ["State"])["State"][0].value


def named(name):
    from kmip.core.factories.attributes import AttributeFactory
    from kmip.core.enums import AttributeType

    return [AttributeFactory().create_attribute(AttributeType.NAME, name)]


class Steps:
    def __init__(self, client, version):
        self.client = client
        self.version = version
        self.created_name = "pykmip created %s" % version
        self.registered_name = "pykmip registered %s" % version
        # Bytes that no padding or cut could turn into themselves.
        self.secret = bytes(range(32))

    def create(self):
        self.created = self.client.create(
            enums.CryptographicAlgorithm.AES,
            256,
            name=self.created_name,
            cryptographic_usage_mask=MASKS,
        )
        expect("the identifier's kind", type(self.created), str)

    def register(self):
        key = SymmetricKey(
            enums.CryptographicAlgorithm.AES, 256, self.secret, MASKS, self.registered_name
        )
        self.registered = self.client.register(key)
        data = SecretData(b"a pass phrase", enums.SecretDataType.PASSWORD, [Mask.VERIFY])
        self.data = self.client.register(data)
        expect("identifiers", len({self.created, self.registered, self.data}), 3)

    def locate(self):
        expect("by name", self.client.locate(attributes=named(self.created_name)), [self.created])
        found = self.client.locate(attributes=named(self.registered_name))
        expect("by the other name", found, [self.registered])
        expect("by no name", self.client.locate(attributes=named("nobody has this")), [])

    def get(self):
        made = self.client.get(self.created)
        expect("the kind", type(made), SymmetricKey)
        expect("the length", (made.cryptographic_length, len(made.value)), (256, 32))
        expect("the algorithm", made.cryptographic_algorithm, enums.CryptographicAlgorithm.AES)
        expect("zero bytes alone", made.value == bytes(32), False)
        expect("the same key", self.client.get(self.created).value, made.value)
        expect("the registered bytes", self.client.get(self.registered).value, self.secret)
        data = self.client.get(self.data)
        expect("the secret's kind", data.data_type, enums.SecretDataType.PASSWORD)
        expect("the secret", data.value, b"a pass phrase")

    def get_attributes(self):
        # PyKMIP wants a Key Format Type in every Digest, which KMIP 1.0 has not (1.1, 3.16), and
        # cannot read the Random Number Generator that 1.3 brought (1.4, 3.44).
        readable = [
            "Object Type",
            "Cryptographic Length",
            "Cryptographic Usage Mask",
            "Name",
            "Unique Identifier",
            "State",
        ]
        reads_all = self.version in ("1_1", "1_2")
        found = values(self.client, self.created, None if reads_all else readable)
        expect("object type", found["Object Type"][0].value, enums.ObjectType.SYMMETRIC_KEY)
        expect("length", found["Cryptographic Length"][0].value, 256)
        mask = found["Cryptographic Usage Mask"][0].value
        expect("mask", mask, Mask.ENCRYPT.value | Mask.DECRYPT.value)
        expect("name", found["Name"][0].name_value.value, self.created_name)
        expect("identifier", found["Unique Identifier"][0].value, self.created)
        expect("state", found["State"][0].value, enums.State.PRE_ACTIVE)
        some = values(self.client, self.created, ["State", "Name"])
        expect("only those asked for", sorted(some), ["Name", "State"])

    def get_attribute_list(self):
        names = self.client.get_attribute_list(self.created)
        for name in ("Cryptographic Algorithm", "Name", "Object Type", "State"):
            expect(name + " in the list", name in names, True)
        expect("nothing twice", len(names), len(set(names)))

    def activate(self):
        self.client.activate(self.created)
        expect("state", state(self.client, self.created), enums.State.ACTIVE)
        refused("destroying an active key", None, self.client.destroy, self.created)

    def revoke(self):
        reason = enums.RevocationReasonCode.CESSATION_OF_OPERATION
        self.client.revoke(reason, self.created, "the test is over")
        expect("state", state(self.client, self.created), enums.State.DEACTIVATED)
        self.client.activate(self.registered)
        self.client.revoke(enums.RevocationReasonCode.KEY_COMPROMISE, self.registered)
        expect("state", state(self.client, self.registered), enums.State.COMPROMISED)

    def destroy(self):
        gone = enums.ResultReason.ITEM_NOT_FOUND
        for uid in (self.created, self.registered, self.data):
            self.client.destroy(uid)
            refused("getting a destroyed object", gone, self.client.get, uid)
            refused("destroying it again", None, self.client.destroy, uid)
        expect("located", self.client.locate(attributes=named(self.created_name)), [])


STEPS = [
    "create",
    "register",
    "locate",
    "get",
    "get_attributes",
    "get_attribute_list",
    "activate",
    "revoke",
    "destroy",
]


def main(host, port, cert, key, ca):
    for version in VERSIONS:
        client = ProxyKmipClient(
            hostname=host,
            port=int(port),
            cert=cert,
            key=key,
            ca=ca,
            config_file="/dev/null",
            kmip_version=enums.KMIPVersion["KMIP_" + version],
        )
        with client:
            steps = Steps(client, version)
            for step in STEPS:
                try:
                    getattr(steps, step)()
                except SystemExit as unmet:
                    raise SystemExit("KMIP %s, %s: %s" % (version, step, unmet))
                except Exception as error:
                    raise SystemExit("KMIP %s, %s: %r" % (version, step, error))
                print(version, step, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
