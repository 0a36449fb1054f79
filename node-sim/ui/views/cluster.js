// The cluster: its nodes, and its drives in the colours of the master keys that wrap them.

import { post } from "../lib/api.js";
import { View, announce, fill, h, icon, idButton, rove, setAttribute,
  setText } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { count, dateElement } from "../lib/format.js";
import { classOf, keyOf, letterOf, placeOf } from "../lib/keys.js";
import { selectionTokens } from "../lib/relations.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";
import { DriveTile } from "./drive_tile.js";

// From this number of drives on they are small.
const DENSE = 49;

// More drives than this in one frame change without an animation.
const ANIMATED_MAX = 80;

// Lines of cluster faults that are shown.
const FAULTS_SHOWN = 12;

class Cluster extends View {
  #tiles = new Map();
  #nodes = new Map();
  #grid = h("div", { class: "nodes" });
  #detail = h("div", { class: "drive-detail", hidden: true, test: "drive-detail" });
  #problem = h("div", {});
  #serving = h("p", { class: "not-serving", hidden: true, test: "not-serving" });
  #faults = h("section", { class: "cluster-faults", hidden: true, test: "cluster-faults",
    label: "Cluster faults" });
  #shown = null;

  make() {
    fill(this, h("section", { class: "panel", "aria-labelledby": "cluster-title" },
      h("lab-rekey", {}), this.#problem, this.#serving, this.#grid, this.#detail, this.#faults,
      h("lab-servers", {})));
    rove(this.#grid, ".drive", { columns: true });
    this.#grid.addEventListener("click", (event) => {
      const tile = event.target.closest(".drive");
      if (tile) this.#select(Number(tile.dataset.drive));
    });
    store.on("state", (changed) => this.#update(changed));
    store.on("selection", () => this.#showSelection());
    store.on("trace", () => this.#endTrace());
    if (store.state) this.#update(new Set(["all"]));
  }

  // #/drive/5 shows a drive, #/cluster-faults the faults.
  showArgument(argument, view) {
    if (view === "drive" && store.drives.has(Number(argument))) {
      if (this.#shown !== Number(argument)) this.#select(Number(argument));
    }
    if (view !== "cluster-faults" || this.#faults.hidden) return;
    this.#faults.querySelector("h3")?.focus();
    this.#faults.scrollIntoView({ block: "nearest" });
  }

  #update(changed) {
    if (changed.has("all")) this.#build();
    const driveIDs = [];
    for (const name of changed) {
      if (name.startsWith("drive:")) driveIDs.push(Number(name.slice(6)));
      if (name.startsWith("node:")) this.#updateNode(Number(name.slice(5)));
    }
    // The colours and words of all drives follow from the keys.
    const isAll = changed.has("all");
    const isAnimated = !isAll && driveIDs.length <= ANIMATED_MAX;
    setAttribute(this.#grid, "data-still", !isAnimated && "yes");
    for (const id of isAll ? store.drives.keys() : driveIDs) {
      const isChanged = this.#tiles.get(id)?.update(store.state);
      if (isChanged && store.trace && !isAll) this.#tiles.get(id).element.classList.add("caused");
    }
    if (changed.has("all") || changed.has("clusterFaults")) this.#showFaults();
    if (isAll || driveIDs.length) this.#showServing();
    if (isAll || driveIDs.includes(this.#shown)) this.#showDetail();
    if (isAll || changed.has("cluster")) this.#showTitle();
  }

  #showTitle() {
    const { cluster, nodes } = store.state;
    setAttribute(this.#grid, "aria-label",
      `${plain(cluster?.name)}: ${count(nodes.length, "node")}`);
  }

  // Makes the elements of all nodes and drives.
  #build() {
    this.#tiles.clear();
    this.#nodes.clear();
    const isDense = store.drives.size >= DENSE;
    this.#grid.dataset.density = isDense ? "dense" : "roomy";
    const cards = store.state.nodes.map((node) => {
      const tiles = node.drives.map((drive) => new DriveTile(drive));
      for (const tile of tiles) this.#tiles.set(tile.driveID, tile);
      const word = h("span", { class: "switch-word" });
      const power = h("button", { class: "switch", role: "switch",
        test: `node-${node.nodeID}-power`, label: `power of node ${node.nodeID}`,
        title: "cut the power, or switch it on", onclick: () => this.#switchPower(node.nodeID) },
      h("span", { class: "switch-knob" }), word);
      const name = h("h3", { class: "node-name", title: `node ${node.nodeID}, ${node.name}` },
        `node ${node.nodeID}`);
      const card = h("section", { class: "node", test: `node-${node.nodeID}`,
        label: `node ${node.nodeID}, ${node.name}` },
      h("div", { class: "node-head" }, name, power),
      h("div", { class: "drives", role: "group", label: "drives" },
        tiles.map((tile) => tile.element)));
      this.#nodes.set(node.nodeID, { card, power, word });
      return card;
    });
    fill(this.#grid, cards.length ? cards : h("p", { class: "empty" },
      "The cluster has no nodes."));
    const first = this.#grid.querySelector(".drive");
    if (first) first.tabIndex = 0;
    for (const node of store.state.nodes) this.#updateNode(node.nodeID);
  }

  #updateNode(nodeID) {
    const parts = this.#nodes.get(nodeID);
    const node = store.state.nodes.find((one) => one.nodeID === nodeID);
    if (!parts || !node) return;
    const word = node.powered ? "on" : "off";
    if (parts.card.dataset.power === word) return;
    parts.card.dataset.power = word;
    setText(parts.word, word);
    setAttribute(parts.power, "aria-checked", String(node.powered));
  }

  async #switchPower(nodeID) {
    const node = store.state.nodes.find((one) => one.nodeID === nodeID);
    const { power } = this.#nodes.get(nodeID);
    power.disabled = true;
    fill(this.#problem);
    const endTrace = store.beginTrace(`node ${nodeID}`);
    try {
      await post(`/sim/v1/nodes/${nodeID}/${node.powered ? "stop" : "start"}`);
      announce(`node ${nodeID} is ${node.powered ? "being switched off" : "starting"}`);
    } catch (error) {
      fill(this.#problem, errorBox(error, { test: "power-error" }));
    } finally {
      power.disabled = false;
      endTrace();
    }
  }

  #select(driveID) {
    const isSame = this.#shown === driveID;
    this.#shown = isSame ? null : driveID;
    this.#showDetail();
    const known = store.drives.get(driveID);
    const tokens = new Set([`drive:${driveID}`]);
    for (const id of known?.drive.wrappings ?? []) tokens.add(`key:${id}`);
    store.select(isSame ? null : { name: `drive:${driveID}`, tokens, entry: null });
  }

  #showDetail() {
    const known = this.#shown === null ? null : store.drives.get(this.#shown);
    this.#detail.hidden = !known;
    if (!known) return;
    const { drive, node } = known;
    const { state } = store;
    const keys = drive.wrappings.map((id) => h("span", { class: "key-chip" },
      h("span", { class: `key-letter ${classOf(id)}`, "aria-hidden": "true" }, letterOf(id)),
      safe(placeOf(keyOf(state, id), state), { max: 48 }), idButton(id, { label: "key" })));
    fill(this.#detail, h("h3", {}, `Drive ${drive.driveID}`),
      h("dl", { class: "pairs" },
        pair("node", safe(node.name, { max: 48 })), pair("slot", drive.slot),
        pair("serial", h("span", { class: "mono" }, safe(drive.serial, { max: 48 }))),
        pair("state", drive.state), drive.reason && pair("reason", safe(drive.reason)),
        pair("wrapped by", keys.length ? keys : "no key"),
        pair("blocks", drive.blocks?.toLocaleString("en"))));
  }

  // Why drives do not serve, once for each reason.
  #showServing() {
    const reasons = new Map();
    for (const { drive } of store.drives.values()) {
      if (drive.state === "active") continue;
      const reason = drive.reason ?? (drive.state === "absent" ? "the node is off" : "");
      const text = `${drive.state}: ${reason}`;
      reasons.set(text, (reasons.get(text) ?? 0) + 1);
    }
    this.#serving.hidden = reasons.size === 0;
    const rows = [...reasons].slice(0, 6).map(([text, number]) => h("span", { class: "reason" },
      icon(text.startsWith("locked") ? "lock" : "power"),
      `${count(number, "drive")} `, safe(text, { max: 400 })));
    fill(this.#serving, rows);
  }

  // The faults that there are now; those of one kind and cause in one line.
  #showFaults() {
    const faults = store.state.clusterFaults ?? [];
    this.#faults.hidden = faults.length === 0;
    const groups = new Map();
    for (const fault of faults) {
      const name = `${fault.code} ${fault.severity} ${fault.details}`;
      groups.set(name, { fault, number: (groups.get(name)?.number ?? 0) + 1 });
    }
    const shown = [...groups.values()].slice(0, FAULTS_SHOWN);
    fill(this.#faults, h("h3", { tabindex: "-1" }, icon("alert"),
      count(faults.length, "cluster fault")),
    h("ul", { class: "fault-list" }, shown.map(({ fault, number }) => h("li", {},
      h("strong", { class: "mono" }, plain(fault.code)),
      h("span", { class: "badge" }, plain(fault.severity)),
      number > 1 && h("span", {}, `${number} times`), dateElement(fault.date),
      h("span", { class: "fault-details" }, safe(fault.details, { max: 600 }))))),
    groups.size > shown.length && h("p", { class: "hint" },
      `and ${groups.size - shown.length} more`));
  }

  // Outlines the drives that belong to the selection.
  #showSelection() {
    const { selection, rekeys } = store;
    const tokens = selection ? selectionTokens(selection, rekeys) : new Set();
    const isByDrive = selection?.name?.startsWith("drive:");
    const ids = new Set();
    for (const [id, { drive, node }] of store.drives) {
      const isNamed = tokens.has(`drive:${id}`) || tokens.has(`node:${node.nodeID}`);
      const isWrapped = drive.wrappings.some((key) => tokens.has(`key:${key}`));
      if (isNamed || (isWrapped && !isByDrive)) ids.add(id);
    }
    for (const [id, tile] of this.#tiles) tile.element.classList.toggle("related", ids.has(id));
    if (!selection?.name?.startsWith("drive:") && this.#shown !== null) {
      this.#shown = null;
      this.#showDetail();
    }
  }

  #endTrace() {
    if (store.trace) return;
    for (const tile of this.querySelectorAll(".drive.caused")) tile.classList.remove("caused");
  }
}

function pair(name, ...values) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, ...values.map((value) => value ?? "\u2013")));
}

customElements.define("lab-cluster", Cluster);
