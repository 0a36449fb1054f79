// Colour and letter of each master key. They stay the same while the key exists, also after a
// reload; there are eight.

const SLOTS = 8;
const LETTERS = "ABCDEFGH";

let remembered = { cluster: null, slots: [] };

// Gives every master key of the state a slot; the slot that was unused the longest goes first.
export function assignSlots(state) {
  const cluster = state.cluster?.uuid ?? "";
  if (remembered.cluster !== cluster) remembered = { cluster, slots: load(cluster) };
  const { slots } = remembered;
  const present = new Set((state.masterKeys ?? []).map((key) => key.keyID));
  let isChanged = false;
  for (const id of present) {
    if (slots.some((slot) => slot.id === id)) continue;
    isChanged = true;
    if (slots.length < SLOTS) {
      slots.push({ id, used: Date.now() });
      continue;
    }
    const free = slots.filter((slot) => !present.has(slot.id));
    const oldest = (free.length ? free : slots).reduce((a, b) => (a.used <= b.used ? a : b));
    oldest.id = id;
    oldest.used = Date.now();
  }
  for (const slot of slots) if (present.has(slot.id)) slot.used = Date.now();
  if (isChanged) save();
}

function load(cluster) {
  try {
    const known = JSON.parse(localStorage.getItem("masterKeys") ?? "{}");
    return known.cluster === cluster && Array.isArray(known.slots) ? known.slots : [];
  } catch {
    return [];
  }
}

function save() {
  try {
    localStorage.setItem("masterKeys", JSON.stringify(remembered));
  } catch {
    // Without storage the colours are chosen anew after a reload.
  }
}

// Number of the key's colour from 0 on; -1 if the key is not known.
export function slotOf(keyID) {
  return remembered.slots.findIndex((slot) => slot.id === keyID);
}

export function letterOf(keyID) {
  return LETTERS[slotOf(keyID)] ?? "?";
}

export function classOf(keyID) {
  const slot = slotOf(keyID);
  return slot < 0 ? "key-none" : `key-${slot}`;
}

// Where a master key lives: "internal", or "external: kms-1".
export function placeOf(key, state) {
  if (!key) return "none";
  if (key.keyManagementType === "internal") return "internal";
  const provider = (state.keyProviders ?? []).find((p) => p.keyProviderID === key.keyProviderID);
  const serverID = provider?.keyServerIDs?.[0];
  const server = (state.keyServers ?? []).find((s) => s.keyServerID === serverID);
  return `external: ${server?.name ?? provider?.keyProviderName ?? "?"}`;
}

// The id of a key of a rekey, which is an id or has one.
export function idOf(key) {
  return typeof key === "string" ? key : key?.keyID ?? null;
}

export function currentKey(state) {
  return (state?.masterKeys ?? []).find((key) => key.current) ?? null;
}

export function keyOf(state, keyID) {
  return (state?.masterKeys ?? []).find((key) => key.keyID === keyID) ?? null;
}
