// Trains a network in a thread of its own, a few milliseconds at a time, and answers in between.
import { modelFile } from "./model_file.js";
import { numbersOf } from "./optimizers.js";
import { Program, compileKernels } from "./program.js";
import { announce, serve } from "./remote.js";

const SLICE = 30, NEWS = 120; // milliseconds: of training at a time, and from one message to the next

/** Return a function that draws numbers from 0 to 1 (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
function normal(draw) { // Box and Muller (1958)
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}

class Trainer {
  constructor(info, parcel, bytes, modules) {
    Object.assign(this, { info, parcel, bytes, modules, running: false, optimizer: Object.keys(info.optimizers)[0] });
    this.learningRate = info.optimizers[this.optimizer].learningRate;
    this.values = info.inputShape.reduce((a, b) => a * b, 1);
  }

  /** Begin again with a network and fresh weights. */
  async choose(key, seed) {
    this.running = false;
    this.plan = this.info.plans[key];
    const load = (name) => Program.load(this.parcel, `${key}/${name}`, this.bytes, this.modules);
    [this.train, this.forward] = await Promise.all([load("train"), load("forward")]);
    const { inputs: [begin, size] } = this.info.train;
    this.train.bytes("inputs").set(this.bytes.subarray(begin, begin + size));
    this.train.floats("weights").fill(1 / this.info.batch);
    Object.assign(this, { seed, step: 0, epoch: 0, place: 0, since: 0, draw: random(seed), order: null });
    const theta = this.train.floats("parameters");
    for (const { offset, shape, deviation, value } of this.plan.parameters) {
      const end = offset + shape.reduce((a, b) => a * b, 1);
      for (let i = offset; i < end; i++) theta[i] = deviation ? deviation * normal(this.draw) : value;
    }
    this._forget();
    this.sums = { loss: 0, correct: 0, samples: 0 };
    return this.evaluate();
  }

  /** Use these parameters, and batches in the order of the data: for comparisons. */
  begin(theta) {
    this.train.floats("parameters").set(theta);
    this.inOrder = true;
    this.order = null;
  }

  /** Take the optimizer and learning rate from now on; another optimizer begins without memory. */
  settings({ optimizer, learningRate }) {
    if (optimizer !== this.optimizer) this._forget();
    Object.assign(this, { optimizer, learningRate });
  }

  _forget() {
    for (const name of ["first", "second"]) this.train.floats(`optimizer/${name}`).fill(0);
    this.since = 0;
  }

  start() {
    if (this.running) return;
    Object.assign(this, { running: true, told: performance.now(), counted: 0 });
    this._later();
  }

  stop() {
    this.running = false;
    this._tell(true);
    return this.evaluate();
  }

  /** Take some steps at once. */
  steps(count) {
    Object.assign(this, { told: performance.now(), counted: 0 });
    const losses = [];
    for (let i = 0; i < count; i++) losses.push(this._step());
    this._tell(true);
    return losses;
  }

  _later() {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => this.running && this._slice();
    channel.port2.postMessage(0);
  }

  _slice() {
    const end = performance.now() + SLICE, epoch = this.epoch;
    while (performance.now() < end && this.epoch === epoch) {
      if (!Number.isFinite(this._step())) {
        this.running = false;
        announce({ type: "diverged", step: this.step });
        break;
      }
    }
    this._tell(false);
    if (this.epoch > epoch) announce({ type: "validation", ...this.evaluate() });
    if (this.running) this._later();
  }

  _tell(now) {
    const time = performance.now(), { loss, correct, samples } = this.sums;
    if ((!now && time - this.told < NEWS) || samples === 0) return;
    const rate = (1000 * this.counted) / Math.max(1, time - this.told);
    announce({ type: "progress", step: this.step, epoch: this.epoch, loss: loss / samples, accuracy: correct / samples, rate });
    Object.assign(this, { told: time, counted: 0, sums: { loss: 0, correct: 0, samples: 0 } });
  }

  _step() {
    const { train, info: { batch } } = this, index = train.integers("index"), targets = train.floats("targets");
    const chosen = this._batch();
    for (let i = 0; i < batch; i++) {
      index[i] = BigInt(chosen[i]);
      targets[i] = this.info.train.targets[chosen[i]];
    }
    train.floats("numbers").set(numbersOf(this.optimizer, this.info.optimizers[this.optimizer], this.learningRate, ++this.since));
    train.run("gradient");
    train.run(this.optimizer);
    this.step++;
    this.counted += batch;
    return this._count(train.floats("losses"), train.floats("correct"));
  }

  _count(losses, correct) {
    const { batch } = this.info;
    let sum = 0;
    for (let i = 0; i < batch; i++) {
      sum += losses[i];
      this.sums.correct += correct[i];
    }
    this.sums.loss += sum;
    this.sums.samples += batch;
    return sum / batch;
  }

  _batch() {
    const { count } = this.info.train, { batch } = this.info;
    if (this.order === null || this.place + batch > count) {
      if (this.order !== null) this.epoch++;
      this.order = Uint32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0 && !this.inOrder; i--) {
        const j = Math.floor(this.draw() * (i + 1));
        [this.order[i], this.order[j]] = [this.order[j], this.order[i]];
      }
      this.place = 0;
    }
    this.place += batch;
    return this.order.subarray(this.place - batch, this.place);
  }

  _sample(part, number) {
    const [begin] = part.inputs, size = this.values;
    if (this.info.bytes) return Float32Array.from(this.bytes.subarray(begin + number * size, begin + (number + 1) * size));
    return new Float32Array(this.bytes.slice(begin + 4 * number * size, begin + 4 * (number + 1) * size).buffer);
  }

  _follow() {
    this.forward.floats("parameters").set(this.train.floats("parameters"));
    this.forward.run("pack");
  }

  /** Return loss, accuracy, predictions and confusion matrix on the validation samples. */
  evaluate() {
    this._follow();
    const { validation, classes } = this.info, input = this.forward.floats("inputs"), output = this.forward.floats("outputs");
    const predictions = [], confusion = classes.map(() => classes.map(() => 0));
    let [loss, right] = [0, 0];
    for (let n = 0; n < validation.count; n++) {
      input.set(this._sample(validation, n));
      this.forward.run("forward");
      const target = validation.targets[n], predicted = output.indexOf(Math.max(...output));
      loss -= Math.log(Math.max(output[target], 1e-12)) / validation.count;
      right += predicted === target;
      confusion[target][predicted]++;
      predictions.push([predicted, output[predicted]]);
    }
    return { step: this.step, epoch: this.epoch, loss, accuracy: right / validation.count, predictions, confusion };
  }

  /** Return the values of all layers for a validation sample, and all parameters. */
  look(number) {
    this._follow();
    const raw = this._sample(this.info.validation, number), { layers } = this.plan.info;
    this.forward.floats("inputs").set(raw);
    this.forward.run("forward");
    const values = Object.fromEntries(layers.map(({ name }, i) => [name, this.forward.floats(i === layers.length - 1 ? "outputs" : `outputs/${name}`).slice()]));
    return { raw, values, parameters: this.train.floats("parameters").slice() };
  }

  /** Return the samples that the page draws. */
  samples(count) {
    return Array.from({ length: Math.min(count, this.info.validation.count) }, (_, n) => this._sample(this.info.validation, n));
  }

  /** Return the bytes of the trained model as a .safetensors file. */
  save() {
    const facts = { optimizer: this.info.optimizers[this.optimizer].class, seed: this.seed, epochs: this.epoch, steps: this.step };
    return modelFile(this.plan, this.train.floats("parameters"), facts);
  }
}

serve(async (info, parcel, bytes) => new Trainer(info, parcel, bytes, await compileKernels(parcel, bytes)));
