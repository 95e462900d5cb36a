// The look into one test set: reliability, classes won and lost, images on which two methods disagree.
let contest = null;
let pair = [0, 1];

const contestName = (c) => `${testName(c)}, ${c.c} classes${c.k === null ? "" : `, ${c.k} shots`}`;

/** The first test set that the filters leave. */
function chooseContest() {
  const fits = (c) => passes({ ...c, a: Number(filters.a || 0), c: filters.c === "H" ? "H" : c.c });
  show(data.contests.find(fits) || data.contests[0] || null);
}

function show(chosen) {
  const section = document.getElementById("contest");
  section.hidden = chosen === null;
  if (chosen === null) return;
  const names = contest ? pair.map((at) => contest.arms[at] && contest.arms[at].a) : [];
  contest = chosen;
  const at = (a) => contest.arms.findIndex((entry) => entry.a === a);
  pair = names.length && names.every((a) => at(a) >= 0) ? names.map(at) : [contest.arms.length - 1, 0];
  drawChoices(section.querySelector(".choices"));
  reliability(document.getElementById("reliability"), contest);
  drawPair();
}

function drawChoices(place) {
  const entries = contest.arms.map((entry, at) => [at, armName(entry.a)]);
  const set = (side) => (value) => {
    pair[side] = Number(value);
    drawPair();
  };
  place.replaceChildren(
    choice("Test set", data.contests.map((c, i) => [i, contestName(c)]), data.contests.indexOf(contest), (value) => {
      show(data.contests[value]);
      place.querySelector("select").focus();
    }),
    choice("Method", entries, pair[0], set(0)),
    choice("Against", entries, pair[1], set(1)),
  );
}

/** Share of right predictions of a class, in percent. */
const classPct = (entry, label) => (contest.images[label] ? (100 * entry.right[label]) / (contest.images[label] * entry.m) : null);

let setClasses = null;

function drawPair() {
  const [own, other] = pair.map((at) => contest.arms[at]);
  if (!own || !other) {
    document.getElementById("classes").replaceChildren(el("p", { class: "note" }, "No predictions to compare."));
    document.getElementById("gallery").replaceChildren();
    return;
  }
  const counts = (entry, label) => `${entry.right[label]}/${contest.images[label] * entry.m}`;
  const columns = [
    { name: "class", text: (c) => contest.names[c.label], key: (c) => contest.names[c.label], isText: true, isHeading: true },
    { name: "images", text: (c) => `${contest.images[c.label]}`, key: (c) => contest.images[c.label] },
    ...[own, other].map((entry) => ({
      name: `${armName(entry.a)} (%)`,
      text: (c) => fixed(classPct(entry, c.label), 1),
      key: (c) => classPct(entry, c.label),
      tip: (c) => `${armName(entry.a)}, ${contest.names[c.label]}\n${counts(entry, c.label)} right over ${entry.m === 1 ? "one training" : `${entry.m} seeds`}`,
    })),
    { name: "difference", text: (c) => (c.gap > 0 ? "+" : "") + fixed(c.gap, 1), key: (c) => c.gap },
    { name: "won or lost", cell: (c) => bar(c.gap), key: (c) => c.gap, isText: true },
  ];
  const lines = contest.names
    .map((_, label) => ({ label, gap: contest.images[label] ? classPct(own, label) - classPct(other, label) : null }))
    .filter((line) => line.gap !== null)
    .sort((a, b) => b.gap - a.gap);
  const won = lines.filter((line) => line.gap > 0).length;
  const lost = lines.filter((line) => line.gap < 0).length;
  const words = `${armName(own.a)} against ${armName(other.a)} on ${contestName(contest)}: ${won} classes won, ${lines.length - won - lost} equal, ${lost} lost; counts, not tests`;
  setClasses = sortable(document.getElementById("classes"), () => words, columns);
  setClasses(lines);
  drawGallery(own, other);
}

function bar(gap) {
  const width = `width:${Math.abs(gap)}%`;
  const filled = (kind) => el("span", { class: `bar ${kind}`, style: width });
  return el("span", { class: "diverging", "aria-hidden": "true" }, el("span", { class: "left" }, gap < 0 ? filled("lost") : ""), el("span", {}, gap > 0 ? filled("won") : ""));
}

function drawGallery(own, other) {
  const share = (shot, at) => shot.right[at] / contest.arms[at].m;
  const gap = (shot) => share(shot, pair[0]) - share(shot, pair[1]);
  const shots = contest.gallery.filter((shot) => gap(shot) !== 0).sort((a, b) => Math.abs(gap(b)) - Math.abs(gap(a)));
  const hint = document.getElementById("gallery-hint");
  hint.textContent = shots.length
    ? `${shots.length} of the most disputed images, those with the largest difference between the two first. Paths are below the data root.`
    : "None among the images that are kept for this test set.";
  const verdict = (entry, shot, at) => {
    const said = contest.names[shot.said[at]] || `class ${shot.said[at]}`;
    const right = shot.right[at];
    return el("div", {}, el("b", {}, armName(entry.a)), ` ${right} of ${entry.m} right, mostly “${said}”`);
  };
  const figure = (shot) => {
    const name = contest.names[shot.label];
    const image = shot.jpeg ? el("img", { src: `data:image/jpeg;base64,${shot.jpeg}`, alt: `An image of the class ${name}`, loading: "lazy" }) : null;
    const caption = el("figcaption", {}, el("div", {}, "It is: ", el("b", {}, name)), verdict(own, shot, pair[0]), verdict(other, shot, pair[1]), el("div", { class: "path" }, shot.path));
    return el("figure", {}, image, caption);
  };
  document.getElementById("gallery").replaceChildren(...shots.map(figure));
}

update("d");
