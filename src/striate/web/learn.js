// A network that learns in this page: choose its layers, start it, watch filters, maps and curves change.
import { detail } from "./detail.js";
import { element } from "./elements.js";
import { embedded, obstacle } from "./embedded.js";
import { Curves } from "./curves.js";
import { drawFilters } from "./filters.js";
import { Latest } from "./latest.js";
import { Layers } from "./layers.js";
import { NetworkChoice, TrainingControls } from "./learn_controls.js";
import { short, unflat, unpackAll } from "./numbers.js";
import { percent } from "./outputs.js";
import { remote } from "./remote.js";
import { decompose } from "./rules.js";
import { theme } from "./theme.js";
import { Validation } from "./validation.js";

class Learner {
  constructor(page, info, worker) {
    Object.assign(this, { info, worker, sample: 0, running: false, ready: false, seed: 1 });
    this.beginning = new Latest(() => this._begun());
    this.looking = new Latest(() => this._looked());
    this._draw(page);
    worker.listen((event) => this._hear(event));
  }

  _draw(page) {
    const { info } = this, classes = info.kind === "classes";
    this.status = element("p", { class: "verdict", role: "status" });
    this.message = element("p", { class: "warning", role: "alert" });
    this.speed = element("p", { class: "hint" });
    this.panel = element("aside", { id: "detail", "aria-label": "the value pointed at" });
    const [left, middle, right] = ["left", "layers", "right"].map((id) => element("div", { id }));
    page.replaceChildren(
      element("header", {}, element("h1", { text: `${info.name}: a network learns` }), element("span", { class: "hint", text: this._about() }), element("span", { class: "gap" }), theme(() => this._shown())),
      element("main", { class: "learn" }, left, middle, right));
    this.network = new NetworkChoice(info, () => this.begin());
    this.controls = new TrainingControls(info, {
      toggle: () => this.toggleRunning(),
      steps: (count) => this.steps(count),
      restart: () => this.begin(this.seed + 1),
      download: () => this.download(),
      settings: (settings) => this.worker.call("settings", settings),
    });
    left.append(this.network.room, this.controls.room);
    this.curves = new Curves(element("section", { "aria-label": "curves" }), classes ? { title: "accuracy, %", factor: 100 } : { title: "mean absolute error", factor: 1 });
    this.filters = element("section", { "aria-label": "filters" });
    this.maps = element("section", { "aria-label": "feature maps" });
    middle.append(this.status, this.speed, this.message, this.curves.room, this.filters, this.maps);
    this.validation = new Validation(info, (n) => {
      this.sample = n;
      this._look();
    });
    right.append(this.validation.room, this.panel);
    this.curves.resize();
  }

  _about() {
    const { train, validation, left, plans, first } = this.info, { input, values, inputShape } = plans[first].info;
    const shape = input === "table" ? `${values} numbers` : inputShape.join(" × ");
    return `${train.count.toLocaleString("en")} samples of ${shape} to learn from, ${validation.count} to validate${left ? `; ${left.toLocaleString("en")} did not fit into the page` : ""}`;
  }

  /** Begin with the chosen network and its first parameters. */
  begin(seed = this.seed) {
    Object.assign(this, { seed, running: false, ready: false });
    return this.beginning.ask();
  }

  async _begun() {
    const { key } = this.network, plan = this.info.plans[key];
    this.message.textContent = plan ? "" : "The samples are too small for so many layers.";
    this.controls.show(false);
    if (!plan) return;
    const first = await this.worker.call("choose", key, this.seed), { info } = plan;
    this.network.show(plan);
    const room = element("div", {});
    this.maps.replaceChildren(room);
    this.layers = new Layers(room, info, (layer, index, pinned) => this._point(layer, index, pinned));
    this.state = { key, plan, layers: new Map(info.layers.map((layer) => [layer.name, layer])), values: new Map(), parameters: null, raw: null };
    this.selected = null;
    this.panel.classList.remove("pinned");
    this.panel.replaceChildren(element("p", { class: "hint", text: "Point at a cell of a feature map: its window, kernel and sum appear here." }));
    this.curves.clear();
    this._hear({ type: "validation", ...first });
    this.ready = true;
  }

  async toggleRunning() {
    this.running = !this.running;
    this.message.textContent = "";
    this.controls.show(this.running);
    if (this.running) await this.worker.call("start");
    else this._hear({ type: "validation", ...(await this.worker.call("stop")) });
  }

  async steps(count) {
    if (this.running) await this.toggleRunning();
    await this.worker.call("steps", count);
    this._hear({ type: "validation", ...(await this.worker.call("evaluate")) });
  }

  _hear(event) {
    if (event.type === "diverged") {
      this.running = false;
      this.controls.show(false);
      this.message.textContent = `The loss is no longer finite after step ${event.step}. Lower the learning rate and start over.`;
    } else if (event.type === "progress") {
      this.curves.progress(event);
      this.status.textContent = `epoch ${event.epoch + 1}, step ${event.step}: loss ${event.loss.toFixed(4)}${event.score === null ? "" : `, accuracy ${percent(event.score)}`}`;
      this.speed.textContent = `${Math.round(event.rate).toLocaleString("en")} samples a second`;
    } else {
      this.curves.validation(event);
      this.validation.show(event);
      if (event.step === 0) this.status.textContent = `Before training: ${this._scored(event.score)}.`;
    }
    this._look();
  }

  _scored(score) {
    return this.info.kind === "classes" ? `${percent(score)} of the validation ${this.info.targetCount > 1 ? "pixels" : "samples"} are right` : `the mean absolute error is ${short(Number(score.toPrecision(4)))}`;
  }

  /** Fetch the values of the chosen sample as they are now. */
  _look() {
    return this.looking.ask();
  }

  async _looked() {
    const { key, raw, values, parameters, states } = await this.worker.call("look", this.sample), { state } = this;
    if (key !== state?.key) return; // another network has begun
    Object.assign(state, { raw, values: new Map(Object.entries(values)), parameters });
    for (const { name, offset, shape } of state.plan.states) this._follow(state.layers, name, states.slice(offset, offset + shape[0]));
    this._shown();
  }

  /** Let the rule of a batch normalisation have its running statistics as they are now. */
  _follow(layers, name, values) {
    const at = name.lastIndexOf("."), field = { running_mean: "mean", running_variance: "variance" }[name.slice(at + 1)];
    layers.get(name.slice(0, at)).rule[field] = Array.from(values);
  }

  _shown() {
    if (!this.state?.raw) return;
    this.layers.show(Object.fromEntries(this.state.values));
    drawFilters(this.filters, this.state.plan, this.state.parameters);
    this.curves.draw();
    if (this.selected) this._explain();
  }

  _point(layer, index, pinned) {
    if (!this.state.raw || (this.selected?.pinned && !pinned)) return;
    const same = this.selected?.pinned && this.selected.layer === layer && String(this.selected.index) === String(index);
    this.selected = { layer, index, pinned: pinned && !same };
    this._explain();
  }

  _explain() {
    const { layer, index } = this.selected, found = decompose(this.state, layer.name, index), sources = new Map();
    found.places.forEach((place, t) => {
      const name = found.sources ? found.sources[t] : layer.inputs[0];
      if (name) sources.set(name, [...(sources.get(name) ?? []), place]);
    });
    this.layers.mark(layer.name, index, sources, null);
    const go = (name, place) => this._point(this.state.layers.get(name), unflat(place, this.state.layers.get(name).shape), true);
    this.panel.replaceChildren(detail(found, layer, index, this.state.plan.info, { editable: false, go }));
    this.panel.classList.toggle("pinned", this.selected.pinned);
  }

  /** Let the browser save the model. */
  async download() {
    const bytes = await this.worker.call("save"), link = element("a", { download: `${this.info.name}.safetensors` });
    link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}

async function main() {
  const page = document.getElementById("page"), problem = obstacle();
  if (problem) return page.replaceChildren(element("p", { class: "problem", role: "alert", text: problem }));
  try {
    const { data, bytes, worker: script } = await embedded();
    unpackAll(data.info.plans);
    const worker = remote(script);
    await worker.call("make", data.info, data.parcel, bytes);
    const learner = new Learner(page, data.info, worker);
    learner.validation.draw(await worker.call("samples"));
    await learner.begin();
    window.striate = learner;
  } catch (error) {
    page.replaceChildren(element("p", { class: "problem", role: "alert", text: `The network cannot be trained here: ${error.message}` }));
    throw error;
  }
}

main();
