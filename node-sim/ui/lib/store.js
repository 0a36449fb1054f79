// What the page knows: the cluster's state, and the entries of the timeline. Events of the stream
// are reduced into it; who shows it is told once a frame.

import { assignSlots } from "./keys.js";
import { timeOf } from "./format.js";
import { tokensOf } from "./relations.js";

const ENTRIES_MAX = 3000;
const TRACE_MILLISECONDS = 6000;

class Store {
  state = null;
  session = null;
  // Drives with their nodes, by driveID.
  drives = new Map();
  entries = [];
  exchanges = new Map();
  connection = { status: "connecting", since: null };
  // Requests of the rekey that a key server refused.
  refusals = 0;
  // When the estimate of the rekey was received.
  estimateAt = 0;
  // Clock of the cluster against that of the browser, in milliseconds.
  clockOffset = 0;
  // Keys of rekeys, by asyncHandle.
  rekeys = new Map();
  selection = null;
  trace = null;
  #listeners = new Map();
  #pending = new Map();
  #scheduled = false;

  // Calls the listener with what changed, at most once a frame. Returns how to end that.
  on(topic, listener) {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #notify(topic, ...details) {
    const pending = this.#pending.get(topic) ?? new Set();
    this.#pending.set(topic, pending);
    for (const detail of details) pending.add(detail);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = () => this.#flush();
    // A page in the background gets no frames.
    if (document.hidden) setTimeout(flush, 250);
    else requestAnimationFrame(flush);
  }

  #flush() {
    this.#scheduled = false;
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [topic, details] of pending) {
      for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener(details);
    }
  }

  // Resolves when the state meets the condition; rejects after a time.
  async until(condition, milliseconds = 10000) {
    if (this.state && condition(this.state)) return;
    await new Promise((resolve, reject) => {
      const off = this.on("state", () => {
        if (!condition(this.state)) return;
        clearTimeout(timer);
        off();
        resolve();
      });
      const timer = setTimeout(() => {
        off();
        reject(new Error("The cluster's state did not change in time."));
      }, milliseconds);
    });
  }

  setSession(session) {
    this.session = session;
    this.#notify("session");
  }

  setConnection(status, since = null) {
    if (this.connection.status === status) return;
    this.connection = { status, since };
    this.#notify("connection");
  }

  // The time as the cluster has it.
  now() {
    return Date.now() + this.clockOffset;
  }

  #setClock(time) {
    const at = timeOf(time);
    if (at !== null) this.clockOffset = at - Date.now();
  }

  // Replaces the whole state.
  replaceState(state) {
    this.#setClock(state.time);
    this.state = state;
    this.estimateAt = performance.now();
    this.drives.clear();
    for (const node of state.nodes ?? []) this.#indexDrives(node);
    assignSlots(state);
    this.noteRekey(state.rekey);
    this.#notify("state", "all");
  }

  #indexDrives(node) {
    for (const drive of node.drives) this.drives.set(drive.driveID, { drive, node });
  }

  // Applies what changed of the state.
  applyChange(change) {
    if (!this.state) return;
    const { time, nodes, ...others } = change;
    this.#setClock(time);
    if (others.rekey && others.rekey.asyncHandle !== this.state.rekey?.asyncHandle) {
      this.refusals = 0;
    }
    if ("rekey" in others) this.estimateAt = performance.now();
    this.noteRekey(others.rekey);
    Object.assign(this.state, others);
    if (others.masterKeys) assignSlots(this.state);
    this.#notify("state", ...Object.keys(others));
    for (const node of nodes ?? []) this.#changeNode(node);
  }

  #changeNode(change) {
    const node = this.state.nodes.find((known) => known.nodeID === change.nodeID);
    if (!node) {
      this.state.nodes.push(change);
      this.#indexDrives(change);
      this.#notify("state", "all");
      return;
    }
    const { drives, ...others } = change;
    Object.assign(node, others);
    this.#notify("state", "nodes", `node:${node.nodeID}`);
    for (const drive of drives ?? []) {
      const known = this.drives.get(drive.driveID);
      if (known) {
        Object.assign(known.drive, drive);
        this.#notify("state", `drive:${drive.driveID}`);
      } else {
        node.drives.push(drive);
        this.drives.set(drive.driveID, { drive, node });
        this.#notify("state", "all");
      }
    }
  }

  // Adds an event of the stream to the timeline.
  addEntry(kind, id, data, isPast = false) {
    const time = timeOf(data.time) ?? Date.now();
    if (kind === "message" && this.#joinsExchange(data)) return;
    const entry = { kind, id, time, data, tokens: new Set(), isCaused: false };
    if (kind === "message") {
      entry.response = null;
      entry[data.direction] = data;
      this.exchanges.set(data.exchange, entry);
    }
    tokensOf(entry);
    if (!isPast && this.trace && !data.read) entry.isCaused = true;
    this.entries.push(entry);
    if (this.entries.length > ENTRIES_MAX) this.#dropOldest();
    this.#notify("entries", entry);
  }

  // A response is shown with its request.
  #joinsExchange(data) {
    const entry = this.exchanges.get(data.exchange);
    if (!entry || entry[data.direction]) return false;
    entry[data.direction] = data;
    tokensOf(entry);
    if (this.state?.rekey && data.items?.some((item) => item.status === "OperationFailed")) {
      this.refusals += 1;
      this.#notify("state", "refusals");
    }
    this.#notify("entries", entry);
    return true;
  }

  #dropOldest() {
    for (const entry of this.entries.splice(0, ENTRIES_MAX / 10)) {
      if (entry.kind === "message") this.exchanges.delete(entry.data.exchange);
    }
  }

  // Remembers the keys of a rekey by its handle: it ties calls to messages after its end.
  noteRekey(rekey) {
    if (rekey) this.rekeys.set(rekey.asyncHandle, [rekey.newKey, rekey.keyToDecommission]);
  }

  // Puts entries of the past before those that are there.
  addPast(entries) {
    const known = new Set(this.entries.map((entry) => entry.id));
    const now = this.entries;
    this.entries = [];
    for (const [kind, id, data] of entries) {
      if (!known.has(id)) this.addEntry(kind, id, data, true);
    }
    for (const entry of now) {
      const other = entry.kind === "message" && this.exchanges.get(entry.data.exchange);
      if (other && other !== entry && entry.data.direction === "response") {
        other.response = entry.data;
        tokensOf(other);
      } else {
        this.entries.push(entry);
      }
    }
    this.#notify("entries", "all");
  }

  addGap(text) {
    const time = new Date(this.now()).toISOString();
    this.addEntry("gap", `gap-${time}`, { time, text });
  }

  // Selects an entry, a drive or a key: what belongs to it is highlighted.
  select(selection) {
    const isSame = selection && this.selection?.name === selection.name;
    this.selection = isSame ? null : selection;
    this.#notify("selection");
  }

  // Marks what a request of this page causes, from now until some seconds after its answer.
  beginTrace(source) {
    const trace = { source, drives: new Set() };
    this.trace = trace;
    this.#notify("trace");
    return () => setTimeout(() => this.#endTrace(trace), TRACE_MILLISECONDS);
  }

  #endTrace(trace) {
    if (this.trace !== trace) return;
    this.trace = null;
    for (const entry of this.entries) entry.isCaused = false;
    this.#notify("trace");
  }
}

export const store = new Store();
