// Numbers as a picture: grey or in colour, and what speaks for a score over it.
import { colour } from "./colours.js";
import { range } from "./numbers.js";

/** Paint a sample, one pixel for each place, and over it, if given, what speaks for a score (red) and against it (blue). */
export function paintPicture(canvas, shape, raw, map) {
  const picture = shape.length === 3, [rows, columns] = shape.length === 1 ? [1, shape[0]] : picture || shape.length === 4 ? shape.slice(-2) : [shape[0], shape[1]];
  const plane = rows * columns, channels = Math.floor(raw.length / plane), [low, high] = range(raw), span = high - low || 1;
  const level = (i) => (255 * (raw[i] - low)) / span;
  const sums = map ? Float32Array.from({ length: plane }, (_, i) => sumOver(map, i, plane, channels)) : null;
  const most = sums ? Math.max(...range(sums).map(Math.abs)) || 1 : 1;
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  for (let i = 0; i < plane; i++) {
    let pixel = channels === 3 && picture ? [0, 1, 2].map((c) => level(c * plane + i)) : [level(i), level(i), level(i)];
    if (sums) {
      const share = sums[i] / most, alpha = 0.9 * Math.abs(share) ** 0.7, end = colour(Math.sign(share), true, false);
      const grey = 90 + (0.6 * (pixel[0] + pixel[1] + pixel[2])) / 3;
      pixel = end.map((c) => grey + (c - grey) * alpha);
    }
    image.data.set([...pixel, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
function sumOver(map, i, plane, channels) {
  let sum = 0;
  for (let c = 0; c < channels; c++) sum += map[c * plane + i];
  return sum;
}
