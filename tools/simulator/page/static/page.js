// The page draws whatever state the server has, and asks the server to act; it keeps nothing that a reload would lose.

import { byId, sentence, setText } from "./drawing.js";
import { banner, follow } from "./server.js";
import { drawCard, prepareCard } from "./card.js";
import { drawConversation, prepareConversation } from "./conversation.js";
import { drawDevices, prepareDevices } from "./devices.js";
import { drawSituation, prepareSituation } from "./situation.js";
import { drawTable } from "./table.js";
import { drawWire, prepareWire } from "./wire.js";

let hasLanded = takeLanding();
let shownError = "";
let shownBusy = "";

prepareSituation();
prepareCard();
prepareConversation();
prepareWire();
prepareDevices();
follow(draw, (isConnected) => {
  document.body.classList.toggle("lost", !isConnected);
  shownBusy = "";
  if (!isConnected) setText(byId("busy"), "The simulator does not answer. Trying again…");
});

function draw(state) {
  drawBusy(state.simulator);
  drawSituation(state);
  drawCard(state);
  drawConversation(state);
  drawTable(state);
  drawWire(state);
  drawDevices(state);
  drawLinking(state);
  byId("main").dataset.version = state.simulator.version;
}

/** What is being done now. It is drawn when it changes only, so that a word like "Copied." stays until then. */
function drawBusy({ busy, skill }) {
  const text = busy ? `${busy[0].toUpperCase()}${busy.slice(1)}…` : `Ready (skill: ${skill})`;
  byId("main").setAttribute("aria-busy", busy ? "true" : "false");
  byId("busy").classList.toggle("working", Boolean(busy));
  if (text !== shownBusy) setText(byId("busy"), text);
  shownBusy = text;
}

/** Whether the sign-in page has just sent the browser here; a reload must not tell it again. */
function takeLanding() {
  const landed = new URL(location.href).searchParams.has("landed");
  if (landed) history.replaceState(null, "", "/");
  return landed;
}

/** The outcome of linking, in words: why it failed and what mends it, or that it worked. */
function drawLinking({ card, simulator }) {
  const error = card.last_link_error;
  const text = error ? JSON.stringify(error) : "";
  if (error && text !== shownError) banner("failed", `The account could not be linked, at this step: ${error.step}.`, [error.cause, error.mend].filter(Boolean).map(sentence), "linking");
  if (!error && shownError) byId("banner-linking")?.remove();
  shownError = text;
  if (!hasLanded || simulator.busy) return;
  hasLanded = false;
  if (card.linked && !error) banner("ok", "The account is linked. Pick a phrase, and listen to what the skill knows.", [], "linking");
  else if (!error) banner("warning", "The sign-in page came back, but no linking was under way. Press “Link account” again.", [], "linking");
}
