// The two charts: means by dataset, and reliability diagrams.

/** An arm's colour, lighter on a dark page; where a browser cannot mix, the attribute beside it holds. */
const tinted = (a, property) => `${property}:color-mix(in srgb, ${data.arms[a].color} var(--tint), white)`;

/** A line a dataset, a mark an arm, of one measure among one group of classes. */
function dotPlot(place, means, measure) {
  const valued = means.filter((mean) => mean.v[measure][0] !== null);
  if (!valued.length) {
    place.replaceChildren(el("p", { class: "note" }, "Nothing to show: no such measure for this choice."));
    return;
  }
  const tests = distinct(valued.map((mean) => testName(mean.p)));
  const arms = distinct(valued.map((mean) => mean.p.a)).sort((a, b) => a - b);
  const step = Math.max(5, Math.min(12, 60 / arms.length));
  const height = arms.length * step + 14;
  const [left, width, top] = [150, 560, 8];
  const ends = valued.flatMap((mean) => mean.v[measure].filter((value) => value !== null));
  const tickStep = roundStep(Math.max(...ends) - (measure === 0 ? Math.min(...ends) : 0));
  const low = measure === 0 ? Math.floor(Math.min(...ends) / tickStep) * tickStep : 0;
  const largest = Math.ceil(Math.max(...ends) / tickStep) * tickStep;
  const high = data.measures[measure].unit === "%" ? Math.min(100, largest) : largest;
  const x = (value) => left + ((value - low) / (high - low || 1)) * width;
  const bottom = top + tests.length * height;
  const svg = el("svg", { viewBox: `0 0 ${left + width + 20} ${bottom + 40}`, role: "group", "aria-label": "Means by dataset" });
  for (let tick = Math.ceil(low / tickStep); tick * tickStep <= high * (1 + 1e-9); tick += 1) {
    const value = tick * tickStep;
    svg.append(
      el("line", { class: "rule", x1: x(value), x2: x(value), y1: top, y2: bottom }),
      el("text", { class: "soft", x: x(value), y: bottom + 16, "text-anchor": "middle" }, fixed(value, tickStep >= 1 ? 0 : 2)),
    );
  }
  svg.append(el("text", { class: "soft", x: left + width / 2, y: bottom + 34, "text-anchor": "middle" }, data.measures[measure].name + unit(measure)));
  tests.forEach((test, line) => {
    const y = top + line * height;
    svg.append(
      el("line", { class: "rule", x1: 0, x2: left + width, y1: y, y2: y }),
      el("text", { x: left - 8, y: y + height / 2 + 4, "text-anchor": "end" }, test),
    );
    for (const mean of valued.filter((mean) => testName(mean.p) === test)) {
      const at = y + 10 + arms.indexOf(mean.p.a) * step + step / 2 - 2;
      const [value, from, to] = mean.v[measure];
      const color = data.arms[mean.p.a].color;
      if (from !== null) svg.append(el("line", { x1: x(from), x2: x(to), y1: at, y2: at, stroke: color, style: tinted(mean.p.a, "stroke"), "stroke-width": 1.5 }));
      const mark = el("circle", { class: "mark", cx: x(value), cy: at, r: 5, fill: color, style: tinted(mean.p.a, "fill"), role: "img", "aria-label": meanTip(mean, measure).replaceAll("\n", ", ") });
      svg.append(tipped(mark, meanTip(mean, measure)));
    }
  });
  const legend = arms.map((a) => el("li", {}, el("span", { class: "dot", style: tinted(a, "background") }), armName(a)));
  place.replaceChildren(el("ul", { class: "legend" }, ...legend), svg);
  roving(place);
}

/** A step of 1, 2 or 5 times a power of ten, of which about six make the range. */
function roundStep(range) {
  const raw = (range || 1) / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= raw * (1 - 1e-9));
}

/** What is known of a mean. */
function meanTip(mean, measure) {
  const [value, from, to] = mean.v[measure];
  const lines = [`${armName(mean.p.a)} on ${testName(mean.p)}, ${mean.p.c}`, `${data.measures[measure].name} ${shown(measure, value)}${unit(measure)}`];
  lines.push(from === null ? "no interval" : `95 % over seeds and images: ${shown(measure, from)} to ${shown(measure, to)}`);
  lines.push(mean.s.length ? `n = ${mean.s.length} seeds (${mean.s.join(", ")})` : "nothing is drawn, no seed");
  if (measure === 0 && mean.std !== null) lines.push(`± ${fixed(mean.std)} over seeds (sample standard deviation)`);
  lines.push(`${mean.r} of ${mean.n} right, all seeds together`);
  return lines.join("\n");
}

/** A panel an arm: share of right predictions over confidence. */
function reliability(place, contest) {
  const panels = contest.arms.filter((entry) => entry.bins.length).map((entry) => panel(contest, entry));
  place.replaceChildren(...(panels.length ? panels : [el("p", { class: "note" }, "These predictions hold no confidences.")]));
  roving(place);
}

function panel(contest, entry) {
  const [left, top, side] = [30, 6, 150];
  const svg = el("svg", { viewBox: `0 0 ${left + side + 16} ${top + side + 24}`, role: "group", "aria-label": `Reliability of ${armName(entry.a)}` });
  const x = (share) => left + share * side;
  const y = (share) => top + (1 - share) * side;
  for (const share of [0, 0.5, 1]) {
    svg.append(
      el("line", { class: "rule", x1: x(0), x2: x(1), y1: y(share), y2: y(share) }),
      el("text", { class: "soft", x: left - 5, y: y(share) + 4, "text-anchor": "end" }, `${100 * share}`),
      el("text", { class: "soft", x: x(share), y: top + side + 16, "text-anchor": "middle" }, `${100 * share}`),
    );
  }
  const bins = entry.bins.length;
  entry.bins.forEach(([count, right, confidence], i) => {
    if (!count) return;
    const share = right / count;
    const text = `${armName(entry.a)}, confidence ${fixed((100 * i) / bins, 0)} to ${fixed((100 * (i + 1)) / bins, 0)} %\n${fixed(100 * share, 1)} % right (${right} of ${count})\nmean confidence ${fixed(confidence, 1)} %`;
    const bar = el("rect", {
      class: "mark", x: x((i + 0.06) / bins), y: y(share), width: (0.88 * side) / bins, height: Math.max(1, side * share),
      fill: data.arms[entry.a].color, style: tinted(entry.a, "fill"), role: "img", "aria-label": text.replaceAll("\n", ", "),
    });
    svg.append(tipped(bar, text));
    svg.append(el("line", { class: "tick", "stroke-width": 2, x1: x((i + 0.06) / bins), x2: x((i + 0.94) / bins), y1: y(confidence / 100), y2: y(confidence / 100) }));
  });
  svg.append(el("line", { class: "diagonal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
  const same = (p) => p.d === contest.d && p.t === contest.t && p.a === entry.a && p.c === contest.c && (p.k === null || p.k === contest.k);
  const mean = data.means.find((mean) => same(mean.p));
  const ece = data.measures.findIndex((measure) => measure.name === "ECE");
  const note = mean ? `${armName(entry.a)}: ECE ${shown(ece, mean.v[ece][0])}` : armName(entry.a);
  return el("figure", {}, svg, el("figcaption", {}, note));
}
