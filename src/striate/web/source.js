// Where a page gets its numbers from. Every source has
//   info                    the model: layers with shapes and rules, classes, kind of input, samples
//                           (striate.pages.explorer.model_info)
//   parameters              Float32Array of all learnt numbers
//   editable                whether setParameters works
//   differentiable          whether gradients works
//   async run(raw)          {values: {layer: Float32Array}, milliseconds} for the raw numbers of one sample
//   async scores(samples, target)              Float32Array[n]: a score of n samples, one after the other
//   async gradients(samples, weights, target)  Float32Array[sample]: the weighted sum of d score / d raw sample
//   async setParameters(changes)               [[index, value], ...]
import { remote } from "./remote.js";

/** A source that computes in a worker of this page, with the programs that the page holds. */
export class LocalSource {
  /** Return the source once its kernels are compiled. */
  static async load({ data, bytes, worker }) {
    const source = new LocalSource();
    source.info = data.info;
    source.editable = true;
    source.differentiable = data.probe !== null;
    const [address] = data.parcel.programs.forward.places.parameters;
    const [, begin] = data.parcel.programs.forward.memory.find(([at]) => at === address);
    source.parameters = new Float32Array(bytes.slice(begin, begin + 4 * data.info.parameterCount).buffer);
    source._worker = remote(worker);
    const { layers, inputShape, values, scored } = data.info;
    const model = { layers: layers.map(({ name, shape }) => ({ name, shape })), inputShape, values, scored, input: layers[0].rule };
    await source._worker.call("make", { parcel: data.parcel, probe: data.probe, model }, bytes);
    return source;
  }

  run(raw) {
    return this._worker.call("run", raw);
  }

  scores(samples, target) {
    return this._worker.call("scores", samples, target);
  }

  gradients(samples, weights, target) {
    return this._worker.call("gradients", samples, weights, target);
  }

  setParameters(changes) {
    for (const [index, value] of changes) this.parameters[index] = value;
    return this._worker.call("setParameters", changes);
  }
}
