// What the outputs of a network mean: probabilities of classes, labels that are on or off, or numbers.

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

/** Return {label, index, probability, probabilities}, {labels, probabilities} or {values} for the outputs of a model. */
export function interpret(model, outputs) {
  const read = readings[model.reading](Array.from(outputs));
  if (model.kind === "numbers") {
    const { mean, scale } = model.units;
    return { values: read.map((v, i) => v * scale[i % scale.length] + mean[i % mean.length]) };
  }
  const probabilities = model.kind === "classes" && read.length === 1 ? [1 - read[0], read[0]] : read;
  const label = (i) => model.classes[i] ?? String(i);
  if (model.kind === "labels") {
    return { labels: probabilities.flatMap((p, i) => (p >= 0.5 ? [label(i)] : [])), probabilities };
  }
  const index = probabilities.indexOf(Math.max(...probabilities));
  return { label: label(index), index, probability: probabilities[index], probabilities };
}
