// Elements are made here: by createElement and text only, never from markup.

import { plain } from "./safe_text.js";
import { PATHS } from "./icon_paths.js";

const SVG = "http://www.w3.org/2000/svg";

const ATTRIBUTES = { label: "aria-label", test: "data-test" };

// h("button", {class: "x", onclick: f, test: "y"}, ...children). A property that is false, null or
// undefined is left out, as is such a child. `label` is the accessible name, `test` a name for
// tests.
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  if (tag === "button") element.type = "button";
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    const attribute = ATTRIBUTES[name] ?? name;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (name === "title" || name === "label") element.setAttribute(attribute, plain(value));
    else element.setAttribute(attribute, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(3)) {
    if (child === false || child === null || child === undefined) continue;
    element.append(child);
  }
}

// Replaces what is in an element.
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

// Sets the text only if it differs: a live region and a selection stay as they are.
export function setText(element, text) {
  const shown = String(text);
  if (element.textContent !== shown) element.textContent = shown;
}

// Sets or removes an attribute only if it differs.
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

// A decorative icon; the word beside it says the same.
export function icon(name, extra = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.dot);
  svg.append(path);
  return svg;
}

// An identifier: 8 characters, the whole on hover, copied by a click.
export function idButton(id, { test = null, label = "identifier" } = {}) {
  const text = String(id);
  const short = plain(text.length > 8 ? text.slice(0, 8) : text);
  return h("button", {
    class: "id",
    title: `${text} \u2013 click to copy`,
    label: `copy ${label} ${text}`,
    test: test,
    onclick: (event) => {
      event.stopPropagation();
      copy(text, event.currentTarget);
    },
  }, short);
}

// An identifier where no button may be, such as in another button.
export function idText(id) {
  return h("span", { class: "id", title: id }, plain(String(id).slice(0, 8)));
}

let announceTimer = 0;

// Tells a screen reader one sentence.
export function announce(sentence) {
  const region = document.getElementById("announcer");
  clearTimeout(announceTimer);
  region.textContent = "";
  announceTimer = setTimeout(() => setText(region, plain(sentence)), 50);
}

// Copies a text, and says so at the button.
export async function copy(text, button) {
  let isDone = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    isDone = copyBySelection(text);
  }
  announce(isDone ? "Copied" : "The browser does not allow copying");
  if (!button) return;
  button.dataset.copied = isDone ? "yes" : "no";
  setTimeout(() => delete button.dataset.copied, 1500);
}

function copyBySelection(text) {
  const area = h("textarea", { class: "visually-hidden", readonly: true, value: text });
  const before = document.activeElement;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  before?.focus();
  return isDone;
}

export function copyButton(label, text, test) {
  return h("button", {
    class: "button small",
    test: test,
    onclick: (event) => copy(typeof text === "function" ? text() : text, event.currentTarget),
  }, icon("copy"), label);
}

// Moves the focus among elements by arrow keys: one stop for Tab.
export function rove(container, selector, { columns = false } = {}) {
  container.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: "first", End: "last" };
    if (columns) Object.assign(steps, { ArrowRight: 1, ArrowLeft: -1 });
    const step = steps[event.key];
    const from = event.target.closest?.(selector);
    if (step === undefined || !from || event.altKey || event.ctrlKey || event.metaKey) return;
    const all = [...container.querySelectorAll(selector)].filter((e) => e.offsetParent !== null);
    const at = all.indexOf(from);
    const to = step === "first" ? all[0] : step === "last" ? all.at(-1) : all[at + step];
    if (!to) return;
    event.preventDefault();
    moveStop(container, selector, to);
    to.focus();
  });
  container.addEventListener("focusin", (event) => {
    const target = event.target.closest?.(selector);
    if (target) moveStop(container, selector, target);
  });
}

function moveStop(container, selector, to) {
  for (const element of container.querySelectorAll(`${selector}[tabindex="0"]`)) {
    if (element !== to) element.tabIndex = -1;
  }
  to.tabIndex = 0;
}

// A view that is made once, however often it is shown.
export class View extends HTMLElement {
  #offs = null;

  connectedCallback() {
    if (this.#offs === null) this.make();
    this.#offs = this.shown?.() ?? [];
  }

  disconnectedCallback() {
    for (const off of this.#offs) off();
  }
}
