// Above all else: which run is best, why, and how to run it again.
"use strict";

function header() {
  const { setup, sizes } = group();
  const runs = group().variants.flatMap((variant) => variant.runs).length;
  const facts = [
    setup.data,
    `${count(sizes.users, "user")}, ${count(sizes.items, "item")}, ${count(sizes.train, "training interaction")}`,
    `${count(runs, "run")} of ${count(group().variants.filter((variant) => variant.runs.length).length, "variant")}`,
    ...Object.entries(DATA.left_out).map(([kind, runs]) => (runs ? `${count(runs, `${kind} run`)} left out` : null)),
    `made ${DATA.made}`,
  ];
  const warning = setup.protocol.includes("leaky") ? element("p", { class: "warning" }, "Leaky: these runs were validated on the test set.") : null;
  return [
    element("div", {}, element("p", { class: "eyebrow" }, "graftrec dashboard"), element("h1", {}, DATA.title),
      element("p", { class: "muted" }, facts.filter(Boolean).join(" · ")), warning),
    element("div", { class: "controls" }, DATA.groups.length > 1 ? dataChoice() : null, metricChoice()),
  ];
}

function dataChoice() {
  const name = ({ setup }) => `${setup.data}, ${setup.task}${setup.protocol === "clean" ? "" : `, ${setup.protocol}`}`;
  const options = DATA.groups.map((one, index) => element("option", { value: index, selected: index === state.group }, name(one)));
  const choose = (event) => { location.hash = `#data=${event.target.value}`; };
  return element("label", {}, "Data ", element("select", { id: "choose-data", change: choose }, options));
}

function metricChoice() {
  const options = group().metrics.map((name) => element("option", { value: name, selected: name === state.metric }, head(name)));
  const choose = (event) => {
    const metric = event.target.value;
    change({ metric, sort: "valid", order: lowerIsBetter(metric) ? "ascending" : "descending" });
    render();
    document.getElementById("choose-metric").focus();
  };
  return element("label", {}, "Metric ", element("select", { id: "choose-metric", change: choose }, options));
}

/** The card of the best variant. */
function bestCard() {
  const order = ranked();
  const best = group().variants[order[0]];
  if (!best) return element("p", {}, `No run has a validation value of ${state.metric}.`);
  const second = group().variants[order[1]];
  const baseline = best.trained ? bestBaseline() : null;
  const run = DATA.runs[best.runs[0]];
  return element("section", { class: "card best", "aria-labelledby": "best-title" },
    element("div", { class: "best-name" },
      element("p", { class: "eyebrow" }, best.trained ? "Best run" : "Best baseline: no trained run is here"),
      element("h2", { id: "best-title" }, runLink(run, best.label)),
      element("p", {}, why(best, second, baseline, order.length))),
    element("dl", { class: "tiles" },
      tile(`Test ${head(state.metric)}`, spread(best.test[state.metric], state.metric), count(best.runs.length, "seed")),
      baseline ? tile("Against the best baseline", difference(best, baseline), `${baseline.label}, ${number(baseline.test[state.metric][0])}`) : null,
      second ? tile("Against the second", difference(best, second), `${second.label}, ${number(second.test[state.metric][0])}`) : null),
    element("div", { class: "again" }, element("h3", {}, "Run it again"), commandLine(run.command)));
}

function tile(name, value, about) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: "figure" }, value), element("dd", { class: "muted" }, about));
}

function why(best, second, baseline, variants) {
  const [mean, std] = best.valid[state.metric];
  const chosen = `It has the ${lowerIsBetter(state.metric) ? "lowest" : "highest"} validation ${head(state.metric)} ` +
    `(${number(mean)}${std === null ? "" : ` ± ${number(std)}`}) of ${count(variants, "variant")}.`;
  const told = [baseline ? `${compared(best, baseline)} ${baseline.label}, the best baseline` : null,
    second ? `${compared(best, second)} ${second.label}, the second` : null].filter(Boolean);
  return told.length ? `${chosen} On test it is ${told.join(", and ")}.` : chosen;
}

function compared(best, other) {
  const [own, theirs] = [best.test[state.metric][0], other.test[state.metric][0]];
  const difference = own - theirs;
  if (Math.abs(difference) < 0.00005) return "equal to";
  return `${Math.abs(difference).toFixed(4)} ${difference > 0 ? "above" : "below"}`;
}

/** A signed difference on test and its share; better and worse are told by a word too. */
function difference(variant, other) {
  const own = variant.test[state.metric], theirs = other?.test[state.metric];
  if (!own || !theirs) return [element("span", { class: "muted" }, "–")];
  const change = own[0] - theirs[0];
  const better = change === 0 ? null : change > 0 !== lowerIsBetter(state.metric);
  const share = theirs[0] ? ` (${signed((100 * change) / Math.abs(theirs[0]), 1)} %)` : "";
  const title = better === null ? "equal" : better ? "better" : "worse";
  return [element("span", { class: better === null ? "muted" : title, title }, signed(change), element("span", { class: "std" }, share))];
}
