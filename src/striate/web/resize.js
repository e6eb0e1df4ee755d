// Pictures resized as in training: each new pixel is a weighted mean of all old ones below it (Pillow's bilinear filter).

/** Return an ImageData of [columns, rows] of a rectangle [left, top, width, height] of an ImageData. */
export function resized(image, [left, top, width, height], [columns, rows]) {
  const across = weightsOf(left, width, image.width, columns), down = weightsOf(top, height, image.height, rows);
  const lines = new Float32Array(columns * image.height * 4), found = new ImageData(columns, rows);
  const data = Float32Array.from(image.data, (value, i) => (i % 4 === 3 ? value : (value * image.data[i | 3]) / 255)); // colours count as much as they cover
  for (let y = 0; y < image.height; y++) across.forEach(([first, weights], x) => {
    for (let c = 0; c < 4; c++) lines[(y * columns + x) * 4 + c] = sum(data, (y * image.width + first) * 4 + c, 4, weights);
  });
  down.forEach(([first, weights], y) => {
    for (let x = 0; x < columns; x++) {
      const at = 4 * (y * columns + x), [r, g, b, share] = [0, 1, 2, 3].map((c) => sum(lines, (first * columns + x) * 4 + c, columns * 4, weights));
      found.data.set([r, g, b].map((value) => (share ? Math.round((255 * value) / share) : 0)).concat(Math.round(share)), at);
    }
  });
  return found;
}

function sum(values, at, step, weights) {
  let total = 0;
  for (const weight of weights) {
    total += weight * values[at];
    at += step;
  }
  return total;
}

/** Return [first old pixel, weights] for each new one along an axis. */
function weightsOf(begin, length, most, count) {
  const scale = length / count, reach = Math.max(1, scale);
  return Array.from({ length: count }, (_, i) => {
    const centre = begin + (i + 0.5) * scale, first = Math.max(0, Math.round(centre - reach)), end = Math.min(most, Math.round(centre + reach));
    const weights = Array.from({ length: end - first }, (_, j) => Math.max(0, 1 - Math.abs(first + j + 0.5 - centre) / reach));
    const total = weights.reduce((a, b) => a + b, 0) || 1;
    return [first, weights.map((weight) => weight / total)];
  });
}
