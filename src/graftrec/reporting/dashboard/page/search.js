// The sweep's plots, which Optuna made, in the page's colours.
"use strict";

const LONG_TITLE = 18; // characters of an axis's title that stand under 150 pixels
const PALEST = 247, DARKEST = 8; // red of the ends of the blue scale that Optuna draws with

/** Cards of the figures whose title begins with the panel's. */
function searchPanels(title, about) {
  return DATA.search.figures.filter((figure) => figure.title.split(":")[0] === title).map((figure) =>
    figure.reason ? notDrawn(figure) : plot(figure.title, about, () => recoloured(figure), figure.data[0].type === "bar" ? () => bars(figure) : allTrials, ofSearch(figure), width(figure)));
}

/** Every trial with its settings, as words. */
function allTrials() {
  const { columns, rows } = DATA.search.trials;
  const cell = (value) => (typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value ?? "–"));
  return table("Trials", columns, rows.map((row) => row.map(cell)), { class: "small" });
}

/** Lengths of bars, the longest first. */
const lengths = ({ data: [bar] }) => bar.y.map((name, at) => [String(name), bar.x[at]]).reverse();
const bars = (figure) => table(figure.title, ["Setting", "Importance"], lengths(figure).map(([name, length]) => [name, number(length)]), { class: "small" });

/** What a figure of trials shows, in words. */
function ofSearch(figure) {
  if (figure.data[0].type === "bar") return extremes(lengths(figure));
  const { columns, rows } = DATA.search.trials;
  const told = DATA.search.objectives.map((name) => `${name}: ${extremes(rows.map((row) => [`trial ${row[0]}`, row[columns.indexOf(name)]]).filter(([, value]) => value !== null))}`);
  return `${count(rows.length, "trial")}. ${told.join(" ")}`;
}

function notDrawn(figure) {
  return element("div", { class: "card" }, element("strong", {}, figure.title), element("p", { class: "muted" }, `Not drawn: ${figure.reason}`));
}

/** Figures of many axes have the whole row, and are scrolled in a narrow window. */
function width(figure) {
  const axes = Math.max(figure.layout.xaxis?.tickvals?.length || 0, Object.keys(figure.layout).filter((name) => name.startsWith("xaxis")).length);
  return axes > 2 ? { style: `min-width:${axes * 150}px` } : {};
}

function recoloured(figure) {
  const { width: own, title, plot_bgcolor: white, legend: theirs, ...layout } = figure.layout;
  const [faint, strong, muted, line] = ["--faint", "--accent", "--muted", "--line"].map(themeColour);
  const front = figure.title === "Pareto front";
  const traces = front ? figure.data.map((trace) => onFront(trace, strong, muted)) : figure.data.map((trace) => ({ ...trace,
    ...(trace.marker?.colorscale ? { marker: { ...trace.marker, colorscale: [[0, faint], [1, strong]] } } : {}),
    ...(/^rgb\(/.test(trace.line?.color) ? { line: { ...trace.line, color: between(faint, strong, trace.line.color), width: 1.6 }, opacity: 0.8 } : {}) }));
  const bars = traces[0]?.type === "bar" ? { yaxis: {}, xaxis: { ...layout.xaxis, title: { text: "share of variance" }, rangemode: "tozero", nticks: 4, tickangle: 0 } } : {}; // names need no title
  for (const [name, axis] of Object.entries(layout)) if (/^xaxis\d*$/.test(name) && axis.title?.text?.length > LONG_TITLE) layout[name] = { ...axis, title: { ...axis.title, text: axis.title.text.split(".").at(-1) } };
  const shapes = layout.shapes?.map((shape) => ({ ...shape, line: { ...shape.line, color: line } }));
  const annotations = layout.annotations?.map((text) => ({ ...text, font: { ...text.font, color: muted } }));
  const named = (front || traces.filter((trace) => trace.name && trace.showlegend !== false).length > 1) && !shapes;
  const pane = { gridcolor: line, zerolinecolor: line, backgroundcolor: "transparent" };
  const scene = layout.scene && { camera: { eye: { x: 1.6, y: 1.6, z: 1.1 } }, ...Object.fromEntries(Object.entries(layout.scene).map(([name, axis]) => [name, name.endsWith("axis") ? { ...axis, ...pane, title: { ...axis.title, font: { size: 12 } } } : axis])) };
  return { traces, layout: { ...layout, ...bars, ...(scene ? { scene } : {}), shapes, annotations, height: scene ? 480 : 340, showlegend: named,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11 } }, margin: { l: 60, r: 24, t: named ? 40 : 20, b: 60 } } };
}

/** Trials that no other one beats stand out from the rest. */
function onFront(trace, strong, muted) {
  const best = trace.marker.colorbar?.title?.text === "Best Trial", deep = trace.type === "scatter3d";
  const { colorbar, colorscale, ...marker } = trace.marker;
  return { ...trace, name: best ? "on the front" : "beaten by another", showlegend: true,
    marker: { ...marker, showscale: false, color: best ? strong : muted, opacity: best ? 1 : 0.55, size: (best ? 10 : 7) / (deep ? 2 : 1) } };
}

/** The colour as far between two as Optuna's blue is between its palest and its darkest. */
function between(faint, strong, blue) {
  const [from, to] = [faint, strong].map((colour) => colour.match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16)));
  const share = (PALEST - parseFloat(blue.slice(4))) / (PALEST - DARKEST);
  return `rgb(${from.map((value, at) => Math.round(value + share * (to[at] - value))).join()})`;
}
