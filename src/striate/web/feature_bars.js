// The features of a table as bars to both sides of zero.
import { colour } from "./colours.js";
import { element } from "./elements.js";
import { range, short } from "./numbers.js";

/** Draw a bar for each number; `texts` stand beside them. */
export function drawBars(room, names, numbers, texts = Array.from(numbers, short)) {
  const most = Math.max(...range(numbers).map(Math.abs)) || 1;
  room.replaceChildren(...Array.from(numbers, (value, i) => {
    const bar = element("i", {}), half = (50 * Math.abs(value)) / most;
    bar.style.width = `${half}%`;
    bar.style.left = `${value < 0 ? 50 - half : 50}%`;
    bar.style.background = `rgb(${colour(Math.sign(value), true)})`;
    return element("div", { class: "feature" }, element("span", { class: "name", text: names[i], title: names[i] }), element("span", { class: "track" }, bar), element("span", { class: "amount", text: texts[i] }));
  }));
}
