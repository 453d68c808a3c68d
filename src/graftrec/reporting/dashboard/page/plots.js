// Plots, each drawn when it comes near the window. Every one has its numbers as a table beside it.
"use strict";

const COLOURS = ["#3b82d6", "#d86f24", "#2f9e6b", "#c2508f", "#8b6bd6", "#b58a1f", "#2f93a3", "#d1504f", "#7c8794", "#7d9a2f"];
const REST = "#808c9e", SIMPLE = "#d0493b"; // points that are not selected, baselines
const colour = (place) => COLOURS[place % COLOURS.length];
const dash = (place) => (place < COLOURS.length ? "solid" : "dot");
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"); // Plotly reads tags in its texts
const waiting = new Map(); // places of plots that are not drawn yet

/** A plot's figure: title, how to read it, the drawing, its numbers. ``make`` gives traces and layout, ``numbers`` a table, ``summary`` what is seen. */
function plot(title, about, make, numbers, summary, attributes = {}) {
  const place = element("div", { class: "plot", role: "img", "aria-label": `Plot: ${title}. ${about} ${summary}`, ...attributes });
  waiting.set(place, make);
  const details = numbers ? folded(["Numbers", element("span", { class: "hidden" }, ` of ${title}`)], numbers) : null;
  return element("figure", { class: attributes.style ? "card wide" : "card" }, element("figcaption", {}, element("strong", {}, title), ` ${about}`),
    element("div", { class: "scroll" }, place), details);
}

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting && waiting.has(target)) draw(target);
}, { rootMargin: "300px" });

function draw(place) {
  const { traces, layout } = waiting.get(place)();
  observer.unobserve(place);
  Plotly.react(place, traces, themed(layout), { responsive: true, displayModeBar: false });
  document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true"); // where Plotly measures texts
}

/** Watch every plot on the page; those that left it are forgotten. */
function watchPlots() {
  for (const place of waiting.keys()) {
    if (!place.isConnected) waiting.delete(place);
    else if (typeof Plotly !== "undefined") observer.observe(place);
  }
}

const themeColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The layout in the page's colours, light or dark. */
function themed(layout) {
  const [text, line] = ["--text", "--line"].map(themeColour);
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  const axes = ["xaxis", "yaxis", ...Object.keys(layout).filter((name) => /^[xy]axis/.test(name))];
  const made = { paper_bgcolor: "transparent", plot_bgcolor: "transparent", height: 300, showlegend: false,
    margin: { l: 52, r: 12, t: 12, b: 44 }, hovermode: "closest", ...layout,
    font: { family: "system-ui, sans-serif", color: text, size: 12 } };
  for (const name of axes) made[name] = { ...axis, ...layout[name], ...(layout[name]?.title ? { title: { ...layout[name].title, standoff: 8 } } : {}) };
  return made;
}

/** An axis of epochs: whole numbers, at most ten ticks. */
const epochs = (runs) => ({ title: { text: "epoch" }, dtick: Math.max(1, Math.ceil(Math.max(0, ...runs.map((run) => run.curves.epoch.at(-1))) / 10)) });

/** Numbers of epochs, from 1, as in the rest of the page; Lightning counts from 0. */
const epochsOf = (run) => run.curves.epoch.map((epoch) => epoch + 1);

/** Of [label, value] pairs the highest and the lowest, in words. */
function extremes(pairs, name) {
  if (!pairs.length) return "Nothing is drawn.";
  const [high, low] = [1, -1].map((sign) => pairs.reduce((best, pair) => (sign * pair[1] > sign * best[1] ? pair : best)));
  return `Highest: ${high[0]}, ${number(high[1], name)}; lowest: ${low[0]}, ${number(low[1], name)}.`;
}

/** Learning curves of the selected variants: one colour a variant, one line a seed. */
function curvePanel(title, about, name) {
  const lines = () => state.selected.flatMap((index, place) => group().variants[index].runs.map((run) => [index, place, DATA.runs[run]]))
    .filter(([, , run]) => run.curves[name]?.some((value) => value !== null));
  const make = () => ({
    traces: lines().map(([index, place, run]) => ({
      x: epochsOf(run), y: run.curves[name], type: "scatter", mode: run.curves.epoch.length > 1 ? "lines" : "markers", connectgaps: true,
      name: escaped(`${group().variants[index].label}, seed ${run.seed}`), line: { color: colour(place), dash: dash(place), width: 1.8 },
      hovertemplate: "%{fullData.name}<br>epoch %{x}: %{y:.4f}<extra></extra>",
    })),
    layout: { xaxis: epochs(lines().map(([, , run]) => run)), yaxis: { title: { text: escaped(title) } } },
  });
  const numbers = () => table(`${title}: first, best and last epoch`, ["Variant", "Seed", "First", "Highest", "Lowest", "Last"], lines().map(([index, , run]) => {
    const known = run.curves[name].filter((value) => value !== null);
    return [group().variants[index].label, String(run.seed), ...[known[0], Math.max(...known), Math.min(...known), known.at(-1)].map((value) => number(value))];
  }));
  const last = lines().map(([index, , run]) => [`${group().variants[index].label}, seed ${run.seed}`, run.curves[name].findLast((value) => value !== null)]);
  return plot(title, about, make, numbers, `${count(last.length, "line")}. At the end: ${extremes(last)}`);
}

/** Test metrics from cold to warm nodes; of a variant with several seeds the mean. */
function strataPanel(title, about, kind) {
  const known = () => state.selected.map((index, place) => [index, place, group().variants[index].runs.map((run) => DATA.runs[run].strata[kind]).filter((one) => one?.[state.metric])])
    .filter(([, , runs]) => runs.length);
  const mean = (runs) => runs[0].stratum.map((_, at) => runs.reduce((sum, one) => sum + one[state.metric][at], 0) / runs.length);
  const make = () => ({
    traces: known().map(([index, place, runs]) => ({
      x: runs[0].stratum, y: mean(runs), type: "scatter", mode: "lines+markers", name: escaped(group().variants[index].label),
      line: { color: colour(place), dash: dash(place), width: 1.8 }, marker: { size: 8 },
      hovertemplate: "%{fullData.name}<br>%{x}: %{y:.4f}<extra></extra>",
    })),
    layout: { xaxis: { type: "category", title: { text: `${kind}, cold → warm` } }, yaxis: { title: { text: escaped(state.metric) }, rangemode: "tozero" } },
  });
  const numbers = () => table(title, ["Variant", ...(known()[0]?.[2][0].stratum || [])], known().map(([index, , runs]) => [group().variants[index].label, ...mean(runs).map((value) => number(value))]));
  const at = (end) => extremes(known().map(([index, , runs]) => [group().variants[index].label, mean(runs).at(end)]));
  return plot(title, about, make, numbers, `Coldest nodes: ${at(0)} Warmest: ${at(-1)}`);
}

/** All variants as points; baselines are diamonds with their names. */
function scatterPanel(title, about, [x, y]) {
  const points = group().variants.map((variant, index) => ({ variant, index, x: valueOf(variant, x), y: valueOf(variant, y) }))
    .filter((point) => point.x !== undefined && point.y !== undefined);
  const trace = (some, more) => ({
    x: some.map((point) => point.x), y: some.map((point) => point.y), text: some.map((point) => escaped(point.variant.label)), type: "scatter", mode: "markers",
    hovertemplate: `%{text}<br>${escaped(head(x))} %{x:.4~f}<br>${escaped(y)} %{y:.4f}<extra></extra>`, ...more,
  });
  const make = () => {
    const place = (point) => state.selected.indexOf(point.index);
    const [simple, trained] = [points.filter((one) => !one.variant.trained), points.filter((one) => one.variant.trained)];
    const fill = trained.map((one) => (place(one) >= 0 ? colour(place(one)) : REST));
    return {
      traces: [trace(trained, { marker: { size: trained.map((one) => (one.index === state.best ? 15 : 10)), color: fill, opacity: trained.map((one) => (place(one) >= 0 ? 1 : 0.45)), line: { width: 0 } } }),
        trace(simple, { mode: "markers+text", textposition: "top center", textfont: { size: 11 }, cliponaxis: false, marker: { size: 10, symbol: "diamond-open", color: SIMPLE, line: { width: 2 } } })],
      layout: { xaxis: { title: { text: escaped(head(x)) }, ...(x === "seconds" ? { type: "log", nticks: 6, tickformat: "~g" } : {}) }, yaxis: { title: { text: escaped(y) } } },
    };
  };
  const numbers = () => table(title, ["Variant", head(x), head(y)], points.map((point) => [point.variant.label, number(point.x, x), number(point.y, y)]));
  return points.length ? plot(title, about, make, numbers, `${count(points.length, "point")}. ${extremes(points.map((point) => [point.variant.label, point.y]))}`) : null;
}
