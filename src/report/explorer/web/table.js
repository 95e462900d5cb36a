// Tables that sort: every heading is a button, the sorted one says so to screen readers.
const FIRST_ROWS = 300;

/**
 * Keeps a table in `place`. A column: {name, text(row), key(row), isText, isHeading, cell(row)}; `key` decides the order,
 * numbers by size, `null` last. Sorting stays when rows change.
 */
function sortable(place, caption, columns) {
  let rows = [];
  let sorted = null;
  let descending = false;
  let all = false;

  function order() {
    if (sorted === null) return rows;
    const key = columns[sorted].key;
    const sign = descending ? -1 : 1;
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (typeof x === "number" ? x - y : String(x).localeCompare(String(y)));
    };
    return rows.map((row, i) => [row, i]).sort((a, b) => compare(a[0], b[0]) || a[1] - b[1]).map(([row]) => row);
  }

  function heading(column, index) {
    const button = el("button", { type: "button" }, column.name);
    button.addEventListener("click", () => {
      descending = sorted === index ? !descending : !column.isText;
      sorted = index;
      draw(index);
    });
    const sort = sorted === index ? (descending ? "descending" : "ascending") : null;
    return el("th", { scope: "col", class: column.isText ? "text" : null, "aria-sort": sort }, button);
  }

  function cell(column, row) {
    const attributes = { class: column.isText ? "text" : null };
    if (column.isHeading) attributes.scope = "row";
    const made = el(column.isHeading ? "th" : "td", attributes, column.cell ? column.cell(row) : column.text(row));
    return column.tip ? tipped(made, () => column.tip(row)) : made;
  }

  function draw(focused = null) {
    const ordered = order();
    const kept = all ? ordered : ordered.slice(0, FIRST_ROWS);
    const body = kept.map((row) => el("tr", {}, ...columns.map((column) => cell(column, row))));
    const table = el(
      "table",
      {},
      el("caption", {}, caption(rows.length)),
      el("thead", {}, el("tr", {}, ...columns.map(heading))),
      el("tbody", {}, ...body),
    );
    place.replaceChildren(el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption(rows.length) }, table));
    if (kept.length < rows.length) {
      const more = el("button", { type: "button", class: "more" }, `Show all ${rows.length} lines`);
      more.addEventListener("click", () => {
        all = true;
        draw();
      });
      place.append(more);
    }
    roving(place);
    if (focused !== null) table.querySelectorAll("thead button")[focused].focus();
  }

  return (changed) => {
    rows = changed;
    draw();
  };
}
