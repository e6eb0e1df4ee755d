// What the kernels of the optimizers read at each step: the numbers of striate.training.optimizers.

/** Return the numbers of step `t`, counted from 1. */
export function numbersOf(name, options, learningRate, t) {
  const single = Math.fround; // the kernels see betas in single precision, and so must what corrects for them
  switch (name) {
    case "adam": {
      const [first, second] = [single(options.beta1), single(options.beta2)];
      return [learningRate, first, second, options.epsilon, 1 / (1 - first ** t), 1 / (1 - second ** t), 0];
    }
    case "momentum":
    case "nesterov":
      return [learningRate, options.beta];
    case "rmsprop":
      return [learningRate, options.rho, options.epsilon];
    case "adagrad":
      return [learningRate, options.epsilon];
    default:
      return [learningRate];
  }
}
