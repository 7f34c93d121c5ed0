// Elements are made here only, with text as text: what stands in a report is never read as markup.

export const byId = id => document.getElementById(id);

export function make(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "line", "path", "circle", "rect", "text", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children.filter(child => child !== null).map(child => (child instanceof Node ? child : String(child))));
  return made;
}
