// The master keys, and the rekey that moves from one to the next: its states, how far it is, what
// it waits for, and its pace.

import { post, put } from "../lib/api.js";
import { View, announce, fill, h, icon, idButton, setAttribute, setText } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { count, left } from "../lib/format.js";
import { classOf, idOf, letterOf, placeOf } from "../lib/keys.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";

const STATES = ["Ready", "CreateNewMasterKey", "RewrapDataEncryptionKeys",
  "DecommissionOldMasterKey", "Ready"];
const PACES = [0, 50, 200, 500, 1000, 3000, 10000];
const KEY_STATES = { planned: "planned", inUse: "in use", retired: "retired" };

class Rekey extends View {
  #keys = h("ul", { class: "keys", label: "Master keys", test: "master-keys" });
  #pipeline = h("ol", { class: "pipeline", test: "rekey-states",
    label: "States of the rekey" });
  #bar = h("progress", { max: "1", value: "0", label: "drives rewrapped" });
  #count = h("span", { class: "count", test: "rekey-count" });
  #left = h("span", { class: "muted", test: "rekey-left" });
  #waits = h("p", { class: "waits", hidden: true, test: "rekey-waits" });
  #running = h("div", { class: "rekey-running", test: "rekey" });
  #pace = h("select", { id: "pace", test: "rekey-pace" });
  #stop = h("select", { id: "stop-before", test: "rekey-stop-before" });
  #go;
  #giveUp;
  #retry;
  #problem = h("div", {});
  #timer = 0;
  #wasState = null;

  make() {
    this.#go = this.#button("Continue", "play", "rekey-continue", "/sim/v1/rekey/continue");
    this.#giveUp = this.#button("Give up", "cross", "rekey-abandon", "/sim/v1/rekey/abandon");
    this.#retry = this.#button("Try again now", "retry", "rekey-retry", "/sim/v1/retry");
    this.#go.classList.add("primary");
    fill(this.#stop, ["", ...STATES.slice(1)].map((state) => h("option", { value: state },
      state || "nothing")));
    this.#pace.addEventListener("change", () => this.#control(
      { millisecondsPerDrive: Number(this.#pace.value) }));
    this.#stop.addEventListener("change", () => this.#control(
      { stopBefore: this.#stop.value || null }));
    fill(this.#running,
      h("div", { class: "progress" }, this.#bar, this.#count, this.#left,
        h("div", { class: "buttons" }, this.#go, this.#retry, this.#giveUp)), this.#waits);
    fill(this, h("div", { class: "panel-head" },
      h("h2", { id: "cluster-title", tabindex: "-1" }, "Cluster and keys"),
      h("div", { class: "controls" },
        h("label", { for: "pace" }, "Pace"), this.#pace,
        h("label", { for: "stop-before" }, "Stop before"), this.#stop)),
    this.#keys, this.#pipeline, this.#running, this.#problem);
    store.on("state", (changed) => this.#update(changed));
    if (store.state) this.#update(new Set(["all"]));
  }

  #button(word, iconName, test, path) {
    return h("button", { class: "button small", test,
      onclick: () => this.#do(() => post(path), word) }, icon(iconName), word);
  }

  async #do(action, word) {
    fill(this.#problem);
    const endTrace = store.beginTrace(word);
    try {
      await action();
    } catch (error) {
      fill(this.#problem, errorBox(error, { test: "rekey-error" }));
    } finally {
      endTrace();
    }
  }

  #control(change) {
    return this.#do(async () => {
      const control = await put("/sim/v1/rekey/control", change);
      this.#showControl(control);
    }, "pace");
  }

  #update(changed) {
    const has = (...names) => changed.has("all") || names.some((name) => changed.has(name));
    if (has("masterKeys", "keyProviders", "keyServers")) this.#showKeys();
    if (has("rekey", "rekeyControl", "refusals")) this.#showRekey();
    if (has("rekeyControl")) this.#showControl(store.state.rekeyControl);
  }

  #showKeys() {
    const { state } = store;
    const keys = [...(state.masterKeys ?? [])].sort((a, b) => rank(a, state) - rank(b, state));
    const items = keys.flatMap((key, at) => [
      at > 0 && h("li", { class: "keys-arrow", "aria-hidden": "true" }, icon("arrow")),
      h("li", { class: "key", test: `key-${key.keyID}`, "data-state": key.state },
        h("span", { class: `key-letter large ${classOf(key.keyID)}`, "aria-hidden": "true" },
          letterOf(key.keyID)),
        h("div", {},
          h("strong", {}, safe(placeOf(key, state), { max: 64 })),
          h("span", { class: "key-line muted" }, idButton(key.keyID, { label: "key" }),
            `${key.current ? "current" : KEY_STATES[key.state] ?? plain(key.state)}, wraps ${
              key.wraps.toLocaleString("en")}`))),
    ]);
    fill(this.#keys, items);
  }

  #showRekey() {
    const { rekey } = store.state;
    const state = rekey?.state ?? "Ready";
    if (this.#wasState !== null && this.#wasState !== state) {
      announce(rekey ? `Rekey: ${state}` : "Rekey ended");
    }
    if (this.#wasState !== state) this.#showPipeline(state, rekey !== null);
    this.#wasState = state;
    this.#running.hidden = !rekey;
    clearInterval(this.#timer);
    if (!rekey) return;
    this.#bar.max = rekey.drivesTotal || 1;
    this.#bar.value = rekey.drivesRewrapped;
    setText(this.#count, `${rekey.drivesRewrapped.toLocaleString("en")}/${
      rekey.drivesTotal.toLocaleString("en")} drives`);
    this.#showLeft();
    this.#timer = setInterval(() => this.#showLeft(), 1000);
    this.#showWaits(rekey);
  }

  #showPipeline(state, isRunning) {
    const at = isRunning ? Math.max(0, STATES.indexOf(state)) : -1;
    fill(this.#pipeline, STATES.map((name, index) => h("li", {
      "data-state": index < at ? "done" : index === at ? "now" : "later",
      "aria-current": index === at ? "step" : null,
    }, index < at && icon("check"), index === at && icon("clock"), wordsOf(name))));
    setAttribute(this.#pipeline, "data-idle", !isRunning && "yes");
  }

  #showLeft() {
    const { rekey } = store.state;
    const known = rekey?.millisecondsLeft;
    const isRewrapping = rekey?.state === "RewrapDataEncryptionKeys" && !rekey.waitingFor
      && rekey.drivesRewrapped < rekey.drivesTotal;
    if (known === null || known === undefined || !isRewrapping) return setText(this.#left, "");
    const since = performance.now() - store.estimateAt;
    return setText(this.#left, `about ${left(known - since)} left`);
  }

  #showWaits(rekey) {
    const stopped = (rekey.control ?? store.state.rekeyControl)?.stoppedBefore;
    const { waitingFor } = rekey;
    this.#waits.hidden = !stopped && !waitingFor;
    this.#go.hidden = !stopped;
    this.#retry.hidden = !waitingFor;
    this.#giveUp.hidden = rekey.state === "DecommissionOldMasterKey";
    const shown = `${stopped} ${waitingFor} ${store.refusals}`;
    if (this.#waits.dataset.shown === shown) return;
    this.#waits.dataset.shown = shown;
    this.#waits.dataset.kind = waitingFor ? "waits" : "stopped";
    fill(this.#waits, icon(waitingFor ? "alert" : "pause"),
      h("span", {}, stopped && `Stopped before ${stopped}. `,
        waitingFor && ["Waits: ", safe(waitingFor), " "],
        store.refusals > 0 && `${count(store.refusals, "request")} refused so far.`));
  }

  #showControl(control) {
    if (!control) return;
    const pace = control.millisecondsPerDrive;
    const paces = PACES.includes(pace) ? PACES : [...PACES, pace].sort((a, b) => a - b);
    if (this.#pace.options.length !== paces.length || !hasOption(this.#pace, pace)) {
      fill(this.#pace, paces.map((ms) => h("option", { value: String(ms) }, paceWord(ms))));
    }
    this.#pace.value = String(pace);
    this.#stop.value = control.stopBefore ?? "";
  }
}

// Keys that go, then the current one, then the one that comes.
function rank(key, state) {
  if (key.keyID === idOf(state.rekey?.newKey)) return 3;
  return key.current || key.state === "inUse" ? 2 : 1;
}

function hasOption(select, value) {
  return [...select.options].some((option) => option.value === String(value));
}

function paceWord(milliseconds) {
  if (milliseconds === 0) return "full speed";
  return milliseconds < 1000 ? `${milliseconds} ms a drive` : `${milliseconds / 1000} s a drive`;
}

// "RewrapDataEncryptionKeys" may break between its words.
function wordsOf(name) {
  return name.split(/(?=[A-Z])/).flatMap((word, at) => (at ? [h("wbr", {}), word] : [word]));
}

customElements.define("lab-rekey", Rekey);
