// Where the indicators stand in the text. The service counts Unicode characters, JavaScript counts UTF-16 units.

// Parts of the text in order: {start, end, indicators}; what overlaps becomes one part.
export function findMarks(indicators) {
  const places = indicators.map(indicator => {
    const { number, number_start: start } = indicator.evidence;
    return { start, end: start + Array.from(number).length, indicators: [indicator] };
  });
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  const marks = [];
  for (const place of places) {
    const last = marks.at(-1);
    if (last && place.start < last.end) {
      last.end = Math.max(last.end, place.end);
      last.indicators.push(...place.indicators);
    } else marks.push(place);
  }
  return marks;
}

// Pieces of the text, cut at every bound: a function from two offsets to the string between them.
export function slicer(text) {
  const characters = Array.from(text);
  return (start, end = characters.length) => characters.slice(start, end).join("");
}
