// Validation pictures with what the network makes of them, and the confusion matrix.
import { colour, ink } from "./colours.js";
import { element } from "./elements.js";
import { percent } from "./outputs.js";
import { thumbnail } from "./sample_view.js";

const PICTURES = 40;

export class Validation {
  /** `choose(number)` is called for the picture that is clicked. */
  constructor(info, choose) {
    Object.assign(this, { info, choose, count: Math.min(PICTURES, info.validation.count) });
    this.score = element("p", { class: "hint" });
    this.pictures = element("div", { class: `predictions ${info.input}`, role: "group", "aria-label": "validation samples" });
    this.matrix = element("table", { class: "confusion" });
    this.room = element("section", { "aria-label": "validation" }, element("h2", { text: "Validation" }), this.score, this.pictures,
      element("h3", { text: "Confusion matrix: rows are the truth, columns the prediction" }), element("div", { class: "wide" }, this.matrix));
  }

  draw(samples) {
    this.pictures.replaceChildren(...samples.map((raw, n) => {
      const { info } = this, picture = thumbnail(info, raw, info.classes[info.validation.targets[n]]);
      return element("button", { type: "button", onclick: () => this.choose(n) }, picture, element("span", { class: "said" }));
    }));
  }

  show({ accuracy, loss, predictions, confusion }) {
    const { classes, validation } = this.info;
    this.score.textContent = `${percent(accuracy)} of ${validation.count} right, loss ${loss.toFixed(4)}`;
    [...this.pictures.children].forEach((node, n) => {
      const [predicted, share] = predictions[n], target = validation.targets[n], right = predicted === target;
      node.className = right ? "right" : "wrong";
      node.lastChild.textContent = classes[predicted];
      node.title = `${classes[predicted]}, ${percent(share)}${right ? "" : `; it is ${classes[target]}`}`;
      node.setAttribute("aria-label", node.title);
    });
    this._matrix(classes, confusion);
  }

  _matrix(classes, confusion) {
    const head = element("tr", {}, element("th", {}), ...classes.map((name) => element("th", { text: name.slice(0, 4), title: name, scope: "col" })));
    const rows = confusion.map((row, k) => {
      const most = row.reduce((a, b) => a + b, 0) || 1;
      return element("tr", {}, element("th", { text: classes[k].slice(0, 8), title: classes[k], scope: "row" }), ...row.map((count, j) => {
        const share = (j === k ? -0.75 : 1) * (count / most), node = element("td", { text: count || "·", title: `${classes[k]} taken for ${classes[j]}: ${count}` });
        node.style.background = `rgb(${colour(share, true)})`;
        node.style.color = ink(share);
        return node;
      }));
    });
    this.matrix.replaceChildren(head, ...rows);
  }
}
