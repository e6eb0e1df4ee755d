// Trains a network in a thread of its own, a few milliseconds at a time, and answers in between.
import { modelFile } from "./model_file.js";
import { numbersOf } from "./optimizers.js";
import { Program, compileKernels } from "./program.js";
import { normal, random, shuffle } from "./random.js";
import { announce, serve } from "./remote.js";
import { scoresOf } from "./scores.js";

const SLICE = 30, NEWS = 120; // milliseconds: of training at a time, and from one message to the next
const LANES = 4, SHOWN = 40, AUXILIARY = 0.3; // samples in a vector; samples that are drawn; what other outputs count

const product = (list) => list.reduce((a, b) => a * b, 1);

class Trainer {
  constructor(info, parcel, bytes, modules) {
    Object.assign(this, { info, parcel, bytes, modules, running: false, optimizer: Object.keys(info.optimizers)[0] });
    this.learningRate = info.optimizers[this.optimizer].learningRate;
    this.values = product(info.plans[info.first].info.inputShape);
    this.targets = { train: this._numbers(info.train.targets), validation: this._numbers(info.validation.targets) };
  }

  _numbers([begin, size]) {
    return new Float32Array(this.bytes.slice(begin, begin + size).buffer);
  }

  /** Begin again with a network and its first parameters: those that were saved, or random ones. */
  async choose(key, seed) {
    this.running = false;
    this.key = key;
    this.plan = this.info.plans[key];
    const load = (name) => Program.load(this.parcel, `${key}/${name}`, this.bytes, this.modules);
    [this.train, this.forward] = await Promise.all([load("train"), load("forward")]);
    const { inputs: [begin, size] } = this.info.train;
    this.train.bytes("inputs").set(this.bytes.subarray(begin, begin + size));
    for (const name of Object.keys(this.train.places).filter((place) => place.split("/")[0] === "weights")) {
      this.train.floats(name).fill((name === "weights" ? 1 : AUXILIARY) / this.info.batch);
    }
    Object.assign(this, { seed, step: 0, epoch: 0, place: 0, since: 0, draw: random(seed), order: null });
    this._fill("parameters", 0);
    this._fill("states", 1);
    this._forget();
    this.sums = { loss: 0, correct: 0, samples: 0 };
    return this.evaluate();
  }

  _fill(kind, number) {
    const vector = this.train.floats(kind), { saved } = this.plan;
    if (saved) return vector.set(this._numbers(saved[number]));
    for (const { offset, shape, deviation, value } of this.plan[kind]) {
      for (let i = offset; i < offset + product(shape); i++) vector[i] = deviation ? deviation * normal(this.draw) : value;
    }
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
    const rate = (1000 * this.counted) / Math.max(1, time - this.told), score = this.info.kind === "classes" ? correct / samples : null;
    announce({ type: "progress", step: this.step, epoch: this.epoch, loss: loss / samples, score, rate });
    Object.assign(this, { told: time, counted: 0, sums: { loss: 0, correct: 0, samples: 0 } });
  }

  _step() {
    const { train, info } = this, chosen = this._batch(), index = train.integers("index");
    for (let i = 0; i < info.batch; i++) index[i] = BigInt(chosen[i]);
    this._putTargets(chosen);
    const keys = train.integers("keys"); // of the random numbers of dropout and noise
    for (let i = 0; i < this.plan.info.layers.length; i++) keys[i] = BigInt(Math.floor(this.draw() * 2 ** 32));
    train.floats("numbers").set(numbersOf(this.optimizer, info.optimizers[this.optimizer], this.learningRate, ++this.since));
    train.run("gradient");
    train.run(this.optimizer);
    this.step++;
    this.counted += info.batch;
    return this._count(train.floats("losses"), train.floats("correct"));
  }

  /** Write the targets as the engine reads them: number by number, each for the samples of a vector. */
  _putTargets(chosen) {
    const count = this.info.targetCount, room = this.train.floats("targets"), all = this.targets.train;
    chosen.forEach((sample, i) => {
      const begin = (i - (i % LANES)) * count + (i % LANES);
      for (let k = 0; k < count; k++) room[begin + k * LANES] = all[sample * count + k];
    });
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
    const { batch, train: { count } } = this.info;
    if (this.order === null || this.place + batch > count) {
      if (this.order !== null) this.epoch++;
      this.order = Uint32Array.from({ length: count }, (_, i) => i);
      if (!this.inOrder) shuffle(this.order, this.draw);
      this.place = 0;
    }
    this.place += batch;
    return this.order.subarray(this.place - batch, this.place);
  }

  _sample(number) {
    const [begin] = this.info.validation.inputs, size = this.values;
    if (this.info.bytes) return Float32Array.from(this.bytes.subarray(begin + number * size, begin + (number + 1) * size));
    return new Float32Array(this.bytes.slice(begin + 4 * number * size, begin + 4 * (number + 1) * size).buffer);
  }

  _follow() {
    for (const kind of ["parameters", "states"]) this.forward.floats(kind).set(this.train.floats(kind));
    this.forward.run("pack");
  }

  /** Return loss, score and predictions for the validation samples; see scores.js. */
  evaluate() {
    this._follow();
    const { kind, targetCount, validation: { count } } = this.info, input = this.forward.floats("inputs"), output = this.forward.floats("outputs");
    const scores = scoresOf(kind, this.plan.info, count, SHOWN);
    for (let n = 0; n < count; n++) {
      input.set(this._sample(n));
      this.forward.run("forward");
      scores.add(output, this.targets.validation.subarray(n * targetCount, (n + 1) * targetCount));
    }
    return { step: this.step, epoch: this.epoch, ...scores.result() };
  }

  /** Return the values of all layers for a validation sample, with all parameters and states. */
  look(number) {
    this._follow();
    const raw = this._sample(number), { layers } = this.plan.info;
    this.forward.floats("inputs").set(raw);
    this.forward.run("forward");
    const values = Object.fromEntries(layers.map(({ name }, i) => [name, this.forward.floats(i === layers.length - 1 ? "outputs" : `outputs/${name}`).slice()]));
    return { key: this.key, raw, values, parameters: this.train.floats("parameters").slice(), states: this.train.floats("states").slice() };
  }

  /** Return the samples that the page draws, with what they should give. */
  samples() {
    const { targetCount, validation: { count } } = this.info;
    return Array.from({ length: Math.min(SHOWN, count) }, (_, n) => [this._sample(n), this.targets.validation.slice(n * targetCount, (n + 1) * targetCount)]);
  }

  /** Return the bytes of the trained model as a .safetensors file. */
  save() {
    const facts = { optimizer: this.info.optimizers[this.optimizer].class, seed: this.seed, epochs: this.epoch, steps: this.step };
    return modelFile(this.plan, this.train.floats("parameters"), this.train.floats("states"), facts);
  }
}

serve(async (info, parcel, bytes) => new Trainer(info, parcel, bytes, await compileKernels(parcel, bytes)));
