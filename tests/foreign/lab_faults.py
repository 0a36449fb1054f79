"""What PyKMIP's own client, unmodified, notices of a faulty key server: the life of a key, step by
step, each with its result or its error.

    lab_faults.py HOST PORT CLIENT.crt CLIENT.key CA.crt

Prints one JSON object: from each step to what came of it. Identifiers are written as UID.
"""

import json
import sys
import time
import uuid

from kmip.core.enums import CryptographicAlgorithm, CryptographicUsageMask, RevocationReasonCode
from kmip.pie.client import ProxyKmipClient
from kmip.pie.objects import SymmetricKey

MASKS = [CryptographicUsageMask.ENCRYPT, CryptographicUsageMask.DECRYPT]
KEY = bytes(range(16))
# Longer than the faults' delays for idle connections, shorter than anybody waits.
IDLE = 0.2
DEADLINE = 2


def client(host, port, cert, key, ca):
    found = ProxyKmipClient(
        hostname=host, port=int(port), cert=cert, key=key, ca=ca, ssl_version="PROTOCOL_TLS"
    )
    found.proxy.timeout = DEADLINE
    return found


def attributes(connected, uid):
    found = connected.get_attributes(uid, ["State", "Initial Date"])[1]
    values = {a.attribute_name.value: a.attribute_value for a in found}
    year = time.gmtime(values["Initial Date"].value).tm_year
    return "%s since %s" % (values["State"].value.name, year)


def main(args):
    results, names, times = {}, {}, []

    def step(name, call):
        begun = time.monotonic()
        try:
            result = str(call())
        except Exception as why:
            result = "%s: %s" % (type(why).__name__, why)
        for uid in names.values():
            result = result.replace(uid, "UID")
        results[name] = result
        times.append(time.monotonic() - begun)

    connected = client(*args)
    step("connect", connected.open)
    times.clear()

    def register():
        # A Name of its own: what an earlier fault has left behind may have another.
        key = SymmetricKey(CryptographicAlgorithm.AES, 128, KEY, MASKS, name=str(uuid.uuid4()))
        names["uid"] = connected.register(key)
        return "registered"

    def create():
        names["created"] = connected.create(CryptographicAlgorithm.AES, 128)
        return "created"

    step("register", register)
    step("create", create)
    uid = names.get("uid", "none")
    step("activate", lambda: connected.activate(uid))
    step("get", lambda: connected.get(uid).value == KEY)
    step("get created", lambda: len(connected.get(names["created"]).value))
    step("attributes", lambda: attributes(connected, uid))
    step("locate", lambda: uid in connected.locate())
    time.sleep(IDLE)
    step("get after a while", lambda: connected.get(uid).value == KEY)

    def elsewhere():
        with client(*args) as other:
            return attributes(other, uid)

    step("another connection", elsewhere)
    reason = RevocationReasonCode.CESSATION_OF_OPERATION
    step("revoke", lambda: connected.revoke(reason, uid))
    step("destroy", lambda: connected.destroy(uid))
    # A busy machine delays some answers, and the fault every one.
    results["slow"] = min(times) > 0.5
    print(json.dumps(results, sort_keys=True))


main(sys.argv[1:])
