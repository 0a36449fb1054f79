// A drive: a band in the colour of the key that wraps it. While two keys do, each has a half.

import { h, icon, setAttribute, setText } from "../lib/dom.js";
import { classOf, idOf, keyOf, letterOf, placeOf } from "../lib/keys.js";
import { plain } from "../lib/safe_text.js";

// Longer than the animation of the band.
const SETTLE_MILLISECONDS = 900;

export class DriveTile {
  driveID;
  element;
  #drive;
  #old = h("span", { class: "band-part band-old" });
  #new = h("span", { class: "band-part band-new" });
  #word = h("span", { class: "drive-word" });
  #state = h("span", { class: "drive-state" });
  #shown = "";
  #settling = 0;

  constructor(drive) {
    this.driveID = drive.driveID;
    this.#drive = drive;
    this.element = h("button", { class: "drive", tabindex: "-1",
      "data-drive": drive.driveID, test: `drive-${drive.driveID}` },
    h("span", { class: "band", "aria-hidden": "true" }, this.#old, this.#new),
    h("span", { class: "drive-caption", "aria-hidden": "true" },
      h("span", { class: "drive-number" }, String(drive.driveID)), this.#state, this.#word));
  }

  // Shows the drive as it is now; returns whether that is different.
  update(state) {
    const { wrappings, wrappedBy } = this.#drive;
    const keys = this.#ordered(wrappings, wrappedBy, state);
    const shown = `${keys.join()} ${this.#drive.state} ${this.#drive.reason}`
      + keys.map(letterOf).join();
    if (shown === this.#shown) return false;
    this.#showBand(keys, this.#shown === "");
    this.#shown = shown;
    this.#showWords(keys, state);
    return true;
  }

  // The older key first.
  #ordered(wrappings, wrappedBy, state) {
    if (wrappings.length < 2) return [...wrappings];
    const newKey = idOf(state.rekey?.newKey);
    const last = newKey && wrappings.includes(newKey) ? newKey
      : wrappings.find((id) => id !== wrappedBy);
    return [wrappings.find((id) => id !== last), last];
  }

  #showBand(keys, isFirst) {
    const { dataset } = this.element;
    const [only, second] = keys;
    clearTimeout(this.#settling);
    if (dataset.fill === "new") this.#settle();
    if (second) {
      this.#paint(this.#old, "old", only);
      this.#paint(this.#new, "next", second);
      dataset.fill = "both";
    } else if (only && dataset.old && dataset.old !== only && !isFirst) {
      // The new key's half becomes the whole, and then the ground for the next.
      this.#paint(this.#new, "next", only);
      dataset.fill = "new";
      this.#settling = setTimeout(() => this.#settle(), SETTLE_MILLISECONDS);
    } else {
      this.#paint(this.#old, "old", only ?? null);
      dataset.fill = "old";
    }
  }

  #settle() {
    this.#paint(this.#old, "old", this.element.dataset.next);
    this.element.dataset.fill = "old";
  }

  #paint(part, name, keyID) {
    if (this.element.dataset[name] === (keyID ?? "")) return;
    this.element.dataset[name] = keyID ?? "";
    part.className = `band-part band-${name === "next" ? "new" : "old"} ${
      keyID ? classOf(keyID) : "key-none"}`;
    setText(part, keyID ? letterOf(keyID) : "\u2013");
  }

  #showWords(keys, state) {
    const drive = this.#drive;
    const { element } = this;
    setAttribute(element, "data-state", drive.state);
    setText(this.#word, drive.state);
    this.#state.replaceChildren(...(drive.state === "active" ? []
      : [icon(drive.state === "locked" ? "lock" : "power")]));
    const places = keys.map((id) => `${letterOf(id)} ${placeOf(keyOf(state, id), state)}`);
    const reason = drive.reason ? `: ${drive.reason}` : "";
    const text = `drive ${drive.driveID}, ${drive.state}${reason}, wrapped by ${
      places.join(" and ") || "no key"}`;
    setAttribute(element, "aria-label", plain(text));
    setAttribute(element, "title", plain(text));
    setAttribute(element, "data-wrapped-by", keys.join(" ") || null);
  }
}
