// Making and keeping elements. Text is only ever set as text: nothing that a skill or a provider says becomes markup.

const drawn = new WeakMap();

export const byId = (id) => document.getElementById(id);

/** An element; `class`, `on…` listeners and attributes by name, an attribute that is null or false left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Brings `container`'s children in line with `items`: one that did not change keeps its element, and with it focus and open details.
 *  Returns the elements that are new. `update`, where given, changes an element in place of building it anew. */
export function keep(container, items, keyOf, build, update) {
  const before = new Map([...container.children].map((node) => [drawn.get(node)?.key, node]));
  const fresh = [];
  const nodes = items.map((item) => {
    const key = String(keyOf(item));
    const text = JSON.stringify(item);
    let node = before.get(key);
    if (!node) fresh.push((node = build(item)));
    else if (drawn.get(node).text !== text && update) update(node, item);
    else if (drawn.get(node).text !== text) fresh.push((node = build(item)));
    drawn.set(node, { key, text });
    return node;
  });
  const kept = new Set(nodes);
  for (const node of [...container.children]) if (!kept.has(node)) node.remove();
  nodes.forEach((node, at) => {
    if (container.children[at] !== node) container.insertBefore(node, container.children[at] ?? null);
  });
  return fresh;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A scrolling list stays at its end while new parts come, unless somebody has scrolled up to read. */
export function stayAtEnd(scroller) {
  let [isFollowing, last] = [true, 0];
  const goToEnd = () => isFollowing && (scroller.scrollTop = scroller.scrollHeight);
  scroller.addEventListener("scroll", () => {
    const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 32;
    isFollowing = isAtEnd || (isFollowing && scroller.scrollTop >= last); // only somebody who reads goes up
    last = scroller.scrollTop;
  }, { passive: true });
  new ResizeObserver(goToEnd).observe(scroller);
  return goToEnd;
}

/** Hides or shows a control; who had the focus on it is not sent back to the top of the page. */
export function setHidden(node, isHidden, next) {
  const hadFocus = isHidden && !node.hidden && node.contains(document.activeElement);
  node.hidden = isHidden;
  if (hadFocus) next()?.focus();
}

/** "2026-11-22T10:31:05Z" as ["2026-11-22", "10:31:05"]. */
export function dateAndTime(iso) {
  const [date, time = ""] = String(iso).split("T");
  return [date, time.slice(0, 8)];
}

/** Words for a line of their own: a capital at the beginning, a stop at the end. */
export function sentence(text) {
  const words = String(text).trim();
  return words && words[0].toUpperCase() + words.slice(1) + (/[.!?…]$/.test(words) ? "" : ".");
}

/** Enough of an id to know it again. */
export function shortened(id) {
  const last = String(id).split(".").at(-1);
  return last.length > 12 ? `${last.slice(0, 4)}…${last.slice(-4)}` : last;
}

/** An id in short, its whole on hover, and a button that copies the whole. */
export function copyable(id, what, text = shortened(id)) {
  const label = `Copy the whole ${what}`;
  return element("span", { class: "copyable" }, element("code", { title: id }, text),
    element("button", { type: "button", class: "copy icon", "aria-label": label, title: label, onclick: (event) => copy(id, event.currentTarget) }));
}

export async function copy(text, button) {
  await navigator.clipboard.writeText(text);
  button.classList.add("copied");
  button.addEventListener("blur", () => button.classList.remove("copied"), { once: true });
  announce("Copied.");
}

export function announce(text) {
  setText(byId("busy"), text);
}
