// Key providers and key servers, with health and certificates.

import { element as call } from "../lib/api.js";
import { View, announce, fill, h, icon } from "../lib/dom.js";
import { errorBox } from "../lib/errors.js";
import { dayElement, timeOf } from "../lib/format.js";
import { plain, safe } from "../lib/safe_text.js";
import { store } from "../lib/store.js";

const HEALTH = {
  healthy: ["check", "healthy"], failing: ["alert", "failing"], unknown: ["circle", "not in use"],
};
const DAY = 86400000;

class Servers extends View {
  #list = h("div", { class: "servers" });
  #answers = new Map();

  make() {
    fill(this, h("h3", {}, "Key providers and key servers"), this.#list);
    store.on("state", (changed) => {
      if (["all", "keyProviders", "keyServers"].some((name) => changed.has(name))) this.#show();
    });
    if (store.state) this.#show();
  }

  #show() {
    const { keyProviders = [], keyServers = [] } = store.state;
    const focused = this.#list.contains(document.activeElement)
      ? document.activeElement.dataset.test : null;
    if (!keyProviders.length && !keyServers.length) {
      fill(this.#list, h("p", { class: "empty", test: "servers-empty" },
        "None yet: the master key is kept by the cluster itself. Steps 3 and 4 create them."));
      return;
    }
    const free = keyServers.filter((server) => server.keyProviderID === null);
    fill(this.#list,
      keyProviders.map((provider) => h("section", { class: "provider",
        test: `provider-${provider.keyProviderID}` },
      h("h4", {}, "Provider ", safe(provider.keyProviderName, { max: 64 }),
        h("span", { class: "muted" }, ` ${provider.keyProviderID}`),
        h("span", { class: "badge" }, provider.isActive ? "active" : "not active")),
      keyServers.filter((server) => server.keyProviderID === provider.keyProviderID)
        .map((server) => this.#server(server)),
      !provider.keyServerIDs.length && h("p", { class: "empty" }, "No key server yet."))),
      free.length > 0 && h("section", { class: "provider" }, h("h4", {}, "Without provider"),
        free.map((server) => this.#server(server))));
    if (focused) this.#list.querySelector(`[data-test="${CSS.escape(focused)}"]`)?.focus();
  }

  #server(server) {
    const [iconName, word] = HEALTH[server.health] ?? HEALTH.unknown;
    const id = server.keyServerID;
    const answer = h("div", { role: "status" });
    const known = this.#answers.get(id);
    if (known) fill(answer, known());
    return h("article", { class: "server", "data-health": server.health,
      test: `server-${id}` },
    h("div", { class: "server-head" },
      icon("server"), h("strong", {}, safe(server.name, { max: 64 })),
      h("span", { class: "health" }, icon(iconName), word),
      h("button", { class: "button small", test: `server-${id}-test`,
        onclick: (event) => this.#test(id, event.currentTarget) }, "Test"),
      h("a", { class: "button small", href: `#/key-server/${id}`,
        test: `server-${id}-objects` }, "Objects")),
    h("p", { class: "mono small-text" },
      safe(`${server.hostnames.join(", ")}:${server.port}`, { max: 200 })),
    server.failure && h("p", { class: "action small-text" }, safe(server.failure, { max: 600 })),
    certificate("client certificate", server.certificate),
    certificate("CA", server.caCertificate), answer);
  }

  async #test(id, button) {
    button.disabled = true;
    const endTrace = store.beginTrace("TestKeyServerKmip");
    try {
      await call("TestKeyServerKmip", { keyServerID: id });
      this.#answers.set(id, () => h("p", { class: "ok", test: `server-${id}-answer` },
        icon("check"), "The key server answered the test."));
      announce("The key server answered the test");
    } catch (error) {
      this.#answers.set(id, () => errorBox(error, { test: `server-${id}-answer` }));
    } finally {
      endTrace();
      this.#show();
    }
  }
}

function certificate(title, found) {
  if (!found) return null;
  const end = timeOf(found.notAfter);
  const days = end === null ? null : Math.floor((end - store.now()) / DAY);
  const isSoon = days !== null && days < 30;
  const word = days < 0 ? "expired" : `ends in ${days} days`;
  return h("p", { class: "certificate small-text" },
    h("span", { class: "muted" }, `${title} `), safe(found.subject, { max: 80 }),
    h("span", { class: "muted" }, ", until "), dayElement(found.notAfter),
    isSoon && h("span", { class: "action" }, icon("clock"), plain(word)));
}

customElements.define("lab-servers", Servers);
