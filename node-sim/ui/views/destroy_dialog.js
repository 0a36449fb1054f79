// The one dialog: destroying an object cannot be undone, so its name is typed.

import { fill, h, icon, idButton } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { isPlain, safe } from "../lib/safe_text.js";

export class DestroyDialog {
  #dialog;
  #object;
  #destroy;
  #problem = h("div", {});
  #send;
  #input;
  #isDone = false;

  // `destroy(uniqueIdentifier)` does it.
  constructor(object, key, destroy) {
    this.#object = object;
    this.#destroy = destroy;
    const name = nameToType(object);
    this.#input = h("input", { id: "destroy-name", autocomplete: "off", spellcheck: "false",
      class: "mono", test: "destroy-name" });
    this.#send = h("button", { type: "submit", class: "button danger", disabled: true,
      test: "destroy-confirm" }, icon("trash"), "Destroy");
    this.#input.addEventListener("input", () => {
      this.#send.disabled = this.#input.value !== name;
    });
    const isCurrent = key?.current === true;
    this.#dialog = h("dialog", { class: "dialog", "aria-labelledby": "destroy-title",
      test: "destroy-dialog" },
    h("form", { method: "dialog", onsubmit: (event) => this.#submit(event) },
      h("h2", { id: "destroy-title" }, "Destroy this object at the key server?"),
      h("p", {}, "It is revoked and destroyed over KMIP. This cannot be undone."),
      isCurrent && h("p", { class: "action" }, icon("alert"), "It is the current master key. ",
        "Drives that serve go on until their node restarts; then their data is lost."),
      !isCurrent && key && h("p", {}, "It is a master key of the cluster that still counts."),
      h("label", { for: "destroy-name" }, "Type ",
        name === object.uniqueIdentifier ? "its unique identifier " : "its name ",
        h("strong", { class: "mono typed-name" }, safe(name))),
      this.#input,
      name === object.uniqueIdentifier && h("p", { class: "hint" }, "Copy it: ",
        idButton(name, { label: "object" })),
      this.#problem,
      h("div", { class: "buttons" },
        h("button", { class: "button", test: "destroy-cancel",
          onclick: () => this.#dialog.close() }, "Cancel"), this.#send)));
  }

  // Resolves to whether the object was destroyed.
  open() {
    const before = document.activeElement;
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#input.focus();
    return new Promise((resolve) => {
      this.#dialog.addEventListener("close", () => {
        this.#dialog.remove();
        before?.focus?.();
        resolve(this.#isDone);
      });
    });
  }

  async #submit(event) {
    event.preventDefault();
    this.#send.disabled = true;
    fill(this.#problem);
    try {
      await this.#destroy(this.#object.uniqueIdentifier);
      this.#isDone = true;
      this.#dialog.close();
    } catch (error) {
      this.#send.disabled = false;
      fill(this.#problem, errorBox(error, { test: "destroy-error" }));
    }
  }
}

// The object's name, or its identifier if the name cannot be typed.
function nameToType(object) {
  const name = object.names?.[0];
  return name && isPlain(name) && name.length <= 80 ? name : object.uniqueIdentifier;
}
