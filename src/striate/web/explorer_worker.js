// Computes for the explorer in a thread of its own: all layers of a sample, scores, gradients.
import { Program, compileKernels } from "./program.js";
import { serve } from "./remote.js";

class Forward {
  constructor(program, model) {
    this.program = program;
    this.model = model;
    this.views = model.layers.map(({ name }, i) => [name, program.floats(i === model.layers.length - 1 ? "outputs" : `outputs/${name}`)]);
    this.input = program.floats("inputs");
    this.pack();
  }

  pack() {
    this.program.run("pack");
  }

  run(raw) {
    this.input.set(raw);
    const start = performance.now();
    this.program.run("forward");
    return performance.now() - start;
  }

  values() {
    return Object.fromEntries(this.views.map(([name, view]) => [name, view.slice()]));
  }

  value(name) {
    return this.views.find(([other]) => other === name)[1];
  }
}

/** The gradient of one score by the input: what a layer would learn that adds a number to each of its values. */
class Gradient {
  constructor(program, probe, model) {
    Object.assign(this, { program, probe, model });
    this.theta = program.floats("parameters");
    this.theta.fill(1, probe.ones[0], probe.ones[0] + probe.ones[1]);
    program.floats("targets").fill(probe.target);
  }

  follow(parameters, target) {
    const { copies, affine, chosen, scores } = this.probe, theta = this.theta;
    for (const [to, from, count] of copies) theta.set(parameters.subarray(from, from + count), to);
    for (const { weight, bias, from: [gamma, beta], mean, variance, epsilon } of affine) {
      for (let c = 0; c < mean.length; c++) {
        theta[weight + c] = (gamma === null ? 1 : parameters[gamma + c]) / Math.sqrt(variance[c] + epsilon);
        theta[bias + c] = (beta === null ? 0 : parameters[beta + c]) - mean[c] * theta[weight + c];
      }
    }
    theta.fill(0, chosen, chosen + scores);
    theta[chosen + target] = 1;
    this.program.run("pack");
  }

  sum(samples, weights, parameters, target) {
    this.follow(parameters, target);
    const { samples: at, input } = this.probe, size = this.model.values, found = new Float32Array(size);
    const gradient = this.program.floats("gradients"), inputs = this.program.floats("inputs"), own = this.program.floats("weights");
    for (let first = 0; first < weights.length; first += at) {
      const count = Math.min(at, weights.length - first);
      for (let i = 0; i < at; i++) {
        const n = first + Math.min(i, count - 1);
        inputs.set(samples.subarray(n * size, (n + 1) * size), i * size);
        own[i] = i < count ? weights[n] : 0;
      }
      this.program.run("gradient");
      for (let i = 0; i < size; i++) found[i] += gradient[input + i];
    }
    const { scale } = this.model.input, plane = size / scale.length;
    return found.map((value, i) => value * scale[Math.floor(i / plane)]);
  }
}

serve(async ({ parcel, probe, model }, bytes) => {
  const modules = await compileKernels(parcel, bytes);
  const forward = new Forward(await Program.load(parcel, "forward", bytes, modules), model);
  const parameters = forward.program.floats("parameters");
  const gradient = probe && new Gradient(await Program.load(parcel, "gradient", bytes, modules), probe, model);
  return {
    run(raw) {
      const milliseconds = forward.run(raw);
      return { values: forward.values(), milliseconds };
    },
    scores(samples, target) {
      const size = model.values, scores = forward.value(model.scored);
      return Float32Array.from({ length: samples.length / size }, (_, n) => {
        forward.run(samples.subarray(n * size, (n + 1) * size));
        return scores[target];
      });
    },
    gradients(samples, weights, target) {
      return gradient.sum(samples, weights, parameters, target);
    },
    setParameters(changes) {
      for (const [index, value] of changes) parameters[index] = value;
      forward.pack();
    },
  };
});
