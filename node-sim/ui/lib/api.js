// Requests to the cluster. The browser adds the session's cookie by itself.

import { ApiError } from "./errors.js";

export const ELEMENT_PATH = "/json-rpc/12.3";

let onSessionEnd = () => {};
let nextId = 1;

// Calls the function when an answer says that there is no session any more.
export function whenSessionEnds(listener) {
  onSessionEnd = listener;
}

// Sends a request and returns the JSON of its answer.
export async function request(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
    });
  } catch {
    throw new ApiError("No answer", `${method} ${path}: the connection failed`, 0);
  }
  const text = await response.text().catch(() => "");
  const answer = parse(text);
  if (response.status === 401 && path !== "/sim/v1/sessions") onSessionEnd();
  if (!response.ok) {
    const message = answer?.error ?? firstSentence(text) ?? response.statusText;
    throw new ApiError(`HTTP ${response.status}`, String(message), response.status);
  }
  return answer;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Errors that are pages have their reason in a paragraph.
function firstSentence(text) {
  return /<p>\s*([^<]{1,400})<\/p>/.exec(text)?.[1] ?? null;
}

export const get = (path) => request("GET", path);
export const put = (path, body) => request("PUT", path, body);
export const post = (path, body) => request("POST", path, body ?? {});
export const remove = (path) => request("DELETE", path);

// Calls a method of Element's and returns its result.
export async function element(method, params) {
  const answer = await post(ELEMENT_PATH, { method, params, id: nextId++ });
  if (answer?.error) {
    throw new ApiError(answer.error.name ?? "error", String(answer.error.message ?? ""));
  }
  return answer?.result ?? {};
}

// Sends what a request object describes: a method of Element's, or a path.
export function send({ method, params, path, verb = "POST", body }) {
  return path ? request(verb, path, body) : element(method, params);
}

// The JSON that is sent for a request object.
export function bodyOf(call) {
  return call.path ? call.body : { method: call.method, params: call.params };
}

// The line for a shell that sends the same.
export function curlLine(call, user) {
  const url = location.origin + (call.path ?? ELEMENT_PATH);
  const words = ["curl", "-k", "-u", user || "admin"];
  if (call.path && (call.verb ?? "POST") !== "POST") words.push("-X", call.verb);
  const body = bodyOf(call);
  if (body === undefined && (call.verb ?? "POST") === "POST") words.push("-X", "POST");
  words.push(url);
  if (body !== undefined) words.push("-d", JSON.stringify(body));
  return words.map(quoted).join(" ");
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
