// Errors of the APIs, what they mean, and the next step.

import { h, icon } from "./dom.js";
import { plain, safe } from "./safe_text.js";

// An error that an API answered, or why there is no answer.
export class ApiError extends Error {
  constructor(name, message, status = 200) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

// Name of the error, what it means, and what to do next.
const MEANINGS = {
  xKmipConnectionFailure: ["The cluster cannot reach the key server.",
    "Check that it runs, and its host name and port; then send the request again."],
  xKmipAuthenticationFailure: ["Cluster and key server do not trust each other's certificates.",
    "Check the CA certificate, the client certificate, and whether either has expired."],
  xKmipServerError: ["The key server was reached, and refused.",
    "Open the KMIP response in the timeline: it names the reason."],
  xKeyProviderIsActive: ["Keys made through this provider wrap data.",
    "Move the master key elsewhere by a rekey first."],
  xKeyProviderHasNoServer: ["The provider has no key server yet.",
    "Add a key server to it (step 5)."],
  xKeyServerInUse: ["The key server belongs to another provider, or is the last of an active one.",
    "Use another key server, or move the master key first."],
  xKeyServerIDDoesNotExist: ["There is no key server with this number.",
    "Create one (step 4), or correct keyServerID."],
  xKeyProviderIDDoesNotExist: ["There is no key provider with this number.",
    "Create one (step 3), or correct keyProviderID."],
  xPublicPrivateKeyPairDoesNotExist: ["The cluster has no key pair to make a request for.",
    "Create the key pair (step 1)."],
  xRekeyInProgress: ["A rekey is running, and there can be one at a time.",
    "Wait until it is complete, or give it up."],
  xRekeyAbandoned: ["The rekey was given up; the present master key stays in use.",
    "Start the rekey again when the cause is mended."],
  xSoftwareEncryptionAtRestNotEnabled: ["This cluster does not encrypt its drives.",
    "Create the cluster with software encryption at rest."],
  xAPINotPermitted: ["The cluster does not allow this call in its present state.",
    "The message says what stands against it."],
  xInvalidParameter: ["A parameter has a value that is not allowed.", "Correct it and send again."],
  xInvalidParameterType: ["A parameter is of another type.", "Correct it and send again."],
  xMissingParameter: ["A parameter is missing.", "Add it and send again."],
  xUnknownAPIMethod: ["This version of the API has no such method.", "Check the method's name."],
  xInternalError: ["The cluster cannot write its ledger.", "See the log of node-sim."],
};

const STATUSES = {
  0: ["The cluster did not answer.", "Check that node-sim runs; the page reconnects by itself."],
  401: ["The session has ended.", "Log in again."],
  403: ["The request was refused because of where it came from.", "Reload the page."],
  404: ["It is not there, or not any more.", "Go back and choose another."],
  409: ["It is not possible in the present state.", "Wait for the state that the message names."],
  429: ["Too many wrong passwords came from this address.", "Wait a few seconds."],
  500: ["The cluster could not do it.", "See the log of node-sim."],
  502: ["What stands behind the cluster could not be reached, or refused.",
    "Check that it runs; then try again."],
  503: ["The cluster cannot do it now.", "Check the power of its nodes; then try again."],
};

// What an error means, and the next step; none if nothing is known.
export function explain(error) {
  return MEANINGS[error.name] ?? (error.status === 200 ? null : STATUSES[error.status]) ?? null;
}

// A box with an error.
export function errorBox(error, { test = "error", retry = null } = {}) {
  const meaning = explain(error);
  return h("div", { class: "error-box", role: "alert", test: test },
    icon("alert"),
    h("div", { class: "error-text" },
      h("strong", { class: "mono" }, plain(error.name)),
      h("p", {}, safe(error.message)),
      meaning && h("p", {}, h("span", { class: "muted" }, "It means: "), meaning[0]),
      meaning && h("p", {}, h("span", { class: "muted" }, "Next: "), meaning[1]),
      retry && h("button", { class: "button small", onclick: retry,
        test: `${test}-retry` }, icon("retry"), "Try again")));
}
