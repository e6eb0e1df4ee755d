// The confusion matrix: rows are the truth, columns the prediction.
import { colour, ink } from "./colours.js";
import { element } from "./elements.js";

const ACROSS = 32, LEAST = 4, DOWN = 14; // letters of all columns together, of one, and of a row
const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

/** Draw counts of samples, or of pixels, into a table. */
export function drawConfusion(table, classes, confusion) {
  const name = (k) => classes[k] ?? String(k), room = Math.max(LEAST, Math.floor(ACROSS / confusion.length));
  const head = element("tr", {}, element("td", {}), ...confusion.map((_, k) => element("th", { text: cut(name(k), room), title: name(k), scope: "col" })));
  table.replaceChildren(head, ...confusion.map((row, k) => {
    const most = row.reduce((a, b) => a + b, 0) || 1;
    return element("tr", {}, element("th", { text: cut(name(k), DOWN), title: name(k), scope: "row" }), ...row.map((count, j) => {
      const share = (j === k ? -0.75 : 1) * (count / most), node = element("td", { text: count || "·", title: `${name(k)} taken for ${name(j)}: ${count}` });
      node.style.background = `rgb(${colour(share, true)})`;
      node.style.color = ink(share);
      return node;
    }));
  }));
}
