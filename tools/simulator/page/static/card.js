// The skill as the customer's Alexa app shows it: enabling, linking, permissions, purchases; and events that still wait.

import { byId, copy, copyable, dateAndTime, element, keep, sentence, setHidden, setText } from "./drawing.js";
import { act, actBySwitch } from "./server.js";

export function prepareCard() {
  byId("link").addEventListener("click", (event) => startLinking(event.currentTarget));
  byId("copy-email").addEventListener("click", (event) => copy(byId("email").textContent, event.currentTarget));
  byId("copy-password").addEventListener("click", (event) => copy(byId("password").textContent, event.currentTarget));
  byId("link-as").addEventListener("submit", (event) => {
    event.preventDefault();
    act("link", { account: byId("account").value }, event.submitter);
  });
  byId("landed").addEventListener("submit", async (event) => {
    event.preventDefault();
    const landed = event.target.elements.url.value;
    event.target.reset(); // the address holds a code
    await act("finish_link", { landed_url: landed }, event.submitter);
  });
  byId("purchases").addEventListener("change", ({ target }) => actBySwitch(target, "set_purchases", { on: target.checked }));
}

/** To the identity provider's sign-in page, in this tab; it comes back here by itself. */
export async function startLinking(button) {
  const url = await act("begin_link", {}, button);
  if (url) location.assign(url);
}

export function drawCard(state) {
  const { card } = state;
  const customer = state.customers.find((each) => each.key === state.customer);
  setText(byId("whose"), `${customer?.name ?? "the customer"}’s`);
  setText(byId("skill-name"), card.skill_name);
  setText(byId("invocation-name"), card.invocation_name);
  drawLinkState(card);
  drawButtons(card);
  drawSignIn(state, card, customer);
  drawFacts(state);
  drawPermissions(card);
  byId("purchases").checked = card.purchases;
  drawPending(state.pending_events);
}

function drawLinkState(card) {
  const [kind, text] = !card.enabled ? ["off", "Not enabled"] : card.linked ? ["linked", "Account linked"] : ["unlinked", "Account linking required"];
  byId("link-state").dataset.kind = kind;
  setText(byId("link-state"), text);
}

function drawButtons(card) {
  const next = () => byId("skill").querySelector(".buttons button:not([hidden])");
  byId("link").hidden = !card.enabled;
  setHidden(byId("enable"), card.enabled, next);
  setHidden(byId("disable"), !card.enabled, next);
  byId("link").classList.toggle("primary", !card.linked);
  setText(byId("link"), card.linked ? "Link again" : "Link account");
}

function drawSignIn(state, card, customer) {
  const box = byId("sign-in");
  box.hidden = !card.enabled || !customer;
  if (!customer) return;
  if (box.dataset.linked !== String(card.linked)) box.open = !card.linked;
  box.dataset.linked = card.linked;
  setText(byId("account-name"), customer.name);
  setText(byId("email"), customer.email);
  setText(byId("password"), customer.password);
  const account = byId("account");
  const fresh = keep(account, state.customers, (each) => each.key, (each) => element("option", { value: each.key }, each.name));
  if (fresh.length || account.dataset.customer !== state.customer) account.value = state.customer;
  account.dataset.customer = state.customer;
}

function drawFacts({ card, simulator }) {
  const facts = [];
  if (card.user_id) facts.push({ name: "User id", id: card.user_id });
  if (card.token_expires) facts.push({ name: "Token until", text: until(card.token_expires, simulator.clock) });
  keep(byId("facts"), facts, (fact) => fact.name, (fact) =>
    element("div", {}, element("dt", {}, fact.name), element("dd", {}, fact.id ? copyable(fact.id, "Amazon user id") : fact.text)));
}

/** The day is said where it is another. */
function until(expires, now) {
  const [[day, time], [today]] = [dateAndTime(expires), dateAndTime(now)];
  return day === today ? `${time} UTC` : `${day} ${time} UTC`;
}

function drawPermissions(card) {
  const field = byId("permissions");
  field.hidden = !card.enabled || !card.permissions.length;
  let list = field.querySelector("div");
  if (!list) field.append((list = element("div")));
  keep(list, card.permissions, (each) => each.scope, permission, (node, each) => (node.querySelector("input").checked = each.granted));
}

function permission({ scope, label, granted }) {
  const box = element("input", { type: "checkbox", role: "switch", onchange: () => actBySwitch(box, "set_permission", { scope, granted: box.checked }) });
  box.checked = granted;
  return element("label", { class: "switch", title: scope }, box, element("span", {}, label));
}

function drawPending(events) {
  byId("pending").hidden = !events.length;
  keep(byId("pending-events"), events.map((each, at) => ({ ...each, at })), (each) => each.at, ({ type, attempts, next_try_s: next, because }) =>
    element("li", {}, element("strong", {}, type.replace("AlexaSkillEvent.", "")), " ", element("span", { class: "dim" }, waiting(attempts, next)), element("p", {}, sentence(because ?? ""))));
}

function waiting(attempts, next) {
  const tried = `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  return next === null || next === undefined ? tried : `${tried}, next in ${Math.round(next)} s`;
}
