// The account-mapping table, as it stands in DynamoDB; open rows are marked, and what has just changed lights up.

import { byId, copyable, dateAndTime, element, keep, setText } from "./drawing.js";

let isFirst = true;

export function drawTable(state) {
  const open = state.rows.filter((row) => row.open).length;
  setText(byId("row-count"), `${state.rows.length} ${state.rows.length === 1 ? "row" : "rows"}, ${open} open`);
  byId("rows").hidden = !state.rows.length;
  byId("no-rows").hidden = state.rows.length > 0;
  const newestFirst = [...state.rows].sort((one, other) => Number(other.StartMs ?? 0) - Number(one.StartMs ?? 0) || Number(other.open) - Number(one.open));
  const fresh = keep(byId("row-list"), newestFirst, (row) => row.ID || `${row.AmazonUserID} ${row.StartDatetime}`, drawRow);
  if (!isFirst) for (const row of fresh) row.classList.add("fresh");
  isFirst = false;
}

function drawRow(row) {
  const made = element("tr", { role: "row", class: row.open ? "open" : "closed" },
    cell("ID", row.ID ? copyable(row.ID, "ID", row.ID.length > 10 ? `${row.ID.slice(0, 8)}…` : row.ID) : "–"),
    cell("AmazonUserID", copyable(row.AmazonUserID, "Amazon user id"), whose(row.customer)),
    cell("AccountID", row.AccountID ? copyable(row.AccountID, "account id", `${row.AccountID.slice(0, 4)}…${row.AccountID.slice(-4)}`) : element("em", { class: "dim" }, "not known"), whose(row.account)),
    cell("StartDatetime", moment(row.StartDatetime)),
    cell("EndDatetime", row.EndDatetime ? moment(row.EndDatetime) : "", row.open ? element("span", { class: "badge" }, "open") : row.EndDatetime ? "" : "–"),
    cell("Status", element("span", { class: `status ${String(row.Status).split(":")[0].toLowerCase()}` }, row.Status ?? "")),
    cell("Source", row.Source ?? ""));
  return made;
}

const cell = (name, ...content) => element("td", { role: "cell", "data-label": name }, ...content);

const whose = (name) => (name ? element("span", { class: "whose" }, name) : "");

function moment(iso) {
  if (!iso) return "–";
  const [date, time] = dateAndTime(iso);
  return element("time", { datetime: iso, title: `${iso} (UTC)` }, element("span", { class: "date" }, date), " ", time);
}
