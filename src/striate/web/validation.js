// Validation samples with what the network makes of them, and where it errs.
import { drawConfusion } from "./confusion.js";
import { element } from "./elements.js";
import { paintClasses } from "./mask.js";
import { short } from "./numbers.js";
import { percent } from "./outputs.js";
import { thumbnail } from "./sample_view.js";
import { drawScatter } from "./scatter.js";

const MOST_NUMBERS = 2; // of a prediction that are written below a sample
const MOST_LETTERS = 12; // of a class below a picture

export class Validation {
  /** `choose(number)` is called for the sample that is clicked. */
  constructor(info, choose) {
    Object.assign(this, { info, choose, model: info.plans[info.first].info, classes: info.kind === "classes" });
    this.masks = this.classes && info.targetCount > 1;
    this.score = element("p", { class: "hint" });
    const kind = this.masks ? "masks" : this.classes || this.model.input === "series" ? this.model.input : "numbers";
    this.samples = element("div", { class: `predictions ${kind}`, role: "group", "aria-label": "validation samples" });
    if (kind === "picture") this.samples.style.setProperty("--name", `${Math.min(MOST_LETTERS, Math.max(...this.model.classes.map((name) => name.length)))}ch`);
    const heading = this.classes ? "Confusion matrix: rows are the truth, columns the prediction" : `Predicted against true${this._names()}`;
    this.drawing = this.classes ? element("table", { class: "confusion" }) : element("canvas", { class: "scatter", role: "img" });
    this.room = element("section", { "aria-label": "validation" }, element("h2", { text: "Validation" }), this.score, this.samples,
      element("h3", { text: heading }), element("div", { class: "wide" }, this.drawing));
  }

  _names() {
    return this.model.classes.length ? `: ${this.model.classes.slice(0, 3).join(", ")}` : "";
  }

  _name(k) {
    return this.model.classes[k] ?? String(k);
  }

  /** Draw samples, each [raw, target], as buttons. */
  draw(samples) {
    this.targets = samples.map(([, target]) => target);
    this.samples.replaceChildren(...samples.map(([raw, target], n) => {
      const label = this.classes && !this.masks ? this._name(target[0]) : `sample ${n}`, mask = this.masks && element("canvas", { class: "mask" });
      return element("button", { type: "button", onclick: () => this.choose(n) }, thumbnail(this.model, raw, label), mask || null, element("span", { class: "said" }));
    }));
  }

  show(found) {
    const { loss, score, predictions } = found, { count } = this.info.validation, rest = `loss ${loss.toFixed(4)}`;
    if (this.classes) {
      this.score.textContent = `${percent(score)} of ${this.masks ? `the pixels of ${count}` : count} right, ${rest}`;
      drawConfusion(this.drawing, this.model.classes, found.confusion);
    } else {
      this.score.textContent = `${count} samples, mean absolute error ${rounded(score)}, ${rest}`;
      drawScatter(this.drawing, found.truths.flat(), predictions.flat());
      this.drawing.setAttribute("aria-label", `predicted against true numbers; mean absolute error ${rounded(score)}`);
    }
    const say = this.masks ? this._mask : this.classes ? this._class : this._numbers;
    [...this.samples.children].forEach((node, n) => {
      node.title = say.call(this, node, predictions[n], n, found);
      node.setAttribute("aria-label", node.title);
    });
  }

  _class(node, [predicted, share], n) {
    const truth = this.targets[n][0], right = predicted === truth;
    node.className = right ? "right" : "wrong";
    node.lastChild.textContent = this._name(predicted);
    return `${this._name(predicted)}, ${percent(share)}${right ? "" : `; it is ${this._name(truth)}`}`;
  }

  _mask(node, indices, n) {
    const right = indices.filter((k, i) => k === this.targets[n][i]).length / indices.length;
    paintClasses(node.querySelector(".mask"), this.model.outputShape, indices);
    node.lastChild.textContent = percent(right);
    return `sample ${n}: ${percent(right)} of the pixels are right`;
  }

  _numbers(node, values, n, { truths }) {
    const text = (list) => list.slice(0, MOST_NUMBERS).map(rounded).join(", ");
    node.lastChild.textContent = text(values);
    return `${text(values)}; it is ${text(truths[n])}`;
  }
}

function rounded(value) {
  return short(Number(value.toPrecision(3)));
}
