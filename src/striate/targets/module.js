// A network as an ES module: no dependencies, no requests. Made by striate.
//
//   import { load } from "./NAME";
//   const model = await load();
//   model.predict(imageData);          // or an array of numbers, channel by channel
const DATA = /*DATA*/ null;

const PAGE = 65536;

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

const readings = {
  numbers: (y) => y,
  probabilities: (y) => y,
  exponentials: (y) => y.map(Math.exp),
  sigmoid: (y) => y.map((v) => 1 / (1 + Math.exp(-v))),
  clipped: (y) => y.map((v) => Math.min(1, Math.max(0, v))),
  softmax: (y) => {
    const top = Math.max(...y), powers = y.map((v) => Math.exp(v - top));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((v) => v / total);
  },
};

class Model {
  /** Use `await load()`. */
  constructor(memory, kernels) {
    this.name = DATA.name;
    this.classes = DATA.classes;
    this.inputShape = DATA.inputShape;
    this.outputShape = DATA.outputShape;
    this._kernels = kernels;
    this._memory = memory;
    const at = (segment, count) => new Float32Array(memory.buffer, DATA.places[segment], count);
    this._input = at("inputs", DATA.inputCount);
    this._output = at("outputs", DATA.outputCount);
    /** Every learnt array by name, as views: call `changed()` after writing to one. */
    this.parameters = {};
    for (const [name, [offset, shape]] of Object.entries(DATA.parameters)) {
      const count = shape.reduce((a, b) => a * b, 1);
      this.parameters[name] = new Float32Array(memory.buffer, DATA.places.parameters + 4 * offset, count);
    }
    this.changed();
  }

  /** Prepare the weights again after `parameters` were written to. */
  changed() {
    this._run(DATA.calls.pack);
  }

  /** Return what the network computes: Float32Array of `outputShape` from the raw numbers of a sample. */
  outputs(sample) {
    if (sample.length !== this._input.length) {
      throw new RangeError(
        `${this.name}: takes ${this._input.length} numbers (${this.inputShape.join(" x ")}); got ${sample.length}.`
      );
    }
    this._input.set(sample);
    this._run(DATA.calls.forward);
    return this._output.slice();
  }

  /** Return {label, index, probabilities}, {labels, probabilities} or {values} for an image or raw numbers. */
  predict(input) {
    const sample = input && input.data !== undefined && input.width ? fromImage(input, this.inputShape, this.name) : input;
    const raw = Array.from(this.outputs(sample));
    const read = readings[DATA.reading](raw);
    if (DATA.kind === "numbers") {
      const { mean, scale } = DATA.units;
      return { values: read.map((v, i) => v * scale[i % scale.length] + mean[i % mean.length]) };
    }
    const probabilities = DATA.kind === "classes" && read.length === 1 ? [1 - read[0], read[0]] : read;
    const label = (i) => this.classes[i] ?? String(i);
    if (DATA.kind === "labels") {
      return { labels: probabilities.flatMap((p, i) => (p >= 0.5 ? [label(i)] : [])), probabilities };
    }
    const index = probabilities.indexOf(Math.max(...probabilities));
    return { label: label(index), index, probability: probabilities[index], probabilities };
  }

  _run(calls) {
    for (const [kernel, place] of calls) this._kernels[kernel](0, 0, place);
  }
}

/** Return the raw numbers of an ImageData of the network's size, channel by channel, from 0 to 255. */
function fromImage(image, shape, name) {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || image.width !== width || image.height !== height || ![1, 3].includes(channels)) {
    throw new RangeError(
      `${name}: takes pictures of ${shape.slice(1).join(" x ")}; got ${image.height} x ${image.width}. ` +
        "Draw it on a canvas of that size first."
    );
  }
  const count = width * height, out = new Float32Array(channels * count), d = image.data;
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [d[4 * i], d[4 * i + 1], d[4 * i + 2]];
    if (channels === 1) out[i] = Math.floor((r * 19595 + g * 38470 + b * 7471 + 32768) / 65536);
    else [out[i], out[count + i], out[2 * count + i]] = [r, g, b];
  }
  return out;
}

/** Compile the kernels and return the model. */
export async function load() {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(DATA.size / PAGE) + 1 });
  for (const [place, piece] of DATA.memory) new Uint8Array(memory.buffer).set(bytes(piece), place);
  const env = {
    __linear_memory: memory,
    __stack_pointer: new WebAssembly.Global({ value: "i32", mutable: true }, DATA.stack),
    __indirect_function_table: new WebAssembly.Table({ initial: 16, element: "anyfunc" }),
  };
  const kernels = await Promise.all(
    DATA.kernels.map(async (code) => (await WebAssembly.instantiate(bytes(code), { env })).instance.exports.kernel)
  );
  return new Model(memory, kernels);
}
