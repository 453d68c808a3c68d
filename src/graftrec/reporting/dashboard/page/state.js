// What is looked at, kept in the address so that it can be shared: #metric=ndcg@20&sort=coverage@20&filter=gcn
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const MOST_RUNS = 20; // whose curves are drawn at once
const AT_START = 5; // variants that are selected

const state = { group: 0, metric: "", sort: "valid", order: "descending", filter: "", selected: [], run: "", best: -1 };

const group = () => DATA.groups[state.group];
const lowerIsBetter = (metric) => group().lower.includes(metric);
const runsOf = (variants) => variants.flatMap((index) => group().variants[index].runs);

/** Read the address; an address without "=" is a place on the page and changes nothing. */
function readState() {
  const hash = location.hash.slice(1);
  if (hash && !hash.includes("=")) return;
  const given = new URLSearchParams(hash.replaceAll("+", "%2B"));
  state.group = DATA.groups[Number(given.get("data"))] ? Number(given.get("data")) : 0;
  state.metric = group().metrics.includes(given.get("metric")) ? given.get("metric") : group().metrics[0];
  state.sort = given.get("sort") || "valid";
  state.order = given.get("order") || (lowerIsBetter(state.metric) ? "ascending" : "descending");
  state.filter = given.get("filter") || "";
  state.run = given.get("run") || "";
  const known = (given.get("select") || "").split(",").filter((text) => text && group().variants[text]?.runs.length);
  state.selected = given.has("select") ? known.map(Number) : firstOnes();
}

/** The variants that come first on validation, as many as may be drawn. */
function firstOnes() {
  const chosen = [];
  for (const index of ranked()) {
    if (chosen.length === AT_START || runsOf([...chosen, index]).length > MOST_RUNS) break;
    chosen.push(index);
  }
  return chosen;
}

function address(changes = {}) {
  const next = { ...state, ...changes };
  const words = new URLSearchParams();
  if (next.group) words.set("data", next.group);
  if (next.metric !== DATA.groups[next.group].metrics[0]) words.set("metric", next.metric);
  if (next.sort !== "valid") words.set("sort", next.sort);
  if (next.sort !== "valid" || next.order !== "descending") words.set("order", next.order);
  if (next.filter) words.set("filter", next.filter);
  if (next.selected.join() !== firstOnes().join()) words.set("select", next.selected.join());
  if (next.run) words.set("run", next.run);
  return "#" + words.toString();
}

/** A link to the page of a run, from which there is a way back to what is looked at now. */
function runLink(run, text) {
  const open = (event) => {
    event.preventDefault();
    location.hash = address({ run: run.name });
  };
  return element("a", { href: `#run=${encodeURIComponent(run.name)}`, click: open }, text);
}

/** Change what is looked at without a step in the browser's history. */
function change(changes) {
  Object.assign(state, changes);
  history.replaceState(null, "", address());
}

/** Numbers of the trained variants, the best on validation first; of all with runs where none was trained. */
function ranked(metric = state.metric || group().metrics[0]) {
  const variants = group().variants;
  const sign = lowerIsBetter(metric) ? 1 : -1;
  const judged = variants.map((_, index) => index).filter((index) => variants[index].valid[metric]);
  const trained = judged.filter((index) => variants[index].trained);
  return (trained.length ? trained : judged).sort((a, b) => sign * (variants[a].valid[metric][0] - variants[b].valid[metric][0]));
}

/** The best on test of all that need no training; null where there is none. */
function bestBaseline(metric = state.metric) {
  const sign = lowerIsBetter(metric) ? 1 : -1;
  const simple = group().variants.filter((variant) => !variant.trained && variant.test[metric]);
  return simple.sort((a, b) => sign * (a.test[metric][0] - b.test[metric][0]))[0] || null;
}
