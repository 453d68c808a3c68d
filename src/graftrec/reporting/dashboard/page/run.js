// The page of one run: numbers, settings, command, curves, example lists.
"use strict";

function runPage(run) {
  const baseline = bestBaseline();
  const owner = group().variants.find((variant) => variant.runs.includes(DATA.runs.indexOf(run)));
  return [
    element("p", {}, element("a", { href: address({ run: "" }) }, "← All runs")),
    element("header", {}, element("p", { class: "eyebrow" }, `Run, seed ${run.seed}`), element("h2", { id: "run-title", tabindex: "-1" }, owner.label),
      element("p", { class: "muted" }, [run.path, run.started && `started ${run.started.replace("T", " ")}`, ...(run.tags || [])].filter(Boolean).join(" · ")),
      element("dl", { class: "card tiles" }, keyNumbers(run, owner.trained ? baseline : null)),
      owner.runs.length > 1 ? element("p", {}, "Seeds of this variant: ", owner.runs.flatMap((other) => [seedLink(other, run), " "])) : null),
    element("section", { class: "card" }, element("h3", {}, "Run it again"), commandLine(run.command)),
    element("section", { "aria-labelledby": "lists-title" }, element("h3", { id: "lists-title" }, "Example recommendations"), exampleLists(run)),
    element("section", {}, element("h3", {}, "Learning curves"), element("div", { class: "panels" }, runCurves(run))),
    element("div", { class: "panels" }, metricsTable(run), settingsTable(run), costTable(run)),
  ];
}

function seedLink(number, current) {
  const run = DATA.runs[number];
  return run === current ? element("strong", {}, String(run.seed)) : runLink(run, String(run.seed));
}

function exampleLists(run) {
  if (!run.examples.length) {
    return element("p", { class: "muted" }, `None are kept in this run's folder. For some: graftrec recommend run=${run.path} user=ID`);
  }
  const text = (number) => DATA.texts[number];
  const items = (numbers, hits = []) => element("ol", {}, numbers.map((one, rank) => element("li", {}, text(one),
    hits.includes(rank) ? element("span", { class: "badge strong" }, "in test") : null)));
  return element("div", { class: "examples" }, run.examples.map((example, index) => element("details", { class: "card", open: index < 2 },
    element("summary", {}, `User ${example.user}: ${example.hits.length} of ${count(example.recommended.length, "recommendation")} in test`),
    element("div", { class: "lists" },
      element("div", {}, element("h4", {}, "History"), items(example.history)),
      element("div", {}, element("h4", {}, "Recommended"), items(example.recommended, example.hits))))));
}

/** The chosen metric of this run, its difference to the best baseline, and two more metrics. */
function keyNumbers(run, baseline) {
  const own = run.metrics[`test/${state.metric}`];
  const others = group().metrics.filter((name) => name !== state.metric).slice(0, 2);
  return [tile(`Test ${head(state.metric)}`, number(own), `validation ${number(run.metrics[`valid/${state.metric}`])}`),
    baseline && own !== undefined ? tile("Against the best baseline", difference({ test: { [state.metric]: [own, null] } }, baseline), `${baseline.label}, ${number(baseline.test[state.metric][0])}`) : null,
    ...others.map((name) => tile(`Test ${head(name)}`, number(run.metrics[`test/${name}`]), `validation ${number(run.metrics[`valid/${name}`])}`))];
}

/** One plot for each learning curve that is kept. */
function runCurves(run) {
  const names = Object.keys(run.curves).filter((name) => name === "train/loss" || name === `valid/${state.metric}` || name.startsWith("health/"));
  if (!names.length) return element("p", { class: "muted" }, "This recommender has no epochs.");
  const panels = group().sections.flatMap((section) => section.panels);
  return names.sort((a, b) => a.startsWith("health/") - b.startsWith("health/")).map((name) => {
    const panel = panels.find((one) => filled(one.metrics[0] || "") === name && one.kind === "curve");
    const make = () => ({ traces: [{ x: epochsOf(run), y: run.curves[name], type: "scatter", mode: "lines+markers", connectgaps: true, line: { color: COLOURS[0] } }],
      layout: { height: 240, xaxis: epochs([run]), yaxis: { title: { text: escaped(panel ? filled(panel.title) : name) } } } });
    const numbers = () => table(name, ["Epoch", "Value"], epochsOf(run).map((epoch, at) => [String(epoch), number(run.curves[name][at])]));
    const known = run.curves[name].filter((value) => value !== null);
    const summary = `From ${number(known[0])} to ${number(known.at(-1))} in ${count(epochsOf(run).at(-1), "epoch")}.`;
    return plot(panel ? filled(panel.title) : name, panel?.about || "", make, numbers, summary);
  });
}

function metricsTable(run) {
  const names = [...new Set(Object.keys(run.metrics).map((name) => name.replace(/^(test|valid)\//, "")))];
  const rows = names.map((name) => [name, number(run.metrics[`valid/${name}`]), number(run.metrics[`test/${name}`])]);
  return element("div", { class: "card scroll" }, table("Metrics", ["Metric", "Validation", "Test"], rows, { class: "small" }));
}

function settingsTable(run) {
  const chosen = run.model ? { ...run.choices, model: run.model.name, ...run.model.settings } : run.choices;
  return element("div", { class: "card scroll" }, table("Settings (all of them are in config.yaml)", ["Group", "Choice"], Object.entries(chosen).map((pair) => pair.map(String)), { class: "small words" }));
}

function costTable(run) {
  const rows = Object.entries(run.stages).map(([name, stage]) => [name, number(stage.seconds, "seconds"), number(stage.peak_gib, "peak_gib")]);
  const facts = [run.epochs && `${count(run.epochs.trained, "epoch")}, the best one ${run.epochs.best}`, run.parameters && count(run.parameters, "parameter")].filter(Boolean).join("; ");
  return element("div", { class: "card scroll" }, table(facts ? `Cost: ${facts}` : "Cost", ["Stage", "Seconds", "Memory, GiB"], rows, { class: "small" }));
}
