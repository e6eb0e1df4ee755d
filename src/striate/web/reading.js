// What the outputs of a network mean: probabilities of classes, labels that are on or off, or numbers.

const readings = {
  numbers: (y) => y,
  probabilities: (y) => y,
  exponentials: (y) => y.map(Math.exp),
  sigmoid: (y) => y.map((v) => 1 / (1 + Math.exp(-v))),
  clipped: (y) => y.map((v) => Math.min(1, Math.max(0, v))),
  softmax: (y, places) => {
    const found = y.slice();
    for (let p = 0; p < places; p++) {
      const own = Array.from({ length: y.length / places }, (_, k) => y[k * places + p]), top = Math.max(...own);
      const total = own.reduce((sum, v) => sum + Math.exp(v - top), 0);
      for (let i = p; i < y.length; i += places) found[i] = Math.exp(y[i] - top) / total;
    }
    return found;
  },
};

/**
 * Return {label, index, probability, probabilities}, {labels, probabilities} or {values} for the outputs of a model;
 * of classes at every place {indices, probabilities}, the probabilities class by class.
 */
export function interpret(model, outputs) {
  const places = model.kind === "classes" ? model.outputShape.slice(1).reduce((a, b) => a * b, 1) : 1;
  const { mean, scale } = model.units, numbers = model.kind === "numbers";
  const own = Array.from(outputs, (v, i) => (numbers ? v * scale[i % scale.length] + mean[i % mean.length] : v));
  const read = readings[model.reading](own, places);
  if (numbers) return { values: read };
  const probabilities = model.kind === "classes" && read.length === places ? [...read.map((p) => 1 - p), ...read] : read;
  if (places > 1) return { indices: surest(probabilities, places), probabilities };
  const label = (i) => model.classes[i] ?? String(i);
  if (model.kind === "labels") {
    return { labels: probabilities.flatMap((p, i) => (p >= 0.5 ? [label(i)] : [])), probabilities };
  }
  const index = probabilities.indexOf(Math.max(...probabilities));
  return { label: label(index), index, probability: probabilities[index], probabilities };
}

function surest(probabilities, places) { // the class of each place
  return Array.from({ length: places }, (_, p) => {
    let best = 0;
    for (let k = 1; k < probabilities.length / places; k++) if (probabilities[k * places + p] > probabilities[best * places + p]) best = k;
    return best;
  });
}
