// The customer's smart home: what the skill says is there, its switches, and what came to Alexa's event gateway.

import { byId, dateAndTime, element, keep, setText } from "./drawing.js";
import { act, actBySwitch } from "./server.js";

const SHOWN_EVENTS = 5;

export function prepareDevices() {
  byId("send-events").addEventListener("change", ({ target }) => actBySwitch(target, "set_send_alexa_events", { on: target.checked }));
}

export function drawDevices({ devices, card }) {
  byId("devices").hidden = !devices;
  if (!devices) return;
  byId("discover").hidden = !card.linked;
  byId("no-devices").hidden = devices.endpoints.length > 0;
  setText(byId("no-devices"), card.linked ? "None is known: Discover asks the skill." : "Devices are discovered once an account is linked.");
  byId("send-events").checked = devices.send_alexa_events;
  keep(byId("endpoints"), devices.endpoints, (each) => each.endpoint_id, drawDevice, (node, each) => showPower(node.querySelector("input"), each));
  const events = devices.events.map((each, number) => ({ ...each, number })).slice(-SHOWN_EVENTS);
  keep(byId("gateway-events"), events, (each) => `${each.number} ${each.at}`, drawEvent);
}

function drawDevice(device) {
  const { endpoint_id: id, name, description } = device;
  const box = element("input", { type: "checkbox", role: "switch", onchange: () => actBySwitch(box, "switch_device", { endpoint_id: id, on: box.checked }) });
  showPower(box, device);
  return element("li", {},
    element("label", { class: "switch", title: id }, box, element("span", {}, name, " ", element("small", {}, description))),
    element("button", { type: "button", class: "small", onclick: (event) => act("report_state", { endpoint_id: id }, event.currentTarget) },
      "Ask", element("span", { class: "aside" }, ` ${name} how it is`)));
}

function showPower(box, { power }) {
  box.checked = power === "ON";
  box.indeterminate = !power;
}

function drawEvent({ at, name, status, code }) {
  return element("li", { class: code ? "failed" : "ok" }, element("time", { datetime: at }, dateAndTime(at)[1]), " ", name, " ",
    element("span", { class: "dim" }, code ? `${status} ${code}` : String(status)));
}
