// Faults by the switch: what each does, its parameters, and how often it fired.

import { get, put, remove } from "../lib/api.js";
import { View, announce, fill, h, icon, setAttribute, setText } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";

const GROUPS = ["KMIP", "TLS", "Power", "Clock", "API"];
const POLL_MILLISECONDS = 1000;

class Faults extends View {
  #body = h("div", { class: "faults-body" });
  #allOff = h("button", { class: "button", test: "faults-off" },
    icon("stop"), "All off");
  #number = h("span", { class: "muted", test: "faults-on" });
  #cards = new Map();
  #timer = 0;

  make() {
    fill(this, h("section", { class: "panel", test: "faults" },
      h("div", { class: "panel-head" }, h("h1", { tabindex: "-1" }, "Faults"), this.#number,
        this.#allOff),
      h("p", { class: "hint" }, "Switch one on and watch the timeline. ",
        "Each shows how often it fired."), this.#body));
    this.#allOff.addEventListener("click", () => this.#switchAllOff());
  }

  shown() {
    const wake = () => document.hidden || this.#load();
    document.addEventListener("visibilitychange", wake);
    this.#load();
    return [() => document.removeEventListener("visibilitychange", wake),
      () => clearTimeout(this.#timer),
      store.on("entries", (changed) => {
        if ([...changed].some((entry) => entry.data?.source === "fault")) this.#load();
      })];
  }

  async #load() {
    clearTimeout(this.#timer);
    try {
      const { faults = [] } = await get("/lab/v1/faults");
      if (!this.isConnected) return;
      this.#show(faults);
      // Counters change only while a fault is on.
      clearTimeout(this.#timer);
      if (faults.some((fault) => fault.on) && !document.hidden) {
        this.#timer = setTimeout(() => this.#load(), POLL_MILLISECONDS);
      }
    } catch (error) {
      if (!this.isConnected) return;
      this.#cards.clear();
      fill(this.#body, errorBox(error, { test: "faults-error", retry: () => this.#load() }));
    }
  }

  #show(faults) {
    const isSame = faults.length === this.#cards.size
      && faults.every((fault) => this.#cards.has(fault.name));
    if (!isSame) this.#build(faults);
    for (const fault of faults) this.#cards.get(fault.name).update(fault);
    const on = faults.filter((fault) => fault.on).length;
    setText(this.#number, on ? `${on} on` : "all off");
    this.#allOff.disabled = on === 0;
  }

  #build(faults) {
    this.#cards.clear();
    if (!faults.length) {
      fill(this.#body, h("p", { class: "empty" }, "The lab controller offers no faults."));
      return;
    }
    const names = [...new Set([...GROUPS, ...faults.map((fault) => fault.group)])];
    fill(this.#body, names.map((group) => {
      const own = faults.filter((fault) => fault.group === group);
      if (!own.length) return null;
      return h("section", { class: "fault-group" }, h("h2", {}, plain(group)),
        h("div", { class: "fault-cards" }, own.map((fault) => {
          const card = new FaultCard(fault, (changed) => this.#changed(changed));
          this.#cards.set(fault.name, card);
          return card.element;
        })));
    }));
  }

  #changed(fault) {
    announce(`${fault.title}: ${fault.on ? "on" : "off"}`);
    this.#load();
  }

  async #switchAllOff() {
    try {
      await remove("/lab/v1/faults");
      announce("All faults are off");
    } catch (error) {
      fill(this.#body, errorBox(error, { test: "faults-error", retry: () => this.#load() }));
      this.#cards.clear();
      return;
    }
    this.#load();
  }
}

class FaultCard {
  element;
  #fault;
  #onChange;
  #inputs = new Map();
  #switch;
  #word = h("span", { class: "switch-word" });
  #fired = h("span", { class: "count" });
  #unavailable = h("p", { class: "hint" });
  #problem = h("div", {});

  constructor(fault, onChange) {
    this.#fault = fault;
    this.#onChange = onChange;
    const id = `fault-${plain(fault.name)}`;
    this.#switch = h("button", { role: "switch", class: "switch",
      "aria-labelledby": `${id}-title`, test: `${id}-switch`,
      onclick: () => this.#send(!this.#fault.on) }, h("span", { class: "switch-knob" }),
    this.#word);
    const parameters = Object.entries(fault.parameters ?? {}).map(([name, parameter]) => {
      const input = this.#input(id, name, parameter);
      this.#inputs.set(name, input);
      return h("div", { class: "field" }, h("label", { for: `${id}-${name}` }, plain(name)), input);
    });
    this.#fired.dataset.test = `${id}-fired`;
    this.element = h("article", { class: "fault-card", test: id },
      h("div", { class: "fault-head" },
        h("h3", { id: `${id}-title` }, safe(fault.title, { max: 120 })), this.#switch),
      h("p", {}, safe(fault.text, { max: 600 })),
      parameters.length > 0 && h("div", { class: "fields" }, parameters),
      this.#unavailable, this.#problem,
      h("p", { class: "fault-foot" }, this.#fired, h("code", { class: "muted" },
        plain(fault.name))));
  }

  #input(id, name, parameter) {
    const kinds = { integer: "number", number: "number" };
    const common = { id: `${id}-${name}`, test: `${id}-${name}`,
      onchange: () => this.#fault.on && this.#send(true) };
    const choices = parameter.choices ?? parameter.values ?? parameter.enum;
    if (Array.isArray(choices)) {
      return h("select", { ...common, value: null }, choices.map((choice) => h("option",
        { value: String(choice), selected: choice === parameter.value }, plain(choice))));
    }
    if (parameter.type === "boolean") {
      return h("input", { ...common, type: "checkbox", checked: parameter.value === true });
    }
    return h("input", { ...common, type: kinds[parameter.type] ?? "text",
      min: parameter.min, max: parameter.max, value: parameter.value ?? "" });
  }

  // Shows the fault as the lab has it now.
  update(fault) {
    this.#fault = fault;
    setAttribute(this.element, "data-on", fault.on ? "yes" : "no");
    setAttribute(this.#switch, "aria-checked", String(fault.on));
    setText(this.#word, fault.on ? "on" : "off");
    const isAvailable = fault.available !== false;
    setAttribute(this.#switch, "disabled", !isAvailable && !fault.on);
    this.#unavailable.hidden = isAvailable;
    setText(this.#unavailable, plain(isAvailable ? "" : fault.unavailable ?? "not available"));
    const matched = fault.matched === null || fault.matched === undefined ? ""
      : `matched ${fault.matched}, `;
    setText(this.#fired, `${matched}fired ${fault.fired ?? 0}`);
    this.element.classList.toggle("has-fired", (fault.fired ?? 0) > 0);
    for (const [name, input] of this.#inputs) {
      const value = fault.parameters?.[name]?.value;
      if (document.activeElement === input || value === undefined) continue;
      if (input.type === "checkbox") input.checked = value === true;
      else if (fault.on) input.value = String(value ?? "");
    }
  }

  async #send(on) {
    this.#switch.disabled = true;
    fill(this.#problem);
    const parameters = {};
    for (const [name, input] of this.#inputs) {
      parameters[name] = input.type === "checkbox" ? input.checked
        : input.type === "number" ? input.valueAsNumber : input.value;
    }
    const endTrace = store.beginTrace(this.#fault.name);
    try {
      const path = `/lab/v1/faults/${encodeURIComponent(this.#fault.name)}`;
      const changed = await put(path, { on, parameters });
      this.#onChange(changed ?? { ...this.#fault, on });
    } catch (error) {
      fill(this.#problem, errorBox(error, { test: "fault-error" }));
    } finally {
      this.#switch.disabled = false;
      endTrace();
    }
  }
}

customElements.define("lab-faults", Faults);
