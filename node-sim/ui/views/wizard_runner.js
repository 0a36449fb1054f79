// Runs the steps one after the other, as a person would, with pauses in which one can look.

import { element } from "../lib/api.js";
import { ApiError } from "../lib/errors.js";
import { callsOf, currentStep } from "../lib/migration.js";
import { store } from "../lib/store.js";

const PAUSE_MILLISECONDS = 700;
const NO_END = 2 ** 31 - 1;

export class Runner {
  #run = null;
  #partOf;
  #onChange;

  // `partOf(step)` has the call boxes of a step.
  constructor(partOf, onChange) {
    this.#partOf = partOf;
    this.#onChange = onChange;
  }

  get isRunning() {
    return this.#run !== null;
  }

  stop() {
    this.#run?.stop("stopped");
  }

  // Resolves to "done" or "stopped"; rejects with the error of the step that failed.
  async run() {
    const run = {};
    const stopped = new Promise((resolve) => {
      run.stop = resolve;
    });
    this.#run = run;
    this.#onChange();
    try {
      return await Promise.race([stopped, this.#runSteps(run)]);
    } finally {
      if (this.#run === run) this.#run = null;
      this.#onChange();
    }
  }

  async #runSteps(run) {
    for (let step = currentStep(store.state); step; step = currentStep(store.state)) {
      await this.#runStep(step, run);
      if (this.#run !== run) return "stopped";
    }
    return "done";
  }

  async #runStep(step, run) {
    for (const call of callsOf(step, store.state)) {
      if (this.#run !== run) return;
      if (call.isDone(store.state)) continue;
      if (call.name === "GetAsyncResult") {
        await this.#waitForRekey(run);
        continue;
      }
      const { box } = this.#partOf(step).boxes.find((one) => one.call === call);
      await box.run();
      await store.until((state) => call.isDone(state)).catch(() => {
        throw new ApiError("No change", `${call.name} was answered, but the step is not done.`);
      });
      await pause();
    }
    if (this.#run === run && currentStep(store.state) === step && !store.state.lab) {
      throw new ApiError("Signature needed",
        "Have the certificate sign request signed, paste the certificates, and run on.");
    }
  }

  // The stream says when the rekey has ended; its result says how.
  async #waitForRekey(run) {
    await store.until((state) => state.rekey === null, NO_END);
    const handle = store.state.lastRekey?.asyncHandle;
    if (!handle || this.#run !== run) return;
    const params = { asyncHandle: handle, keepResult: true };
    const { error } = await element("GetAsyncResult", params);
    if (error) throw new ApiError(error.name, error.message);
    await pause();
  }
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
}
