// The objects of a key server, as it shows them to the cluster; never their bytes.

import { get, post } from "../lib/api.js";
import { View, announce, fill, h, icon, idButton } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { dateElement } from "../lib/format.js";
import { classOf, keyOf, letterOf } from "../lib/keys.js";
import { linkTo } from "../lib/router.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";
import { DestroyDialog } from "./destroy_dialog.js";

const STATE_ICONS = { Active: "check", PreActive: "clock", Deactivated: "pause",
  Compromised: "alert", Destroyed: "trash", DestroyedCompromised: "trash" };
const DATES = [["initialDate", "created"], ["activationDate", "active"],
  ["deactivationDate", "deactivated"], ["destroyDate", "destroyed"]];

class Objects extends View {
  #servers = h("div", { class: "segments", role: "group", label: "Key servers" });
  #reload = h("button", { class: "button small", test: "objects-reload" },
    icon("retry"), "Read again");
  #body = h("div", { class: "objects-body" });
  #serverID = null;
  #request = 0;

  make() {
    fill(this, h("section", { class: "panel", test: "objects" },
      h("div", { class: "panel-head" }, h("h1", { tabindex: "-1" }, "Key server"),
        this.#servers, this.#reload),
      h("p", { class: "hint" }, "What the key server shows to the cluster\u2019s certificate. ",
        "Key material is never read here."), this.#body));
    this.#reload.addEventListener("click", () => this.#load());
    store.on("state", (changed) => {
      if (changed.has("all") || changed.has("keyServers")) this.#showServers();
    });
  }

  showArgument(argument) {
    const servers = store.state?.keyServers ?? [];
    const wanted = servers.find((server) => String(server.keyServerID) === argument);
    const before = this.#serverID;
    this.#serverID = (wanted ?? servers.find((server) => server.keyServerID === before)
      ?? servers[0])?.keyServerID ?? null;
    this.#showServers();
    this.#load();
  }

  #showServers() {
    const servers = store.state?.keyServers ?? [];
    if (!servers.some((server) => server.keyServerID === this.#serverID)) {
      this.#serverID = servers[0]?.keyServerID ?? null;
      if (this.isConnected && this.#serverID !== null) this.#load();
    }
    fill(this.#servers, servers.map((server) => h("a", { class: "segment",
      href: linkTo("key-server", server.keyServerID),
      test: `objects-server-${server.keyServerID}`,
      "aria-current": server.keyServerID === this.#serverID ? "page" : null,
    }, safe(server.name, { max: 48 }))));
  }

  async #load() {
    const id = this.#serverID;
    this.#reload.disabled = id === null;
    if (id === null) {
      fill(this.#body, h("p", { class: "empty", test: "objects-empty" },
        "The cluster has no key server yet. Step 4 of the migration creates one."));
      return;
    }
    this.#request += 1;
    const request = this.#request;
    if (!this.#body.querySelector("table")) {
      fill(this.#body, h("p", { class: "loading quiet-loading" }, "Asking the key server\u2026"));
    }
    this.#body.setAttribute("aria-busy", "true");
    try {
      const answer = await get(`/sim/v1/key-servers/${id}/objects`);
      if (request === this.#request) this.#show(answer);
    } catch (error) {
      if (request !== this.#request) return;
      fill(this.#body, errorBox(error, { test: "objects-error", retry: () => this.#load() }));
    } finally {
      this.#body.removeAttribute("aria-busy");
    }
  }

  #show({ objects = [], truncated }) {
    if (!objects.length) {
      fill(this.#body, h("p", { class: "empty", test: "objects-empty" },
        "The key server shows no object to the cluster. A rekey to it creates the first."));
      return;
    }
    const heads = ["Object", "State", "Kind", "Dates", "Links", "Used as", "Owner", "Action"];
    fill(this.#body, h("div", { class: "table-scroll" }, h("table", { class: "objects" },
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" },
        head === "Action" ? h("span", { class: "visually-hidden" }, head) : head)))),
      h("tbody", {}, objects.map((object) => this.#row(object))))),
    truncated && h("p", { class: "hint" }, "There are more; only the first are shown."));
  }

  #row(object) {
    const isDestroyed = /^Destroyed/.test(object.state ?? "");
    const dates = DATES.filter(([name]) => object[name]).map(([name, word]) => h("div", {},
      h("span", { class: "muted" }, `${word} `), dateElement(object[name])));
    const links = (object.links ?? []).map((link) => h("div", {},
      h("span", { class: "muted" }, plain(`${link.type} `)), idButton(link.to)));
    const cell = (label, ...values) => h("td", { "data-label": label }, values);
    return h("tr", { test: `object-${plain(object.uniqueIdentifier)}` },
      h("th", { scope: "row", "data-label": "Object" },
        (object.names ?? []).map((name) => h("div", { class: "object-name" },
          safe(name, { max: 120 }))), idButton(object.uniqueIdentifier, { label: "object" })),
      cell("State", h("span", { class: "state-word" },
        icon(STATE_ICONS[object.state] ?? "circle"), plain(object.state ?? "unknown"))),
      cell("Kind", plain(object.objectType ?? "?"), h("div", { class: "muted" },
        plain([object.cryptographicAlgorithm, object.cryptographicLength].filter(Boolean)
          .join(" ")))),
      cell("Dates", dates), cell("Links", links.length ? links : "\u2013"),
      cell("Used as", usedAs(object.keyID)),
      cell("Owner", object.owner ? safe(object.owner, { max: 80 }) : "\u2013"),
      cell("Action", !isDestroyed && h("button", { class: "button small danger",
        test: "object-destroy", onclick: () => this.#destroy(object) }, icon("trash"),
      "Destroy\u2026")));
  }

  async #destroy(object) {
    const dialog = new DestroyDialog(object, keyOf(store.state, object.keyID), async (uid) => {
      const endTrace = store.beginTrace("destroy");
      try {
        const path = `/sim/v1/key-servers/${this.#serverID}/objects/${encodeURIComponent(uid)}`;
        await post(`${path}/destroy`, { confirm: uid });
      } finally {
        endTrace();
      }
    });
    if (await dialog.open()) {
      announce("The object was destroyed");
      await this.#load();
      this.querySelector("h1")?.focus();
    }
  }
}

function usedAs(keyID) {
  if (!keyID) return h("span", { class: "muted" }, "not a key of this cluster");
  const key = keyOf(store.state, keyID);
  const word = !key ? "past master key" : key.current ? "current master key"
    : `master key, ${plain(key.state)}`;
  return h("div", {}, h("span", { class: "key-chip" },
    key && h("span", { class: `key-letter small ${classOf(keyID)}` }, letterOf(keyID)),
    idButton(keyID, { label: "key" })), h("div", { class: "muted" }, word));
}

customElements.define("lab-objects", Objects);
