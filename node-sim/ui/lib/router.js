// Links within the page: the part of the address after `#`.

const listeners = new Set();

// "#/message/17" -> {view: "message", argument: "17"}
export function route() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  return { view: parts[0] || "migration", argument: parts[1] ?? null };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function linkTo(...parts) {
  return "#/" + parts.map((part) => encodeURIComponent(part)).join("/");
}

export function go(...parts) {
  location.hash = linkTo(...parts);
}

export function onRoute(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

addEventListener("hashchange", () => listeners.forEach((listener) => listener(route())));
