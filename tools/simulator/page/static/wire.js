// Every message between the parties, in order; where one failed, its reason and what mends it stand in the open.

import { byId, dateAndTime, element, keep, sentence, setText, stayAtEnd } from "./drawing.js";

const MARKS = { ok: "✓", warning: "!", failed: "✕" };
const SPOKEN_MARKS = { ok: "fine", warning: "warning", failed: "failed" };

let goToEnd = null;

export function prepareWire() {
  goToEnd = stayAtEnd(byId("wire-scroll"));
  byId("only-trouble").addEventListener("change", (event) => byId("entries").toggleAttribute("data-only-trouble", event.target.checked));
}

export function drawWire(state) {
  const failed = state.wire.filter((entry) => entry.verdict === "failed").length;
  setText(byId("wire-count"), failed ? `${failed} failed` : `${state.wire.length} ${state.wire.length === 1 ? "message" : "messages"}`);
  byId("wire-count").classList.toggle("bad", failed > 0);
  byId("no-entries").hidden = state.wire.length > 0;
  byId("entries").toggleAttribute("data-several", new Set(state.wire.map((entry) => entry.customer)).size > 1);
  if (keep(byId("entries"), state.wire, (entry) => entry.number, drawEntry).length) goToEnd();
}

function drawEntry(entry) {
  const aside = element("span", { class: "entry-aside" });
  const made = element("li", { class: `entry ${entry.verdict || "plain"}` },
    element("div", { class: "entry-line" },
      element("time", { datetime: entry.at, title: entry.at }, dateAndTime(entry.at)[1]), element("span", { class: "whose-wire" }, entry.customer),
      party(entry.sender), element("span", { class: "arrow", role: "img", "aria-label": "to" }, "→"), party(entry.receiver),
      element("span", { class: "text" }, entry.text), drawDetails(entry.details ?? {})),
    aside);
  if (entry.reason) made.append(element("p", { class: `reason ${entry.verdict}` }, sentence(entry.reason)));
  if (entry.mend) made.append(element("p", { class: "mend" }, sentence(entry.mend)));
  if (entry.body) addBody(entry, made, aside);
  aside.append(mark(entry.verdict));
  return made;
}

function drawDetails(details) {
  const parts = Object.entries(details).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value))));
  return parts.length ? element("dl", { class: "details" }, ...parts) : "";
}

/** The JSON that went over the wire, written out when somebody wants to see it. */
function addBody(entry, made, aside) {
  const id = `json-${entry.number}`;
  const body = element("pre", { id, tabindex: "0", role: "region", "aria-label": `JSON: ${entry.text}`, hidden: true });
  const toggle = (event) => {
    body.hidden = !body.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!body.hidden));
    setText(body, JSON.stringify(entry.body, null, 2));
  };
  aside.append(element("button", { type: "button", class: "json", "aria-expanded": "false", "aria-controls": id, onclick: toggle },
    "JSON", element("span", { class: "aside" }, ` of “${entry.text}”`)));
  made.append(body);
}

const party = (name) => element("span", { class: "party", "data-party": name }, name);

const mark = (verdict) => (MARKS[verdict] ? element("span", { class: "mark", role: "img", "aria-label": SPOKEN_MARKS[verdict] }, MARKS[verdict]) : "");
