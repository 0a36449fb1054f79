// Text that a client chose, made harmless: characters that cannot be seen, or that change the
// order of others, are shown by their names.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;
const PARTS = /([\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}])/u;

// Name of a hidden character: a control picture, or its number.
function nameOf(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return "U+" + code.toString(16).toUpperCase().padStart(4, "0");
}

// Whether the text has characters that cannot be typed or seen.
export function isPlain(text) {
  return !HIDDEN.test(text) && text.trim() === text && text !== "";
}

// The text for attributes and announcements, where there are no elements.
export function plain(value, max = 400) {
  const text = String(value ?? "");
  const shown = text.split(PARTS).map((part) => (HIDDEN.test(part) ? `[${nameOf(part)}]` : part));
  const joined = shown.join("");
  return joined.length > max ? joined.slice(0, max) + "\u2026" : joined;
}

// An element with the text. `lines` keeps line breaks and tabs, for JSON and PEM.
export function safe(value, { max = 4000, lines = false } = {}) {
  const element = document.createElement("bdi");
  let text = String(value ?? "");
  if (text.length > max) text = text.slice(0, max) + "\u2026";
  if (!HIDDEN.test(text)) {
    element.textContent = text;
    return element;
  }
  let run = "";
  const flush = () => {
    if (run) element.append(run);
    run = "";
  };
  for (const part of text.split(PARTS)) {
    if (!HIDDEN.test(part) || (lines && (part === "\n" || part === "\t"))) {
      run += part;
      continue;
    }
    flush();
    const box = document.createElement("span");
    const code = part.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    box.className = "control-character";
    box.textContent = nameOf(part);
    box.title = `character U+${code}`;
    element.append(box);
  }
  flush();
  return element;
}
