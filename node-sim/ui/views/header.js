// The header: the cluster in one line, the tabs, theme and logout.

import { remove } from "../lib/api.js";
import { announce, fill, h, icon, idButton, setAttribute } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { classOf, currentKey, letterOf, placeOf } from "../lib/keys.js";
import { onRoute, route } from "../lib/router.js";
import { safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";

const TABS = [
  ["migration", "Migration", "#/"],
  ["key-server", "Key server", "#/key-server"],
  ["faults", "Faults", "#/faults"],
  ["scenarios", "Scenarios", "#/scenarios"],
];

const THEMES = { auto: ["half", "system"], light: ["sun", "light"], dark: ["moon", "dark"] };

class Header extends HTMLElement {
  #tabs = h("ul", { class: "tabs" });
  #theme = h("button", { class: "button quiet-button", test: "theme" });
  #user = h("span", { class: "muted user" });
  #facts = {};

  connectedCallback() {
    this.#theme.addEventListener("click", () => this.#nextTheme());
    const logout = h("button", { class: "button quiet-button",
      test: "logout", onclick: () => this.#logout() }, icon("exit"), "Log out");
    fill(this, h("header", { class: "top" },
      h("div", { class: "top-row" },
        h("a", { href: "#/", class: "brand" }, icon("key"), "Lab"),
        h("nav", { label: "Views" }, this.#tabs),
        h("div", { class: "top-end" }, this.#user, this.#theme, logout)),
      h("dl", { class: "facts", label: "Cluster" },
        this.#fact("cluster", "cluster"), this.#fact("nodes", "nodes"),
        this.#fact("drives", "drives"), this.#fact("key", "master key"),
        this.#fact("faults", "faults"))));
    this.#showTheme();
    this.#showTabs();
    onRoute(() => this.#showTabs());
    store.on("session", () => this.#showUser());
    store.on("state", (changed) => this.#show(changed));
    this.#showUser();
    if (store.state) this.#show(new Set(["all"]));
  }

  #fact(name, title) {
    this.#facts[name] = h("dd", { test: `status-${name}` }, "\u2013");
    return h("div", { class: `fact fact-${name}` }, h("dt", {}, title), this.#facts[name]);
  }

  #showTabs() {
    const views = { step: "migration", drive: "migration", event: "migration",
      "cluster-faults": "migration" };
    const view = views[route().view] ?? route().view;
    const shown = TABS.filter(([name]) => store.state?.lab
      || !["faults", "scenarios"].includes(name));
    fill(this.#tabs, shown.map(([name, title, link]) => h("li", {}, h("a", {
      href: link,
      test: `tab-${name}`,
      "aria-current": name === view ? "page" : null,
    }, title))));
  }

  #show(changed) {
    const { state } = store;
    const has = (...names) => changed.has("all") || names.some((name) => changed.has(name));
    const isDrive = [...changed].some((name) => name.startsWith("drive:"));
    if (has("lab")) this.#showTabs();
    if (has("user")) this.#showUser();
    if (has("cluster")) fill(this.#facts.cluster, safe(state.cluster?.name, { max: 64 }));
    if (has("nodes") || isDrive) this.#showNodes(state);
    if (has("masterKeys", "keyProviders", "keyServers")) this.#showKey(state);
    if (has("clusterFaults")) this.#showFaults(state);
  }

  #showNodes(state) {
    const on = state.nodes.filter((node) => node.powered).length;
    const off = state.nodes.length - on;
    fill(this.#facts.nodes, `${state.nodes.length}`,
      off > 0 && h("span", { class: "action" }, icon("power"), `${off} off`));
    const states = { active: 0, locked: 0, absent: 0 };
    for (const { drive } of store.drives.values()) states[drive.state] += 1;
    fill(this.#facts.drives, store.drives.size.toLocaleString("en"),
      states.locked > 0 && h("span", { class: "action" }, icon("lock"), `${states.locked} locked`),
      states.absent > 0 && h("span", { class: "muted" }, icon("power"),
        `${states.absent} absent`));
  }

  #showKey(state) {
    const key = currentKey(state);
    if (!key) return fill(this.#facts.key, "none");
    return fill(this.#facts.key, h("span", { class: "key-chip" },
      h("span", { class: `key-letter ${classOf(key.keyID)}`, "aria-hidden": "true" },
        letterOf(key.keyID)),
      h("span", { test: "status-key-place" }, safe(placeOf(key, state), { max: 64 })),
      idButton(key.keyID, { test: "status-key-id", label: "key" })));
  }

  #showFaults(state) {
    const number = state.clusterFaults?.length ?? 0;
    fill(this.#facts.faults, number === 0
      ? h("span", { class: "none" }, icon("check"), "0")
      : h("a", { href: "#/cluster-faults", class: "action", test: "faults-link",
        label: `${count(number, "cluster fault")}, show` }, icon("alert"), `${number}`));
  }

  #showUser() {
    this.#user.textContent = store.session?.user ?? store.state?.user ?? "";
  }

  #showTheme() {
    const theme = document.documentElement.dataset.theme ?? "auto";
    const [name, word] = THEMES[theme] ?? THEMES.auto;
    fill(this.#theme, icon(name), h("span", { class: "wide-only" }, "Theme: "), word);
    setAttribute(this.#theme, "aria-label", `Theme: ${word}. Change it`);
  }

  #nextTheme() {
    const names = Object.keys(THEMES);
    const root = document.documentElement;
    const next = names[(names.indexOf(root.dataset.theme ?? "auto") + 1) % names.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Without storage it lasts until the page is left.
    }
    this.#showTheme();
    announce(`Theme: ${THEMES[next][1]}`);
  }

  async #logout() {
    await remove("/sim/v1/session").catch(() => {});
    this.dispatchEvent(new CustomEvent("logout"));
  }
}

customElements.define("lab-header", Header);
