"""PyKMIP's own server, unmodified, with objects in a folder that is given.

    pykmip_server.py FOLDER SERVER.crt SERVER.key CA.crt

Prints "pykmip listening on HOST:PORT" once it takes connections, and serves until SIGTERM.
"""

import os
import socket
import sys

from kmip.core.exceptions import NetworkingError
from kmip.services.server import KmipServer

HOST = "127.0.0.1"
# It takes no port 0: a free one is looked for, and another one if somebody was quicker.
ATTEMPTS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def started(folder, certificate, key, authority):
    policies = os.path.join(folder, "policies")
    os.makedirs(policies, exist_ok=True)
    for attempt in range(ATTEMPTS):
        port = free_port()
        server = KmipServer(
            hostname=HOST,
            port=port,
            certificate_path=certificate,
            key_path=key,
            ca_path=authority,
            auth_suite="TLS1.2",
            config_path=None,
            log_path=os.path.join(folder, "server.log"),
            policy_path=policies,
            enable_tls_client_auth=True,
            logging_level="WARNING",
            database_path=os.path.join(folder, "pykmip-%d.db" % attempt),
        )
        try:
            server.start()
        except NetworkingError:
            continue
        return server, port
    raise SystemExit("no port was free")


def main(arguments):
    server, port = started(*arguments)
    # serve() does this too; a second time does nothing.
    server._socket.listen(5)
    print("pykmip listening on %s:%d" % (HOST, port), flush=True)
    try:
        server.serve()
    finally:
        server.stop()


main(sys.argv[1:])
