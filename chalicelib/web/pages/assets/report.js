// A report as it is read: its head, outline, text with marks, remarks and downloads; and one indicator in detail.
import { make } from "./dom.js";
import { findMarks, slicer } from "./marks.js";
import { currentLanguage, word } from "./words.js";

const facts = pairs => make("dl", {}, ...pairs.filter(([, told]) => told !== null && told !== "")
  .flatMap(([key, told]) => [make("dt", {}, key), make("dd", {}, told)]));

export function renderReport(report, text, linkOf) {
  const place = report.township, base = `v1/reports/${report.id}`, revision = `revision=${report.revision}`;
  const links = [
    ["JSON", `${base}?${revision}`], [word("plain"), `${base}/text?${revision}`],
    [word("csv"), `${base}/indicators?${revision}&format=csv&limit=1000`], [word("source"), `${base}/source?${revision}`],
  ];
  return [
    make("h2", { lang: "zh-Hans" }, report.title ?? report.id),
    make("p", { class: "soft", lang: "zh-Hans" }, [place.province, place.prefecture, place.county, place.name].filter(Boolean).join(" ")),
    facts([
      [word("issuer"), report.issuer], [word("issued"), report.issued], [word("published"), report.published],
      [word("reviewYear"), report.review_year], [word("planYear"), report.plan_year], [word("revision"), report.revision],
    ]),
    make("nav", { class: "downloads", "aria-label": word("downloads") }, make("b", {}, word("downloads")),
      ...links.map(([told, href]) => make("a", { href, ...(href.startsWith(base + "?") ? { download: `${report.id}.json` } : {}) }, told))),
    outline(report.sections),
    remarks(report, linkOf),
    make("h3", {}, word("text")),
    make("div", { class: "text", lang: "zh-Hans" }, ...lines(report, text, linkOf)),
  ];
}

function outline(sections) {
  const items = sections.map(section => {
    const jump = make("button", { type: "button", class: `level${Math.min(section.level, 4)}` }, [section.label, section.title].filter(Boolean).join(" "));
    jump.onclick = () => {
      const heading = document.getElementById(`text-${section.id}`);
      heading?.scrollIntoView();
      heading?.focus({ preventScroll: true });
    };
    return make("li", {}, jump);
  });
  return items.length ? make("details", { open: "" }, make("summary", {}, word("outline")), make("ol", { lang: "zh-Hans" }, ...items)) : null;
}

function remarks(report, linkOf) {
  const items = report.checks.map(check => make("li", {},
    check.indicator ? make("a", { href: linkOf(check.indicator) }, check.indicator) : null, " ", check.message));
  return items.length ? make("details", {}, make("summary", {}, `${word("remarks")} (${items.length})`), make("ul", {}, ...items)) : null;
}

// One paragraph a line; marks and headings are cut at the line's ends.
function lines(report, text, linkOf) {
  const cut = slicer(text), marks = findMarks(report.indicators), remarked = new Set(report.checks.map(check => check.indicator));
  let start = 0, next = 0;
  return text.split("\n").flatMap(line => {
    const end = start + Array.from(line).length, heads = report.sections.filter(s => s.start >= start && s.start < end);
    const paragraph = make("p", heads.length ? { id: `text-${heads[0].id}`, class: "head", tabindex: "-1" } : {});
    let at = start;
    for (; next < marks.length && marks[next].start < end; next++) {
      const mark = marks[next];
      paragraph.append(cut(at, mark.start), anchor(mark, cut(mark.start, Math.min(mark.end, end)), linkOf, remarked));
      at = Math.min(mark.end, end);
    }
    paragraph.append(cut(at, end));
    start = end + 1;
    return line.trim() ? [paragraph] : [];
  });
}

function anchor(mark, shown, linkOf, remarked) {
  const [first] = mark.indicators, doubted = mark.indicators.some(each => remarked.has(each.id));
  const link = make("a", { class: `mark ${first.status}${doubted ? " doubted" : ""}`, href: linkOf(first.id), title: first.name }, shown);
  link.dataset.ids = mark.indicators.map(each => each.id).join(" ");
  return link;
}

export const showNumber = value => (value === null ? word("none") : value.toLocaleString("en", { maximumFractionDigits: 12 }));

const BOUNDS = { ">=": "≥ ", "<=": "≤ ", "~": "≈ " };

export function renderIndicator(report, indicator, concepts, showSeries, close) {
  const concept = concepts.get(indicator.concept), permalink = new URL(`v1/reports/${report.id}/indicators?revision=${report.revision}`, document.baseURI).href;
  const value = indicator.value === null ? word("none") : `${BOUNDS[indicator.bound] ?? ""}${showNumber(indicator.value)} ${indicator.unit ?? ""}`;
  const shut = make("button", { type: "button", class: "close" }, word("close"));
  shut.onclick = close;
  const series = make("button", { type: "button" }, word("showSeries"));
  series.onclick = () => showSeries(indicator.concept);
  return [
    shut,
    make("h3", { id: "detail-title", lang: "zh-Hans" }, indicator.name),
    facts([
      [word("value"), value],
      [word("yoy"), indicator.yoy === null ? null : `${indicator.yoy} %`],
      [word("year"), indicator.year], [word("status"), word(indicator.status)],
      [word("concept"), concept ? concept[currentLanguage()] : indicator.concept ?? word("none")],
      [word("quote"), make("q", { lang: "zh-Hans" }, indicator.evidence.quote)],
      [word("cite"), `${report.id}, revision ${report.revision}, ${indicator.id}`],
      [word("link"), make("a", { href: permalink }, permalink)],
    ]),
    indicator.concept ? series : null,
  ];
}
