// The frame of the page: login, or header, the view of the route, and the timeline.

import { get, whenSessionEnds } from "../lib/api.js";
import { announce, h, icon } from "../lib/dom.js";
import { clock, exact } from "../lib/format.js";
import { onRoute, route } from "../lib/router.js";
import { store } from "../lib/store.js";
import { connect, disconnect, forget, reconnectNow } from "../lib/stream.js";

// View of a route: its element, its title, and whether it needs the lab controller.
const VIEWS = {
  migration: { title: "Migration" },
  step: { title: "Migration", is: "migration" },
  drive: { title: "Migration", is: "migration" },
  event: { title: "Migration", is: "migration" },
  "cluster-faults": { title: "Migration", is: "migration" },
  message: { title: "KMIP message", tag: "lab-message" },
  "key-server": { title: "Key server", tag: "lab-objects" },
  faults: { title: "Faults", tag: "lab-faults", needsLab: true },
  scenarios: { title: "Scenarios", tag: "lab-scenarios", needsLab: true },
};

const LOADING_MILLISECONDS = 400;

class App extends HTMLElement {
  #login = null;
  #frame = null;
  #main = null;
  #views = new Map();
  #shown = null;

  connectedCallback() {
    whenSessionEnds(() => this.#endSession());
    onRoute(() => this.#showRoute(true));
    store.on("connection", () => this.#showConnection());
    store.on("state", (changed) => this.#showState(changed));
    this.#begin();
  }

  // Begins with the session that there is, or with the login.
  async #begin() {
    // A browser that never logged in here needs no request to know it.
    if (!remembersSession()) return this.#showLogin(null);
    try {
      store.setSession(await get("/sim/v1/session"));
    } catch (error) {
      if (error.status === 401) {
        return this.#showLogin("Your session ended. Log in to continue where you were.");
      }
      if (error.status !== 404) {
        return this.#showLogin("The cluster does not answer. Check that node-sim runs.");
      }
    }
    return this.#enter();
  }

  #enter() {
    this.#login?.remove();
    this.#login = null;
    if (!this.#frame) this.#makeFrame();
    this.#frame.hidden = false;
    connect(() => this.#endSession());
    this.#showRoute(false);
  }

  #endSession() {
    if (this.#login || !this.#frame) return;
    disconnect();
    const minutes = Math.round((store.session?.idleSeconds ?? 0) / 60);
    const after = minutes ? ` after ${minutes} minutes without a request` : "";
    this.#showLogin(`Your session ended${after}. Log in to continue where you were.`);
  }

  #logout() {
    // A new page: nothing of the cluster stays in it.
    forget();
    rememberSession(false);
    location.reload();
  }

  #showLogin(sentence) {
    rememberSession(false);
    if (this.#frame) this.#frame.hidden = true;
    this.#login?.remove();
    this.#login = h("lab-login", { sentence });
    this.#login.addEventListener("login", (event) => {
      rememberSession(true);
      store.setSession(event.detail);
      this.#enter();
      this.#main.focus();
      announce("Logged in");
    });
    this.append(this.#login);
    document.title = "Log in \u2013 Lab";
  }

  #makeFrame() {
    const header = h("lab-header", {});
    header.addEventListener("logout", () => this.#logout());
    this.#main = h("main", { id: "main", tabindex: "-1" });
    const skip = (to) => (event) => {
      event.preventDefault();
      document.getElementById(to)?.focus();
    };
    this.#frame = h("div", { class: "frame" },
      h("a", { href: "#main", class: "skip", onclick: skip("main") }, "Skip to the content"),
      h("a", { href: "#timeline", class: "skip", onclick: skip("timeline") },
        "Skip to the timeline"),
      header,
      h("div", { class: "banner", role: "status", hidden: true, test: "disconnected" }),
      this.#main,
      h("lab-timeline", {}));
    this.append(this.#frame);
    const loading = h("div", { class: "loading", test: "loading" },
      h("p", {}, "Reading the cluster\u2019s state\u2026"));
    this.#main.append(loading);
    loading.classList.add("quiet");
    setTimeout(() => loading.classList.remove("quiet"), LOADING_MILLISECONDS);
  }

  #showState(changed) {
    if (changed.has("all") || changed.has("lab")) this.#showRoute(false);
  }

  // Shows the view of the route. A view is made once, and keeps what was typed into it.
  #showRoute(isMove) {
    if (!this.#main || this.#login || !store.state) return;
    const { view, argument } = route();
    let name = VIEWS[view] ? view : "migration";
    if (VIEWS[name].needsLab && !store.state.lab) name = "migration";
    const { title } = VIEWS[name];
    const shown = VIEWS[name].is ?? name;
    document.title = `${title} \u2013 Lab`;
    if (!this.#views.has(shown)) this.#views.set(shown, makeView(shown));
    const element = this.#views.get(shown);
    if (this.#shown !== element) {
      this.#main.replaceChildren(element);
      this.#main.dataset.view = shown;
      this.#shown = element;
    }
    element.showArgument?.(argument, view);
    if (isMove && shown !== "migration") element.querySelector("h1, h2")?.focus();
  }

  #showConnection() {
    const banner = this.#frame?.querySelector(".banner");
    if (!banner) return;
    const { status, since } = store.connection;
    banner.hidden = status !== "lost";
    if (status !== "lost") return;
    banner.replaceChildren(icon("alert"), h("span", {}, "No connection since ",
      h("time", { title: exact(since), datetime: new Date(since).toISOString() }, clock(since)),
      " UTC. The page shows what it last heard, and reconnects by itself."),
    h("button", { class: "button small", test: "reconnect",
      onclick: reconnectNow }, icon("retry"), "Try now"));
  }
}

// Whether there was a session: the cookie itself cannot be read by a script.
function remembersSession() {
  try {
    return localStorage.getItem("session") === "yes";
  } catch {
    return true;
  }
}

function rememberSession(isThere) {
  try {
    if (isThere) localStorage.setItem("session", "yes");
    else localStorage.removeItem("session");
  } catch {
    // Without storage the page asks the cluster.
  }
}

function makeView(name) {
  if (name !== "migration") return h(VIEWS[name].tag, {});
  const view = h("div", { class: "migration" },
    h("h1", { class: "visually-hidden", tabindex: "-1" }, "Migration of the master key"),
    h("lab-wizard", {}), h("lab-cluster", {}));
  view.showArgument = (argument, view_name) => {
    for (const part of view.children) part.showArgument?.(argument, view_name);
    if (view_name === "event") document.querySelector("lab-timeline").showEvent(argument);
  };
  return view;
}

customElements.define("lab-app", App);
