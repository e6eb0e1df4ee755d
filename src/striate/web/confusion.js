// The confusion matrix: rows are the truth, columns the prediction.
import { colour, ink } from "./colours.js";
import { element } from "./elements.js";

/** Draw counts of samples, or of pixels, into a table. */
export function drawConfusion(table, classes, confusion) {
  const name = (k) => classes[k] ?? String(k);
  const head = element("tr", {}, element("th", {}), ...confusion.map((_, k) => element("th", { text: name(k).slice(0, 4), title: name(k), scope: "col" })));
  table.replaceChildren(head, ...confusion.map((row, k) => {
    const most = row.reduce((a, b) => a + b, 0) || 1;
    return element("tr", {}, element("th", { text: name(k).slice(0, 8), title: name(k), scope: "row" }), ...row.map((count, j) => {
      const share = (j === k ? -0.75 : 1) * (count / most), node = element("td", { text: count || "·", title: `${name(k)} taken for ${name(j)}: ${count}` });
      node.style.background = `rgb(${colour(share, true)})`;
      node.style.color = ink(share);
      return node;
    }));
  }));
}
