// The places that have reports: a province's are asked for when it is chosen, all at once where they are few.
import { askAll, askJson, query } from "./api.js";

const kept = new Map();

// The provinces with a report among the newest thousand; `whole` says that there are no others.
export async function readPlaces() {
  const page = await askJson(query("v1/reports", { limit: 1000 }));
  return { rows: page.data, whole: page.next === null };
}

export async function reportsOf(places, province) {
  if (places.whole) return places.rows.filter(row => row.township.province === province);
  if (!kept.has(province)) kept.set(province, await askAll(query("v1/reports", { province, limit: 1000 })));
  return kept.get(province);
}

// Every province of the division table by the codes that it has; only the first two digits count.
export const PROVINCES = [11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65];

export async function provincesOf(places) {
  if (places.whole) return [...new Set(places.rows.map(row => row.township.province))].sort();
  return (await Promise.all(PROVINCES.map(code => askJson(`v1/townships/${code}`)))).map(found => found.name);
}

export const findTownships = async q => (await askJson(query("v1/townships", { q, limit: 20 }))).data;
