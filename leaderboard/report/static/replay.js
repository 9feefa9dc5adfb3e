"use strict";
// One episode on a canvas, from the numbers of its first state and what changed in every step.
const $ = (id) => document.getElementById(id), stage = $("stage"), pen = stage.getContext("2d"), marks = $("marks");
const COOKS = ["#2f6fb5", "#d9772b"], SIZE = 64;
let film, states = [], earned = [], step = 0, timer = null;

const name = decodeURIComponent(location.hash.slice(1));
if (!name) $("what").textContent = "No match is named; choose one on the game's heatmap.";
else {
  const script = document.createElement("script");
  script.src = `replays/${encodeURIComponent(name)}.js`;
  script.onload = start;
  script.onerror = () => { $("what").textContent = `There is no replay of ${name}.`; };
  document.body.append(script);
}

function start() {
  film = window.FILM;
  let now = film.first.slice(), sums = film.returns.map(() => 0);
  states = [now]; earned = [sums];
  for (const [changes, , rewards] of film.steps) {
    now = now.slice();
    for (let i = 0; i < changes.length; i += 2) now[changes[i]] = changes[i + 1];
    sums = sums.map((sum, seat) => sum + rewards[seat]);
    states.push(now); earned.push(sums);
  }
  $("who").firstChild.textContent = `${film.ego} with ${film.partner} `;
  $("what").textContent = `${film.ego} in seat ${film.seat}. Episode ${film.episode} of ${film.episodes}, the one with the median return: ${film.returns.map((r, s) => `seat ${s} earns ${plain(r)}`).join(", ")}.`;
  $("scrub").max = film.steps.length;
  const [wide, high] = film.scene.kind === "overcooked" ? [film.scene.width, film.scene.height] : [film.scene.size, film.scene.size];
  if (film.scene.kind === "words") { stage.hidden = true; $("words").hidden = false; }
  else { stage.width = wide * SIZE * 2; stage.height = high * SIZE * 2; stage.style.maxWidth = `${Math.min(640, wide * SIZE)}px`; }
  strip(); show(0);
}
const plain = (v) => String(Math.round(v * 100) / 100).replace("-", "−");

function show(to) {
  step = Math.max(0, Math.min(film.steps.length, to));
  $("scrub").value = step;
  const done = step ? film.steps[step - 1] : null;
  const acts = done ? done[1].map((a, s) => `seat ${s} ${film.actions[a]}`).join(", ") : "the start";
  const events = done && done[3].length ? `; ${done[3].map(([s, e]) => `seat ${s}: ${film.events[e]}`).join(", ")}` : "";
  $("now").textContent = `Step ${step} of ${film.steps.length}: ${acts}${events}. Earned so far: ${earned[step].map(plain).join(" and ")}.`;
  if (film.scene.kind === "words") $("words").textContent = film.steps.slice(0, step).map((s, i) => `${i + 1}. ${s[1].map((a) => film.actions[a]).join(" / ")} → ${s[2].map(plain).join(" / ")}`).join("\n") || "–";
  else { pen.setTransform(2, 0, 0, 2, 0, 0); (film.scene.kind === "overcooked" ? kitchen : grid)(film.scene, states[step]); }
  strip();
  if (step === film.steps.length) pause();
}
function strip() {
  const ratio = window.devicePixelRatio || 1, wide = marks.clientWidth || 640, ink = marks.getContext("2d");
  marks.width = wide * ratio; ink.setTransform(ratio, 0, 0, ratio, 0, 0);
  ink.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--wash"); ink.fillRect(0, 4, wide, 10);
  film.steps.forEach(([, , rewards], i) => { const best = Math.max(...rewards); if (best > 0) { ink.fillStyle = "#3a9a52"; ink.fillRect((i + 1) / film.steps.length * wide - 1.5, 1, 3, 16); } });
  ink.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--alert"); ink.fillRect(step / film.steps.length * wide - 1, 0, 2, 18);
}
function play() {
  if (step === film.steps.length) show(0);
  $("play").textContent = "Pause"; $("play").setAttribute("aria-pressed", "true");
  timer = setInterval(() => show(step + 1), 1000 / Number($("speed").value));
}
function pause() { clearInterval(timer); timer = null; $("play").textContent = "Play"; $("play").setAttribute("aria-pressed", "false"); }
const toggle = () => film && (timer ? pause() : play());
$("play").addEventListener("click", toggle);
$("back").addEventListener("click", () => { pause(); show(step - 1); });
$("on").addEventListener("click", () => { pause(); show(step + 1); });
$("scrub").addEventListener("input", () => { pause(); show(Number($("scrub").value)); });
$("speed").addEventListener("change", () => { if (timer) { pause(); play(); } });
marks.addEventListener("click", (event) => { const box = marks.getBoundingClientRect(); pause(); show(Math.round((event.clientX - box.left) / box.width * film.steps.length)); });
addEventListener("hashchange", () => location.reload());
addEventListener("keydown", (event) => {
  if (!film || ["SELECT", "INPUT"].includes(event.target.tagName)) return;
  const to = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: film.steps.length }[event.key];
  if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); toggle(); }
  if (to !== undefined) { event.preventDefault(); pause(); show(to); }
});

// what all drawings share
function disc(x, y, r, fill, edge) { pen.beginPath(); pen.arc(x, y, r, 0, 7); pen.fillStyle = fill; pen.fill(); if (edge) { pen.strokeStyle = edge; pen.lineWidth = 1.5; pen.stroke(); } }
function box(x, y, side, fill, edge) { pen.fillStyle = fill; pen.fillRect(x - side / 2, y - side / 2, side, side); if (edge) { pen.strokeStyle = edge; pen.lineWidth = 1; pen.strokeRect(x - side / 2 + 0.5, y - side / 2 + 0.5, side - 1, side - 1); } }
function label(x, y, text, fill, size) { pen.fillStyle = fill; pen.font = `bold ${size}px system-ui, sans-serif`; pen.textAlign = "center"; pen.textBaseline = "middle"; pen.fillText(text, x, y); }

// Overcooked: terrain kinds as in layouts.py; things 1 onion, 2 tomato, 3 dish, from 16 on a soup
function kitchen(scene, now) {
  const middle = (cell) => [(cell % scene.width + 0.5) * SIZE, (Math.floor(cell / scene.width) + 0.5) * SIZE];
  scene.kinds.forEach((kind, cell) => {
    const [x, y] = middle(cell);
    box(x, y, SIZE, kind === 0 ? "#f4efe6" : "#c9a77c", kind === 0 ? "#e6dfd2" : "#a8875c");
    if (kind === 2 || kind === 3 || kind === 4) { box(x, y, 46, "#8a6a45", "#6d5234"); for (const [dx, dy] of kind === 4 ? [[0, 5], [0, 0], [0, -5]] : [[-10, 8], [10, 8], [0, -8]]) thing(x + dx, y + dy, kind === 2 ? 1 : kind === 3 ? 2 : 3, 1); }
    if (kind === 6) { box(x, y, 50, "#5f8f6b", "#41694c"); pen.beginPath(); pen.arc(x, y + 8, 15, Math.PI, 0); pen.fillStyle = "#f3f0e6"; pen.fill(); pen.fillRect(x - 19, y + 8, 38, 5); }
  });
  scene.slots.forEach((cell, slot) => {
    const [x, y] = middle(cell), item = now[6 + slot];
    if (slot >= scene.pots) return thing(x, y, item, 1);
    pen.fillStyle = "#4a4a50"; pen.fillRect(x - 31, y - 5, 62, 10); disc(x, y, 25, "#5b5b63", "#333338"); disc(x, y, 18.5, "#37373c");
    if (!item) return;
    soup(x, y, item & 15, 18.5);
    const ticks = now[6 + scene.slots.length + slot], time = scene.time[item & 15];
    if (ticks < 0) return;
    const ready = ticks >= time;
    pen.beginPath(); pen.arc(x, y, 21.8, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, ticks / time)); pen.strokeStyle = ready ? "#3fae5a" : "#f0c419"; pen.lineWidth = 5; pen.stroke();
    disc(x + 20, y - 20, 10.5, ready ? "#3fae5a" : "#f0c419", "#2b2b2b"); label(x + 20, y - 20, ready ? "✓" : String(time - ticks), "#2b2b2b", 11);
  });
  for (const seat of [0, 1]) {
    const [cell, facing, held] = now.slice(3 * seat, 3 * seat + 3), [x, y] = middle(cell), [dx, dy] = [[0, -1], [0, 1], [1, 0], [-1, 0]][facing];
    pen.beginPath(); pen.moveTo(x + 31 * dx, y + 31 * dy); pen.lineTo(x + 17 * dx - 11 * dy, y + 17 * dy - 11 * dx); pen.lineTo(x + 17 * dx + 11 * dy, y + 17 * dy + 11 * dx); pen.fillStyle = COOKS[seat]; pen.fill();
    disc(x, y, 20, COOKS[seat], "#222"); disc(x, y, 12, "#fff"); label(x, y, String(seat), COOKS[seat], 15); thing(x + 25 * dx, y + 25 * dy, held, 0.8);
  }
}
function thing(x, y, what, scale) {
  if (!what) return;
  if (what === 3 || what >= 16) { disc(x, y, 15 * scale, "#fdfdfb", "#9a9a94"); if (what >= 16) soup(x, y, what & 15, 10.5 * scale); return; }
  disc(x, y, 9.5 * scale, what === 1 ? "#e9c46a" : "#e0513f", what === 1 ? "#a87d1a" : "#8f2b1e");
}
function soup(x, y, code, r) {
  const dots = [...Array(code & 3).fill("#e9c46a"), ...Array(code >> 2).fill("#e0513f")];
  const spots = [[], [[0, 0]], [[-0.42, 0], [0.42, 0]], [[-0.43, 0.28], [0.43, 0.28], [0, -0.45]]][dots.length];
  disc(x, y, r, code >> 2 ? "#b8452b" : "#b5651d", "#7a3d10");
  dots.forEach((dot, i) => disc(x + spots[i][0] * r, y + spots[i][1] * r, 0.34 * r, dot, "#7a5a10"));
}

// grids: two agents' cells and hands, two items' cells or −1, steps for which the goal is closed
function grid(scene, now) {
  const middle = (cell) => [(cell % scene.size + 0.5) * SIZE, (Math.floor(cell / scene.size) + 0.5) * SIZE];
  for (let cell = 0; cell < scene.size ** 2; cell++) box(...middle(cell), SIZE, "#f4efe6", "#e0d8c8");
  const [gx, gy] = middle(scene.goal);
  box(gx, gy, 52, now[6] ? "#8f8f8f" : "#5f8f6b", "#41694c"); if (now[6]) label(gx, gy, String(now[6]), "#fff", 18);
  for (const item of now.slice(4, 6)) if (item >= 0) disc(...middle(item), 11, "#e9c46a", "#a87d1a");
  const same = now[0] === now[2] ? 12 : 0;
  for (const seat of [0, 1]) {
    const [x, y] = middle(now[2 * seat]), sx = x + (seat ? same : -same);
    disc(sx, y, 20, COOKS[seat], "#222"); disc(sx, y, 12, "#fff"); label(sx, y, String(seat), COOKS[seat], 15);
    if (now[2 * seat + 1]) disc(sx + 14, y - 14, 8, "#e9c46a", "#a87d1a");
  }
}
