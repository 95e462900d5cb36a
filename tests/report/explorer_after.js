// Uses the page as a person would, and writes down what it shows.
const all = (selector) => [...document.querySelectorAll(selector)];
const texts = (selector) => all(selector).map((element) => element.textContent);
const rows = (id) => all(`#${id} tbody tr`);
const seen = { title: document.getElementById("title").textContent };

function choose(form, label, value) {
  const select = all(`${form} label`).find((element) => element.firstChild.textContent === label).querySelector("select");
  const option = [...select.options].find((option) => option.textContent === value);
  select.value = option.value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}
const counts = () => ({ runs: rows("runs").length, means: rows("means").length });
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

seen.runs = rows("runs").map((row) => [...row.cells].map((cell) => cell.textContent));
seen.counts = counts();
seen.record_link = document.querySelector("#runs tbody a").getAttribute("href");

const column = texts("#runs thead th").findIndex((text) => text.startsWith("accuracy"));
function sortOnce() {
  all("#runs thead th")[column].querySelector("button").click();
  return {
    aria: all("#runs thead th")[column].getAttribute("aria-sort"),
    values: rows("runs").map((row) => row.cells[column].textContent),
  };
}
seen.sorted = sortOnce();
seen.sorted_again = sortOnce();

choose("#filters", "Dataset", "EuroSAT");
choose("#filters", "Method", "RPO");
choose("#filters", "Seed (runs)", "2");
seen.filtered = {
  ...counts(),
  datasets: [...new Set(rows("runs").map((row) => row.cells[0].textContent))],
  said: document.getElementById("shown").textContent,
};
document.querySelector("#filters button").click();
seen.reset = counts();

const cell = document.querySelector("#means td.tipped[tabindex='0']");
cell.focus();
seen.tip = document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent;
press("ArrowRight");
seen.moved = document.activeElement !== cell && document.activeElement.classList.contains("tipped");
press("Escape");
seen.tip_hidden_after_escape = document.getElementById("tip").hidden;

seen.headings_without_scope = all("th:not([scope])").length;
seen.controls_without_label = all("select").filter((select) => !select.closest("label")).length;
seen.images_without_alt = all("img:not([alt])").length;
seen.marks_without_name = all("svg .mark:not([aria-label])").length;

const contestSeen = () => ({
  panels: all("#reliability figure").length,
  classes: rows("classes").length,
  first_class: texts("#classes tbody th")[0],
  caption: texts("#classes caption")[0],
  images: all("#gallery figure").length,
  thumbnails: all("#gallery img").length,
});
choose("#contest", "Test set", "DTD, base classes, 16 shots");
seen.contest = contestSeen();
choose("#contest", "Against", "CoOp");
seen.other_pair = contestSeen();
choose("#contest", "Against", "RPO");
seen.same_pair = contestSeen();
choose("#contest", "Test set", "EuroSAT, base classes, 16 shots");
choose("#contest", "Against", "CLIP");
seen.other_test_set = contestSeen();

// Pictures and refused requests report themselves a moment later.
setTimeout(() => {
  seen.errors = window.wrong;
  seen.requests = performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => !name.startsWith("data:"));
  const pre = document.createElement("pre");
  pre.id = "seen";
  pre.textContent = JSON.stringify(seen);
  document.body.append(pre);
}, 300);
