// One request: its JSON, its curl line, a button that sends it, and the answer.

import { bodyOf, curlLine, send } from "../lib/api.js";
import { announce, copy, fill, h, icon, setAttribute, setText } from "../lib/dom.js";
import { ApiError, errorBox } from "../lib/errors.js";
import { duration, shortJson } from "../lib/format.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";

export class CallBox {
  element;
  #spec;
  #onTook;
  #form = "json";
  #edited = null;
  #isBusy = false;
  #state = h("span", { class: "call-state" });
  #code = h("pre", { class: "code", tabindex: "0" });
  #editor = h("textarea", { class: "code editor", rows: "10", spellcheck: "false",
    label: "Request as JSON" });
  #send;
  #edit;
  #forms = {};
  #answer = h("div", { class: "answer" });
  #waits = h("p", { class: "hint" });

  // `spec`: {name, make(state), isDone(state), waitsFor(state), took(result, call)}.
  constructor(spec, test, onTook = () => {}) {
    this.#spec = spec;
    this.#onTook = onTook;
    this.#send = h("button", { class: "button", test: `${test}-send`,
      onclick: () => this.run().catch(() => {}) }, icon("play"), "Send");
    this.#edit = h("button", { class: "button small quiet-button",
      test: `${test}-edit`, onclick: () => this.#toggleEditor() }, icon("edit"), "Edit");
    const copyAll = h("button", { class: "button small quiet-button",
      test: `${test}-copy`, onclick: (event) => copy(this.#text(), event.currentTarget) },
    icon("copy"), "Copy");
    for (const [form, word] of [["json", "JSON"], ["curl", "curl"]]) {
      this.#forms[form] = h("button", { class: "segment",
        test: `${test}-${form}`, onclick: () => this.#show(form) }, word);
    }
    this.#editor.dataset.test = `${test}-editor`;
    this.#editor.hidden = true;
    this.#editor.addEventListener("input", () => {
      this.#edited = this.#editor.value;
    });
    this.#code.dataset.test = `${test}-code`;
    this.#answer.dataset.test = `${test}-answer`;
    this.element = h("section", { class: "call", test: test, label: spec.name },
      h("div", { class: "call-head" }, this.#state,
        h("span", { class: "mono call-name" }, breakable(spec.name)), this.#send),
      this.#waits,
      h("div", { class: "call-tools" },
        h("div", { class: "segments", role: "group", label: "Form of the request" },
          this.#forms.json, this.#forms.curl), copyAll, this.#edit),
      this.#code, this.#editor, this.#answer);
    this.#show("json");
  }

  // Shows the present request and whether it is done.
  update(isNext) {
    const { state } = store;
    if (!state) return;
    const isDone = this.#spec.isDone(state);
    const waits = isDone ? null : this.#spec.waitsFor?.(state);
    this.element.dataset.state = isDone ? "done" : "open";
    setAttribute(this.#send, "disabled", this.#isBusy || Boolean(waits));
    this.#send.classList.toggle("primary", Boolean(isNext) && !isDone);
    setText(this.#waits, waits ? `Waits for ${waits}.` : "");
    this.#waits.hidden = !waits;
    const word = this.#isBusy ? "sending" : isDone ? "done" : "open";
    if (this.#state.dataset.word !== word) {
      this.#state.dataset.word = word;
      fill(this.#state, icon(isDone ? "check" : "circle"),
        h("span", { class: "visually-hidden" }, word));
    }
    if (this.#edited === null) this.#showCode();
  }

  #call() {
    const call = this.#spec.make(store.state);
    if (this.#edited === null) return call;
    let edited;
    try {
      edited = JSON.parse(this.#edited);
    } catch (error) {
      throw new ApiError("Not JSON", `The request cannot be read: ${error.message}`);
    }
    if (call.path) return { ...call, body: edited };
    return { method: String(edited.method ?? ""), params: edited.params ?? {} };
  }

  // The whole text of the form that is shown.
  #text() {
    try {
      const call = this.#call();
      if (this.#form === "curl") return curlLine(call, store.session?.user);
      return JSON.stringify(bodyOf(call), null, 2);
    } catch {
      return this.#edited ?? "";
    }
  }

  #show(form) {
    this.#form = form;
    for (const [name, button] of Object.entries(this.#forms)) {
      button.setAttribute("aria-pressed", String(name === form));
    }
    this.#code.dataset.form = form;
    if (store.state) this.#showCode();
  }

  #showCode() {
    const call = this.#spec.make(store.state);
    const text = this.#form === "json" ? shortJson(bodyOf(call)) : shortCurl(call);
    if (this.#code.dataset.text === text) return;
    this.#code.dataset.text = text;
    fill(this.#code, safe(text, { lines: true, max: 20000 }));
  }

  #toggleEditor() {
    const isOpen = this.#editor.hidden;
    this.#editor.hidden = !isOpen;
    this.#code.hidden = isOpen;
    this.#edited = null;
    if (isOpen) {
      this.#editor.value = JSON.stringify(bodyOf(this.#spec.make(store.state)), null, 2);
      this.#edited = this.#editor.value;
      this.#editor.focus();
    } else {
      this.#showCode();
    }
    fill(this.#edit, icon(isOpen ? "back" : "edit"), isOpen ? "Reset" : "Edit");
  }

  // Sends the request; shows and returns its result. Throws the error that it shows.
  async run() {
    if (this.#isBusy) return null;
    this.#isBusy = true;
    this.element.dataset.busy = "yes";
    this.#send.disabled = true;
    const endTrace = store.beginTrace(this.#spec.name);
    this.element.classList.add("caused");
    const begun = performance.now();
    try {
      const call = this.#call();
      const result = await send(call);
      this.#spec.took?.(result, call);
      this.#showResult(result, performance.now() - begun);
      this.#onTook();
      return result;
    } catch (error) {
      const shown = error instanceof ApiError ? error : new ApiError("Error", error.message);
      fill(this.#answer, errorBox(shown, { test: "call-error" }));
      this.#answer.scrollIntoView({ block: "nearest" });
      shown.isShown = true;
      throw shown;
    } finally {
      this.#isBusy = false;
      delete this.element.dataset.busy;
      this.#send.disabled = false;
      endTrace();
      setTimeout(() => this.element.classList.remove("caused"), 6000);
    }
  }

  #showResult(result, milliseconds) {
    announce(`${this.#spec.name}: answered`);
    const body = Object.keys(result ?? {}).length ? shortJson(result) : "{}";
    fill(this.#answer, h("details", { open: body.length < 400 },
      h("summary", {}, icon("check"), "Answered",
        h("span", { class: "muted" }, ` in ${duration(milliseconds)}`)),
      h("pre", { class: "code", tabindex: "0" }, safe(body, { lines: true, max: 20000 }))));
  }
}

function shortCurl(call) {
  const body = bodyOf(call);
  if (body === undefined) return curlLine(call, store.session?.user);
  const short = JSON.parse(shortJson(body));
  const shown = call.path ? { ...call, body: short }
    : { method: short.method, params: short.params };
  return curlLine(shown, store.session?.user);
}

// A long name that breaks between its words.
function breakable(name) {
  return plain(name).split(/(?=[A-Z][a-z])/).flatMap((word, at) => (at ? [h("wbr", {}), word]
    : [word]));
}
