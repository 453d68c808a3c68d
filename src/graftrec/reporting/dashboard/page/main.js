// Puts the page together from the description in the data.
"use strict";

const DRAWS = {
  leaderboard: (panel) => [leaderboard(panel)],
  curve: (panel, [name]) => (hasCurve(name) ? [curvePanel(filled(panel.title), panel.about, name)] : []),
  strata: (panel, [kind]) => (hasStrata(kind) ? [strataPanel(panel.title, panel.about, kind)] : []),
  scatter: (panel, names) => [scatterPanel(filled(panel.title), panel.about, names)],
  search: (panel) => (DATA.search ? searchPanels(panel.title, panel.about) : []),
};
const OF_SELECTED = ["curve", "strata", "scatter"]; // kinds of panels that show the selected variants in their colours

const filled = (text) => text.replaceAll("{metric}", state.metric);
const ownRuns = () => group().variants.flatMap((variant) => variant.runs.map((index) => DATA.runs[index]));
const hasCurve = (name) => ownRuns().some((run) => run.curves[name]);
const hasStrata = (kind) => ownRuns().some((run) => run.strata[kind]?.[state.metric]);

function sectionOf(section) {
  const panels = section.panels.flatMap((panel) => DRAWS[panel.kind](panel, panel.metrics.map(filled))).filter(Boolean);
  if (!panels.length) return null;
  const legend = section.panels.some((panel) => OF_SELECTED.includes(panel.kind)) ? element("ul", { class: "legend", "aria-label": "Colours", "data-points": section.panels.some((panel) => panel.kind === "scatter") }) : null;
  return element("section", { id: section.name, "aria-labelledby": `${section.name}-title`, tabindex: "-1" },
    element("h2", { id: `${section.name}-title` }, section.title), element("p", { class: "muted" }, section.about),
    section.name === "search" ? searchFacts() : null, legend, element("div", { class: section.name === "leaderboard" ? "" : "panels" }, panels));
}

function searchFacts() {
  const { objectives, states, recipe } = DATA.search;
  const told = `Objective: ${objectives.join(", ")}. Trials: ${Object.entries(states).map(([name, n]) => `${n} ${name}`).join(", ")}.`;
  return element("div", { class: "facts" }, element("p", {}, told),
    recipe ? [element("p", {}, "The sweep's own choice, by its objective:"), commandLine(recipe)] : [], folded("All trials", allTrials));
}

function render() {
  state.best = ranked()[0] ?? -1;
  const run = DATA.runs.find((one) => one.name === state.run);
  const [overview, page] = ["overview", "run-page"].map((id) => document.getElementById(id));
  if (run) state.group = DATA.groups.findIndex((one) => one.variants.some((variant) => variant.runs.includes(DATA.runs.indexOf(run))));
  overview.hidden = Boolean(run);
  page.hidden = !run;
  document.title = `${run ? `${run.name}, ` : ""}${DATA.title}: graftrec dashboard`;
  document.getElementById("top").replaceChildren(...header());
  if (run) page.replaceChildren(...runPage(run).filter(Boolean));
  else renderOverview(overview);
  watchPlots();
}

function renderOverview(overview) {
  const sections = group().sections.map(sectionOf).filter(Boolean);
  const links = sections.map((one) => element("li", {}, element("a", { href: `#${one.id}` }, one.querySelector("h2").textContent)));
  overview.replaceChildren(bestCard(), element("nav", { "aria-label": "Sections" }, element("ul", {}, links)), ...sections);
  fill(columns(group().sections[0].panels[0]));
  drawLegends();
}

/** Panels of the selected variants are made anew, the others stay. */
function selectionChanged() {
  for (const section of group().sections.filter((one) => one.panels.some((panel) => OF_SELECTED.includes(panel.kind)))) {
    const made = sectionOf(section);
    if (made) document.getElementById(section.name).replaceWith(made);
  }
  for (const box of document.querySelectorAll("[data-variant]")) {
    const place = state.selected.indexOf(Number(box.dataset.variant));
    box.checked = place >= 0;
    box.style.accentColor = place >= 0 ? colour(place) : "";
  }
  drawLegends();
  watchPlots();
}

/** Names and colours of the selected variants; each can be taken away. */
function drawLegends() {
  const others = [[group().variants.some((variant) => variant.trained && !state.selected.includes(group().variants.indexOf(variant))), "", REST, "not selected"],
    [group().variants.some((variant) => !variant.trained), "diamond", SIMPLE, "baseline"]].filter(([there]) => there);
  for (const list of document.querySelectorAll(".legend")) {
    const entries = state.selected.map((index, place) => element("li", {},
      element("span", { class: `swatch ${dash(place)}`, style: `--own:${colour(place)}` }), group().variants[index].label));
    if ("points" in list.dataset) entries.push(...others.map(([, kind, own, name]) => element("li", {}, element("span", { class: `swatch ${kind}`, style: `--own:${own}` }), name)));
    list.replaceChildren(...(entries.length ? entries : [element("li", { class: "muted" }, "No variant is selected: choose some in the leaderboard's first column.")]));
  }
}

function startPlots() {
  watchPlots();
  document.body.getBoundingClientRect(); // the layout is part of the time that is told
  document.documentElement.dataset.renderedAfter = Math.round(performance.now());
}

addEventListener("hashchange", () => {
  if (location.hash.length > 1 && !location.hash.includes("=")) return;
  const before = state.run;
  readState();
  render();
  if (state.run !== before) {
    scrollTo(0, 0);
    (document.getElementById("run-title") || document.getElementById("overview")).focus({ preventScroll: true });
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
Object.assign(state, { metric: DATA.groups[0].metrics[0] });
readState();
if (!state.metric || !state.selected.length) state.selected = firstOnes();
render();
