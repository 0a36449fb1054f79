"""NetApp's own Python SDK against a cluster: trust, rekey out and back, every field compared.

    element_sdk.py HOST PORT USER PASSWORD KMIP_HOST KMIP_PORT PKI SIGN...

SIGN is a command that reads a request and writes a certificate. Prints the name of each step that
held. The SDK parses almost anything, so nothing counts that was not compared.
"""

import re
import subprocess
import sys
import time
import uuid

from solidfire.common import ApiConnectionError, ApiServerError
from solidfire.factory import ElementFactory

STATES = ["CreateNewMasterKey", "RewrapDataEncryptionKeys", "DecommissionOldMasterKey", "Ready"]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
TRANSFER = "Rekeying Master Key. Master Key management being transferred from "
POLL_S = 0.05
DEADLINE_S = 60


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit("%s: found %r, wanted %r" % (what, found, wanted))


def refused(what, call, *args, **kwargs):
    """The call must be refused by the API; returns the error's name."""
    try:
        call(*args, **kwargs)
    except ApiServerError as error:
        expect(what + ": code", error.error_code, 500)
        expect(what + ": the name begins with x", str(error.error_name)[:1], "x")
        return error.error_name
    raise SystemExit(what + ": it was allowed")


def plain(value):
    """A result of the SDK as plain JSON values."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return plain(value.to_json())


class Walk:
    def __init__(self, element, kmip_host, kmip_port, pki, sign):
        self.element = element
        self.kmip_host, self.kmip_port = kmip_host, int(kmip_port)
        self.pki, self.sign = pki, sign

    # What every client asks first.

    def basics(self):
        e = self.element
        info = e.get_cluster_info().cluster_info
        expect("hardware encryption", info.encryption_at_rest_state, "disabled")
        expect("software encryption", info.software_encryption_at_rest_state, "enabled")
        nodes = e.list_active_nodes().nodes
        expect("nodes", len(nodes), 4)
        expect("node ids", len({node.node_id for node in nodes}), 4)
        drives = e.list_drives().drives
        expect("every drive is on a node", {d.node_id for d in drives}, {n.node_id for n in nodes})
        expect("drives are in use", {drive.status for drive in drives}, {"active"})
        version = e.get_cluster_version_info()
        expect("a version for each node", len(version.cluster_version_info), 4)
        expect("API version", str(version.cluster_apiversion), "12.3")
        expect("the limits are there", e.get_limits() is not None, True)
        expect("faults", plain(e.list_cluster_faults(fault_types="current"))["faults"], [])
        admin = plain(e.get_current_cluster_admin())["clusterAdmin"]
        expect("access", admin["access"], ["administrator"])
        for call in (e.list_accounts, e.list_volumes, e.list_active_volumes, e.list_events,
                     e.get_feature_status, e.list_all_nodes):
            plain(call())

    def begins_internal(self):
        info = self.element.get_software_encryption_at_rest_info()
        expect("state", info.state, "enabled")
        expect("version", info.version, 1)
        expect("management", info.master_key_info.key_management_type, "internal")
        expect("provider", info.master_key_info.key_provider_id, None)
        expect("rekey", info.rekey_master_key_async_result_id, None)
        expect("time", bool(TIME.match(info.master_key_info.key_created_time)), True)
        self.key_id = info.master_key_info.key_id
        expect("the key's id", isinstance(self.key_id, uuid.UUID), True)

    # Trust between cluster and key server.

    def key_pair(self):
        done = self.element.create_public_private_key_pair(
            common_name="sdk-cluster", organization="Example", organizational_unit="Storage",
            locality="Boulder", state="Colorado", country="US", email_address="a@example.com")
        expect("result", plain(done), {})

    def request(self):
        pem = self.element.get_client_certificate_sign_request().client_certificate_sign_request
        lines = pem.splitlines()
        expect("first line", lines[0], "-----BEGIN CERTIFICATE REQUEST-----")
        expect("last line", lines[-1], "-----END CERTIFICATE REQUEST-----")
        expect("line length", max(len(line) for line in lines[1:-1]), 64)
        again = self.element.get_client_certificate_sign_request().client_certificate_sign_request
        expect("another look does not make another key", again.splitlines()[4], lines[4])
        signed = subprocess.run(self.sign, input=pem.encode(), capture_output=True, check=True)
        self.client_pem = signed.stdout.decode().strip()
        with open(self.pki + "/ca.crt") as ca:
            self.ca_pem = ca.read().strip()

    def provider(self):
        made = self.element.create_key_provider_kmip("sdk provider").kmip_key_provider
        self.provider_id = made.key_provider_id
        self.expect_provider(made, active=False, servers=[])
        found = self.element.get_key_provider_kmip(self.provider_id).kmip_key_provider
        self.expect_provider(found, active=False, servers=[])

    def expect_provider(self, provider, active, servers):
        expect("name", provider.key_provider_name, "sdk provider")
        expect("id", provider.key_provider_id, self.provider_id)
        expect("active", provider.key_provider_is_active, active)
        expect("servers", provider.key_server_ids, servers)
        expect("capabilities", isinstance(provider.kmip_capabilities, str), True)

    def server(self):
        made = self.element.create_key_server_kmip(
            self.ca_pem, self.client_pem, [self.kmip_host], "sdk server", self.kmip_port)
        self.server_id = made.kmip_key_server.key_server_id
        self.expect_server(made.kmip_key_server, provider=None, active=None)

    def expect_server(self, server, provider, active):
        expect("id", server.key_server_id, self.server_id)
        expect("provider", server.key_provider_id, provider)
        expect("provider is active", server.kmip_assigned_provider_is_active, active)
        expect("authority", server.kmip_ca_certificate.strip(), self.ca_pem)
        expect("certificate", server.kmip_client_certificate.strip(), self.client_pem)
        expect("hosts", server.kmip_key_server_hostnames, [self.kmip_host])
        expect("name", server.kmip_key_server_name, "sdk server")
        expect("port", server.kmip_key_server_port, self.kmip_port)

    def assign(self):
        e = self.element
        expect("test", plain(e.test_key_server_kmip(self.server_id)), {})
        for _ in range(2):  # The second time is no error (contract, section 6).
            e.add_key_server_to_provider_kmip(self.provider_id, self.server_id)
        expect("test", plain(e.test_key_provider_kmip(self.provider_id)), {})
        found = e.get_key_server_kmip(self.server_id).kmip_key_server
        self.expect_server(found, provider=self.provider_id, active=False)
        free = e.list_key_servers_kmip(kmip_has_provider_assigned=False).kmip_key_servers
        expect("servers without a provider", free, [])
        ours = e.list_key_servers_kmip(key_provider_id=self.provider_id).kmip_key_servers
        expect("servers of the provider", [s.key_server_id for s in ours], [self.server_id])
        with_server = e.list_key_providers_kmip(kmip_key_provider_has_server_assigned=True)
        self.expect_provider(with_server.kmip_key_providers[0], False, [self.server_id])
        active = e.list_key_providers_kmip(key_provider_is_active=True).kmip_key_providers
        expect("active providers", active, [])

    # The rekey, out and back.

    def rekey(self, old, new, operation, **params):
        """Starts one, follows it to its end, compares all; returns its handle."""
        e = self.element
        handle = e.rekey_software_encryption_at_rest_master_key(**params).async_handle
        reached, begun = 0, time.monotonic()
        while True:
            result = e.get_async_result(handle, keep_result=True)
            expect("type", result["resultType"], "RekeySoftwareEncryptionAtRestMasterKey")
            expect("created", bool(TIME.match(result["createTime"])), True)
            expect("updated", bool(TIME.match(result["lastUpdateTime"])), True)
            if result["status"] == "complete":
                break
            expect("status", result["status"], "running")
            expect("no result yet", "result" in result or "error" in result, False)
            state = STATES.index(result["details"]["state"])
            expect("the state never goes back", state >= reached, True)
            reached = state
            if time.monotonic() - begun > DEADLINE_S:
                raise SystemExit("still running: %r" % result)
            time.sleep(POLL_S)
        expect("members", sorted(result),
               ["createTime", "lastUpdateTime", "result", "resultType", "status"])
        told = result["result"]
        expect("members", sorted(told), ["keyToDecommission", "newKey", "operation", "state"])
        info = e.get_software_encryption_at_rest_info()
        new_id = str(info.master_key_info.key_id)
        expect("another key", new_id == str(self.key_id), False)
        expect("old key", told["keyToDecommission"], dict(old, keyID=str(self.key_id)))
        expect("new key", told["newKey"], dict(new, keyID=new_id))
        # The documents tell the wording of one direction only.
        expect("operation", told["operation"][:20], "Rekeying Master Key.")
        if operation is not None:
            expect("operation", told["operation"], operation)
        expect("state", told["state"], "Ready")
        expect("info", info.master_key_info.key_management_type, new["keyManagementType"])
        expect("info", info.master_key_info.key_provider_id, new.get("keyProviderID"))
        expect("info", info.rekey_master_key_async_result_id, handle)
        expect("info", (info.state, info.version), ("enabled", 1))
        self.key_id = info.master_key_info.key_id
        return handle

    def to_external(self):
        listed = self.element.list_key_providers_kmip().kmip_key_providers
        expect("step 1", [p.key_provider_id for p in listed], [self.provider_id])
        self.internal = {"keyManagementType": "internal"}
        self.external = {"keyManagementType": "external", "keyProviderID": self.provider_id}
        operation = (TRANSFER + "Internal Key Management to External Key Management with "
                     "keyProviderID=%d" % self.provider_id)
        self.handle = self.rekey(self.internal, self.external, operation,
                                 key_management_type="external", key_provider_id=self.provider_id)

    def in_use(self):
        e = self.element
        provider = e.get_key_provider_kmip(self.provider_id).kmip_key_provider
        self.expect_provider(provider, active=True, servers=[self.server_id])
        server = e.get_key_server_kmip(self.server_id).kmip_key_server
        self.expect_server(server, provider=self.provider_id, active=True)
        refused("deleting it", e.delete_key_provider_kmip, self.provider_id)
        refused("removing its last server", e.remove_key_server_from_provider_kmip, self.server_id)
        refused("deleting its last server", e.delete_key_server_kmip, self.server_id)

    def results(self):
        e = self.element
        listed = {h.async_result_id: h for h in e.list_async_results().async_handles}
        expect("listed", self.handle in listed, True)
        expect("completed", listed[self.handle].completed, True)
        expect("success", listed[self.handle].success, True)
        expect("read for good", e.get_async_result(self.handle)["status"], "complete")
        name = refused("reading it again", e.get_async_result, self.handle)
        expect("it is gone", name, "xDBNoSuchPath")
        info = e.get_software_encryption_at_rest_info()
        expect("info", info.rekey_master_key_async_result_id, None)

    def refusals(self):
        e = self.element
        rekey = e.rekey_software_encryption_at_rest_master_key
        refused("external without a provider", rekey, key_management_type="external")
        refused("internal with a provider", rekey, key_management_type="internal",
                key_provider_id=self.provider_id)
        refused("no such provider", rekey, key_management_type="external", key_provider_id=9999)
        refused("no such management", rekey, key_management_type="elsewhere")
        refused("no such server", e.get_key_server_kmip, 9999)
        refused("no such provider", e.get_key_provider_kmip, 9999)

    def same_place(self):
        self.rekey(self.external, self.external, None)

    def to_internal(self):
        self.rekey(self.external, self.internal, None, key_management_type="Internal")
        provider = self.element.get_key_provider_kmip(self.provider_id).kmip_key_provider
        self.expect_provider(provider, active=False, servers=[self.server_id])

    def take_down(self):
        e = self.element
        for _ in range(2):  # Not assigned is no error either.
            e.remove_key_server_from_provider_kmip(self.server_id)
        e.delete_key_server_kmip(self.server_id)
        e.delete_key_provider_kmip(self.provider_id)
        expect("servers", e.list_key_servers_kmip().kmip_key_servers, [])
        expect("providers", e.list_key_providers_kmip().kmip_key_providers, [])


STEPS = ["basics", "begins_internal", "key_pair", "request", "provider", "server", "assign",
         "to_external", "in_use", "results", "refusals", "same_place", "to_internal", "take_down"]


def main(host, port, user, password, kmip_host, kmip_port, pki, *sign):
    create = lambda secret: ElementFactory.create(
        host, user, secret, port=int(port), print_ascii_art=False)
    try:
        create(password + "x")
    except ApiConnectionError as error:
        expect("a wrong password", "Bad Credentials" in str(error), True)
    else:
        raise SystemExit("a wrong password was taken")
    walk = Walk(create(password), kmip_host, kmip_port, pki, list(sign))
    for step in STEPS:
        try:
            getattr(walk, step)()
        except SystemExit as unmet:
            raise SystemExit("%s: %s" % (step, unmet))
        print(step, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
