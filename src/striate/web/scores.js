// What the validation samples say about a network: loss, and the confusion of classes or the errors of numbers.
import { interpret } from "./reading.js";

const SMALLEST = 1e-12; // of a probability whose logarithm is taken

/** Return {add(outputs, target), result()} for a model whose targets are of a kind: "classes" or "numbers". */
export function scoresOf(kind, model, count, keep) {
  return kind === "numbers" ? new Numbers(model, count) : new Classes(model, count, keep);
}

class Classes {
  /** `keep` samples keep their predictions. */
  constructor(model, count, keep) {
    Object.assign(this, { model, count, keep, loss: 0, right: 0, labels: 0, predictions: [] });
    const classes = Math.max(model.classes.length, model.outputShape[0]);
    this.confusion = Array.from({ length: classes }, () => new Array(classes).fill(0));
  }

  add(outputs, target) {
    const found = interpret(this.model, outputs), places = target.length;
    for (let p = 0; p < places; p++) {
      const truth = target[p], predicted = found.indices ? found.indices[p] : found.index;
      this.loss -= Math.log(Math.max(found.probabilities[truth * places + p], SMALLEST)) / places;
      this.right += predicted === truth;
      this.labels++;
      this.confusion[truth][predicted]++;
    }
    if (this.predictions.length < this.keep) this.predictions.push(found.indices ?? [found.index, found.probability]);
  }

  result() {
    const { confusion, predictions } = this;
    return { loss: this.loss / this.count, score: this.right / this.labels, confusion, predictions };
  }
}

class Numbers {
  constructor(model, count) {
    Object.assign(this, { model, count, loss: 0, error: 0, numbers: 0, predictions: [], truths: [] });
  }

  add(outputs, target) {
    const { values } = interpret(this.model, outputs), truth = inUnits(this.model, target);
    outputs.forEach((value, i) => {
      this.loss += (value - target[i]) ** 2 / outputs.length;
    });
    values.forEach((value, i) => {
      this.error += Math.abs(value - truth[i]);
    });
    this.numbers += values.length;
    this.predictions.push(values);
    this.truths.push(truth);
  }

  result() {
    const { predictions, truths } = this;
    return { loss: this.loss / this.count, score: this.error / this.numbers, predictions, truths };
  }
}

/** Return numbers that a network learns in the units of the user. */
export function inUnits({ units: { mean, scale } }, values) {
  return Array.from(values, (v, i) => v * scale[i % scale.length] + mean[i % mean.length]);
}
