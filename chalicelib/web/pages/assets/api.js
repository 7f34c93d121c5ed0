// Asking the service: addresses are of the contract, failures are sentences.
import { word } from "./words.js";

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
  throw new Error([problem.detail ?? `HTTP ${answer.status}`, problem.way_out].filter(Boolean).join(" "));
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
