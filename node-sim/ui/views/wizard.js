// The steps from nothing to an external master key, one at a time.

import { View, announce, copyButton, fill, h, icon, setAttribute, setText } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { OTHER_REKEYS, STEPS, callsOf, currentStep, form, loadForm, saveForm, server, stateOf,
  summaryOf } from "../lib/migration.js";
import { go } from "../lib/router.js";
import { store } from "../lib/store.js";
import { CallBox } from "./call_box.js";
import { Runner } from "./wizard_runner.js";

const WORDS = { done: "done", running: "running", next: "next", later: "to do" };
const ICONS = { done: "check", running: "clock", next: "arrow", later: "circle" };
const LABELS = { commonName: "Common name", providerName: "Name of the provider",
  serverName: "Name of the key server", hostname: "Host name", port: "Port" };

// Members of the state that the steps depend on.
const MEMBERS = ["all", "keyPair", "keyProviders", "keyServers", "masterKeys", "rekey",
  "lastRekey", "lab"];

class Wizard extends View {
  #parts = [];
  #open = null;
  #wasCurrent = undefined;
  #list = h("ol", { class: "steps" });
  #progress = h("span", { class: "muted", test: "steps-progress" });
  #runAll = h("button", { class: "button primary", test: "run-all" });
  #problem = h("div", {});
  #runner = new Runner((step) => this.#part(step), () => this.#update());
  #others = [];

  make() {
    this.#runAll.addEventListener("click", () => this.#toggleRun());
    this.#others = OTHER_REKEYS.map((spec, at) => new CallBox(spec, `other-rekey-${at}`));
    fill(this, h("section", { class: "panel", "aria-labelledby": "steps-title" },
      h("div", { class: "panel-head" },
        h("h2", { id: "steps-title", tabindex: "-1" }, "Steps"), this.#progress, this.#runAll),
      this.#problem, this.#list,
      h("details", { class: "more", test: "other-rekeys" },
        h("summary", {}, "Other rekeys"),
        h("p", { class: "hint" }, "To try when the migration is done, or instead of it."),
        this.#others.map((box) => box.element))));
    store.on("state", (changed) => {
      if (changed.has("all")) this.#load();
      if (MEMBERS.some((name) => changed.has(name))) this.#update();
    });
    if (store.state) this.#load();
  }

  async #load() {
    await loadForm(store.state);
    if (!this.#parts.length) {
      this.#parts = STEPS.map((step, at) => this.#makePart(step, at + 1));
      fill(this.#list, this.#parts.map((part) => part.item));
    }
    for (const part of this.#parts) part.fields.forEach((field) => field.load());
    this.#update();
  }

  #part(step) {
    return this.#parts.find((part) => part.step === step);
  }

  #makePart(step, number) {
    const boxes = step.calls.map((call) => ({ call, box: new CallBox(call,
      `call-${call.path ? "sign" : call.name.replace("POST /lab/v1/", "")}`, () => {
        saveForm();
        part.fields.forEach((field) => field.load());
        this.#update();
      }) }));
    const fields = (step.fields ?? []).flatMap((name) => this.#makeField(name));
    const mark = h("span", { class: "step-mark" });
    const word = h("span", { class: "step-word" });
    const summary = h("span", { class: "step-summary muted" });
    const body = h("div", { class: "step-body", id: `step-${step.id}` },
      h("p", { class: "say" }, step.say),
      fields.filter((field) => field.element && !field.isAfter).map((field) => field.element),
      boxes.map(({ box }) => box.element),
      fields.filter((field) => field.isAfter).map((field) => field.element));
    const head = h("button", { class: "step-head", "aria-controls": body.id,
      test: `step-${number}`,
      onclick: () => {
        if (this.#open === part) this.#openPart(null);
        else go("step", number);
      } },
    mark, h("span", { class: "step-title" }, h("span", { class: "visually-hidden" },
      `Step ${number}: `), step.title, summary), word);
    const item = h("li", { class: "step" }, h("h3", {}, head), body);
    const part = { step, number, item, head, body, mark, word, summary, boxes, fields };
    return part;
  }

  #makeField(name) {
    if (name === "pasted") return [this.#signRequest(), ...this.#pastedFields()];
    const isNumber = name === "port";
    const input = h("input", { id: `field-${name}`, test: `field-${name}`,
      type: isNumber ? "number" : "text", min: isNumber && 1, max: isNumber && 65535,
      spellcheck: "false", autocomplete: "off" });
    input.addEventListener("input", () => {
      form[name] = isNumber ? input.valueAsNumber || 0 : input.value;
      saveForm();
      this.#update();
    });
    const element = h("div", { class: `field field-${name}` },
      h("label", { for: input.id }, LABELS[name]), input);
    return [{ element, load: () => {
      if (document.activeElement !== input) input.value = form[name];
    } }];
  }

  // The request for a certificate, to be copied to the authority when there is no lab controller.
  #signRequest() {
    const area = h("textarea", { id: "field-csr", class: "code", readonly: true, rows: "6",
      test: "field-csr" });
    const element = h("div", { class: "field", hidden: true },
      h("label", { for: area.id }, "Certificate sign request"), area,
      copyButton("Copy", () => form.csr, "copy-csr"),
      h("p", { class: "hint" }, "Sign it with the key server\u2019s authority, for example by ",
        h("code", {}, "certs sign PKI --csr cluster.csr --out cluster.crt"),
        ", and paste the certificates below."));
    return { element, isAfter: true, load: () => {
      area.value = form.csr;
      element.hidden = !form.csr || store.state.lab;
    } };
  }

  // Certificates that are pasted when there is no lab controller to sign.
  #pastedFields() {
    const titles = { clientCertificate: "Signed client certificate (PEM)",
      caCertificate: "CA certificate of the key server (PEM)" };
    return Object.entries(titles).map(([name, title]) => {
      const area = h("textarea", { id: `field-${name}`, class: "code", rows: "4",
        test: `field-${name}`, spellcheck: "false",
        placeholder: "-----BEGIN CERTIFICATE-----" });
      area.addEventListener("change", () => {
        form[name] = area.value.trim() && `${area.value.trim()}\n`;
        saveForm();
        this.#update();
      });
      const element = h("div", { class: "field" }, h("label", { for: area.id }, title), area);
      return { element, isAfter: true, load: () => {
        element.hidden = Boolean(store.state.lab);
        if (document.activeElement !== area) area.value = form[name];
      } };
    });
  }

  // #/step/3 opens the step; without a number the current one is open.
  showArgument(argument, view) {
    if (view !== "step" || !this.#parts.length) return;
    const part = this.#parts.find(({ number }) => String(number) === argument);
    if (part) this.#openPart(part);
  }

  #openPart(part) {
    this.#open = part;
    for (const one of this.#parts) {
      one.body.hidden = one !== part;
      one.head.setAttribute("aria-expanded", String(one === part));
    }
    this.#update();
  }

  #update() {
    const { state } = store;
    if (!state || !this.#parts.length) return;
    const now = currentStep(state);
    this.#follow(now);
    let done = 0;
    for (const part of this.#parts) {
      const word = stateOf(part.step, state);
      if (word === "done") done += 1;
      this.#updatePart(part, word, now);
    }
    for (const box of this.#others) box.update(false);
    setText(this.#progress, `${done} of ${STEPS.length} done`);
    const isRunning = this.#runner.isRunning;
    const label = isRunning ? "Stop" : "Run all steps";
    if (this.#runAll.dataset.label !== label) {
      this.#runAll.dataset.label = label;
      fill(this.#runAll, icon(isRunning ? "stop" : "play"), label);
    }
    this.#runAll.classList.toggle("primary", !isRunning);
    this.#runAll.hidden = !isRunning && now === null;
  }

  #updatePart(part, word, now) {
    const { state } = store;
    const shown = `${part.number} ${word}`;
    if (part.item.dataset.shown !== shown) {
      const before = part.item.dataset.state;
      part.item.dataset.shown = shown;
      part.item.dataset.state = word;
      fill(part.mark, word === "later" ? String(part.number) : icon(ICONS[word]));
      setText(part.word, WORDS[word]);
      setAttribute(part.item, "aria-current", part.step === now ? "step" : null);
      if (before && word === "done") announce(`Step ${part.number}, ${part.step.title}: done`);
    }
    setText(part.summary, summaryOf(part.step, state));
    if (part !== this.#open) return;
    const usable = callsOf(part.step, state);
    const next = usable.find((call) => !call.isDone(state));
    for (const { call, box } of part.boxes) {
      box.element.hidden = !usable.includes(call);
      box.update(call === next && part.step === now);
    }
  }

  // Opens the current step when the one before it was open.
  #follow(now) {
    if (this.#wasCurrent === now) return;
    const before = this.#part(this.#wasCurrent);
    const isFirst = this.#wasCurrent === undefined;
    this.#wasCurrent = now;
    const asked = /^#\/step\/(\d+)/.exec(location.hash)?.[1];
    if (isFirst && asked) return this.#openPart(this.#parts[Number(asked) - 1] ?? null);
    if (isFirst || this.#open === before || this.#runner.isRunning) {
      this.#openPart(this.#part(now) ?? this.#parts.at(-1));
      if (!isFirst) this.#open.item.scrollIntoView({ block: "nearest" });
    }
  }

  async #toggleRun() {
    if (this.#runner.isRunning) return this.#runner.stop();
    fill(this.#problem);
    try {
      const end = await this.#runner.run();
      announce(end === "done" ? "All steps are done" : "Stopped");
      if (end === "done" && server(store.state)) this.#runAll.focus();
    } catch (error) {
      if (!error.isShown) fill(this.#problem, errorBox(error, { test: "run-error" }));
      this.#problem.scrollIntoView({ block: "nearest" });
    }
    this.#update();
  }
}

customElements.define("lab-wizard", Wizard);
