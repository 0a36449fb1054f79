// The items of a message as a tree.

import { fill, h, icon } from "../lib/dom.js";
import { plain, safe } from "../lib/safe_text.js";

// Items that are made; a message of more is shown as far.
const ITEMS_MAX = 3000;

export class MessageTree {
  element = h("div", { class: "tree", role: "tree", label: "Items of the message",
    test: "tree" });
  onSelect = () => {};
  #rows = [];
  #selected = null;

  constructor(items) {
    for (const item of items) this.#add(item, 1, null);
    this.element.addEventListener("click", (event) => this.#click(event));
    this.element.addEventListener("keydown", (event) => this.#key(event));
    fill(this.element, this.#rows.map((row) => row.element));
    if (!this.#rows.length) fill(this.element, h("p", { class: "empty" }, "No item can be read."));
  }

  #add(item, level, parent) {
    if (this.#rows.length >= ITEMS_MAX) return;
    const children = item.children ?? [];
    const twist = h("span", { class: "twist" }, children.length ? icon("chevron") : "");
    const element = h("div", { role: "treeitem", class: `tree-row level-${Math.min(level, 9)}`,
      "aria-level": level, "aria-selected": "false", tabindex: "-1",
      "aria-expanded": children.length ? "true" : null, "data-offset": item.offset },
    twist, h("span", { class: "tree-tag" }, plain(item.tag)),
    h("span", { class: "tree-type" }, plain(item.type ?? "?")), valueOf(item));
    const row = { item, level, parent, element, hasChildren: children.length > 0, isOpen: true };
    this.#rows.push(row);
    for (const child of children) this.#add(child, level + 1, row);
  }

  selectFirst() {
    if (this.#rows.length) this.#selectRow(this.#rows[0], false);
  }

  // Selects the innermost item that has the byte; returns it.
  select(offset) {
    let found = null;
    for (const row of this.#rows) {
      const { item } = row;
      const isIn = offset >= item.offset && offset < item.offset + item.length;
      if (isIn && (!found || row.level >= found.level)) found = row;
    }
    if (!found) return null;
    for (let row = found.parent; row; row = row.parent) this.#setOpen(row, true);
    this.#selectRow(found, false, false);
    found.element.scrollIntoView({ block: "nearest" });
    return found.item;
  }

  #selectRow(row, isFocused, isTold = true) {
    if (this.#selected) {
      this.#selected.element.setAttribute("aria-selected", "false");
      this.#selected.element.tabIndex = -1;
    }
    this.#selected = row;
    row.element.setAttribute("aria-selected", "true");
    row.element.tabIndex = 0;
    if (isFocused) row.element.focus();
    if (isTold) this.onSelect(row.item);
  }

  #setOpen(row, isOpen) {
    if (!row.hasChildren || row.isOpen === isOpen) return;
    row.isOpen = isOpen;
    row.element.setAttribute("aria-expanded", String(isOpen));
    for (const one of this.#rows) {
      let isHidden = false;
      for (let up = one.parent; up; up = up.parent) isHidden ||= !up.isOpen;
      one.element.hidden = isHidden;
    }
  }

  #click(event) {
    const element = event.target.closest("[role=treeitem]");
    const row = this.#rows.find((one) => one.element === element);
    if (!row) return;
    if (event.target.closest(".twist") && row.hasChildren) this.#setOpen(row, !row.isOpen);
    this.#selectRow(row, true);
  }

  #key(event) {
    const row = this.#selected;
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const shown = this.#rows.filter((one) => !one.element.hidden);
    const at = shown.indexOf(row);
    let to = null;
    if (event.key === "ArrowDown") to = shown[at + 1];
    else if (event.key === "ArrowUp") to = shown[at - 1];
    else if (event.key === "Home") to = shown[0];
    else if (event.key === "End") to = shown.at(-1);
    else if (event.key === "ArrowRight" && row.hasChildren) {
      if (row.isOpen) to = shown[at + 1];
      else this.#setOpen(row, true);
    } else if (event.key === "ArrowLeft") {
      if (row.hasChildren && row.isOpen) this.#setOpen(row, false);
      else to = row.parent;
    } else return;
    event.preventDefault();
    if (to) this.#selectRow(to, true);
  }

  // The tree as text, as it is copied.
  text() {
    return this.#rows.map(({ item, level }) => {
      const value = item.secret ? "(hidden)" : plain(item.value ?? "", 4000);
      return `${"  ".repeat(level - 1)}${plain(item.tag)} (${item.type ?? "?"}) ${value}`.trimEnd();
    }).join("\n");
  }
}

function valueOf(item) {
  if (item.error) return h("span", { class: "action" }, icon("alert"), safe(item.error));
  if (item.secret) return h("span", { class: "tree-hidden" }, icon("lock"), "hidden");
  if (item.value === null || item.value === undefined) return null;
  return h("span", { class: "tree-value mono" }, safe(item.value, { max: 300 }));
}
