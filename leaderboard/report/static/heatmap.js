"use strict";
// The heatmap on a canvas: pointer and arrow keys choose a cell, Enter or a click watches it.
const heat = window.HEAT, canvas = document.getElementById("heat"), told = document.getElementById("told");
const watched = new Set(heat.replays), pen = canvas.getContext("2d");
const RAMP = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6dcd59", "#b4de2c", "#fde725"]
  .map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
const known = heat.values.flat().filter((v) => v !== null);
const least = Math.min(...known), most = Math.max(...known);
let columns = [], cell = 18, left = 0, top_ = 0, low = 0, at = [0, 0];

function colour(share) {
  const x = Math.max(0, Math.min(1, share)) * (RAMP.length - 1), i = Math.min(Math.floor(x), RAMP.length - 2);
  return `rgb(${RAMP[i].map((a, k) => Math.round(a + (RAMP[i + 1][k] - a) * (x - i))).join(",")})`;
}
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (v) => v === null ? "–" : v.toFixed(1).replace("-", "−");
const share = (v) => most > least ? (v - least) / (most - least) : 0.5;

function layout() {
  const all = document.getElementById("all").checked;
  columns = heat.columns.map((_, i) => i).filter((i) => all || group(heat.column_groups, i).held_out);
  at = [Math.min(at[0], heat.rows.length - 1), Math.min(at[1], columns.length - 1)];
  pen.font = "12px system-ui, sans-serif";
  left = Math.max(...heat.rows.map((name) => pen.measureText(name).width)) + 10;
  top_ = Math.max(...columns.map((i) => pen.measureText(heat.columns[i]).width)) + 26;
  pen.font = "bold 12px system-ui, sans-serif";
  low = Math.max(...spans().map((s) => pen.measureText(s.label).width > s.wide ? pen.measureText(s.label).width : 12)) + 14;
  const ratio = window.devicePixelRatio || 1, wide = left + columns.length * cell + 2, high = top_ + heat.rows.length * cell + low;
  canvas.width = wide * ratio; canvas.height = high * ratio;
  canvas.style.width = `${wide}px`; canvas.style.height = `${high}px`;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw();
}
const spans = () => heat.column_groups.map((g) => ({ label: g.label, mine: columns.map((c, k) => [c, k]).filter(([c]) => g.start <= c && c < g.stop) }))
  .filter((s) => s.mine.length).map((s) => ({ label: s.label, x: left + s.mine[0][1] * cell, wide: s.mine.length * cell }));
const group = (groups, i) => groups.find((g) => g.start <= i && i < g.stop);
const replay = (row, column) => heat.seats[row][column].map((_, seat) => `${heat.rows[row]}--${heat.columns[column]}--${seat}`).find((name) => watched.has(name));

function draw() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.font = "12px system-ui, sans-serif"; pen.textBaseline = "middle";
  heat.rows.forEach((name, r) => {
    pen.textAlign = "right"; pen.fillStyle = style("--ink"); pen.fillText(name, left - 6, top_ + (r + 0.5) * cell);
    columns.forEach((c, k) => {
      const v = heat.values[r][c], x = left + k * cell, y = top_ + r * cell;
      pen.fillStyle = v === null ? style("--wash") : colour(share(v));
      pen.fillRect(x, y, cell - 1, cell - 1);
      if (v === null) { pen.strokeStyle = style("--soft"); pen.beginPath(); pen.moveTo(x + 3, y + cell - 4); pen.lineTo(x + cell - 4, y + 3); pen.stroke(); }
      if (replay(r, c)) { pen.fillStyle = v !== null && share(v) > 0.6 ? "#000" : "#fff"; pen.beginPath(); pen.arc(x + cell - 5, y + 4, 1.6, 0, 7); pen.fill(); }
    });
  });
  columns.forEach((c, k) => {
    pen.save(); pen.translate(left + (k + 0.5) * cell, top_ - 6); pen.rotate(-Math.PI / 2);
    pen.textAlign = "left"; pen.fillStyle = style("--ink"); pen.fillText(heat.columns[c], 0, 0); pen.restore();
  });
  pen.font = "bold 12px system-ui, sans-serif"; pen.fillStyle = style("--soft");
  for (const s of spans()) {
    pen.save(); pen.translate(s.x + s.wide / 2, top_ + heat.rows.length * cell + 8);
    if (pen.measureText(s.label).width > s.wide) { pen.rotate(-Math.PI / 2); pen.textAlign = "right"; pen.fillText(s.label, 0, 0); }
    else { pen.textAlign = "center"; pen.fillText(s.label, 0, 5); }
    pen.restore();
  }
  pen.strokeStyle = style("--ink"); pen.lineWidth = 1;
  for (const g of heat.row_groups) if (g.start) line(left - 4, top_ + g.start * cell - 0.5, left + columns.length * cell, top_ + g.start * cell - 0.5);
  columns.forEach((c, k) => { if (k && group(heat.column_groups, c).start === c) line(left + k * cell - 0.5, top_ - 4, left + k * cell - 0.5, top_ + heat.rows.length * cell); });
  pen.strokeStyle = style("--alert"); pen.lineWidth = 2.5;
  pen.strokeRect(left + at[1] * cell - 1, top_ + at[0] * cell - 1, cell + 1, cell + 1);
}
function line(a, b, c, d) { pen.beginPath(); pen.moveTo(a, b); pen.lineTo(c, d); pen.stroke(); }

function tell() {
  const [r, c] = [at[0], columns[at[1]]];
  const seats = heat.seats[r][c].map((paid, seat) => paid === null ? `in seat ${seat}: not played`
    : `in seat ${seat}: ${number(paid[0])} (95 % over ${paid[2]} episodes: ${number(paid[0] - 1.96 * paid[1])} … ${number(paid[0] + 1.96 * paid[1])})`);
  told.textContent = `${heat.rows[r]} with ${heat.columns[c]} (${group(heat.column_groups, c).label}): ${number(heat.values[r][c])}; ${seats.join("; ") || "not played"}.${replay(r, c) ? " Click or press Enter to watch." : ""}`;
}
function watch() { const name = replay(at[0], columns[at[1]]); if (name) location.href = `replay.html#${name}`; }
function find(event) {
  const box = canvas.getBoundingClientRect(), k = Math.floor((event.clientX - box.left - left) / cell), r = Math.floor((event.clientY - box.top - top_) / cell);
  return r >= 0 && r < heat.rows.length && k >= 0 && k < columns.length ? [r, k] : null;
}
canvas.addEventListener("pointermove", (event) => { const found = find(event); if (found && String(found) !== String(at)) { at = found; draw(); tell(); } });
canvas.addEventListener("click", (event) => { const found = find(event); if (found) { at = found; draw(); tell(); watch(); } });
canvas.addEventListener("keydown", (event) => {
  const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (event.key === "Enter") watch();
  if (!move) return;
  event.preventDefault();
  at = [Math.max(0, Math.min(heat.rows.length - 1, at[0] + move[0])), Math.max(0, Math.min(columns.length - 1, at[1] + move[1]))];
  draw(); tell();
});
document.getElementById("all").addEventListener("change", layout);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
const scale = document.getElementById("scale").getContext("2d");
for (let x = 0; x < 240; x++) { scale.fillStyle = colour(x / 239); scale.fillRect(x, 0, 1, 10); }
document.getElementById("least").textContent = number(least);
document.getElementById("most").textContent = number(most);
layout(); tell();
