"""OpenStack Swift's KMIP key master, unmodified: it takes its root secrets from the key server.

    swift_keymaster.py HOST PORT CLIENT.crt CLIENT.key CA.crt

Prints "root secrets" if they are those that were put there.
"""

import os
import sys
import tempfile

from kmip.core import enums
from kmip.pie.client import ProxyKmipClient
from kmip.pie.objects import SymmetricKey
from swift.common.middleware.crypto.kmip_keymaster import KmipKeyMaster

HOST, PORT, CERT, KEY, CA = sys.argv[1:6]
SETTINGS = """[kmip_keymaster]
key_id = %s
key_id_next = %s
active_root_secret_id = next
host = %s
port = %s
certfile = %s
keyfile = %s
ca_certs = %s
username =
password =
ssl_version = PROTOCOL_TLSv1_2
"""


def prepared(material):
    """What an operator does beforehand: one key is made by the server, one is brought along."""
    client = ProxyKmipClient(hostname=HOST, port=int(PORT), cert=CERT, key=KEY, ca=CA)
    with client:
        made = client.create(enums.CryptographicAlgorithm.AES, 256)
        brought = client.register(
            SymmetricKey(enums.CryptographicAlgorithm.AES, 256, material)
        )
        return made, brought, client.get(made).value


material = os.urandom(32)
made, brought, value = prepared(material)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "kmip_keymaster.conf")
    with open(path, "w") as file:
        file.write(SETTINGS % (made, brought, HOST, PORT, CERT, KEY, CA))
    keymaster = KmipKeyMaster(None, {"keymaster_config_path": path})
    wanted = {None: value, "next": material}
    if keymaster._root_secrets != wanted or keymaster.active_secret_id != "next":
        raise SystemExit("the key master has other root secrets")
print("root secrets")
