// What is chosen before and during training: the network, the optimizer, the learning rate, start and stop.
import { button, element, select } from "./elements.js";

const OPTIMIZERS = { adam: "Adam", momentum: "momentum", nesterov: "Nesterov", gradient_descent: "gradient descent", rmsprop: "RMSprop", adagrad: "Adagrad" };

/** The list of layers, each with a few forms; of a network that the user brought, its layers. */
export class NetworkChoice {
  /** `changed()` is called when another network is wanted; its name is then `key`. */
  constructor(info, changed) {
    this.info = info;
    this.chosen = Object.fromEntries(Object.keys(info.choices).map((name, i) => [name, info.first.split(",")[i]]));
    this.list = element("ol", { class: "network" });
    this.counts = element("p", { class: "hint" });
    const fields = Object.entries(info.choices).map(([name, [text, values]]) => select(text, values, this.chosen[name], (value) => {
      this.chosen[name] = value;
      changed();
    }));
    this.room = element("section", { "aria-label": "network" }, element("h2", { text: "Network" }), ...(info.own ? fields : []), this.list, this.counts);
    if (!info.own) this.list.append(...fields.map((field) => element("li", {}, field)), this._ending());
  }

  get key() {
    return Object.values(this.chosen).join(",");
  }

  _ending() {
    const { plans, first, kind } = this.info, outputs = plans[first].info.outputShape[0];
    return element("li", { text: `${outputs} ${outputs === 1 ? "output" : "outputs"}${kind === "classes" ? ", softmax" : ""}` });
  }

  show({ info }) {
    this.counts.textContent = `${info.parameterCount.toLocaleString("en")} parameters, ${info.multiplications.toLocaleString("en")} multiply-adds for a sample`;
    if (this.info.own) this.list.replaceChildren(...info.layers.slice(1).map(({ layer }) => element("li", { text: layer })));
  }
}

/** Buttons and fields; `actions` are the functions toggle, steps, restart, download and settings. */
export class TrainingControls {
  constructor(info, actions) {
    this.info = info;
    this.actions = actions;
    this.toggle = button("start", actions.toggle, { class: "main" });
    this.rate = element("input", { type: "range", min: -5, max: 0.5, step: 0.05, "aria-label": "learning rate", oninput: () => this._learn(Number((10 ** Number(this.rate.value)).toPrecision(2))) });
    this.rateText = element("output", {});
    const names = Object.keys(info.optimizers), epoch = Math.floor(info.train.count / info.batch);
    const optimizer = select("optimizer", names.map((name) => [name, OPTIMIZERS[name]]), names[0], (name) => this._use(name));
    this.room = element("section", { "aria-label": "training" }, element("h2", { text: "Training" }),
      element("div", { class: "choices" }, this.toggle, button("one step", () => actions.steps(1)), button("one epoch", () => actions.steps(epoch)),
        button("start over", actions.restart, { title: "with new random parameters, or those of the saved model" })),
      optimizer, element("label", { class: "slider" }, element("span", { text: "learning rate" }), this.rate, this.rateText),
      element("p", { class: "hint", text: `Batches of ${info.batch}, ${info.loss}.` }), element("div", { class: "choices" }, button("download the model", actions.download)));
    this._use(names[0]);
  }

  _use(name) {
    this.optimizer = name;
    this._learn(this.info.optimizers[name].learningRate);
  }

  _learn(rate) {
    this.learningRate = rate;
    this.rate.value = Math.log10(rate);
    this.rate.setAttribute("aria-valuetext", String(rate));
    this.rateText.textContent = String(rate);
    this.actions.settings(this.settings);
  }

  get settings() {
    return { optimizer: this.optimizer, learningRate: this.learningRate };
  }

  show(running) {
    this.toggle.textContent = running ? "stop" : "start";
    this.toggle.setAttribute("aria-pressed", String(running));
  }
}
