// The places that have reports, step by step: what is asked for grows with the place that was chosen, not with all there is.
import { askAll, askJson, query, Refused } from "./api.js";

const FEW = 1000; // reports that are asked for at once
const kept = new Map();

const once = (key, ask) => {
  if (!kept.has(key)) kept.set(key, ask().catch(error => { kept.delete(key); throw error; }));
  return kept.get(key);
};
const standing = rows => rows.filter(row => !row.withdrawn);
const reports = given => once(JSON.stringify(given), async () => standing(await askAll(query("v1/reports", { ...given, limit: FEW }))));

// Provinces as {code, name, count} in order of their codes; before anything was counted, those of the newest reports.
export const provinces = () => once("provinces", async () => {
  try {
    const counted = (await askJson(query("v1/reports", { group_by: "province" }))).data;
    return counted.map(row => ({ code: row.province_code, name: row.province, count: row.count }));
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "no_export") throw error;
    kept.delete("provinces");
    const newest = standing((await askJson(query("v1/reports", { limit: FEW }))).data);
    const found = new Map(newest.map(row => [row.township.code.slice(0, 2), row.township.province]));
    return [...found].sort().map(([code, name]) => ({ code, name, count: FEW + 1 }));
  }
});

// Counties as [code, name]: those with reports where they are few, else all of the division table.
export async function counties(province) {
  const { code, count } = (await provinces()).find(each => each.name === province) ?? {};
  if (code === undefined) return [];
  if (count <= FEW) return distinct(await reports({ province: code }), row => row.township);
  const fields = "code,county,prefecture";
  return once(`counties ${code}`, async () =>
    distinct(await askAll(query("v1/townships", { province: code, fields, limit: FEW })), row => row));
}

const distinct = (rows, placeOf) => [...new Map(rows.map(placeOf).map(place => [place.code.slice(0, 6), place.county ?? place.prefecture])).entries()];

// The reports of a county or of the place above that has none of its own.
export const reportsOf = async county => (county.length === 6 ? reports({ county }) : reports({ township: county }));

export const findTownships = async q => (await askJson(query("v1/townships", { q, limit: 20 }))).data;
