// What every view needs: the data, elements, numbers as text, tooltips, moving with the arrow keys.
const data = JSON.parse(document.getElementById("data").textContent);
const NONE = "—";

/** An element with attributes and children; a child that is text becomes text, never markup. */
function el(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "line", "rect", "circle", "text", "path"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A number with a fixed number of digits and a real minus. */
function fixed(value, digits = 2) {
  if (value === null || value === undefined) return NONE;
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
}

/** A measure's value with its digits. */
const shown = (measure, value) => fixed(value, data.measures[measure].digits);
const unit = (measure) => (data.measures[measure].unit ? ` ${data.measures[measure].unit}` : "");
const datasetName = (d) => data.datasets[d][1];
const testName = (p) => datasetName(p.d) + (p.t === undefined ? "" : ` (trained on ${datasetName(p.t)})`);
const armName = (a) => data.arms[a].name;
const shotsName = (k) => (k === null ? "none" : `${k}`);

/** A labelled select; `change` gets the chosen value. Options are [value, text]. */
function choice(label, options, value, change) {
  const select = el("select", {}, ...options.map(([value, text]) => el("option", { value }, text)));
  select.value = value;
  select.addEventListener("change", () => change(select.value));
  return el("label", {}, label, select);
}

/** Distinct values in the order they first appear. */
const distinct = (values) => [...new Set(values)];

const tip = document.getElementById("tip");
const tips = new WeakMap();

/** Gives an element a tooltip, for mouse and keyboard. */
function tipped(element, text) {
  tips.set(element, text);
  element.classList.add("tipped");
  element.setAttribute("tabindex", "-1");
  return element;
}

function showTip(element) {
  const text = tips.get(element);
  if (!text) return;
  tip.textContent = typeof text === "function" ? text() : text;
  tip.hidden = false;
  const at = element.getBoundingClientRect();
  const width = tip.offsetWidth;
  tip.style.left = `${Math.max(4, Math.min(at.left, document.documentElement.clientWidth - width - 4))}px`;
  const above = at.top - tip.offsetHeight - 6;
  tip.style.top = `${above > 4 ? above : at.bottom + 6}px`;
  element.setAttribute("aria-describedby", "tip");
}

function hideTip() {
  tip.hidden = true;
}

const owner = (target) => (target instanceof Element ? target.closest(".tipped") : null);
document.addEventListener("mouseover", (event) => {
  const element = owner(event.target);
  if (element) showTip(element);
  else if (!owner(document.activeElement)) hideTip();
});
document.addEventListener("focusin", (event) => {
  const element = owner(event.target);
  if (element) showTip(element);
  else hideTip();
});
document.addEventListener("scroll", hideTip, { passive: true });

/** Makes the tipped elements of a container one stop of the tab key; arrow keys move among them. */
function roving(container) {
  const first = container.querySelector(".tipped");
  if (first) first.setAttribute("tabindex", "0");
  if (container.dataset.roving) return;
  container.dataset.roving = "yes";
  container.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hideTip();
    const at = owner(event.target);
    if (!at || !event.key.startsWith("Arrow")) return;
    const next = neighbour(container, at, event.key);
    if (!next) return;
    event.preventDefault();
    at.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
}

function neighbour(container, at, key) {
  const row = at.closest("tr");
  if (row && (key === "ArrowUp" || key === "ArrowDown")) {
    const other = key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
    return other && other.cells[at.cellIndex];
  }
  const all = [...container.querySelectorAll(".tipped")];
  return all[all.indexOf(at) + (key === "ArrowRight" || key === "ArrowDown" ? 1 : -1)];
}
