// The page: filters, the tables, and the look into one test set.
const filters = { d: "", a: "", c: "", k: "", s: "" };
let chartMeasure = 0;

document.getElementById("title").textContent = data.title;
document.getElementById("banners").replaceChildren(...data.banners.map((text) => el("p", { class: "banner" }, text)));

/** Whether a line is chosen; arms that draw nothing belong to every number of shots. */
function passes(p, seed) {
  return (
    (filters.d === "" || p.d === Number(filters.d)) &&
    (filters.a === "" || p.a === Number(filters.a)) &&
    (filters.c === "" || p.c === filters.c) &&
    (filters.k === "" || p.k === null || p.k === Number(filters.k)) &&
    (filters.s === "" || seed === undefined || seed === null || seed === Number(filters.s))
  );
}

function makeFilters() {
  const places = [...data.means, ...data.runs].map((line) => line.p);
  const numbers = (values) => distinct(values.filter((value) => value !== null)).sort((a, b) => a - b);
  const any = (options) => [["", "all"], ...options];
  const make = (name, field, options) => choice(name, any(options), "", (value) => {
    filters[field] = value;
    update(field);
  });
  const reset = el("button", { type: "button" }, "Show all");
  reset.addEventListener("click", () => {
    for (const field of Object.keys(filters)) filters[field] = "";
    document.querySelectorAll("#filters select").forEach((select) => { select.value = ""; });
    update("d");
  });
  document.getElementById("filters").append(
    make("Dataset", "d", numbers(places.map((p) => p.d)).map((d) => [d, datasetName(d)])),
    make("Method", "a", numbers(places.map((p) => p.a)).map((a) => [a, armName(a)])),
    make("Classes", "c", distinct(places.map((p) => p.c)).map((c) => [c, c])),
    make("Shots", "k", numbers(places.map((p) => p.k)).map((k) => [k, k])),
    make("Seed (runs)", "s", numbers(data.runs.map((run) => run.s)).map((s) => [s, s])),
    reset,
  );
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
}

const several = (lines, of) => distinct(lines.map(of)).length > 1;

function coordinates(lines) {
  const columns = [
    { name: "dataset", text: (l) => datasetName(l.p.d), key: (l) => l.p.d, isText: true, isHeading: true },
    { name: "method", text: (l) => armName(l.p.a), key: (l) => l.p.a, isText: true },
    { name: "classes", text: (l) => l.p.c, key: (l) => l.p.c, isText: true },
    { name: "shots", text: (l) => shotsName(l.p.k), key: (l) => l.p.k },
  ];
  if (lines.some((line) => line.p.t !== undefined)) {
    const trained = (l) => datasetName(l.p.t === undefined ? l.p.d : l.p.t);
    columns.splice(1, 0, { name: "trained on", text: trained, key: trained, isText: true });
  }
  return columns;
}

function meansTable() {
  const ends = (mean) => (mean.v[0][1] === null ? NONE : `${fixed(mean.v[0][1])} to ${fixed(mean.v[0][2])}`);
  const measures = data.measures.map((measure, m) => ({
    name: measure.name + (measure.unit ? ` (${measure.unit})` : ""),
    text: (mean) => shown(m, mean.v[m][0]),
    key: (mean) => mean.v[m][0],
    tip: (mean) => meanTip(mean, m),
  }));
  const [accuracy, ...rest] = measures;
  const columns = [
    ...coordinates(data.means),
    { name: "seeds", text: (mean) => `${mean.s.length}`, key: (mean) => mean.s.length },
    accuracy,
    { name: "± std", text: (mean) => fixed(mean.std), key: (mean) => mean.std },
    { name: "95 % interval", text: ends, key: (mean) => mean.v[0][1] },
    ...rest,
  ];
  return sortable(document.querySelector("#means .table"), (n) => `${n} cells; percentages are means over seeds`, columns);
}

function runsTable() {
  const caption = (n) => (data.left_out ? `${data.left_out} runs, too many for this page: they stand in results.csv` : `${n} runs`);
  const record = (run) => {
    const name = run.key.slice(0, 10);
    return data.records ? el("a", { href: `${data.records}${run.key}.json` }, name) : name;
  };
  const measures = data.measures.map((measure, m) => ({
    name: measure.name + (measure.unit ? ` (${measure.unit})` : ""),
    text: (run) => shown(m, run.v[m]),
    key: (run) => run.v[m],
  }));
  const columns = [
    ...coordinates(data.runs),
    { name: "seed", text: (run) => (run.s === null ? "none" : `${run.s}`), key: (run) => run.s },
    { name: "correct", text: (run) => `${run.r}`, key: (run) => run.r },
    { name: "images", text: (run) => `${run.n}`, key: (run) => run.n },
    ...measures,
    { name: "record", cell: record, text: (run) => run.key, key: (run) => run.key, isText: true },
  ];
  return sortable(document.querySelector("#runs .table"), caption, columns);
}

/** The group of classes of the chart: the chosen one, else H, else the first that has the measure. */
function chartClasses(means) {
  const having = distinct(means.filter((mean) => mean.v[chartMeasure][0] !== null).map((mean) => mean.p.c));
  return filters.c || (having.includes("H") ? "H" : having[0]);
}

function drawChart() {
  const means = data.means.filter((mean) => passes(mean.p));
  const classes = chartClasses(means);
  const shots = distinct(means.map((mean) => mean.p.k).filter((k) => k !== null)).sort((a, b) => b - a)[0];
  const kept = means.filter((mean) => mean.p.c === classes && (mean.p.k === null || mean.p.k === shots));
  document.getElementById("chart-title").textContent =
    `By dataset: ${data.measures[chartMeasure].name}, ${classes}${shots === undefined ? "" : `, ${shots} shots`}`;
  dotPlot(document.querySelector("#chart .figure"), kept, chartMeasure);
}

const setMeans = meansTable();
const setRuns = runsTable();

function update(field) {
  const means = data.means.filter((mean) => passes(mean.p));
  const runs = data.runs.filter((run) => passes(run.p, run.s));
  setMeans(means);
  setRuns(runs);
  document.getElementById("shown").textContent =
    `${means.length} of ${data.means.length} cells and ${runs.length} of ${data.runs.length} runs are shown.`;
  drawChart();
  if (field !== "a" && field !== "s") chooseContest();
}

makeFilters();
document.querySelector("#chart .choices").append(
  choice("Measure", data.measures.map((measure, m) => [m, measure.name]), 0, (value) => {
    chartMeasure = Number(value);
    drawChart();
  }),
);
