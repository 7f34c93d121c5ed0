// The page's words in both languages, and which of the two is shown.

const WORDS = {
  skip: ["跳到正文", "Skip to the report"],
  title: ["乡镇工作报告数据", "Township reports"],
  about: ["中国乡镇(街道)每年的工作报告,每个数字都能对回原文的那一句。", "The yearly work reports of China's townships, each figure marked in the sentence that it was read from."],
  pick: ["选择报告", "Choose a report"],
  province: ["省份", "Province"],
  county: ["县(区、市)", "County"],
  township: ["乡镇(街道)", "Township"],
  withdrawn: ["这份报告已由发布者撤回:", "This report was withdrawn by its publisher:"],
  docs: ["接口文档", "Documentation"],
  report: ["报告", "Report"],
  find: ["或按名称、拼音查找乡镇", "Or find a township by name or pinyin"],
  choose: ["请选择", "Choose"],
  empty: ["请在上面选择一份报告。", "Choose a report above to read it."],
  nothing: ["还没有报告。请到“接口与上传”页上传第一份。", "No report is published yet. Upload the first one at “Addresses and upload”."],
  notFound: ["没有这样的乡镇。请换一个名称或拼音。", "There is no such township. Try another name or pinyin."],
  noReports: ["这个乡镇还没有报告。请选择另一个。", "This township has no report yet. Choose another one."],
  loading: ["正在读取…", "Loading…"],
  unreachable: ["服务没有应答。请检查连接后再试。", "The service does not answer. Check the connection and try again."],
  developers: ["接口与上传", "Addresses and upload"],
  bulk: ["整库下载", "Bulk files"],
  issuer: ["发布机构", "Issuer"],
  issued: ["成文日期", "Issued"],
  published: ["发布日期", "Published"],
  reviewYear: ["回顾年份", "Year reviewed"],
  planYear: ["计划年份", "Year planned"],
  outline: ["目录", "Outline"],
  text: ["正文", "Text"],
  remarks: ["存疑", "Remarks"],
  downloads: ["下载", "Download"],
  source: ["原始文件", "Source file"],
  plain: ["纯文本", "Text"],
  csv: ["指标 CSV", "Indicators as CSV"],
  name: ["名称", "Name"],
  value: ["数值", "Value"],
  yoy: ["同比增长", "Growth on the year before"],
  year: ["年份", "Year"],
  status: ["性质", "Status"],
  concept: ["概念", "Concept"],
  quote: ["原文", "Sentence"],
  cite: ["引用", "Cite"],
  link: ["记录", "Record"],
  several: ["同一年有多个数值时,各点都画出,不连线。", "Where a year has several values, all are drawn and none is joined."],
  actual: ["实际", "Actual"],
  target: ["目标", "Target"],
  estimate: ["预计", "Estimate"],
  revision: ["修订版本", "Revision"],
  notDrawn: ["另有数值单位不同、属于部分月份或部分地方,未画入图。", "Figures in another unit, of some months or of another place are not drawn."],
  compare: ["全县对照", "Townships of the county"],
  close: ["关闭", "Close"],
  none: ["未说明", "Not stated"],
  series: ["时间序列", "Time series"],
  showSeries: ["看时间序列", "Show the time series"],
  seriesEmpty: ["没有可画的数值。", "There is no value to draw."],
  seriesCsv: ["序列 CSV", "Series as CSV"],
};

let language = "zh";

export function chooseLanguage(asked, kept, preferred) {
  const known = [asked, kept].find(each => each === "zh" || each === "en");
  return known ?? ((preferred.find(each => /^(zh|en)\b/i.test(each)) ?? "en").slice(0, 2).toLowerCase());
}

export function setLanguage(chosen) {
  language = chosen;
}

export const currentLanguage = () => language;

export const word = key => WORDS[key][language === "zh" ? 0 : 1];
