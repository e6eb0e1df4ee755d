// The input of a model: what can be entered, samples, what the network sees of it, and what speaks for a score.
import { METHODS, paintSample } from "./attribution.js";
import { choices, element } from "./elements.js";
import { otherInput, seriesInput, tableInput } from "./number_input.js";
import { pictureInput } from "./picture_input.js";

const SIDE = 200;

export class InputPanel {
  /** `give(raw, steps)` gets what the user enters, `ask(method)` which attribution to show; `outputs` stands between. */
  constructor(room, source, outputs, give, ask) {
    const { info } = source, kinds = { picture: pictureInput, table: tableInput, series: seriesInput };
    this.info = info;
    const entry = element("div", { class: "entry" });
    this.entry = (kinds[info.input] ?? otherInput)(entry, info, give);
    this.seen = element("canvas", { role: "img", "aria-label": "what the network sees" });
    this.steps = element("p", { class: "hint" });
    this.caption = element("p", { class: "hint" });
    const methods = Object.entries(METHODS).filter(([, [, gradients]]) => source.differentiable || !gradients).map(([name, [text]]) => [name, text]);
    room.append(element("h2", { text: "Input" }), entry, this._samples(give), outputs,
      element("h3", { text: "What the network sees" }), choices("attribution", methods, "none", ask),
      element("div", { class: "seen" }, this.seen), this.steps, this.caption);
  }

  _samples(give) {
    if (!this.info.samples.length) return "";
    const row = element("div", { class: "samples", role: "group", "aria-label": "samples" });
    for (const { label, raw } of this.info.samples) {
      const canvas = element("canvas", {});
      paintSample(canvas, this.info.inputShape, raw, null);
      row.append(element("button", { type: "button", title: label, "aria-label": `sample: ${label}`, onclick: () => {
        this.entry.show?.(raw);
        give(raw.slice(), []);
      } }, canvas));
    }
    return row;
  }

  /** Show the raw sample with an attribution map over it. */
  show(raw, steps, map, caption) {
    paintSample(this.seen, this.info.inputShape, raw, map);
    const most = Math.max(this.seen.width, this.seen.height);
    this.seen.style.width = `${(SIDE * this.seen.width) / most}px`;
    this.seen.style.height = `${Math.max(12, (SIDE * this.seen.height) / most)}px`;
    this.steps.textContent = steps.join("; then ");
    this.caption.textContent = caption;
  }
}
