// Places in arrays, and numbers as text.

export const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
export const total = (numbers) => numbers.reduce((a, b) => a + b, 0);
export const clip = (x, low, high) => Math.min(Math.max(x, low), high);

/** Return the place of an index in an array of this shape. */
export function flat(index, shape) {
  return index.reduce((place, i, axis) => place * shape[axis] + i, 0);
}

/** Return the index of a place. */
export function unflat(place, shape) {
  const index = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(place % shape[axis]);
    place = Math.floor(place / shape[axis]);
  }
  return index;
}

/** Return the smallest and the largest of many numbers. */
export function range(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Return a number with at most six digits. */
export function short(value) {
  if (!Number.isFinite(value)) return String(value);
  return value === 0 ? "0" : String(Number(value.toPrecision(6))).replace("-", "−");
}

/** Return a number in the few letters of a cell. */
export function tiny(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  return (size >= 1000 || size < 0.001 ? value.toExponential(0) : value.toFixed(size < 10 ? 3 : 1).replace(/^(-?)0\./, "$1.")).replace("-", "−");
}

/** Turn packed numbers, {type, data}, anywhere in an object into typed arrays. */
export function unpackAll(object) {
  for (const [key, value] of Object.entries(object)) {
    if (value?.data !== undefined && value.type) object[key] = unpack(value);
    else if (value && typeof value === "object") unpackAll(value);
  }
  return object;
}
function unpack({ type, data }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  return new { f4: Float32Array, f8: Float64Array, i4: Int32Array }[type](bytes.buffer);
}
