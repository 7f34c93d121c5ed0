// One concept of a township through the years, as a chart and as a table; and its county's townships in its last year.
import { askAll, query } from "./api.js";
import { drawChart, singles } from "./chart.js";
import { make } from "./dom.js";
import { showNumber } from "./report.js";
import { currentLanguage, word } from "./words.js";

// What may stand in one chart: whole years of the township itself, in the unit that most of them have.
export function comparable(rows) {
  const own = rows.filter(row => row.value !== null && row.months === null && row.place === null && row.year !== null)
    .map(row => ({ ...row, shown: row.standard?.value ?? row.value, as: row.standard?.unit ?? row.unit }));
  const counts = Map.groupBy ? Map.groupBy(own, row => row.as) : group(own);
  const most = [...counts.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  return most.sort((a, b) => a.year - b.year);
}

function group(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.as, [...(groups.get(row.as) ?? []), row]);
  return groups;
}

export async function renderSeries(township, concept) {
  const path = `v1/townships/${township.code}/indicators`, asked = { concept: concept.id, limit: 1000 };
  const rows = await askAll(query(path, asked)), drawn = comparable(rows);
  const title = `${township.name} · ${concept[currentLanguage()]}${drawn.length ? ` (${drawn[0].as ?? ""})` : ""}`;
  return [
    make("h2", { id: "series-title" }, `${word("series")}: `, title),
    drawn.length ? make("figure", {}, drawChart(drawn, title), make("figcaption", {}, `● ${word("actual")} □ ${word("target")} / ${word("estimate")}`))
      : make("p", {}, word("seriesEmpty")),
    new Set(drawn.filter(row => row.status === "actual").map(row => row.year)).size > singles(drawn).length ? make("p", { class: "soft" }, word("several")) : null,
    drawn.length < rows.length ? make("p", { class: "soft" }, word("notDrawn")) : null,
    table(rows, row => row.year),
    make("p", {}, make("a", { href: query(path, { ...asked, format: "csv" }) }, word("seriesCsv"))),
    ...(await compare(township, concept, rows)),
  ];
}

async function compare(township, concept, rows) {
  const year = Math.max(...rows.map(row => row.year ?? 0)), county = township.code.slice(0, 6);
  const others = year > 0 ? await askAll(query("v1/indicators", { concept: concept.id, year, county, limit: 1000 })) : [];
  return others.length ? [make("h3", {}, `${word("compare")}, ${year}`), table(others, row => row.township.name)] : [];
}

// Where the figure stands: its report, opened at it.
const source = row => make("a", { href: `${location.pathname}${location.search}#${new URLSearchParams({ report: row.report, indicator: row.id })}` }, row.report);

function table(rows, first) {
  const head = [word("year"), word("name"), word("value"), word("yoy"), word("status"), word("report")];
  if (rows.length && typeof first(rows[0]) === "string") head[0] = word("township");
  const cells = row => [first(row) ?? "", row.name, `${showNumber(row.value)} ${row.value === null ? "" : row.unit ?? ""}`,
    row.yoy === null ? "" : `${row.yoy} %`, word(row.status), source(row)];
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": word("series") }, make("table", {},
    make("thead", {}, make("tr", {}, ...head.map(each => make("th", { scope: "col" }, each)))),
    make("tbody", {}, ...rows.map(row => make("tr", {}, ...cells(row).map(each => make("td", {}, each)))))));
}
