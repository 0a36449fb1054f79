// The connection to the stream of events. The browser reconnects with the last event's id by
// itself; only when it gives up, the page begins anew after the last id that it has.

import { get } from "./api.js";
import { announce } from "./dom.js";
import { store } from "./store.js";

const PATH = "/sim/v1/events";
const KINDS = ["call", "message", "cluster-event", "cluster-fault", "note"];
const PAST_EVENTS = 600;
const PAST_MILLISECONDS = 5000;
const RETRY_MILLISECONDS = [1000, 2000, 4000, 8000];

let source = null;
let lastID = null;
let attempts = 0;
let retryTimer = 0;
let endSession = () => {};

// Begins to follow the events; the function is called when the session has ended.
export function connect(onSessionEnd) {
  endSession = onSessionEnd;
  clearTimeout(retryTimer);
  source?.close();
  const after = lastID ? `?after=${encodeURIComponent(lastID)}` : "";
  const opened = new EventSource(PATH + after);
  source = opened;
  opened.addEventListener("open", () => {
    attempts = 0;
    if (store.connection.status === "lost") announce("Connected again");
    store.setConnection("live");
  });
  opened.addEventListener("error", () => {
    if (opened === source) failed(opened);
  });
  opened.addEventListener("state", (event) => takeState(event));
  opened.addEventListener("change", (event) => {
    lastID = event.lastEventId;
    store.applyChange(JSON.parse(event.data));
  });
  for (const kind of KINDS) {
    opened.addEventListener(kind, (event) => {
      lastID = event.lastEventId;
      store.addEntry(kind, event.lastEventId, JSON.parse(event.data));
    });
  }
  opened.addEventListener("session-ended", () => {
    disconnect();
    endSession();
  });
}

export function disconnect() {
  clearTimeout(retryTimer);
  source?.close();
  source = null;
}

// Forgets where the stream was: after a logout.
export function forget() {
  disconnect();
  lastID = null;
}

// Tries to connect at once.
export function reconnectNow() {
  connect(endSession);
}

function takeState(event) {
  const isFirst = store.state === null;
  lastID = event.lastEventId;
  store.replaceState(JSON.parse(event.data));
  if (isFirst) loadPast(event.lastEventId);
  else store.addGap("The stream began anew; what happened in between is not shown.");
}

// Loads what happened before the page was opened, as far as it is kept.
function loadPast(id) {
  const [, run, number] = /^(.*)-(\d+)$/.exec(id ?? "") ?? [];
  const last = Number(number);
  if (!run || !last) return;
  const found = [];
  const past = new EventSource(`${PATH}?after=${run}-${Math.max(0, last - PAST_EVENTS)}`);
  const end = () => {
    clearTimeout(timer);
    past.close();
    if (found.length) store.addPast(found);
  };
  const timer = setTimeout(end, PAST_MILLISECONDS);
  const take = (kind) => (event) => {
    const at = Number(/-(\d+)$/.exec(event.lastEventId)?.[1] ?? Infinity);
    if (at <= last && kind) found.push([kind, event.lastEventId, JSON.parse(event.data)]);
    else if (at <= last) store.noteRekey(JSON.parse(event.data).rekey);
    if (at >= last) end();
  };
  for (const kind of KINDS) past.addEventListener(kind, take(kind));
  past.addEventListener("change", take(null));
  // Those events are not kept any more.
  past.addEventListener("state", end);
  past.addEventListener("error", end);
}

async function failed(opened) {
  if (store.connection.status !== "lost") announce("Connection lost");
  store.setConnection("lost", Date.now());
  // The browser tries again by itself, but not after an answer that is no stream.
  if (opened.readyState !== EventSource.CLOSED) return;
  try {
    await get("/sim/v1/session");
  } catch (error) {
    if (error.status === 401) return;
  }
  if (opened !== source) return;
  const wait = RETRY_MILLISECONDS[Math.min(attempts, RETRY_MILLISECONDS.length - 1)];
  attempts += 1;
  retryTimer = setTimeout(reconnectNow, wait);
}
