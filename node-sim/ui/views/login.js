// The login form.

import { post } from "../lib/api.js";
import { fill, h, icon } from "../lib/dom.js";

class Login extends HTMLElement {
  #error = h("p", { class: "form-error", role: "alert", test: "login-error" });
  #button = h("button", { type: "submit", class: "button primary wide",
    test: "login-send" }, "Log in");

  connectedCallback() {
    const sentence = this.getAttribute("sentence");
    const user = h("input", { id: "user", name: "user", autocomplete: "username", value: "admin",
      required: true, test: "login-user", autocapitalize: "none", spellcheck: "false" });
    const password = h("input", { id: "password", name: "password", type: "password",
      autocomplete: "current-password", required: true, test: "login-password" });
    const send = (event) => {
      event.preventDefault();
      this.#send(user.value, password);
    };
    fill(this, h("main", { class: "login" },
      h("form", { class: "login-card", onsubmit: send, test: "login" },
        h("div", { class: "login-mark" }, icon("key")),
        h("h1", {}, "Lab"),
        h("p", { class: "muted" }, "The simulated cluster and its external keys"),
        sentence && h("p", { class: "notice", test: "login-sentence" }, sentence),
        h("label", { for: "user" }, "User"), user,
        h("label", { for: "password" }, "Password"), password,
        this.#error, this.#button,
        h("p", { class: "hint" },
          "The credentials are those of the cluster\u2019s API."))));
    password.focus();
  }

  async #send(user, password) {
    this.#button.disabled = true;
    this.#error.textContent = "";
    try {
      const body = { user, password: password.value };
      const session = await post("/sim/v1/sessions", body);
      password.value = "";
      this.dispatchEvent(new CustomEvent("login", { detail: session }));
    } catch (error) {
      const isWrong = error.status === 401;
      this.#error.textContent = isWrong ? "User or password is wrong." : error.message;
      password.select();
    } finally {
      this.#button.disabled = false;
    }
  }
}

customElements.define("lab-login", Login);
