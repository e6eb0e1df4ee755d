// The explorer: draw something, see every layer compute it, point at any value and take it apart.
import { METHODS } from "./attribution.js";
import { detail } from "./detail.js";
import { Edits, ask } from "./edits.js";
import { button, element } from "./elements.js";
import { embedded, obstacle } from "./embedded.js";
import { InputPanel } from "./input.js";
import { Latest } from "./latest.js";
import { Layers } from "./layers.js";
import { Mask, classColour } from "./mask.js";
import { flat, product, short, total, unflat, unpackAll } from "./numbers.js";
import { drawOutputs, meaning, outputName, surestPlace } from "./outputs.js";
import { decompose, followBack } from "./rules.js";
import { LocalSource } from "./source.js";
import { theme } from "./theme.js";

const NAMES = { picture: "Draw something, or drop a picture anywhere on the page.", table: "Move a slider, or type a number.", series: "Drag over a curve, or drop a file.", text: "Type or paste a text." };

class Explorer {
  constructor(page, source) {
    this.source = source;
    this.info = source.info;
    this.edits = new Edits();
    Object.assign(this, { raw: null, steps: [], target: null, method: "none", selected: null });
    this.computing = new Latest(() => this._computed());
    this.state = { layers: new Map(this.info.layers.map((layer) => [layer.name, layer])), values: new Map(), parameters: source.parameters, raw: null };
    this._draw(page);
  }

  _draw(page) {
    const { info } = this, counts = `${info.parameterCount.toLocaleString("en")} parameters, ${info.multiplications.toLocaleString("en")} multiply-adds`;
    this.time = element("span", { class: "hint" });
    this.verdict = element("p", { class: "verdict", role: "status", "aria-live": "polite" });
    this.message = element("p", { class: "warning", role: "alert" });
    this.scores = element("div", { class: "scores", role: "group", "aria-label": "outputs; choose the one to ask about" });
    this.panel = element("aside", { id: "detail", "aria-label": "the value pointed at" });
    const input = element("section", { id: "input", "aria-label": "input" }), layers = element("section", { id: "layers", "aria-label": "layers" });
    page.replaceChildren(
      element("header", {}, element("h1", { text: info.name }), element("span", { class: "hint", text: counts }), this.time, element("span", { class: "gap" }), this.edits.undoButton, theme(() => this._repaint())),
      element("main", {}, element("div", { id: "left" }, input), layers, this.panel));
    this.panel.append(element("p", { class: "hint", text: NAMES[info.input] ?? "" }), element("p", { class: "hint", text: "Then point at a value of a layer, or move with Tab and the arrow keys: the sum that it comes from appears here. Click to keep a value." }));
    this.places = info.kind === "classes" ? product(info.outputShape.slice(1)) : 1;
    if (this.places > 1) this.mask = new Mask(info.outputShape, (target) => this.choose(target));
    const title = this.mask ? "Classes of the pixels" : info.kind === "numbers" ? "Outputs" : "Probabilities";
    const outputs = element("section", { id: "outputs", "aria-label": "outputs" }, element("h2", { text: title }), this.verdict, this.message, this.mask?.canvas, this.scores);
    this.input = new InputPanel(input, this.source, outputs, (raw, steps) => this.give(raw, steps), () => this._begin(), (method) => this.attribute(method));
    this.layers = new Layers(layers, info, (layer, index, pinned) => this.point(layer, index, pinned));
  }

  /** Take a new sample. */
  give(raw, steps) {
    [this.raw, this.steps] = [raw, steps];
    return this.compute();
  }

  /** Offer samples that arrive late, and show the first unless something was changed already. */
  offer(samples) {
    this.input.offer(samples);
    if (samples.length && !this.edits.stack.length) this.input.enter(samples[0].raw.slice());
  }

  /** Remember the sample: undo brings it back. */
  _begin() {
    const restore = this.input.entry.remember?.(), before = [this.raw, this.steps];
    this.edits.push(() => {
      restore?.();
      return this.give(...before);
    });
  }

  /** Ask about an output, or, if it was asked about already, about the one that the network chooses. */
  choose(target) {
    this.target = target === this.target ? null : target;
    this.compute();
  }

  /** Compute all layers and show them; resolves when what is there now has been computed. */
  compute() {
    return this.computing.ask();
  }

  get busy() {
    return this.computing.busy;
  }

  async _computed() {
    try {
      const raw = this.raw, found = await this.source.run(raw);
      this.milliseconds = found.milliseconds;
      this.state.raw = raw;
      this.state.values = new Map(Object.entries(found.values));
      await this._attributed(raw);
      this.message.textContent = "";
    } catch (error) {
      this.message.textContent = `Not computed: ${error.message}`;
    }
    this._repaint();
  }

  async _attributed(raw) {
    const outputs = this.state.values.get(this.info.layers.at(-1).name);
    this.meaning = meaning(this.info, outputs);
    const method = METHODS[this.method][2], target = this.target ?? this.meaning.index;
    this.map = method ? await method(this.source, raw, target) : null;
  }

  _repaint() {
    if (!this.meaning) return;
    const target = this.target ?? this.meaning.index;
    this.time.textContent = `${this.milliseconds.toFixed(2)} ms for this one`;
    this.verdict.textContent = this.meaning.verdict;
    this._outputs(target);
    this.input.show(this.state.raw, this.steps, this.map, this.map ? this._caption(target) : "");
    this.layers.show(Object.fromEntries(this.state.values));
    if (this.selected) this._explain();
  }

  _outputs(target) {
    const { info, meaning: found, places } = this, of = (k) => (this.mask ? surestPlace(found.probabilities, k, places) : k);
    drawOutputs(this.scores, info, found, this.mask ? Math.floor(target / places) : target, (k) => this.choose(of(k)));
    if (!this.mask) return;
    this.mask.show(found, target);
    for (const [k, bar] of this.scores.querySelectorAll(".bar").entries()) bar.style.background = `rgb(${classColour(k)})`;
  }

  _caption(target) {
    const name = outputName(this.info, target), sum = short(Number(total(Array.from(this.map)).toPrecision(4)));
    const words = this.info.kind === "numbers" ? `red raises ${name}, blue lowers it` : `red speaks for ${name}, blue against`;
    return this.method === "gradient" ? `${words}: change of the score for a change of 1` : `${words}; all together ${sum}`;
  }

  attribute(method) {
    this.method = method;
    if (this.raw) this.compute();
  }

  /** Take apart the value pointed at; a pinned one stays until another is clicked, or itself again. */
  point(layer, index, pinned) {
    if (!this.state.raw) return;
    const same = this.selected?.pinned && this.selected.layer === layer && String(this.selected.index) === String(index);
    if (this.selected?.pinned && !pinned) return;
    this.selected = { layer, index, pinned: pinned && !same };
    this._explain();
  }

  _explain() {
    const { layer, index } = this.selected, found = decompose(this.state, layer.name, index);
    const sources = new Map();
    found.places.forEach((place, t) => {
      const name = found.sources ? found.sources[t] : layer.inputs[0];
      if (name) sources.set(name, [...(sources.get(name) ?? []), place]);
    });
    this.layers.mark(layer.name, index, sources, layer.inputs.length ? this._field(layer, index) : null);
    const actions = {
      editable: this.source.editable,
      edit: (place, text) => this.editParameter(place, text),
      editInput: (at) => this.editInput(at),
      follow: (from, at) => this._follow(from, at),
      go: (name, place) => this.point(this.state.layers.get(name), unflat(place, this.state.layers.get(name).shape), true),
    };
    this.panel.classList.add("used");
    this.panel.replaceChildren(detail(found, layer, index, this.info, actions));
    this.panel.classList.toggle("pinned", this.selected.pinned);
    Object.assign(this.panel.dataset, { layer: layer.name, index: index.join(","), sum: found.result, value: found.value });
  }

  /** Return the places of the input that a value sees. */
  _field(layer, index) {
    const input = this.info.layers[0], space = input.shape.slice(1), last = index.slice(-1)[0];
    if (this.info.input === "table" || space.length !== layer.seen.length || !space.length) return null;
    const spans = layer.seen.map(([firsts, lasts], axis) => {
      const at = firsts.length === 1 ? 0 : layer.shape.length === input.shape.length ? index[axis + 1] : last;
      return [firsts[at], lasts[at]];
    });
    if (spans.some(([a, b]) => a > b || a === undefined)) return null;
    return { name: input.name, places: [0, 1].map((end) => flat(spans.map((span) => span[end]), space)) };
  }

  _follow(layer, index) {
    const path = followBack(this.state, layer.name, index), list = element("ol", { class: "path" });
    for (const step of path) {
      list.append(element("li", {}, button(`${step.name}[${step.index.join(", ")}] = ${short(step.value)}`, () => this.point(this.state.layers.get(step.name), step.index, true))));
    }
    this.panel.append(element("h3", { text: "Its largest terms, back to the input" }), list);
    list.scrollIntoView({ block: "nearest" });
  }

  async editParameter(place, text, value) {
    const before = this.source.parameters[place], wanted = value ?? (await ask(text, short(before).replace("−", "-")));
    if (wanted === null) return;
    this.edits.push(() => this._setParameter(place, before));
    await this._setParameter(place, wanted);
  }

  /** A source does what it is asked in order, so the values are computed with the new parameter. */
  _setParameter(place, value) {
    return Promise.all([this.source.setParameters([[place, value]]), this.compute()]);
  }

  async editInput(index, value) {
    const place = flat(index, this.info.inputShape), wanted = value ?? (await ask(`raw value ${index.join(", ")}`, this.raw[place]));
    if (wanted === null) return;
    this._begin();
    const changed = this.raw.slice();
    changed[place] = wanted;
    await this.input.enter(changed, ["changed by hand"]);
  }
}

/** Draw the explorer of a source; returns it. */
export function startExplorer(page, source) {
  const explorer = new Explorer(page, source), first = source.info.samples[0];
  if (first) explorer.input.enter(first.raw.slice());
  else explorer.give(explorer.input.entry.start ?? new Float32Array(source.info.values), []);
  return explorer;
}

async function main() {
  const page = document.getElementById("page"), problem = obstacle();
  if (problem) return page.replaceChildren(element("p", { class: "problem", role: "alert", text: problem }));
  try {
    const found = await embedded();
    unpackAll(found.data.info);
    window.striate = startExplorer(page, await LocalSource.load(found));
  } catch (error) {
    page.replaceChildren(element("p", { class: "problem", role: "alert", text: `The network cannot be computed here: ${error.message}` }));
    throw error;
  }
}

if (typeof document !== "undefined" && document.getElementById("binary")) main();
