// A row of the timeline, and its details when it is selected.

import { copyButton, fill, h, icon, setAttribute } from "../lib/dom.js";
import { explain } from "../lib/errors.js";
import { clock, duration, exact, shortJson } from "../lib/format.js";
import { classOf, letterOf } from "../lib/keys.js";
import { linkTo } from "../lib/router.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";

export const KINDS = {
  call: { word: "API", icon: "arrow" },
  message: { word: "KMIP", icon: "key" },
  "cluster-event": { word: "event", icon: "info" },
  "cluster-fault": { word: "fault", icon: "alert" },
  note: { word: "note", icon: "edit" },
  gap: { word: "gap", icon: "pause" },
};

const GOOD = ["Success"];

export class TimelineRow {
  element;
  head;
  #entry;
  #detail = null;

  constructor(entry) {
    this.#entry = entry;
    this.head = h("button", { class: "row", tabindex: "-1",
      "aria-expanded": "false" });
    this.element = h("li", { "data-kind": entry.kind, test: `row-${entry.kind}` },
      this.head);
    this.update();
  }

  // Marks the row as caused by a request of this page.
  mark() {
    this.element.classList.toggle("caused", this.#entry.isCaused);
  }

  update() {
    const entry = this.#entry;
    const kind = KINDS[entry.kind] ?? KINDS.note;
    this.mark();
    setAttribute(this.element, "data-result", resultOf(entry));
    fill(this.head,
      h("time", { class: "row-time", datetime: new Date(entry.time).toISOString(),
        title: exact(entry.time) }, clock(entry.time)),
      h("span", { class: "row-kind" }, icon(kind.icon), kind.word),
      h("span", { class: "row-text" }, lineOf(entry)));
    if (this.#detail) this.#fillDetail();
  }

  open() {
    if (this.#detail) return;
    this.head.setAttribute("aria-expanded", "true");
    this.element.classList.add("selected");
    this.#detail = h("div", { class: "row-detail", test: "row-detail" });
    this.#fillDetail();
    this.element.append(this.#detail);
    this.element.scrollIntoView({ block: "nearest" });
  }

  close() {
    if (!this.#detail) return;
    this.head.setAttribute("aria-expanded", "false");
    this.element.classList.remove("selected");
    this.#detail.remove();
    this.#detail = null;
  }

  #fillDetail() {
    const entry = this.#entry;
    const link = linkTo("event", entry.id);
    fill(this.#detail, detailOf(entry), h("div", { class: "buttons" },
      entry.kind === "message" && messageLinks(entry),
      copyButton("Copy as text", () => textOf(entry), "row-copy"),
      entry.kind !== "gap" && h("a", { class: "button small quiet-button", href: link },
        icon("link"), "Link")));
  }
}

function resultOf(entry) {
  if (entry.kind === "call") return entry.data.error ? "failed" : "done";
  if (entry.kind === "cluster-fault") return entry.data.resolved ? "resolved" : "failed";
  if (entry.kind !== "message") return null;
  if (!entry.response) return "open";
  return (entry.response.items ?? []).some((item) => item.status && !GOOD.includes(item.status))
    ? "failed" : "done";
}

function keyMark(keyID) {
  if (!keyID) return null;
  return h("span", { class: "row-key", title: `master key ${keyID}` },
    h("span", { class: `key-letter small ${classOf(keyID)}` }, letterOf(keyID)),
    h("span", { class: "id" }, plain(keyID.slice(0, 8))));
}

// The line of an entry.
function lineOf(entry) {
  const { data } = entry;
  if (entry.kind === "call") return callLine(data);
  if (entry.kind === "message") return messageLine(entry);
  if (entry.kind === "cluster-event") return [safe(data.message, { max: 300 })];
  if (entry.kind === "cluster-fault") {
    return [h("strong", { class: "mono" }, plain(data.code)), " ",
      data.resolved ? h("span", { class: "result" }, icon("check"), "resolved") : "",
      " ", safe(data.details, { max: 300 })];
  }
  if (entry.kind === "note") {
    return [h("strong", {}, safe(data.title, { max: 200 })), " ", safe(data.text, { max: 300 })];
  }
  return [safe(data.text)];
}

function callLine(data) {
  const { error, result } = data;
  return [h("span", { class: "mono" }, safe(data.method, { max: 120 })), " ",
    error ? h("span", { class: "result action" }, icon("alert"),
      plain(error.name ?? (error.status ? `HTTP ${error.status}` : "failed")))
      : h("span", { class: "result" }, icon("check"),
        result?.asyncHandle ? `asyncHandle ${plain(result.asyncHandle)}` : "done"),
    " ", h("span", { class: "muted" }, duration(data.milliseconds ?? 0))];
}

function messageLine(entry) {
  const { data, request, response } = entry;
  const server = (store.state?.keyServers ?? [])
    .find((one) => one.keyServerID === data.keyServerID);
  const items = response?.items?.length ? response.items : request?.items ?? [];
  const operations = (request?.items ?? response?.items ?? []).map((item) => item.operation ?? "?");
  const failed = items.find((item) => item.status && !GOOD.includes(item.status));
  const took = request && response ? Date.parse(response.time) - Date.parse(request.time) : null;
  return [h("span", { class: "muted" }, `node ${plain(data.nodeID)} \u2192 `,
    safe(server?.name ?? data.server, { max: 48 }), " "),
  h("strong", {}, plain(operations.join(", "))),
  h("span", { class: "muted" }, ` (${plain(data.version ?? "?")}) `),
  !response ? h("span", { class: "muted" }, "no answer yet")
    : failed ? h("span", { class: "result action" }, icon("alert"),
      plain(`${failed.status}${failed.reason ? `: ${failed.reason}` : ""}`))
      : h("span", { class: "result" }, icon("check"), plain(items[0]?.status ?? "Success")),
  " ", keyMark(entry.response?.keyID ?? data.keyID), " ",
  took !== null && h("span", { class: "muted" }, duration(took))];
}

function messageLinks(entry) {
  return ["request", "response"].filter((side) => entry[side]).map((side) => h("a", {
    class: "button small primary", href: linkTo("message", entry[side].number),
    test: `open-${side}`,
  }, icon("chevron"), `Open ${side} ${entry[side].number}`));
}

function json(title, value) {
  return [h("h4", {}, title), h("pre", { class: "code", tabindex: "0" },
    safe(shortJson(value), { lines: true, max: 20000 }))];
}

function detailOf(entry) {
  const { data } = entry;
  if (entry.kind === "call") {
    const meaning = data.error && explain({ name: data.error.name, status: 200 });
    return [meaning && h("p", {}, `${meaning[0]} ${meaning[1]}`),
      h("div", { class: "two" },
        h("div", {}, json("Parameters", data.params ?? {})),
        h("div", {}, data.error ? json("Error", data.error) : json("Result", data.result ?? {}))),
      h("p", { class: "muted" }, `from ${plain(data.client)}, endpoint ${plain(data.endpoint)}`,
        data.truncated && ", cut short")];
  }
  if (entry.kind === "message") return messageDetail(entry);
  if (entry.kind === "note") {
    return [h("p", {}, safe(data.text, { lines: true })),
      data.data && Object.keys(data.data).length > 0 && json("Data", data.data)];
  }
  return json("Details", data);
}

function messageDetail(entry) {
  const objects = [...new Set([entry.request, entry.response]
    .flatMap((side) => (side?.items ?? []).flatMap((item) => item.objects ?? [])))];
  const bytes = ["request", "response"].filter((side) => entry[side])
    .map((side) => `${side} ${entry[side].bytes} bytes`).join(", ");
  return [h("p", {}, h("span", { class: "muted" }, `exchange ${entry.data.exchange}: ${bytes}. `),
    "Key material is never shown."),
  objects.length > 0 && h("p", {}, h("span", { class: "muted" }, "objects "),
    objects.slice(0, 8).map((id) => [h("span", { class: "mono" }, safe(id, { max: 64 })), " "]))];
}

// An entry as one line of text, for the search and for copying.
export function textOf(entry) {
  const { data } = entry;
  const parts = [exact(entry.time), (KINDS[entry.kind] ?? KINDS.note).word];
  if (entry.kind === "call") {
    parts.push(data.method, JSON.stringify(data.params ?? {}), "->",
      JSON.stringify(data.error ?? data.result ?? {}));
  } else if (entry.kind === "message") {
    for (const side of [entry.request, entry.response]) {
      if (side) parts.push(`${side.direction} ${side.number}`, JSON.stringify(side.items ?? []));
    }
    parts.push(`node ${data.nodeID}`, data.server, data.keyID ?? "");
  } else {
    parts.push(data.code ?? "", data.title ?? "", data.message ?? data.details ?? data.text ?? "");
  }
  return plain(parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
    .join(" "), 20000);
}
