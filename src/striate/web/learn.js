// A network that learns in this page: choose its layers, start it, watch filters, maps and curves change.
import { detail } from "./detail.js";
import { button, element, select } from "./elements.js";
import { embedded, obstacle } from "./embedded.js";
import { Curves } from "./curves.js";
import { drawFilters } from "./filters.js";
import { Layers } from "./layers.js";
import { unflat, unpackAll } from "./numbers.js";
import { percent } from "./outputs.js";
import { remote } from "./remote.js";
import { decompose } from "./rules.js";
import { theme } from "./theme.js";
import { Validation } from "./validation.js";

const OPTIMIZERS = { adam: "Adam", momentum: "momentum", nesterov: "Nesterov", gradient_descent: "gradient descent", rmsprop: "RMSprop", adagrad: "Adagrad" };

class Learner {
  constructor(page, info, worker) {
    Object.assign(this, { info, worker, sample: 0, running: false, seed: 1, optimizer: Object.keys(info.optimizers)[0], looking: false });
    this.learningRate = info.optimizers[this.optimizer].learningRate;
    this.chosen = Object.fromEntries(Object.keys(info.choices).map((name, i) => [name, info.first.split(",")[i]]));
    this._draw(page);
    worker.listen((event) => this._hear(event));
  }

  get key() {
    return Object.values(this.chosen).join(",");
  }

  _draw(page) {
    this.status = element("p", { class: "verdict", role: "status" });
    this.message = element("p", { class: "warning", role: "alert" });
    this.speed = element("p", { class: "hint" });
    this.panel = element("aside", { id: "detail", "aria-label": "the value pointed at" });
    const [left, middle, right] = ["left", "layers", "right"].map((id) => element("div", { id }));
    page.replaceChildren(
      element("header", {}, element("h1", { text: `${this.info.name}: a network learns` }), element("span", { class: "hint", text: this._about() }), element("span", { class: "gap" }), theme(() => this._shown())),
      element("main", { class: "learn" }, left, middle, right));
    left.append(this._network(), this._training());
    this.curves = new Curves(element("section", { "aria-label": "curves" }));
    this.filters = element("section", { "aria-label": "filters" });
    this.maps = element("section", { "aria-label": "feature maps" });
    middle.append(this.status, this.speed, this.message, this.curves.room, this.filters, this.maps);
    this.validation = new Validation(this.info, (n) => {
      this.sample = n;
      this._look();
    });
    right.append(this.validation.room, this.panel);
    this.curves.resize();
  }

  _about() {
    const { train, validation, left, inputShape } = this.info;
    const shape = this.info.input === "table" ? `${this.info.plans[this.info.first].info.values} numbers` : inputShape.join(" × ");
    return `${train.count.toLocaleString("en")} samples of ${shape} to learn from, ${validation.count} to validate${left ? `; ${left.toLocaleString("en")} did not fit into the page` : ""}`;
  }

  _network() {
    const list = element("ol", { class: "network" });
    for (const [name, [text, values]] of Object.entries(this.info.choices)) {
      list.append(element("li", {}, select(text, values, this.chosen[name], (value) => {
        this.chosen[name] = value;
        this.begin();
      })));
    }
    list.append(element("li", { text: `${this.info.classes.length} outputs, softmax` }));
    this.counts = element("p", { class: "hint" });
    return element("section", { "aria-label": "network" }, element("h2", { text: "Network" }), list, this.counts);
  }

  _training() {
    this.toggle = button("start", () => this.toggleRunning(), { class: "main" });
    const step = button("one step", () => this._steps(1)), epoch = button("one epoch", () => this._steps(Math.floor(this.info.train.count / this.info.batch)));
    this.rate = element("input", { type: "range", min: -5, max: 0.5, step: 0.05, "aria-label": "learning rate", oninput: () => {
      this.learningRate = Number((10 ** Number(this.rate.value)).toPrecision(2));
      this._settings();
    } });
    this.rateText = element("output", {});
    const optimizer = select("optimizer", Object.keys(this.info.optimizers).map((name) => [name, OPTIMIZERS[name]]), this.optimizer, (name) => {
      this.optimizer = name;
      this.learningRate = this.info.optimizers[name].learningRate;
      this._settings();
    });
    return element("section", { "aria-label": "training" }, element("h2", { text: "Training" }), element("div", { class: "choices" }, this.toggle, step, epoch, button("new weights", () => {
      this.seed++;
      this.begin();
    })), optimizer, element("label", { class: "slider" }, element("span", { text: "learning rate" }), this.rate, this.rateText),
    element("p", { class: "hint", text: `Batches of ${this.info.batch}, cross-entropy.` }), element("div", { class: "choices" }, button("download the model", () => this.download())));
  }

  /** Begin with the chosen network and fresh weights. */
  async begin() {
    this.running = false;
    this.plan = this.info.plans[this.key];
    this.message.textContent = this.plan ? "" : "The samples are too small for so many layers.";
    if (!this.plan) return;
    this.ready = false;
    const first = await this.worker.call("choose", this.key, this.seed);
    await this._settings();
    const { info } = this.plan;
    this.counts.textContent = `${info.parameterCount.toLocaleString("en")} parameters, ${info.multiplications.toLocaleString("en")} multiply-adds for a sample`;
    this.maps.replaceChildren();
    this.layers = new Layers(this.maps, info, (layer, index, pinned) => this._point(layer, index, pinned));
    this.state = { layers: new Map(info.layers.map((layer) => [layer.name, layer])), values: new Map(), parameters: null, raw: null };
    this.selected = null;
    this.panel.replaceChildren(element("p", { class: "hint", text: "Point at a cell of a feature map: its window, kernel and sum appear here." }));
    this.curves.clear();
    this._hear({ type: "validation", ...first });
    this._buttons();
    this.ready = true;
  }

  _settings() {
    this.rate.value = Math.log10(this.learningRate);
    this.rateText.textContent = String(this.learningRate);
    return this.worker.call("settings", { optimizer: this.optimizer, learningRate: this.learningRate });
  }

  async toggleRunning() {
    this.running = !this.running;
    this.message.textContent = "";
    this._buttons();
    if (this.running) await this.worker.call("start");
    else this._hear({ type: "validation", ...(await this.worker.call("stop")) });
  }

  async _steps(count) {
    if (this.running) await this.toggleRunning();
    await this.worker.call("steps", count);
    this._hear({ type: "validation", ...(await this.worker.call("evaluate")) });
  }

  _buttons() {
    this.toggle.textContent = this.running ? "stop" : "start";
    this.toggle.setAttribute("aria-pressed", String(this.running));
  }

  _hear(event) {
    if (event.type === "diverged") {
      this.running = false;
      this._buttons();
      this.message.textContent = `The loss is no longer finite after step ${event.step}. Lower the learning rate and take new weights.`;
    } else if (event.type === "progress") {
      this.curves.progress(event);
      this.status.textContent = `epoch ${event.epoch + 1}, step ${event.step}: loss ${event.loss.toFixed(4)}, accuracy ${percent(event.accuracy)}`;
      this.speed.textContent = `${Math.round(event.rate).toLocaleString("en")} samples a second`;
    } else {
      this.curves.validation(event);
      this.validation.show(event);
      if (event.step === 0) this.status.textContent = `Before training: ${percent(event.accuracy)} of the validation samples are right.`;
    }
    this._look();
  }

  /** Fetch the values of the chosen picture; one request at a time. */
  async _look() {
    if (this.looking) return;
    this.looking = true;
    const plan = this.plan, { raw, values, parameters } = await this.worker.call("look", this.sample);
    this.looking = false;
    if (plan !== this.plan) return;
    Object.assign(this.state, { raw, values: new Map(Object.entries(values)), parameters });
    this._shown();
  }

  _shown() {
    if (!this.state?.raw) return;
    this.layers.show(Object.fromEntries(this.state.values));
    drawFilters(this.filters, this.plan, this.state.parameters);
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
    this.panel.replaceChildren(detail(found, layer, index, this.plan.info, { editable: false, go }));
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
    learner.samples = await worker.call("samples", learner.validation.count);
    learner.validation.draw(learner.samples);
    await learner.begin();
    window.striate = learner;
  } catch (error) {
    page.replaceChildren(element("p", { class: "problem", role: "alert", text: `The network cannot be trained here: ${error.message}` }));
    throw error;
  }
}

main();
