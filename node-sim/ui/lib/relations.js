// What belongs together: a call, the KMIP messages that it caused, and the drives that changed.
// They share the identifier of a key, an asynchronous handle, an exchange, a node or a drive.

import { idOf } from "./keys.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const KEY_MEMBERS = new Set(["keyID", "oldKeyID", "newKeyID"]);
const HANDLE_MEMBERS = new Set(["asyncHandle", "asyncResultID", "rekeyMasterKeyAsyncResultID"]);

// Collects the identifiers of an entry.
export function tokensOf(entry) {
  const { tokens, kind } = entry;
  if (kind === "message") {
    tokens.add(`exchange:${entry.data.exchange}`);
    for (const side of [entry.request, entry.response]) {
      if (side?.keyID) tokens.add(`key:${side.keyID}`);
      for (const item of side?.items ?? []) {
        for (const id of item.objects ?? []) tokens.add(`object:${id}`);
      }
    }
    return;
  }
  collect(entry.data, tokens, 0);
  const { nodeID, driveID, driveIDs } = entry.data;
  if (kind !== "call" && nodeID) tokens.add(`node:${nodeID}`);
  for (const id of driveIDs?.length ? driveIDs : [driveID]) if (id) tokens.add(`drive:${id}`);
  const power = /^POST \/sim\/v1\/nodes\/(\d+)\//.exec(entry.data.method ?? "");
  if (power) tokens.add(`node:${power[1]}`);
  const forgotten = /\/master-keys\/([0-9a-f-]{36})\//.exec(entry.data.method ?? "");
  if (forgotten) tokens.add(`key:${forgotten[1]}`);
}

function collect(value, tokens, depth) {
  if (depth > 8 || value === null || typeof value !== "object") return;
  for (const [name, part] of Object.entries(value)) {
    if (KEY_MEMBERS.has(name) && UUID.test(part)) tokens.add(`key:${part}`);
    else if (HANDLE_MEMBERS.has(name) && part) tokens.add(`async:${part}`);
    else collect(part, tokens, depth + 1);
  }
}

// When a call was under way.
function windowOf(entry) {
  if (entry.kind !== "call") return null;
  return [entry.time - (entry.data.milliseconds ?? 0) - 2, entry.time + 2];
}

function isWithin(window, time) {
  return window !== null && time >= window[0] && time <= window[1];
}

// The identifiers that a selection stands for. A rekey ties its handle to its keys.
export function selectionTokens(selection, rekeys) {
  const tokens = new Set(selection.tokens);
  for (const [handle, [newKey]] of rekeys) {
    if (tokens.has(`async:${handle}`)) tokens.add(`key:${idOf(newKey)}`);
    else if (tokens.has(`key:${idOf(newKey)}`)) tokens.add(`async:${handle}`);
  }
  return tokens;
}

// Whether an entry belongs to the selection.
export function isRelated(entry, selection, tokens) {
  if (!selection || entry === selection.entry) return false;
  for (const token of entry.tokens) if (tokens.has(token)) return true;
  const other = selection.entry;
  if (!other || entry.kind === "note" || other.kind === "note") return false;
  if (entry.kind === "call" && other.kind === "call") return false;
  return isWithin(windowOf(other), entry.time) || isWithin(windowOf(entry), other.time);
}
