// The page's state is its address: #report=…&indicator=…&concept=…; every change of it is shown here.
import { askAll, askJson, askText } from "./api.js";
import { byId, make } from "./dom.js";
import { counties, findTownships, provinces, reportsOf } from "./places.js";
import { renderIndicator, renderReport } from "./report.js";
import { renderSeries } from "./series.js";
import { chooseLanguage, currentLanguage, setLanguage, word } from "./words.js";

const KEPT = "language";
const kept = () => { try { return localStorage.getItem(KEPT); } catch { return null; } };
const state = () => new URLSearchParams(location.hash.slice(1));
const here = () => location.pathname + location.search;
const linkTo = given => `${here()}#${new URLSearchParams(given)}`;
const own = () => Object.fromEntries(state());
let report, text, concepts = new Map(), turn = 0, finding = 0, filling = 0;

function go(given) {
  location.hash = new URLSearchParams(given).toString();
}

async function guard(work) {
  byId("status").textContent = word("loading");
  byId("error").textContent = "";
  try {
    return await work();
  } catch (error) {
    byId("error").textContent = error.message;
  } finally {
    byId("status").textContent = "";
  }
}

function fill(select, options, chosen) {
  select.replaceChildren(make("option", { value: "" }, word("choose")), ...options.map(([value, told]) => make("option", { value }, told)));
  select.value = options.some(([value]) => value === chosen) ? chosen : "";
  select.disabled = options.length === 0;
}

const yearOf = row => (row.kind === "plan" ? row.plan_year : row.review_year) ?? "";
const nameOf = place => place.name ?? place.county ?? place.prefecture ?? place.province;

// The four choices, so far as they are made; what is below the chosen one is filled.
async function fillChoices({ province, county, township, id }) {
  const mine = ++filling, every = await provinces(), within = province ? await counties(province) : [];
  const inCounty = county ? await reportsOf(county) : [];
  if (mine !== filling) return;
  fill(byId("province"), every.map(({ name }) => [name, name]), province);
  fill(byId("county"), within, county);
  const places = new Map(inCounty.map(row => [row.township.code, nameOf(row.township)]));
  fill(byId("township"), [...places.entries()], township);
  fill(byId("year"), years(inCounty.filter(row => row.township.code === township)), id);
  if (county && !inCounty.length) byId("error").textContent = word("noReports");
}

// The newest first; the title where a year has several reports.
function years(rows) {
  const times = new Map();
  for (const row of rows) times.set(yearOf(row), (times.get(yearOf(row)) ?? 0) + 1);
  const told = row => [yearOf(row), times.get(yearOf(row)) > 1 ? row.title ?? row.id : ""].filter(Boolean).join(" ");
  return rows.map(row => [row.id, told(row)]);
}

const choices = () => Object.fromEntries(["province", "county", "township"].map(id => [id, byId(id).value]));

async function find(q) {
  const mine = ++finding;
  if (!q) return byId("found").replaceChildren();
  const found = await guard(() => findTownships(q));
  if (mine !== finding || !found) return undefined;
  const items = found.filter(place => place.level === "township").map(place => {
    const button = make("button", { type: "button" }, [place.province, place.county, place.name].filter(Boolean).join(" "));
    button.onclick = () => guard(() => chooseTownship(place));
    return make("li", {}, button);
  });
  return byId("found").replaceChildren(...(items.length ? items : [make("li", {}, word("notFound"))]));
}

async function chooseTownship(place) {
  const found = await askJson(`v1/townships/${place.code}`), newest = found.years.at(-1);
  if (!newest) return byId("found").replaceChildren(make("li", {}, word("noReports")));
  byId("found").replaceChildren();
  return go({ report: newest.reports[0] });
}

async function show() {
  const mine = ++turn, asked = own();
  if (asked.report !== report?.id) {
    report = text = undefined;
    byId("shown").hidden = byId("series").hidden = byId("detail").hidden = true;
    if (asked.report) await readReport(asked.report, mine);
  }
  byId("empty").hidden = Boolean(report);
  if (mine !== turn) return;
  showDetail(asked);
  await showSeries(asked, mine);
}

async function readReport(id, mine) {
  const path = `v1/reports/${encodeURIComponent(id)}`, record = await askJson(path);
  const read = await askText(`${path}/text?revision=${record.revision}`);
  if (mine !== turn) return;
  [report, text] = [record, read];
  if (!concepts.size) concepts = new Map((await askAll("v1/concepts?limit=1000")).map(each => [each.id, each]));
  drawReport();
  await fillChoices(chosen());
}

function chosen() {
  const { code, province } = report.township;
  return { province, county: code.slice(0, 6), township: code, id: report.id };
}

function drawReport() {
  byId("shown").replaceChildren(...renderReport(report, text, id => linkTo({ ...own(), report: report.id, indicator: id })).filter(Boolean));
  byId("shown").hidden = false;
}

function showDetail(asked) {
  const found = report?.indicators.find(each => each.id === asked.indicator);
  for (const mark of document.querySelectorAll(".mark")) {
    const ids = mark.dataset.ids.split(" ");
    mark.toggleAttribute("aria-current", Boolean(found && ids.includes(found.id)));
  }
  byId("detail").hidden = !found;
  if (!found) return;
  const { indicator: _, ...rest } = asked;
  const close = () => { go(rest); document.querySelector(".mark[aria-current]")?.focus(); };
  const mark = document.querySelector(".mark[aria-current]"), same = mark?.dataset.ids.split(" ") ?? [];
  const others = same.filter(id => id !== found.id).map(id => make("a", { href: linkTo({ ...asked, indicator: id }) }, ` ${id}`));
  byId("detail").replaceChildren(...renderIndicator(report, found, concepts, concept => go({ ...asked, concept }), close).filter(Boolean), ...others);
  if (mark && !isSeen(mark)) mark.scrollIntoView({ block: "center" });
  byId("detail").focus({ preventScroll: true });
}

function isSeen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}

async function showSeries(asked, mine) {
  const concept = report && concepts.get(asked.concept);
  byId("series").hidden = !concept;
  if (!concept) return;
  const drawn = await renderSeries(report.township, concept);
  if (mine === turn) byId("series").replaceChildren(...drawn.filter(Boolean));
}

function translate() {
  const language = currentLanguage();
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = word(each.dataset.word);
  document.title = word("title");
  byId("language").textContent = language === "zh" ? "English" : "中文";
  byId("language").lang = language === "zh" ? "en" : "zh-Hans";
}

async function switchLanguage() {
  setLanguage(currentLanguage() === "zh" ? "en" : "zh");
  try { localStorage.setItem(KEPT, currentLanguage()); } catch { /* a browser may forbid to keep anything */ }
  const address = new URL(location.href);
  address.searchParams.set("lang", currentLanguage());
  history.replaceState(null, "", address);
  translate();
  if (report) drawReport();
  await fillChoices({ ...choices(), id: byId("year").value });
  await show();
}

async function start() {
  setLanguage(chooseLanguage(new URLSearchParams(location.search).get("lang"), kept(), navigator.languages ?? []));
  translate();
  byId("language").onclick = () => guard(switchLanguage);
  byId("pick").onsubmit = event => event.preventDefault();
  byId("province").onchange = () => guard(() => fillChoices({ province: byId("province").value }));
  byId("county").onchange = () => guard(() => fillChoices({ ...choices(), township: "" }));
  byId("township").onchange = () => guard(() => fillChoices(choices()));
  byId("year").onchange = () => byId("year").value && go({ report: byId("year").value });
  let pause;
  byId("find").oninput = () => { clearTimeout(pause); pause = setTimeout(() => find(byId("find").value.trim()), 200); };
  document.querySelector(".skip").onclick = event => { event.preventDefault(); byId("main").focus(); };
  window.onhashchange = () => guard(show);
  await guard(async () => {
    if (!(await provinces()).length) byId("empty").textContent = word("nothing");
    await fillChoices({});
    await show();
  });
}

start();
