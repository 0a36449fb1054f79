// Scenarios: pick one, run it, watch its steps, open its report.

import { get, post } from "../lib/api.js";
import { View, announce, fill, h, icon, setAttribute } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { linkTo } from "../lib/router.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";

const POLL_MILLISECONDS = 1000;
const ICONS = { passed: "check", done: "check", failed: "alert", running: "clock", skipped: "dot" };

class Scenarios extends View {
  #list = h("ul", { class: "scenario-list", label: "Scenarios" });
  #detail = h("section", { class: "scenario-detail", label: "Scenario" });
  #problem = h("div", {});
  #scenarios = [];
  #runs = [];
  #running = null;
  #chosen = null;
  #timer = 0;
  #shown = "";

  make() {
    fill(this, h("section", { class: "panel", test: "scenarios" },
      h("div", { class: "panel-head" }, h("h1", { tabindex: "-1" }, "Scenarios")),
      h("p", { class: "hint" }, "Each tells a story on this cluster, and checks that it ends ",
        "as it should."), this.#problem,
      h("div", { class: "scenario-columns" }, this.#list, this.#detail)));
  }

  shown() {
    const wake = () => document.hidden || this.#load();
    document.addEventListener("visibilitychange", wake);
    this.#load();
    return [() => document.removeEventListener("visibilitychange", wake),
      () => clearTimeout(this.#timer),
      store.on("entries", (changed) => {
        if ([...changed].some((entry) => entry.data?.source === "scenario")) this.#load();
      })];
  }

  showArgument(argument) {
    this.#chosen = argument;
    this.#show();
  }

  async #load() {
    clearTimeout(this.#timer);
    try {
      const [listed, done] = await Promise.all([get("/lab/v1/scenarios"), get("/lab/v1/runs")]);
      if (!this.isConnected) return;
      this.#scenarios = listed.scenarios ?? [];
      this.#running = listed.running ?? null;
      this.#tellEnd(done.runs ?? []);
      this.#runs = done.runs ?? [];
      fill(this.#problem);
      this.#show();
      clearTimeout(this.#timer);
      const isRunning = this.#runs.some((run) => run.status === "running");
      if (isRunning && !document.hidden) {
        this.#timer = setTimeout(() => this.#load(), POLL_MILLISECONDS);
      }
    } catch (error) {
      if (!this.isConnected) return;
      fill(this.#problem, errorBox(error, { test: "scenarios-error",
        retry: () => this.#load() }));
    }
  }

  #tellEnd(runs) {
    for (const run of runs) {
      const before = this.#runs.find((one) => one.run === run.run);
      if (before?.status === "running" && run.status !== "running") {
        announce(`Scenario ${run.name}: ${run.status}`);
      }
    }
  }

  #runOf(name) {
    return this.#runs.filter((run) => run.name === name)
      .reduce((last, run) => (!last || run.run > last.run ? run : last), null);
  }

  #show() {
    const shown = JSON.stringify([this.#scenarios, this.#runs, this.#running, this.#chosen]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const isFocused = this.contains(document.activeElement)
      && document.activeElement.dataset.test;
    const active = this.#runs.find((run) => run.status === "running");
    const name = this.#chosen ?? active?.name ?? this.#scenarios[0]?.name ?? null;
    fill(this.#list, this.#scenarios.length ? this.#scenarios.map((scenario) => {
      const run = this.#runOf(scenario.name);
      return h("li", {}, h("a", { href: linkTo("scenarios", scenario.name),
        "aria-current": scenario.name === name ? "true" : null,
        test: `scenario-${plain(scenario.name)}` },
      h("span", {}, safe(scenario.title, { max: 120 })), run && statusWord(run.status)));
    }) : h("li", { class: "empty" }, "The lab has no scenarios."));
    const scenario = this.#scenarios.find((one) => one.name === name);
    fill(this.#detail, scenario && this.#scenario(scenario, active));
    if (isFocused) this.querySelector(`[data-test="${CSS.escape(isFocused)}"]`)?.focus();
  }

  #scenario(scenario, active) {
    const run = this.#runOf(scenario.name);
    const steps = run?.steps?.length ? run.steps : scenario.steps ?? [];
    const start = h("button", { class: "button primary",
      disabled: Boolean(active), test: "scenario-run",
      onclick: () => this.#run(scenario.name) }, icon("play"), run ? "Run again" : "Run");
    return [h("div", { class: "panel-head" },
      h("h2", {}, safe(scenario.title, { max: 120 })), run && statusWord(run.status), start,
      run?.report && h("a", { class: "button", href: reportPath(run), target: "_blank",
        rel: "noopener", test: "scenario-report" }, icon("link"), "Report")),
    h("p", { class: "story" }, safe(scenario.story, { lines: true })),
    active && active.name !== scenario.name && h("p", { class: "hint" },
      "Another scenario is running: ", safe(active.name, { max: 80 }), "."),
    h("ol", { class: "scenario-steps", test: "scenario-steps" },
      steps.map((step, at) => this.#step(step, at, run)))];
  }

  #step(step, at, run) {
    const isNow = run?.status === "running" && run.step === at + 1;
    const status = step.status ?? (isNow ? "running" : null);
    const item = h("li", { "data-state": status ?? "later" },
      h("span", { class: "step-mark" }, status && ICONS[status] ? icon(ICONS[status])
        : String(at + 1)),
      h("div", {}, h("span", {}, safe(step.say, { max: 600 })),
        status && h("span", { class: "muted" }, ` ${plain(status)}`),
        step.detail && h("p", { class: status === "failed" ? "action" : "muted" },
          safe(step.detail, { max: 1000, lines: true }))));
    setAttribute(item, "aria-current", status === "running" ? "step" : null);
    return item;
  }

  async #run(name) {
    fill(this.#problem);
    try {
      await post(`/lab/v1/scenarios/${encodeURIComponent(name)}/run`);
      announce(`Scenario ${name} begins`);
    } catch (error) {
      fill(this.#problem, errorBox(error, { test: "scenarios-error" }));
      return;
    }
    this.#load();
  }
}

// Only a path of the lab's is followed, whatever the answer says.
function reportPath(run) {
  return `/lab/v1/runs/${encodeURIComponent(run.run)}/report.html`;
}

function statusWord(status) {
  return h("span", { class: `status status-${plain(status)}` }, icon(ICONS[status] ?? "circle"),
    plain(status));
}

customElements.define("lab-scenarios", Scenarios);
