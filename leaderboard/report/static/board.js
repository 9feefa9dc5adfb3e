"use strict";
// Boards: sort by a column's exact numbers, keep nulls last; filter by name.
for (const table of document.querySelectorAll("table.board")) {
  const body = table.tBodies[0], buttons = table.querySelectorAll("thead button");
  for (const button of buttons) button.addEventListener("click", () => {
    const key = button.dataset.key, words = key === "entry";
    const up = button.dataset.sorted ? button.dataset.sorted !== "up" : words || key === "rank";
    for (const other of buttons) { delete other.dataset.sorted; other.closest("th").removeAttribute("aria-sort"); }
    button.dataset.sorted = up ? "up" : "down";
    button.closest("th").setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.dataset[key] === "" ? null : words ? row.dataset[key] : Number(row.dataset[key]);
    const rows = [...body.rows].map((row, i) => [value(row), i, row]);
    rows.sort((a, b) => {
      if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null) || a[1] - b[1];
      const order = words ? a[0].localeCompare(b[0]) : a[0] === b[0] ? 0 : a[0] - b[0];
      return (up ? order : -order) || a[1] - b[1];
    });
    body.append(...rows.map((row) => row[2]));
  });
}
for (const input of document.querySelectorAll("input.filter")) input.addEventListener("input", () => {
  const wanted = input.value.trim().toLowerCase(), table = document.getElementById(input.dataset.for);
  let left = 0;
  for (const row of table.tBodies[0].rows) left += !(row.hidden = !row.dataset.entry.toLowerCase().includes(wanted));
  table.closest("section").querySelector(".empty").hidden = left > 0;
});
