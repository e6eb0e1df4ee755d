// How a value of a layer comes about: {rule, values, factors, products, places, ...}, with the sum of its terms.
// `state` is {layers: Map of description by name, values: Map of Float32Array by name, parameters, raw}; without
// `parameters`, each layer has its own, {weights: {begin, values}}.
import { flat, product, short, total, unflat } from "./numbers.js";

function source(state, layer, number = 0) {
  const name = layer.inputs[number];
  return { name, shape: state.layers.get(name).shape, values: state.values.get(name) };
}
function pick(list, index, place, channels) {
  return list[list.length === 1 ? 0 : list.length === channels ? index[0] : place];
}
function parameter(state, layer, place) {
  return state.parameters ? state.parameters[place] : layer.weights.values[place - layer.weights.begin];
}
function constantOf(state, layer, index, place) {
  const found = layer.rule.constant;
  if (!found) return 0;
  return found.values ? pick(found.values, index, place, layer.shape[0]) : parameter(state, layer, found.first + index[0]);
}
function named(layer, constant) {
  return constant === 0 && layer.rule.constantName !== "bias" ? {} : { [layer.rule.constantName]: constant };
}
function summed(values, factors, places, constants, more = {}) {
  const products = values.map((x, t) => (x === 0 && !Number.isFinite(factors[t]) ? 0 : x * factors[t]));
  return { values, factors, products, places, constants, result: total(products) + total(Object.values(constants)), ...more };
}
function read(values, places, outside) {
  return places.map((place) => (place < 0 ? outside : values[place]));
}
/** Return the places of a window at a position in some channels, channel by channel, -1 beyond the edge. */
export function windowPlaces(axes, position, channels, shape) {
  const taps = axes.map((table, axis) => table[position[axis]]);
  let places = channels;
  taps.forEach((positions, axis) => {
    places = places.flatMap((place) => positions.map((p) => (place < 0 || p < 0 ? -1 : place * shape[axis + 1] + p)));
  });
  return { places, kernel: taps.map((positions) => positions.length) };
}
function range(first, count, step = 1) {
  return Array.from({ length: count }, (_, i) => first + i * step);
}
/** Return where the parameters lie that a kernel consists of, or null where it is fixed. */
function parameterPlaces(rule, m, begin, size) {
  if (rule.first !== undefined) return range(rule.first[m], size);
  return rule.indices ? Array.from(rule.indices.subarray(begin, begin + size)) : null;
}
function begins(rule, taps) {
  rule.begins ??= rule.group.reduce((at, g) => [...at, at.at(-1) + rule.channels[g].length * taps], [0]);
  return rule.begins;
}
function broadcast(index, shape) {
  return flat(index.slice(0, shape.length).map((i, axis) => (shape[axis] > 1 ? i : 0)), shape);
}
function everyInput(state, layer, index) {
  const inputs = layer.inputs.map((_, n) => source(state, layer, n));
  const places = inputs.map((input) => broadcast(index, input.shape));
  return { places, sources: layer.inputs, values: inputs.map((input, n) => input.values[places[n]]) };
}
function largest(values, places, more) {
  const winner = values.indexOf(Math.max(...values));
  return { values, places, winner, result: values[winner], ...more };
}

const rules = {
  given(state, layer, index) {
    const place = flat(index, layer.shape), raw = state.raw[place], { mean, scale } = layer.rule, c = index[0];
    const lines = mean[c] === 0 && scale[c] === 1 ? [] : [`(${short(raw)} − ${short(mean[c])}) × ${short(scale[c])}`];
    return { values: [raw], places: [], lines, result: (raw - mean[c]) * scale[c] };
  },
  windows(state, layer, index) {
    const { rule } = layer, from = source(state, layer), [m, ...position] = index, channels = rule.channels[rule.group[m]];
    const { places, kernel } = windowPlaces(rule.axes, position, channels, from.shape), taps = product(kernel);
    const begin = rule.first === undefined ? begins(rule, taps)[m] : 0, at = parameterPlaces(rule, m, begin, places.length);
    const factors = at ? at.map((i) => parameter(state, layer, i)) : Array.from(rule.weight.subarray(begin, begin + places.length));
    const constants = named(layer, constantOf(state, layer, index, 0));
    return summed(read(from.values, places, 0), factors, places, constants, { kernel, channels, factorName: "kernel", parameters: at });
  },
  dense(state, layer, index) {
    const from = source(state, layer), size = from.values.length, at = range(layer.rule.first + index[0] * size, size);
    const constants = named(layer, constantOf(state, layer, index, 0));
    return summed(Array.from(from.values), at.map((i) => parameter(state, layer, i)), range(0, size), constants, { parameters: at });
  },
  rows(state, layer, index) {
    const { rule } = layer, own = flat(index, layer.shape), [first, end] = [rule.starts[own], rule.starts[own + 1]];
    const terms = Array.from(rule.places.subarray(first, end), (joint) => located(state, layer, joint));
    const constants = named(layer, constantOf(state, layer, index, own));
    return summed(terms.map((t) => t.value), Array.from(rule.weight.subarray(first, end)), terms.map((t) => t.place), constants,
      { sources: terms.map((t) => t.name) });
  },
  copy(state, layer, index) {
    const own = flat(index, layer.shape), found = located(state, layer, layer.rule.places ? layer.rule.places[own] : own);
    return { values: [found.value], places: [found.place], sources: [found.name], result: found.value };
  },
  sum(state, layer, index) {
    const found = everyInput(state, layer, index);
    return summed(found.values, found.values.map(() => 1), found.places, {}, { sources: found.sources });
  },
  product(state, layer, index) {
    const found = everyInput(state, layer, index);
    return { ...found, lines: [found.values.map(short).join(" × ")], result: product(found.values) };
  },
  extremum(state, layer, index) {
    const found = everyInput(state, layer, index), best = layer.rule.sign > 0 ? Math.max : Math.min;
    const winner = found.values.indexOf(best(...found.values));
    return { ...found, winner, result: found.values[winner] };
  },
  choice(state, layer, index) {
    const found = everyInput(state, layer, index), winner = found.values[0] > 0 ? 1 : 2;
    return { ...found, winner, result: found.values[winner] };
  },
  matrix(state, layer, index) {
    const [a, b] = [source(state, layer, 0), source(state, layer, 1)], before = index.slice(0, -2), [row, column] = index.slice(-2);
    const size = a.shape.at(-1), places = range(0, size).map((k) => flat([...before, row, k], a.shape));
    const factors = range(0, size).map((k) => b.values[flat([...before, k, column], b.shape)]);
    return summed(read(a.values, places, 0), factors, places, {});
  },
  pointwise(state, layer, index) {
    const { rule } = layer, place = flat(index, layer.shape), x = source(state, layer).values[place];
    const at = rule.factor ? null : [rule.first + index[0]];
    const factor = at ? parameter(state, layer, at[0]) : pick(rule.factor, index, place, layer.shape[0]);
    return summed([x], [factor], [place], named(layer, constantOf(state, layer, index, place)), { parameters: at });
  },
  function(state, layer, index) {
    const place = flat(index, layer.shape);
    return { values: [source(state, layer).values[place]], places: [place], result: state.values.get(layer.name)[place] };
  },
  maximum(state, layer, index) {
    const from = source(state, layer), [c, ...position] = index;
    const { places, kernel } = windowPlaces(layer.rule.axes, position, [c], from.shape);
    return largest(read(from.values, places, -Infinity), places, { kernel, channels: [c] });
  },
  norm(state, layer, index) {
    const from = source(state, layer), [c, ...position] = index, { power } = layer.rule;
    const { places, kernel } = windowPlaces(layer.rule.axes, position, [c], from.shape), values = read(from.values, places, 0);
    const sum = total(values.map((x) => Math.abs(x) ** power));
    return { values, places, kernel, channels: [c], lines: [`sum of |x|^${power} = ${short(sum)}`], result: sum ** (1 / power) };
  },
  unpooling(state, layer, index) { // the values whose window had its maximum here
    const [from, pooled] = [source(state, layer, 0), source(state, layer, 1)], own = flat(index, layer.shape), { axes } = layer.rule;
    const size = product(from.shape.slice(1)), places = range(index[0] * size, size).filter((place) => {
      const taps = windowPlaces(axes, unflat(place, from.shape).slice(1), [index[0]], pooled.shape).places;
      if (!taps.includes(own)) return false;
      const values = read(pooled.values, taps, -Infinity);
      return taps[values.indexOf(Math.max(...values))] === own;
    });
    return summed(read(from.values, places, 0), places.map(() => 1), places, {});
  },
  gathering(state, layer, index) { // the value where the other input has the maximum of the window
    const [from, pooled] = [source(state, layer, 0), source(state, layer, 1)], [c, ...position] = index;
    const { places } = windowPlaces(layer.rule.axes, position, [c], pooled.shape), values = read(pooled.values, places, -Infinity);
    const place = places[values.indexOf(Math.max(...values))];
    return summed(read(from.values, [place], 0), [1], [place], {});
  },
  gridSample(state, layer, index) {
    const [from, grid] = [source(state, layer, 0), source(state, layer, 1)], [c, row, column] = index;
    const [x, y] = [0, 1].map((i) => grid.values[flat([row, column, i], grid.shape)]), [, height, width] = from.shape;
    const near = neighbours(y, height, layer.rule).flatMap((a) => neighbours(x, width, layer.rule).map((b) => [a, b]));
    const places = near.map(([a, b]) => flat([c, a.place, b.place], from.shape)), factors = near.map(([a, b]) => a.weight * b.weight);
    return summed(read(from.values, places, 0), factors, places, {});
  },
  channelMaximum(state, layer, index) {
    const from = source(state, layer), size = product(from.shape.slice(1)), places = range(index[0] * size, size);
    return largest(read(from.values, places, 0), places, {});
  },
  channelMean(state, layer, index) {
    const from = source(state, layer), size = product(from.shape.slice(1)), places = range(index[0] * size, size);
    return summed(read(from.values, places, 0), places.map(() => 1 / size), places, {});
  },
  batchNorm(state, layer, index) {
    return standardised(state, layer, index, layer.rule.mean[index[0]], layer.rule.variance[index[0]], "running ");
  },
  sampleNorm(state, layer, index) {
    const from = source(state, layer), size = product(from.shape.slice(1)), { together } = layer.rule; // channels; null for one position
    const each = together * size, first = Math.floor(index[0] / together) * each;
    const members = together === null
      ? range(flat(index.slice(1), from.shape.slice(1)), from.shape[0], size).map((i) => from.values[i])
      : from.values.subarray(first, first + each);
    const mean = total(members) / members.length, variance = total(Array.from(members, (x) => (x - mean) ** 2)) / members.length;
    return standardised(state, layer, index, mean, variance, "");
  },
  responseNorm(state, layer, index) {
    const from = source(state, layer), { size, alpha, beta, k } = layer.rule, [c, ...position] = index;
    const first = Math.max(0, c - Math.floor(size / 2)), end = Math.min(from.shape[0], c + Math.floor((size - 1) / 2) + 1);
    const places = range(first, end - first).map((d) => flat([d, ...position], from.shape)), values = read(from.values, places, 0);
    const s = k + (alpha / size) * total(values.map((x) => x * x)), x = from.values[flat(index, from.shape)];
    return { values, places, lines: [`s = ${short(k)} + ${short(alpha / size)} × sum of squares = ${short(s)}`, `${short(x)} × s^−${beta}`], result: x * s ** -beta };
  },
  softmax(state, layer, index) {
    const from = source(state, layer), [c, ...position] = index;
    const places = range(0, from.shape[0]).map((d) => flat([d, ...position], from.shape)), values = read(from.values, places, 0);
    const m = Math.max(...values), powers = values.map((v) => Math.exp(v - m)), sum = total(powers);
    const lines = [`largest m = ${short(m)}`, `sum of exp(x − m) = ${short(sum)}`];
    if (layer.rule.logarithm) return { values, places, chosen: c, lines: [...lines, "x − m − log(sum)"], result: values[c] - m - Math.log(sum) };
    return { values, places, chosen: c, lines: [...lines, `exp(${short(values[c])} − m) / sum`], result: powers[c] / sum };
  },
  radial(state, layer, index) {
    const from = source(state, layer), size = from.values.length, { rule } = layer;
    const at = rule.weight ? null : range(rule.first + index[0] * size, size);
    const factors = at ? at.map((i) => parameter(state, layer, i)) : Array.from(rule.weight.subarray(index[0] * size, (index[0] + 1) * size));
    const values = Array.from(from.values), products = values.map((x, t) => (x - factors[t]) ** 2);
    return { values, factors, products, places: range(0, size), factorName: "centre", sign: "−", constants: {}, result: total(products), parameters: at };
  },
  entry(state, layer, index) {
    const [dimension, place] = index, symbol = source(state, layer).values[place];
    const at = layer.rule.first + symbol * layer.shape[0] + dimension;
    return { values: [symbol], places: [place], parameters: [at], lines: [`entry ${symbol}, dimension ${dimension}`], result: parameter(state, layer, at) };
  },
  text(state, layer, index) { // written beforehand
    const place = flat(index, layer.shape);
    return { rule: "", text: layer.rule.texts[place], values: [], places: [], result: layer.rule.sums[place] };
  },
  none(state, layer, index) {
    return { values: [], places: [], result: null };
  },
};

function neighbours(coordinate, n, { mode, padding, alignCorners }) { // of a position, -1 to 1, along an axis of n pixels
  const [low, high] = alignCorners ? [0, n - 1] : [-0.5, n - 0.5], span = high - low;
  const even = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  const reflected = (x) => { const turns = Math.abs(x - low) % (2 * span); return span ? low + Math.min(turns, 2 * span - turns) : low; };
  let at = low + ((coordinate + 1) / 2) * span;
  if (mode === "nearest") at = even(at);
  if (padding === "reflection" && mode !== "cubic") at = reflected(at);
  const [first, end] = { nearest: [0, 1], linear: [0, 2], cubic: [-1, 3] }[mode];
  return range(first, end - first).map((step) => {
    const place = Math.floor(at) + step, outside = padding === "zeros" && (place < 0 || place >= n);
    const inside = padding === "reflection" ? even(reflected(place)) : place;
    return { place: Math.min(Math.max(inside, 0), n - 1), weight: outside ? 0 : share(Math.abs(place - at), mode) };
  });
}

function share(d, mode) { // what a value at the distance d counts (Keys 1981)
  if (mode === "nearest") return 1;
  if (mode === "linear") return Math.max(0, 1 - d);
  const a = -0.75;
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

function located(state, layer, joint) { // a place counted through all inputs, one after the other
  let place = joint, number = 0;
  while (place >= state.values.get(layer.inputs[number]).length) place -= state.values.get(layer.inputs[number++]).length;
  const name = layer.inputs[number];
  return { name, place, value: state.values.get(name)[place] };
}
function standardised(state, layer, index, mean, variance, kind) {
  const { rule } = layer, place = flat(index, layer.shape), x = source(state, layer).values[place];
  const own = rule.each === false ? place : index[0], learnt = rule.first !== null;
  const deviation = Math.sqrt(variance + rule.epsilon), weight = learnt ? parameter(state, layer, rule.first + own) : 1;
  const factor = weight / deviation, constants = { "−mean × factor": -mean * factor };
  if (learnt) constants.bias = parameter(state, layer, rule.constant.first + own);
  const lines = [`${kind}mean = ${short(mean)}, ${kind}variance = ${short(variance)}`, `factor = ${short(weight)} / ${short(deviation)}`];
  return summed([x], [factor], [place], constants, { lines, parameters: learnt ? [rule.first + own] : null, fixedFactor: true });
}

/** Return how the value of a layer at `index` comes about, beside the value that the network computed. */
export function decompose(state, name, index) {
  const layer = state.layers.get(name), found = rules[layer.rule.kind](state, layer, index);
  return { rule: layer.rule.formula, ...found, value: state.values.get(name)[flat(index, layer.shape)] };
}

/** Follow a value back to the input: the path of the largest terms, [{name, index, value, share}]. */
export function followBack(state, name, index) {
  const path = [];
  while (name !== undefined) {
    const layer = state.layers.get(name), found = decompose(state, name, index);
    path.push({ name, index, value: found.value });
    if (!layer.inputs.length || !found.places.length) break;
    const t = strongest(found);
    if (found.places[t] < 0) break;
    name = found.sources ? found.sources[t] : layer.inputs[0];
    index = unflat(found.places[t], state.layers.get(name).shape);
  }
  return path;
}
function strongest(found) {
  if (found.winner !== undefined) return found.winner;
  if (found.chosen !== undefined) return found.chosen;
  const sizes = (found.products ?? found.values).map((v, t) => (found.places[t] < 0 ? -1 : Math.sign(found.value || 1) * v));
  return sizes.indexOf(Math.max(...sizes));
}
