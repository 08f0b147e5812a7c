// The server: acts go to it one by one, and its state comes back by itself whenever something has changed.

import { byId, element, sentence } from "./drawing.js";

let keptWire = [];

/** Does one act of the simulation. Its result; undefined where it was refused, which a banner then tells. */
export async function act(name, given = {}, control = null) {
  if (control?.getAttribute("aria-busy") === "true") return undefined;
  control?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`/api/${name}`, {
      method: "POST", headers: { "Content-Type": "application/json", "X-Simulator": "page" }, body: JSON.stringify(given),
    });
    const told = await answer.json();
    if (answer.ok) return told.result;
    if (!told.step) banner("failed", told.error); // a failed linking is part of the state, and shown from there
  } catch {
    banner("failed", "The simulator does not answer. Is it still running?");
  } finally {
    control?.removeAttribute("aria-busy");
  }
  return undefined;
}

/** Does what a switch stands for; one that is refused goes back. */
export async function actBySwitch(box, name, given) {
  if ((await act(name, given, box)) === undefined) box.checked = !box.checked;
}

/** Calls `draw` with each new state, whole. A lost connection comes back by itself; `onConnection` hears of both.
 *  A tab that nobody sees lets go of it: browsers allow six connections to one server, over all tabs. */
export function follow(draw, onConnection) {
  let events = null;
  const listen = () => {
    events = new EventSource("/api/events");
    events.onopen = () => onConnection(true);
    events.onerror = () => onConnection(false);
    events.onmessage = (event) => draw(withWholeWire(JSON.parse(event.data)));
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? events.close() : listen()));
  listen();
}

/** The stream brings only new entries of the wire, after the first time. */
function withWholeWire(state) {
  const first = state.wire_first ?? Infinity;
  const before = state.complete ? [] : keptWire.filter((entry) => entry.number >= first);
  keptWire = [...before, ...state.wire];
  return { ...state, wire: keptWire };
}

/** A line at the top that stays until it is closed; the same `id` replaces the one before. */
export function banner(kind, text, more = [], id = "refusal") {
  byId(`banner-${id}`)?.remove();
  const made = element("div", { id: `banner-${id}`, class: `banner ${kind}`, role: kind === "failed" ? "alert" : "status" },
    element("div", {}, element("p", {}, sentence(text)), ...more.map((line) => element("p", { class: "more" }, line))));
  made.append(element("button", { type: "button", class: "close", "aria-label": "Close this message", onclick: () => made.remove() }, "×"));
  byId("banners").append(made);
  made.scrollIntoView({ block: "nearest" });
}
