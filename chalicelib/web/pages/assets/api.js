// Asking the service: addresses are of the contract, failures are sentences.
import { word } from "./words.js";

// The service said no, by the code of its problem document.
export class Refused extends Error {
  constructor(told, problem) {
    super(told);
    this.code = problem.code;
  }
}

const url = path => new URL(path, document.baseURI);

async function ask(path) {
  let answer;
  try {
    answer = await fetch(url(path));
  } catch {
    throw new Error(word("unreachable"));
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(told(problem) ?? `HTTP ${answer.status}`, problem);
}

// Problems are English; of a withdrawn report, which anybody may meet, the page says it in its own words.
function told(problem) {
  if (problem.code === "withdrawn") {
    const { time, reason } = problem.withdrawn;
    return [word("withdrawn"), time.slice(0, 10), reason].filter(Boolean).join(" ");
  }
  return problem.detail && [problem.detail, problem.way_out].filter(Boolean).join(" ");
}

export const askJson = async path => (await ask(path)).json();
export const askText = async path => (await ask(path)).text();

export async function askAll(path) {
  const rows = [];
  for (let next = path; next; ) {
    const page = await askJson(next);
    rows.push(...page.data);
    next = page.next;
  }
  return rows;
}

export const query = (path, given) => `${path}?${new URLSearchParams(given)}`;
