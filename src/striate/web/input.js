// The input of a model: what can be entered, samples, what the network sees of it, and what speaks for a score.
import { METHODS } from "./attribution.js";
import { choices, element } from "./elements.js";
import { otherInput } from "./other_input.js";
import { pictureInput } from "./picture_input.js";
import { SampleView, thumbnail } from "./sample_view.js";
import { seriesInput } from "./series_input.js";
import { tableInput } from "./table_input.js";
import { textInput } from "./text_input.js";

const KINDS = { picture: pictureInput, table: tableInput, series: seriesInput, text: textInput };

export class InputPanel {
  /** `give(raw, steps)` gets what the user enters, `begin()` is called before a change, `ask(method)` with the attribution to show; `outputs` stands between. */
  constructor(room, source, outputs, give, begin, ask) {
    const { info } = source, entry = element("div", { class: "entry" });
    Object.assign(this, { info, give, begin });
    this.entry = (KINDS[info.input] ?? otherInput)(entry, info, give, begin);
    this.view = new SampleView(info);
    this.steps = element("p", { class: "hint" });
    this.caption = element("p", { class: "hint" });
    const methods = Object.entries(METHODS).filter(([, [, gradients]]) => source.differentiable || !gradients).map(([name, [text]]) => [name, text]);
    this.samples = element("div", { class: `samples ${info.input}`, role: "group", "aria-label": "samples" });
    this.offer(info.samples);
    room.append(element("h2", { text: "Input" }), entry, this.samples, outputs,
      element("h3", { text: info.input === "table" ? "What counts" : "What the network sees" }), choices("attribution", methods, "none", ask),
      this.view.room, this.steps, this.caption);
  }

  /** Show samples to choose from. */
  offer(samples) {
    this.samples.replaceChildren(...samples.map(({ label, raw }) => {
      const choose = () => {
        this.begin();
        this.enter(raw.slice());
      };
      return element("button", { type: "button", title: label, "aria-label": `sample: ${label}`, onclick: choose }, thumbnail(this.info, raw, label));
    }));
  }

  /** Enter raw numbers as if by hand. */
  enter(raw, steps = []) {
    this.entry.show?.(raw);
    return this.give(raw, steps);
  }

  /** Show the raw sample with an attribution map over it. */
  show(raw, steps, map, caption) {
    this.view.show(raw, map);
    this.steps.textContent = steps.join("; ");
    this.caption.textContent = caption;
  }
}
