// Which numbers of the input speak for a score: the gradient, and what is missed when a patch is covered.
import { product } from "./numbers.js";

const STEPS = 32, PATCHES = 100;

/** Methods by name: [text, whether it needs gradients, function of (source, raw, target)]. Baselines are the mean. */
export const METHODS = {
  none: ["input", false, null],
  "gradient-x-input": ["gradient × input", true, gradientTimesInput],
  gradient: ["gradient", true, gradient],
  "integrated-gradients": ["integrated gradients", true, integrated],
  occlusion: ["occlusion", false, occlusion],
};

function baseline(info) {
  const { mean } = info.layers[0].rule, plane = info.values / mean.length;
  return Float32Array.from({ length: info.values }, (_, i) => mean[Math.floor(i / plane)]);
}

function unit(info, target) { // of the score: numbers are told in the user's units
  return info.kind === "numbers" ? info.units.scale[target % info.units.scale.length] : 1;
}

async function gradients(source, samples, weights, target) {
  const scale = unit(source.info, target), found = await source.gradients(samples, weights, target);
  return scale === 1 ? found : found.map((slope) => slope * scale);
}

async function gradient(source, raw, target) {
  return gradients(source, raw, Float32Array.of(1), target);
}
async function gradientTimesInput(source, raw, target) {
  const slopes = await gradient(source, raw, target), base = baseline(source.info);
  return slopes.map((slope, i) => slope * (raw[i] - base[i]));
}

/** Sundararajan, Taly and Yan (2017): the gradient in the middle of each of STEPS steps from the baseline. */
async function integrated(source, raw, target) {
  const base = baseline(source.info), size = raw.length, way = new Float32Array(STEPS * size);
  for (let s = 0; s < STEPS; s++) for (let i = 0; i < size; i++) way[s * size + i] = base[i] + ((s + 0.5) / STEPS) * (raw[i] - base[i]);
  const slopes = await gradients(source, way, new Float32Array(STEPS).fill(1 / STEPS), target);
  return slopes.map((slope, i) => slope * (raw[i] - base[i]));
}

/** Zeiler and Fergus (2014): how far the score falls when a patch is covered, averaged over the patches. */
async function occlusion(source, raw, target) {
  const { inputShape } = source.info, base = baseline(source.info), space = inputShape.length > 1 && product(inputShape.slice(1)) > 1 ? inputShape.slice(1) : inputShape;
  const patches = patchesOf(space, source.info.input === "text"), channels = raw.length / product(space), samples = new Float32Array((patches.length + 1) * raw.length);
  patches.forEach((places, n) => {
    samples.set(raw, n * raw.length);
    for (const p of places) for (let c = 0; c < channels; c++) samples[n * raw.length + c * product(space) + p] = base[c * product(space) + p];
  });
  samples.set(raw, patches.length * raw.length);
  const scale = unit(source.info, target), scores = await source.scores(samples, target), drops = new Float32Array(product(space)), counts = new Float32Array(product(space));
  patches.forEach((places, n) => places.forEach((p) => {
    drops[p] += scale * (scores[patches.length] - scores[n]);
    counts[p]++;
  }));
  const map = drops.map((d, p) => d / (counts[p] || 1));
  return Float32Array.from(raw, (_, i) => map[i % map.length] / channels);
}
function patchesOf(space, single) { // the places that each patch covers
  const size = single ? 1 : Math.max(1, Math.floor(Math.min(...space) / 5) + (Math.min(...space) > 4 ? 1 : 0));
  let stride = 1;
  const starts = (n) => Array.from(new Set([...Array(Math.floor((n - size) / stride) + 1).keys()].map((i) => i * stride).concat(n - size)));
  while (stride < size && product(space.map((n) => starts(n).length)) > PATCHES) stride++;
  let corners = [[]];
  for (const n of space) corners = corners.flatMap((corner) => starts(n).map((s) => [...corner, s]));
  return corners.map((corner) => {
    let places = [0];
    corner.forEach((first, axis) => {
      places = places.flatMap((p) => Array.from({ length: size }, (_, i) => p * space[axis] + first + i));
    });
    return places;
  });
}
