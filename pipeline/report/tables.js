// Every heading of a table becomes a button that sorts it: numbers by data-value, largest first, texts by name. The last
// rows stay where they are in a table's foot; tables with cells over several rows are left alone.
(() => {
  "use strict";
  const key = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
  };

  function sort(table, column, heading) {
    const body = table.tBodies[0];
    const first = body.rows[0] && typeof key(body.rows[0], column) === "number" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = heading.getAttribute("aria-sort") === first ? other : first;
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    const side = order === "ascending" ? 1 : -1;
    const compare = (a, b) => {
      if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // cells without a number come last
      return side * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
    };
    const rows = [...body.rows].map((row) => [key(row, column), row]).sort((a, b) => compare(a[0], b[0]));
    body.append(...rows.map(([, row]) => row));
  }

  for (const table of document.querySelectorAll(".table table")) {
    if (table.querySelector("[rowspan]") || table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      const gloss = heading.querySelector("small");
      button.append(...[...heading.childNodes].filter((node) => node !== gloss));
      heading.prepend(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  }
})();
