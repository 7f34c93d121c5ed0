// A small chart of values by year: actual figures are filled dots on a line, targets and estimates are hollow squares.
import { make } from "./dom.js";
import { word } from "./words.js";

const WIDTH = 640, HEIGHT = 260, LEFT = 90, RIGHT = 30, TOP = 20, BOTTOM = 40;

export function drawChart(rows, label) {
  const years = rows.map(row => row.year), values = rows.map(row => row.shown);
  const first = Math.min(...years), last = Math.max(...years);
  const low = Math.min(0, ...values), high = Math.max(0, ...values) || 1;
  const x = year => LEFT + (last === first ? 0.5 : (year - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = value => HEIGHT - BOTTOM - ((value - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const value of [low, (low + high) / 2, high]) {
    svg.append(make("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "grid" }));
    svg.append(make("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, short(value)));
  }
  for (const year of new Set(years)) {
    svg.append(make("text", { x: x(year), y: HEIGHT - 14, "text-anchor": "middle" }, year));
  }
  const points = singles(rows).map((row, n) => `${n ? "L" : "M"}${x(row.year)} ${y(row.shown)}`);
  if (points.length > 1) svg.append(make("path", { d: points.join(""), class: "run" }));
  for (const row of rows) {
    const told = make("title", {}, `${row.year} ${word(row.status)} ${row.shown}`);
    const at = { x: x(row.year), y: y(row.shown) };
    svg.append(row.status === "actual"
      ? make("circle", { cx: at.x, cy: at.y, r: 5, class: "actual" }, told)
      : make("rect", { x: at.x - 5, y: at.y - 5, width: 10, height: 10, class: "target" }, told));
  }
  return svg;
}

// Actual figures of the years that have one value alone: which of several is the right one nobody knows.
export function singles(rows) {
  const actual = rows.filter(row => row.status === "actual"), values = new Map();
  for (const row of actual) values.set(row.year, (values.get(row.year) ?? new Set()).add(row.shown));
  const seen = new Set();
  return actual.filter(row => values.get(row.year).size === 1 && !seen.has(row.year) && seen.add(row.year));
}

const short = value => new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
