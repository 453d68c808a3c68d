// Elements, numbers and words. Text from data enters the page as text nodes only.
"use strict";

/** A new element; attributes whose value is null or false are left out, functions become listeners. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function number(value, name = "") {
  if (value === null || value === undefined) return "–";
  if (name === "seconds") return value >= 100 ? value.toFixed(0) : value.toFixed(1);
  if (name === "peak_gib") return value.toFixed(2);
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(4);
}

function signed(value, digits = 4) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
}

const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

const HEADS = { seconds: "Training, s", peak_gib: "Memory, GiB" };

/** A column's head. */
const head = (name) => HEADS[name] || name.replaceAll("_", " ");

/** Mean ± standard deviation as nodes; the deviation only where there are several seeds. */
function spread(pair, name) {
  if (!pair) return [element("span", { class: "muted" }, "–")];
  const [mean, std] = pair;
  return std === null ? [number(mean, name)] : [number(mean, name), element("span", { class: "std" }, ` ±${number(std, name)}`)];
}

/** A command with a button that copies it. */
function commandLine(command) {
  const code = element("code", {}, command);
  const button = element("button", { type: "button", class: "copy", click: () => copy(command, code, button) }, "Copy");
  return element("div", { class: "command" }, code, button);
}

async function copy(text, code, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(code); // a page from disk may have no clipboard
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  tell("The command is copied.");
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

/** Said by screen readers, and shown for a while. */
function tell(message) {
  const status = document.getElementById("status");
  status.textContent = message;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (status.textContent = ""), 4000);
}

/** A plain table of rows of cells (texts or nodes); the first cell of a row is its head. */
function table(caption, heads, rows, attributes = {}) {
  const cell = (content, index) => element(index ? "td" : "th", index ? {} : { scope: "row" }, content);
  return element("table", attributes,
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, heads.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map(cell)))));
}

/** A table that is made when it is opened. */
function folded(title, make) {
  const details = element("details", { toggle: () => details.open && details.lastChild.replaceChildren(make()) },
    element("summary", {}, title), element("div", { class: "scroll tall" }));
  return details;
}
