// The timeline: calls, KMIP messages, events, faults and notes, the newest at the end. Selecting
// one highlights what belongs to it.

import { View, fill, h, icon, rove, setAttribute, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { isRelated, selectionTokens } from "../lib/relations.js";
import { store } from "../lib/store.js";
import { KINDS, TimelineRow, textOf } from "./timeline_row.js";

// Rows in the document; more on demand.
const ROWS_MAX = 300;
const MORE = 300;
const NEAR_END = 24;

const FILTERS = [
  ["call", "API"], ["message", "KMIP"], ["cluster-event", "events"], ["cluster-fault", "faults"],
  ["note", "notes"], ["read", "background"],
];
const OFF_AT_FIRST = ["read"];

class Timeline extends View {
  #list = h("ol", { class: "rows", test: "timeline-rows" });
  #scroll = h("div", { class: "rows-scroll", tabindex: "-1" }, this.#list);
  #older = h("button", { class: "button small older", test: "older" });
  #newest = h("button", { class: "button small primary newest", hidden: true,
    test: "newest" });
  #empty = h("p", { class: "empty", test: "timeline-empty" });
  #search = h("input", { type: "search", id: "timeline-search", placeholder: "Search",
    label: "Search the timeline", test: "timeline-search" });
  #fold = h("button", { class: "button small quiet-button",
    test: "timeline-fold" });
  #buttons = new Map();
  #rows = new Map();
  #filter = load("timelineFilter") ?? FILTERS.map(([name]) => name)
    .filter((name) => !OFF_AT_FIRST.includes(name));
  #shownMax = ROWS_MAX;
  #missed = 0;
  #wanted = null;

  make() {
    for (const [name, word] of FILTERS) {
      this.#buttons.set(name, h("button", { class: "filter",
        "data-kind": name, test: `filter-${name}`,
        onclick: () => this.#toggle(name) }, icon(KINDS[name]?.icon ?? "circle"), word));
    }
    fill(this, h("section", { class: "panel timeline", "aria-labelledby": "timeline" },
      h("div", { class: "panel-head" },
        h("h2", { id: "timeline", tabindex: "-1" }, "Timeline"),
        h("div", { class: "filters", role: "group", label: "Shown in the timeline" },
          [...this.#buttons.values()]), this.#search, this.#fold),
      h("div", { class: "timeline-body" }, this.#scroll, this.#newest)));
    this.#scroll.prepend(this.#older);
    this.#scroll.append(this.#empty);
    this.#older.addEventListener("click", () => {
      this.#shownMax += MORE;
      this.#rebuild(false);
    });
    this.#newest.addEventListener("click", () => this.#toEnd());
    this.#scroll.addEventListener("scroll", () => this.#isAtEnd() && this.#showMissed(0));
    this.#search.addEventListener("input", () => this.#rebuild(true));
    this.#fold.addEventListener("click", () => this.#setFolded(this.dataset.folded !== "yes"));
    rove(this.#list, ".row");
    this.#list.addEventListener("click", (event) => this.#click(event));
    store.on("entries", (changed) => this.#update(changed));
    store.on("selection", () => this.#showSelection());
    store.on("trace", () => this.#showTrace());
    this.#setFolded(load("timelineFolded") === true);
    this.#showFilter();
    this.#rebuild(true);
  }

  // #/event/RUN-12 selects the entry as soon as it is there.
  showEvent(id) {
    const entry = store.entries.find((one) => one.id === id);
    this.#wanted = entry ? null : id;
    if (entry && store.selection?.entry !== entry) this.#selectEntry(entry);
  }

  #toggle(name) {
    const isOn = this.#filter.includes(name);
    this.#filter = isOn ? this.#filter.filter((one) => one !== name) : [...this.#filter, name];
    save("timelineFilter", this.#filter);
    this.#showFilter();
    this.#rebuild(true);
  }

  #showFilter() {
    for (const [name, button] of this.#buttons) {
      button.setAttribute("aria-pressed", String(this.#filter.includes(name)));
    }
  }

  #setFolded(isFolded) {
    setAttribute(this, "data-folded", isFolded && "yes");
    setAttribute(this.#fold, "aria-expanded", String(!isFolded));
    fill(this.#fold, icon("chevron"), isFolded ? "Show" : "Hide");
    save("timelineFolded", isFolded);
    if (!isFolded) this.#toEnd();
  }

  #isShown(entry) {
    if (entry.kind === "gap") return true;
    if (!this.#filter.includes(entry.kind)) return false;
    if (isBackground(entry) && !this.#filter.includes("read")) return false;
    const search = this.#search.value.trim().toLowerCase();
    return !search || textOf(entry).toLowerCase().includes(search);
  }

  // Shows entries that came or changed.
  #update(changed) {
    if (changed.has("all")) return this.#rebuild(true);
    const isAtEnd = this.#isAtEnd();
    let added = 0;
    for (const entry of changed) {
      const row = this.#rows.get(entry);
      if (row) {
        row.update();
      } else if (this.#isShown(entry)) {
        this.#append(entry);
        added += 1;
      }
      if (entry.id === this.#wanted) this.showEvent(entry.id);
    }
    if (!added) return undefined;
    this.#trim();
    this.#showEmpty();
    if (store.selection) this.#showSelection();
    if (isAtEnd) this.#toEnd();
    else this.#showMissed(this.#missed + added);
    return undefined;
  }

  #append(entry) {
    const row = new TimelineRow(entry);
    this.#rows.set(entry, row);
    this.#list.append(row.element);
    if (this.#rows.size === 1) row.head.tabIndex = 0;
  }

  // Takes the oldest rows out of the document.
  #trim() {
    let surplus = this.#rows.size - this.#shownMax;
    if (surplus <= 0) return;
    for (const [entry, row] of this.#rows) {
      if (surplus <= 0) break;
      surplus -= 1;
      row.element.remove();
      this.#rows.delete(entry);
    }
    if (!this.#list.querySelector('.row[tabindex="0"]')) {
      const last = this.#list.lastElementChild?.querySelector(".row");
      if (last) last.tabIndex = 0;
    }
    this.#showOlder();
  }

  #rebuild(toEnd) {
    const entries = store.entries.filter((entry) => this.#isShown(entry));
    const shown = entries.slice(-this.#shownMax);
    const height = this.#scroll.scrollHeight;
    this.#rows.clear();
    this.#list.replaceChildren();
    for (const entry of shown) this.#append(entry);
    this.#showOlder(entries.length - shown.length);
    this.#showEmpty();
    this.#showSelection();
    if (this.#wanted) this.showEvent(this.#wanted);
    if (toEnd) this.#toEnd();
    else this.#scroll.scrollTop += this.#scroll.scrollHeight - height;
  }

  #showOlder(hidden = null) {
    const number = hidden ?? store.entries.filter((entry) => this.#isShown(entry)).length
      - this.#rows.size;
    this.#older.hidden = number <= 0;
    setText(this.#older, `Show ${Math.min(MORE, number)} older of ${number}`);
  }

  #showEmpty() {
    this.#empty.hidden = this.#rows.size > 0;
    setText(this.#empty, store.entries.length
      ? "Nothing here matches the filter."
      : "Nothing has happened yet. Send the first request of the steps.");
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#showMissed(0);
  }

  #showMissed(number) {
    this.#missed = number;
    this.#newest.hidden = number === 0;
    if (number) fill(this.#newest, icon("down"), `${count(number, "new row")}`);
  }

  #click(event) {
    const head = event.target.closest(".row");
    const item = head?.closest("li");
    for (const [entry, row] of this.#rows) {
      if (row.element === item) return this.#selectEntry(entry);
    }
    return undefined;
  }

  #selectEntry(entry) {
    store.select({ name: entry.id, tokens: entry.tokens, entry });
    const row = this.#rows.get(entry);
    if (row && store.selection === null) row.close();
  }

  #showSelection() {
    const { selection, rekeys } = store;
    const tokens = selection ? selectionTokens(selection, rekeys) : null;
    for (const [entry, row] of this.#rows) {
      const isSelected = selection?.entry === entry;
      if (isSelected) row.open();
      else row.close();
      row.element.classList.toggle("related",
        Boolean(selection) && isRelated(entry, selection, tokens));
    }
    this.dataset.selecting = selection ? "yes" : "no";
  }

  #showTrace() {
    for (const row of this.#rows.values()) row.mark();
  }
}

// Calls that only read, and the cluster's events that repeat calls.
function isBackground({ data }) {
  return (data.read && !data.error) || data.eventInfoType === "apiEvent";
}

function load(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

function save(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Without storage it lasts until the page is left.
  }
}

customElements.define("lab-timeline", Timeline);
