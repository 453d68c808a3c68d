// The sweep's plots, which Optuna made, in the page's colours.
"use strict";

const PALEST = 247, DARKEST = 8; // red of the ends of the blue scale that Optuna draws with

/** Cards of the figures whose title begins with the panel's. */
function searchPanels(title, about) {
  return DATA.search.figures.filter((figure) => figure.title.split(":")[0] === title).map((figure) =>
    figure.reason ? notDrawn(figure) : plot(figure.title, about, () => recoloured(figure), null, width(figure)));
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
  const traces = figure.data.map((trace) => ({ ...trace,
    ...(trace.marker?.colorscale ? { marker: { ...trace.marker, colorscale: [[0, faint], [1, strong]] } } : {}),
    ...(/^rgb\(/.test(trace.line?.color) ? { line: { ...trace.line, color: between(faint, strong, trace.line.color), width: 1.6 }, opacity: 0.8 } : {}) }));
  const bars = traces[0]?.type === "bar" ? { yaxis: {}, xaxis: { ...layout.xaxis, rangemode: "tozero" } } : {}; // names need no title
  const shapes = layout.shapes?.map((shape) => ({ ...shape, line: { ...shape.line, color: line } }));
  const annotations = layout.annotations?.map((text) => ({ ...text, font: { ...text.font, color: muted } }));
  const named = traces.filter((trace) => trace.name && trace.showlegend !== false).length > 1 && !shapes;
  return { traces, layout: { ...layout, ...bars, shapes, annotations, height: 340, showlegend: named,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11 } }, margin: { l: 60, r: 24, t: named ? 40 : 20, b: 60 } } };
}

/** The colour as far between two as Optuna's blue is between its palest and its darkest. */
function between(faint, strong, blue) {
  const [from, to] = [faint, strong].map((colour) => colour.match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16)));
  const share = (PALEST - parseFloat(blue.slice(4))) / (PALEST - DARKEST);
  return `rgb(${from.map((value, at) => Math.round(value + share * (to[at] - value))).join()})`;
}
