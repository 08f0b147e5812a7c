// The switches of the simulation: who, where, with which provider, and what goes wrong.

import { byId, element, keep, setText } from "./drawing.js";
import { act } from "./server.js";

const REGIONS = { NA: "North America", EU: "Europe, India", FE: "Far East" };
let clockAt = null;

export function prepareSituation() {
  const wide = matchMedia("(min-width: 760px)");
  const fit = () => (byId("switches").open = wide.matches);
  wide.addEventListener("change", fit);
  fit();
  for (const select of document.querySelectorAll("select[data-act]"))
    select.addEventListener("change", () => act(select.dataset.act, { [select.dataset.argument]: select.value }, select).then(() => drawn?.()));
  for (const button of document.querySelectorAll("button[data-seconds]"))
    button.addEventListener("click", () => act("move_clock", { by: Number(button.dataset.seconds) }, button));
  for (const button of document.querySelectorAll("button[data-act]"))
    button.addEventListener("click", () => act(button.dataset.act, {}, button));
  setInterval(tick, 250);
}

let drawn = null; // draws the last state again: a choice that was refused goes back to what holds

export function drawSituation(state) {
  const { simulator } = state;
  drawn = () => drawSelects(state, simulator);
  drawn();
  clockAt = { ms: Date.parse(simulator.clock), since: performance.now() };
  tick();
  byId("ahead").hidden = !simulator.clock_ahead_s;
  setText(byId("ahead"), `${lasting(simulator.clock_ahead_s)} ahead`);
  drawNotice(simulator);
}

function drawSelects(state, simulator) {
  choose("customer", state.customers.map((each) => [each.key, each.name]), state.customer);
  choose("provider", named(simulator.providers), simulator.provider);
  choose("locale", simulator.locales.map((name) => [name, name]), simulator.locale);
  choose("region", simulator.regions.map((name) => [name, REGIONS[name] ?? name]), simulator.region);
  choose("fault", named(simulator.faults), simulator.fault);
  choose("linking-setup", named(simulator.linking_setups), simulator.linking_setup);
  choose("delivery", named(simulator.deliveries), simulator.delivery);
  byId("linking-setup").closest(".field").hidden = simulator.linking_setups.length < 2;
  byId("region").title = `Alexa sends customers back to ${simulator.redirect_host}`;
  const shown = ["customer", "provider", "fault", "locale"].map((id) => byId(id).selectedOptions[0]?.textContent ?? "");
  setText(byId("synopsis"), shown.join(" · "));
}

const named = (choices) => choices.map(({ name, label }) => [name, name === "none" ? "None" : label]);

function choose(id, options, value) {
  const select = byId(id);
  keep(select, options, ([key]) => key, ([key, label]) => element("option", { value: key }, label));
  if (select.getAttribute("aria-busy") !== "true" && select.value !== value) select.value = value;
  select.classList.toggle("changed", ["fault", "linking-setup", "delivery"].includes(id) && value !== options[0]?.[0]);
}

/** What is wrong on purpose, in a sentence: nobody should look for a mistake that they switched on themselves. */
function drawNotice(simulator) {
  const fault = simulator.faults.find((each) => each.name === simulator.fault);
  const parts = [];
  if (simulator.fault !== simulator.faults[0]?.name && fault) parts.push(`Fault: ${fault.label}. ${fault.description ?? ""}`);
  const setup = simulator.linking_setups.find((each) => each.name === simulator.linking_setup);
  if (setup && simulator.linking_setup !== simulator.linking_setups[0]?.name) parts.push(`Linking set-up: ${setup.label}.`);
  const delivery = simulator.deliveries.find((each) => each.name === simulator.delivery);
  if (delivery && simulator.delivery !== simulator.deliveries[0].name) parts.push(`Event delivery: ${delivery.label}.`);
  byId("notice").hidden = !parts.length;
  setText(byId("notice"), parts.join(" "));
}

function tick() {
  if (clockAt === null) return;
  const iso = new Date(clockAt.ms + performance.now() - clockAt.since).toISOString();
  byId("clock").dateTime = iso;
  setText(byId("clock"), `${iso.slice(0, 10)} ${iso.slice(11, 19)}`);
}

function lasting(seconds) {
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor((seconds % 86400) / 3600)];
  const minutes = Math.round((seconds % 3600) / 60);
  const parts = [[days, "d"], [hours, "h"], [minutes, "min"]].filter(([count]) => count);
  return parts.length ? parts.map(([count, unit]) => `${count} ${unit}`).join(" ") : `${Math.round(seconds)} s`;
}
