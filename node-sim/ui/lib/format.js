// Times, durations and numbers as text.

import { h } from "./dom.js";

// RFC 3339 in UTC, as the APIs write it.
export function timeOf(text) {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : time;
}

export function clock(time) {
  return new Date(time).toISOString().slice(11, 19);
}

export function exact(time) {
  return new Date(time).toISOString().replace("T", " ").replace("Z", " UTC");
}

// A time of day; the whole with milliseconds on hover.
export function timeElement(time) {
  if (time === null || time === undefined) return h("span", { class: "muted" }, "\u2013");
  return h("time", { datetime: new Date(time).toISOString(), title: exact(time) }, clock(time));
}

// A day; the whole with milliseconds on hover.
export function dayElement(text) {
  const time = timeOf(text);
  if (time === null) return h("span", { class: "muted" }, "\u2013");
  const day = new Date(time).toISOString();
  return h("time", { datetime: day, title: exact(time) }, day.slice(0, 10));
}

// A day and the time of it.
export function dateElement(text) {
  const time = timeOf(text);
  if (time === null) return h("span", { class: "muted" }, "\u2013");
  const iso = new Date(time).toISOString();
  return h("time", { datetime: iso, title: exact(time) },
    `${iso.slice(0, 10)} ${iso.slice(11, 19)}`);
}

// Minutes and seconds, as a clock shows what is left.
export function left(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

// JSON with the certificates in it cut short, for reading.
export function shortJson(value) {
  return JSON.stringify(value, (_, part) => {
    if (typeof part !== "string" || part.length < 120) return part;
    return `${part.slice(0, 52)}\u2026 (${part.length.toLocaleString("en")} characters)`;
  }, 2);
}
