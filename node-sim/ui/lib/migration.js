// The steps from nothing to an external master key: their requests, and how far the cluster is.
// What is done is seen from the cluster's state, so that a reload continues in the middle.

import { get } from "./api.js";
import { currentKey } from "./keys.js";
import { store } from "./store.js";

const FORM_NAMES = ["commonName", "providerName", "serverName", "hostname", "port",
  "caCertificate", "clientCertificate", "csr", "checkedKey", "tested"];

// What was typed, and what later steps need of earlier answers. Nothing of it is secret.
export const form = {
  commonName: "", providerName: "lab", serverName: "kms-1", hostname: "", port: 5696,
  caCertificate: "", clientCertificate: "", csr: "", checkedKey: "", tested: [],
};

let formOf = null;

// Takes up what was typed before a reload, and the lab's defaults.
export async function loadForm(state) {
  const cluster = state.cluster?.uuid ?? "";
  if (formOf === cluster) return;
  formOf = cluster;
  form.commonName = state.cluster?.name ?? "";
  const kept = saved();
  if (kept?.cluster === cluster) {
    for (const name of FORM_NAMES) if (name in kept) form[name] = kept[name];
    if (!Array.isArray(form.tested)) form.tested = [];
  }
  if (!state.lab || form.hostname) return;
  const defaults = await get("/lab/v1/defaults").catch(() => null);
  if (!defaults) return;
  form.hostname = form.hostname || defaults.hostname || "";
  form.port = defaults.port ?? form.port;
  form.providerName = defaults.providerName ?? form.providerName;
  form.serverName = defaults.keyServerName ?? form.serverName;
  form.caCertificate = form.caCertificate || defaults.kmipCaCertificate || "";
}

function saved() {
  try {
    return JSON.parse(sessionStorage.getItem("migration") ?? "null");
  } catch {
    return null;
  }
}

export function saveForm() {
  try {
    sessionStorage.setItem("migration", JSON.stringify({ cluster: formOf, ...form }));
  } catch {
    // Without storage a reload asks for it again.
  }
}

// The provider that the steps are about: the active one, or else the newest.
export function provider(state) {
  const providers = state.keyProviders ?? [];
  return providers.find((one) => one.isActive) ?? providers.at(-1) ?? null;
}

// The key server that the steps are about: the provider's, or else the newest without provider.
export function server(state) {
  const servers = state.keyServers ?? [];
  const ids = provider(state)?.keyServerIDs ?? [];
  return servers.find((one) => ids.includes(one.keyServerID))
    ?? servers.filter((one) => one.keyProviderID === null).at(-1) ?? null;
}

const isAssigned = (state) => (provider(state)?.keyServerIDs ?? []).length > 0;
const isExternal = (state) => currentKey(state)?.keyManagementType === "external";
const isCsrMade = (state) => Boolean(form.csr) || server(state) !== null;
const isSigned = (state) => Boolean(form.clientCertificate) || server(state) !== null;

function rekeyHandle(state) {
  return state.rekey?.asyncHandle ?? state.lastRekey?.asyncHandle ?? null;
}

const CALLS = {
  keyPair: {
    name: "CreatePublicPrivateKeyPair",
    make: () => ({ method: "CreatePublicPrivateKeyPair",
      params: { commonName: form.commonName } }),
    isDone: (state) => Boolean(state.keyPair?.present),
    took: () => Object.assign(form, { csr: "", clientCertificate: "" }),
  },
  csr: {
    name: "GetClientCertificateSignRequest",
    make: () => ({ method: "GetClientCertificateSignRequest", params: {} }),
    isDone: isCsrMade,
    took: (result) => {
      form.csr = result.clientCertificateSignRequest ?? "";
    },
  },
  sign: {
    name: "POST /lab/v1/sign",
    needsLab: true,
    make: () => ({ path: "/lab/v1/sign",
      body: { clientCertificateSignRequest: form.csr } }),
    isDone: isSigned,
    waitsFor: () => (form.csr ? null : "the certificate sign request"),
    took: (result) => {
      form.clientCertificate = result.kmipClientCertificate ?? "";
      form.caCertificate = result.kmipCaCertificate ?? form.caCertificate;
    },
  },
  provider: {
    name: "CreateKeyProviderKmip",
    make: () => ({ method: "CreateKeyProviderKmip",
      params: { keyProviderName: form.providerName } }),
    isDone: (state) => provider(state) !== null,
  },
  server: {
    name: "CreateKeyServerKmip",
    make: () => ({ method: "CreateKeyServerKmip", params: {
      kmipKeyServerName: form.serverName,
      kmipKeyServerHostnames: String(form.hostname).split(/[\s,]+/).filter(Boolean),
      kmipKeyServerPort: Number(form.port),
      kmipCaCertificate: form.caCertificate,
      kmipClientCertificate: form.clientCertificate,
    } }),
    isDone: (state) => server(state) !== null,
    waitsFor: () => {
      if (!form.clientCertificate) return "the signed certificate";
      if (!form.caCertificate) return "the CA certificate";
      return form.hostname ? null : "the host name";
    },
  },
  test: {
    name: "TestKeyServerKmip",
    make: (state) => ({ method: "TestKeyServerKmip",
      params: { keyServerID: server(state)?.keyServerID ?? null } }),
    isDone: (state) => isAssigned(state)
      || form.tested.includes(server(state)?.keyServerID),
    waitsFor: (state) => (server(state) ? null : "the key server"),
    took: (_, call) => form.tested.push(call.params.keyServerID),
  },
  add: {
    name: "AddKeyServerToProviderKmip",
    make: (state) => ({ method: "AddKeyServerToProviderKmip", params: {
      keyProviderID: provider(state)?.keyProviderID ?? null,
      keyServerID: server(state)?.keyServerID ?? null,
    } }),
    isDone: isAssigned,
    waitsFor: (state) => {
      if (!provider(state)) return "the key provider";
      return server(state) ? null : "the key server";
    },
  },
  rekey: {
    name: "RekeySoftwareEncryptionAtRestMasterKey",
    make: (state) => ({ method: "RekeySoftwareEncryptionAtRestMasterKey", params: {
      keyManagementType: "external",
      keyProviderID: provider(state)?.keyProviderID ?? null,
    } }),
    isDone: (state) => isExternal(state) || state.rekey !== null,
    waitsFor: (state) => (isAssigned(state) ? null : "a provider with a key server"),
  },
  result: {
    name: "GetAsyncResult",
    make: (state) => ({ method: "GetAsyncResult",
      params: { asyncHandle: rekeyHandle(state), keepResult: true } }),
    isDone: (state) => isExternal(state) && state.rekey === null,
    waitsFor: (state) => (rekeyHandle(state) === null ? "a rekey" : null),
  },
  info: {
    name: "GetSoftwareEncryptionAtRestInfo",
    make: () => ({ method: "GetSoftwareEncryptionAtRestInfo", params: {} }),
    isDone: (state) => isExternal(state) && state.rekey === null
      && form.checkedKey === currentKey(state)?.keyID,
    took: (result) => {
      if (result.masterKeyInfo?.keyManagementType === "external") {
        form.checkedKey = result.masterKeyInfo.keyID;
      }
    },
  },
};

const TYPES = ["internal", "external"];

// Rekeys to try when the migration is done.
export const OTHER_REKEYS = TYPES.map((type) => ({
  name: type === "internal" ? "Back to internal" : "A new external key",
  make: (state) => ({ method: "RekeySoftwareEncryptionAtRestMasterKey", params:
    type === "internal" ? { keyManagementType: type }
      : { keyManagementType: type, keyProviderID: provider(state)?.keyProviderID ?? null } }),
  isDone: () => false,
  waitsFor: (state) => {
    if (state.rekey) return "the end of the rekey";
    return type === "external" && !isAssigned(state) ? "a provider with a key server" : null;
  },
}));

export const STEPS = [
  { id: "key-pair", title: "Key pair", calls: [CALLS.keyPair], fields: ["commonName"],
    say: "The cluster makes the key pair with which it will log in at key servers." },
  { id: "sign", title: "CSR and signing", calls: [CALLS.csr, CALLS.sign], fields: ["pasted"],
    say: "The cluster asks for a certificate, and the key server\u2019s authority signs it." },
  { id: "provider", title: "Key provider", calls: [CALLS.provider], fields: ["providerName"],
    say: "A key provider is what a master key is made through." },
  { id: "server", title: "Key server", calls: [CALLS.server],
    fields: ["serverName", "hostname", "port"],
    say: "The cluster is told where the key server is, and which certificates to use." },
  { id: "test", title: "Test and add", calls: [CALLS.test, CALLS.add],
    say: "The key server is tested, then added to the provider." },
  { id: "rekey", title: "Rekey", calls: [CALLS.rekey, CALLS.result],
    say: "A new master key is made at the key server, and wraps every drive\u2019s key anew." },
  { id: "check", title: "Check", calls: [CALLS.info],
    say: "The cluster says where its master key is now." },
];

// The calls of a step that this cluster can be sent.
export function callsOf(step, state) {
  return step.calls.filter((call) => !call.needsLab || state.lab);
}

// done, running, next or later.
export function stateOf(step, state) {
  if (step.id === "rekey" && state.rekey) return "running";
  const isDone = step.id === "sign" ? isSigned(state)
    : step.calls.every((call) => call.isDone(state));
  if (isDone) return "done";
  return currentStep(state) === step ? "next" : "later";
}

// The first step that is not done; none if all are.
export function currentStep(state) {
  return STEPS.find((step) => {
    if (step.id === "rekey" && state.rekey) return true;
    return step.id === "sign" ? !isSigned(state)
      : !step.calls.every((call) => call.isDone(state));
  }) ?? null;
}

// What a step found out, in one line.
export function summaryOf(step, state) {
  const lines = {
    provider: () => provider(state)?.keyProviderName,
    server: () => {
      const one = server(state);
      return one && `${one.name} at ${one.hostnames.join(", ")}:${one.port}`;
    },
    rekey: () => state.rekey
      && `${state.rekey.drivesRewrapped}/${state.rekey.drivesTotal} drives`,
  };
  return lines[step.id]?.() || "";
}

export const current = () => (store.state ? currentStep(store.state) : null);
