// The table of variants: sorted by any column, filtered by words.
"use strict";

/** Columns as [key, head, value of a variant for sorting, nodes of its cell]. */
function columns(panel) {
  const baseline = bestBaseline();
  const metric = state.metric;
  const other = panel.metrics.filter((name) => name !== "{metric}" && name !== metric && measured(name));
  return [
    ["valid", `Validation ${head(metric)}`, (v) => v.valid[metric]?.[0], (v) => spread(v.valid[metric])],
    ["test", `Test ${head(metric)}`, (v) => v.test[metric]?.[0], (v) => spread(v.test[metric])],
    ...(baseline ? [["difference", "Against the best baseline", (v) => v.test[metric]?.[0],
      (v) => (v === baseline ? [element("span", { class: "muted" }, "the best one")] : difference(v, baseline))]] : []),
    ["seeds", "Seeds", (v) => v.runs.length, (v) => [v.runs.length || "–"]],
    ...other.map((name) => [name, head(name), (v) => valueOf(v, name), (v) => spread(v.test[name] || v.cost[name], name)]),
  ];
}

const valueOf = (variant, name) => (variant.test[name] || variant.cost[name])?.[0];
const measured = (name) => group().variants.some((variant) => valueOf(variant, name) !== undefined);

function leaderboard(panel) {
  const shown = columns(panel);
  const sortable = ([key, title]) => element("th", { scope: "col", "aria-sort": state.sort === key ? state.order : "none", "data-key": key },
    element("button", { type: "button", click: () => sortBy(key, shown) }, title));
  const filter = element("input", { id: "filter", type: "search", value: state.filter, autocomplete: "off",
    placeholder: "words such as gcn lr=0.01", input: () => { change({ filter: filter.value }); fill(shown); } });
  const board = element("table", { id: "board" },
    element("caption", {}, `Mean ± standard deviation over seeds, on test unless a column says validation. ${panel.about}`),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, element("span", { class: "hidden" }, "Drawn in plots")), sortable(["label", "Variant"]), shown.map(sortable))),
    element("tbody", {}));
  return element("div", { class: "card" },
    element("div", { class: "bar" }, element("label", { for: "filter" }, "Filter "), filter, element("span", { id: "matches", class: "muted", role: "status" })),
    element("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": "Leaderboard" }, board));
}

/** The rows that match, in order, into the table that is on the page. */
function fill(shown) {
  const body = document.querySelector("#board tbody");
  const order = sorted(shown).filter((index) => matches(group().variants[index]));
  body.replaceChildren(...order.map((index) => row(index, shown)));
  document.getElementById("matches").textContent = `${order.length.toLocaleString("en")} of ${count(group().variants.length, "row")}`;
}

function row(index, shown) {
  const variant = group().variants[index];
  const first = variant.runs.length ? DATA.runs[variant.runs[0]] : null;
  const name = first ? runLink(first, variant.label) : variant.label;
  const badge = variant.trained ? (index === state.best ? element("span", { class: "badge strong" }, "best") : null) : element("span", { class: "badge" }, "baseline");
  return element("tr", { class: index === state.best ? "first" : null },
    element("td", { class: "pick" }, first ? picker(index) : null),
    element("th", { scope: "row" }, name, badge ? [" ", badge] : []),
    shown.map(([, , , cell]) => element("td", {}, cell(variant))));
}

function picker(index) {
  const place = state.selected.indexOf(index);
  const box = element("input", { type: "checkbox", "data-variant": index, "aria-label": `Draw ${group().variants[index].label}`, change: () => pick(index, box) });
  box.checked = place >= 0;
  box.style.accentColor = place >= 0 ? colour(place) : "";
  return box;
}

function pick(index, box) {
  const next = state.selected.filter((other) => other !== index).concat(box.checked ? [index] : []);
  if (runsOf(next).length > MOST_RUNS) {
    box.checked = false;
    tell(`At most ${MOST_RUNS} runs are drawn at once: take one away first.`);
    return;
  }
  change({ selected: next });
  selectionChanged();
}

function sortBy(key, shown) {
  const up = key === "label" || lowerIsBetter(["valid", "test", "difference"].includes(key) ? state.metric : key) || key in HEADS;
  const first = up ? "ascending" : "descending";
  const order = state.sort !== key ? first : state.order === "ascending" ? "descending" : "ascending";
  change({ sort: key, order });
  for (const cell of document.querySelectorAll("#board th[data-key]")) {
    cell.setAttribute("aria-sort", cell.dataset.key === key ? order : "none");
  }
  fill(shown);
}

/** Numbers of variants in the chosen order; those without a value come last either way. */
function sorted(shown) {
  const { variants } = group();
  const values = { label: (v) => v.label };
  for (const [key, , value] of shown) values[key] = value;
  const value = values[state.sort] || values.valid;
  const sign = state.order === "ascending" ? 1 : -1;
  const known = variants.map((variant, index) => [value(variant), index]);
  const compare = ([a, i], [b, j]) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined) || i - j;
    return sign * (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b) || i - j;
  };
  return known.sort(compare).map(([, index]) => index);
}

const matches = (variant) => {
  const text = `${variant.label} ${variant.trained ? "" : "baseline"}`.toLowerCase();
  return state.filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
};
