// A KMIP message: its items as a tree beside its bytes. Selecting one marks the other.

import { get } from "../lib/api.js";
import { View, copyButton, fill, h, icon, idButton } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { timeElement, timeOf } from "../lib/format.js";
import { classOf, letterOf } from "../lib/keys.js";
import { linkTo } from "../lib/router.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";
import { HexView } from "./hex_view.js";
import { MessageTree } from "./message_tree.js";

class MessageView extends View {
  #body = h("div", { class: "message-body" });
  #head = h("div", { class: "message-head" });
  #title = h("h1", { tabindex: "-1" }, "KMIP message");
  #number = null;

  make() {
    fill(this, h("section", { class: "panel", test: "message" },
      h("div", { class: "panel-head" },
        h("a", { class: "button small", href: "#/", test: "message-back" }, icon("back"),
          "Back"), this.#title),
      this.#head, this.#body));
  }

  // #/message/17 shows the message 17; without a number the newest.
  showArgument(argument) {
    const newest = store.entries.findLast((entry) => entry.kind === "message");
    const number = argument ?? newest?.data.number ?? null;
    if (number === null) {
      fill(this.#head);
      fill(this.#body, h("p", { class: "empty" },
        "No KMIP message has been sent yet. Test a key server, or start a rekey."));
      return;
    }
    if (String(number) === this.#number) return;
    this.#number = String(number);
    this.#load(this.#number);
  }

  async #load(number) {
    this.#title.textContent = `KMIP message ${plain(number)}`;
    fill(this.#head);
    fill(this.#body, h("p", { class: "loading quiet-loading" }, "Reading the message\u2026"));
    try {
      const message = await get(`/sim/v1/messages/${encodeURIComponent(number)}`);
      if (this.#number === number) this.#show(message);
    } catch (error) {
      if (this.#number !== number) return;
      this.#number = null;
      fill(this.#body, errorBox(error, { test: "message-error",
        retry: () => this.showArgument(number) }));
    }
  }

  #show(message) {
    const tree = new MessageTree(message.tree ?? []);
    const hex = new HexView(message.hex ?? "", message.hidden ?? []);
    tree.onSelect = (node) => hex.mark(node);
    hex.onSelect = (offset) => {
      const node = tree.select(offset);
      if (node) hex.mark(node, false);
    };
    fill(this.#head, this.#facts(message), this.#links(message));
    fill(this.#body,
      message.error && h("p", { class: "action" }, icon("alert"), safe(message.error)),
      h("div", { class: "message-columns" },
        h("section", { label: "Items" },
          h("div", { class: "column-head" }, h("h2", {}, "Items"),
            copyButton("Copy as text", () => tree.text(), "tree-copy")), tree.element),
        h("section", { label: "Bytes" },
          h("div", { class: "column-head" }, h("h2", {}, "Bytes"),
            copyButton("Copy", () => message.hex, "hex-copy")), hex.element,
          (message.hidden ?? []).length > 0 && h("p", { class: "hint" }, icon("lock"),
            "Bytes of key material are left out by the cluster, and shown as \u00b7\u00b7."))));
    tree.selectFirst();
  }

  #facts(message) {
    const failed = (message.items ?? []).find((item) => item.status
      && item.status !== "Success");
    const operations = (message.items ?? []).map((item) => item.operation ?? "?").join(", ");
    const to = message.direction === "request"
      ? `node ${message.nodeID} \u2192 ${message.server}`
      : `${message.server} \u2192 node ${message.nodeID}`;
    return h("p", { class: "message-line" }, h("strong", {}, plain(operations)), " ",
      h("span", { class: "badge" }, plain(message.direction)), " ", safe(to, { max: 120 }),
      h("span", { class: "muted" }, ` KMIP ${plain(message.version ?? "?")}, ${
        message.bytes.toLocaleString("en")} bytes, `), timeElement(timeOf(message.time)),
      failed && h("span", { class: "action" }, icon("alert"),
        plain(`${failed.status} ${failed.reason ?? ""}`)),
      message.keyID && h("span", { class: "key-chip" },
        h("span", { class: `key-letter small ${classOf(message.keyID)}` },
          letterOf(message.keyID)), idButton(message.keyID, { label: "key" })));
  }

  #links(message) {
    const step = (number, word, test, iconName) => h("a", { class: "button small",
      href: linkTo("message", number), test: test }, icon(iconName), word);
    const entry = store.exchanges.get(message.exchange);
    const other = message.direction === "request" ? entry?.response : entry?.request;
    const newest = store.entries.reduce((max, one) => (one.kind === "message"
      ? Math.max(max, one.request?.number ?? 0, one.response?.number ?? 0) : max), 0);
    return h("div", { class: "buttons" },
      message.number > 1 && step(message.number - 1, "Earlier", "message-earlier", "back"),
      message.number < newest && step(message.number + 1, "Later", "message-later", "arrow"),
      other && step(other.number, `Its ${other.direction}`, "message-other", "link"));
  }
}

customElements.define("lab-message", MessageView);
