// A network as an ES module: no dependencies, no requests. Made by striate.
//
//   import { load } from "./NAME";
//   const model = await load();
//   model.predict(imageData);          // or an array of numbers, channel by channel
import { Program, bytesOf, compileKernels } from "./program.js";
import { interpret } from "./reading.js";
import { fromImage } from "./pixels.js";

const DATA = /*DATA*/ null;

class Model {
  /** Use `await load()`. */
  constructor(program) {
    this.name = DATA.model.name;
    this.classes = DATA.model.classes;
    this.inputShape = DATA.model.inputShape;
    this.outputShape = DATA.model.outputShape;
    /** What the numbers of a row of a table are, in order; empty for other models. */
    this.inputs = DATA.model.inputs;
    this._program = program;
    this._input = program.floats("inputs");
    this._output = program.floats("outputs");
    /** Every learnt array by name, as views: call `changed()` after writing to one. */
    this.parameters = {};
    const theta = program.floats("parameters");
    for (const [name, [offset, shape]] of Object.entries(DATA.model.parameters)) {
      this.parameters[name] = theta.subarray(offset, offset + shape.reduce((a, b) => a * b, 1));
    }
    this.changed();
  }

  /** Prepare the weights again after `parameters` were written to. */
  changed() {
    this._program.run("pack");
  }

  /** Return what the network computes: Float32Array of `outputShape` from the raw numbers of a sample. */
  outputs(sample) {
    if (sample.length !== this._input.length) {
      throw new RangeError(
        `${this.name}: takes ${this._input.length} numbers (${this.inputShape.join(" x ")}); got ${sample.length}.`
      );
    }
    this._input.set(sample);
    this._program.run("forward");
    return this._output.slice();
  }

  /** Return {label, index, probabilities}, {labels, probabilities} or {values} for an image or raw numbers. */
  predict(input) {
    const isImage = input && input.data !== undefined && input.width;
    return interpret(DATA.model, this.outputs(isImage ? fromImage(input, this.inputShape, this.name) : input));
  }
}

/** Compile the kernels and return the model. */
async function load() {
  const bytes = bytesOf(DATA.bytes);
  const modules = await compileKernels(DATA.parcel, bytes);
  return new Model(await Program.load(DATA.parcel, "forward", bytes, modules));
}
