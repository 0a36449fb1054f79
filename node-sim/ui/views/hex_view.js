// The bytes of a message, sixteen in a row, with their characters.

import { fill, h, setText } from "../lib/dom.js";

const ROW = 16;
const BYTES_SHOWN = 4096;
const KEYS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: ROW, ArrowUp: -ROW };

export class HexView {
  element;
  onSelect = () => {};
  #hex;
  #length;
  #cells = [];
  #marked = [];
  #at = 0;
  #grid = h("div", { class: "hex", role: "group", tabindex: "0", test: "hex",
    label: "Bytes of the message; move with the arrow keys" });
  #status = h("p", { class: "hint mono", role: "status", test: "hex-status" });

  constructor(hex, hidden) {
    this.#hex = hex;
    this.#length = Math.floor(hex.length / 2);
    this.#build(Math.min(this.#length, BYTES_SHOWN));
    this.#hide(hidden);
    this.element = h("div", { class: "hex-box" }, this.#grid, this.#status);
    if (this.#length > BYTES_SHOWN) {
      const more = h("button", { class: "button small", onclick: () => {
        this.#build(this.#length);
        this.#hide(hidden);
        more.remove();
      } }, `Show all ${this.#length.toLocaleString("en")} bytes`);
      this.element.append(more);
    }
    this.#grid.addEventListener("click", (event) => {
      const cell = event.target.closest("[data-at]");
      if (cell) this.#moveTo(Number(cell.dataset.at));
    });
    this.#grid.addEventListener("keydown", (event) => {
      const step = KEYS[event.key];
      if (!step) return;
      event.preventDefault();
      this.#moveTo(Math.min(this.#cells.length - 1, Math.max(0, this.#at + step)));
    });
  }

  #build(length) {
    this.#cells = [];
    const rows = [];
    for (let start = 0; start < length; start += ROW) {
      const bytes = h("span", { class: "hex-bytes" });
      const characters = h("span", { class: "hex-text", "aria-hidden": "true" });
      for (let at = start; at < Math.min(start + ROW, length); at += 1) {
        const digits = this.#hex.slice(2 * at, 2 * at + 2);
        const byte = h("span", { class: "byte", "data-at": at }, digits);
        const character = h("span", { class: "byte", "data-at": at }, characterOf(digits));
        bytes.append(byte);
        characters.append(character);
        this.#cells.push([byte, character]);
      }
      rows.push(h("div", { class: "hex-row" },
        h("span", { class: "hex-offset" }, start.toString(16).padStart(4, "0")),
        bytes, characters));
    }
    fill(this.#grid, rows);
  }

  #hide(hidden) {
    for (const [from, to] of hidden) {
      for (const pair of this.#cells.slice(from, to)) {
        for (const cell of pair) cell.classList.add("byte-hidden");
      }
    }
  }

  #moveTo(at) {
    this.#at = at;
    this.onSelect(at);
    this.#cells[at]?.[0].scrollIntoView({ block: "nearest" });
    const cell = this.#cells[at]?.[0];
    if (cell) this.#add(cell, "byte-at");
  }

  // Marks the bytes of an item: its tag, its type and length, and its value.
  mark(item, scroll = true) {
    for (const [cell, name] of this.#marked) cell.classList.remove(name);
    this.#marked = [];
    const end = Math.min(item.offset + item.length, this.#cells.length);
    for (let at = item.offset; at < end; at += 1) {
      const inside = at - item.offset;
      const name = inside < 3 ? "byte-tag" : inside < 8 ? "byte-length" : "byte-value";
      for (const cell of this.#cells[at]) this.#add(cell, name);
    }
    setText(this.#status, `${item.tag}: bytes ${item.offset} to ${item.offset + item.length - 1}`);
    if (scroll) this.#cells[item.offset]?.[0].scrollIntoView({ block: "nearest" });
  }

  #add(cell, name) {
    cell.classList.add(name);
    this.#marked.push([cell, name]);
  }
}

function characterOf(digits) {
  const code = Number.parseInt(digits, 16);
  if (Number.isNaN(code)) return "\u00b7";
  return code > 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
}
