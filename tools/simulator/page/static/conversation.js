// What the customer and Alexa say to each other: text, cards drawn as cards, SSML, and speech by the browser.

import { byId, element, keep, sentence, setHidden, setText, stayAtEnd } from "./drawing.js";
import { act } from "./server.js";
import { startLinking } from "./card.js";

const canSpeak = "speechSynthesis" in window;
const ASK = { en: "ask", de: "frage" };
let locale = "en-US";
let goToEnd = null;
let lastSpoken = null; // null until the first state: what was said before is not spoken on a reload

export function prepareConversation() {
  goToEnd = stayAtEnd(byId("log"));
  byId("talk").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = event.target.elements.text.value.trim();
    if (text) say(text, byId("send")).then(() => event.target.reset());
  });
  const aloud = rememberedSwitch("aloud", () => speechSynthesis.cancel());
  aloud.closest("label").hidden = !canSpeak;
  rememberedSwitch("show-ssml", (on) => byId("log").toggleAttribute("data-ssml", on));
}

const say = (text, control) => act("say", { text }, control);

/** A switch of the page alone, kept for as long as its tab. */
function rememberedSwitch(id, changed) {
  const box = byId(id);
  box.checked = sessionStorage.getItem(id) === "on";
  box.addEventListener("change", () => {
    sessionStorage.setItem(id, box.checked ? "on" : "off");
    changed(box.checked);
  });
  if (box.checked) changed(true);
  return box;
}

export function drawConversation(state) {
  locale = state.simulator.locale;
  setText(byId("session"), state.session_open ? "session open" : "no session");
  byId("session").classList.toggle("good", state.session_open);
  for (const id of ["silent", "leave"]) setHidden(byId(id), !state.session_open, () => byId("say"));
  byId("silence").hidden = state.conversation.length > 0;
  const keyOf = (turn) => `${state.customer} ${turn.number}`;
  if (keep(byId("log"), state.conversation, keyOf, drawTurn).length) goToEnd();
  drawExamples(state);
  speakNew(state);
}

/** Without an open session, a phrase reaches the skill only with its name: "ask link demo what is my email". */
function drawExamples({ examples, session_open: isOpen, card }) {
  const ask = `${ASK[locale.slice(0, 2)] ?? ASK.en} ${card.invocation_name}`;
  const phrases = examples.map((phrase) => ({ phrase, utterance: isOpen || phrase.includes(card.invocation_name) ? phrase : `${ask} ${phrase}` }));
  setText(byId("before-examples"), isOpen ? "Pick a phrase:" : `Pick a phrase; “${ask} …” goes before it while no session is open:`);
  const build = ({ phrase, utterance }) =>
    element("button", { type: "button", class: "example", title: utterance, onclick: (event) => say(event.currentTarget.title, event.currentTarget) }, phrase);
  const update = (button, { utterance }) => (button.title = utterance); // the one that was pressed keeps the focus
  keep(byId("examples"), phrases, (each) => each.phrase, build, update);
}

function speakNew(state) {
  const answers = state.conversation.filter((turn) => turn.who === "Alexa");
  const newest = answers.at(-1)?.number ?? 0;
  const unheard = lastSpoken === null ? [] : answers.filter((turn) => turn.number > lastSpoken);
  lastSpoken = newest;
  if (byId("aloud").checked && unheard.length) speak(unheard.map((turn) => turn.speech || turn.text).join(" "));
}

function speak(text) {
  speechSynthesis.cancel();
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = locale;
  speechSynthesis.speak(utterance);
}

function drawTurn(turn) {
  if (turn.who !== "Alexa") return element("div", { class: "turn customer" }, who("Customer"), element("p", { class: "bubble" }, turn.text || "(says nothing)"));
  const spoken = turn.speech || turn.text;
  const made = element("div", { class: `turn alexa${turn.problem ? " trouble" : ""}` }, who("Alexa"),
    element("p", { class: "bubble" }, spoken || "(nothing is heard)"));
  if (turn.ssml) made.append(element("pre", { class: "ssml", tabindex: "0", "aria-label": "SSML" }, turn.ssml));
  if (turn.card) made.append(drawCardOf(turn.card));
  if (turn.problem) made.append(element("p", { class: "reason failed" }, sentence(turn.problem)));
  made.append(...(turn.findings ?? []).filter((finding) => finding.what !== turn.problem || finding.mend).map((finding) => drawFinding(finding, turn.problem)));
  made.append(drawAside(turn, spoken));
  return made;
}

const who = (name) => element("span", { class: "who" }, name);

function drawAside(turn, spoken) {
  const aside = element("p", { class: "turn-aside" });
  if (canSpeak && spoken) aside.append(element("button", { type: "button", class: "speak small", onclick: () => speak(spoken) }, "Speak", element("span", { class: "aside" }, ` “${spoken}”`)));
  if (turn.took_s !== null && turn.took_s !== undefined) aside.append(element("span", { class: "dim" }, `${Number(turn.took_s).toFixed(2)} s`));
  if (turn.session_open === false) aside.append(element("span", { class: "dim" }, "session ended"));
  return aside;
}

function drawFinding({ severity, what, mend }, problem) {
  return element("p", { class: `reason ${severity === "error" ? "failed" : "warning"}` }, what === problem ? "" : `${sentence(what)} `, mend ? element("span", { class: "mend" }, sentence(mend)) : null);
}

function drawCardOf(card) {
  const kinds = { LinkAccount: "Link your account", AskForPermissionsConsent: "The skill asks for your permission" };
  const made = element("div", { class: "card", role: "group", "aria-label": "Card in the Alexa app" },
    element("p", { class: "card-kind" }, "Card in the Alexa app"), element("p", { class: "card-title" }, card.title || kinds[card.type] || card.type));
  const text = card.text || card.content;
  if (text) made.append(element("p", { class: "card-text" }, text));
  for (const scope of card.permissions ?? []) made.append(element("p", {}, element("code", {}, scope)));
  const image = card.image?.largeImageUrl || card.image?.smallImageUrl;
  if (image) made.append(element("p", { class: "dim" }, "Picture: ", element("code", {}, image)));
  if (card.type === "LinkAccount") made.append(element("button", { type: "button", class: "small", onclick: (event) => startLinking(event.currentTarget) }, "Link account"));
  return made;
}
