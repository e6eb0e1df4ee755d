// From a picture of any size to the numbers that the network takes: the same steps as in training, each to be seen.

import { resized } from "./resize.js";

const LEVELS = 255, MOST_ZOOM = 2.5, MOST_SIDE = 2000;
const MOST_FEW = 32; // data with larger numbers are bytes, however dark the samples are

/** Return how light the data are: {level, light}: the largest raw value, and whether they are dark on light. */
export function lightness(info) {
  const samples = info.samples.map((sample) => sample.raw);
  if (!samples.length) return { level: info.input === "picture" && brightest(info) <= 2 ? 1 : LEVELS, light: false };
  const level = samples.reduce((most, raw) => Math.max(most, raw.reduce((a, b) => Math.max(a, b), 0)), 0) || 1;
  const [height, width] = info.inputShape.slice(-2), edges = [];
  for (const raw of samples) for (let y = 0; y < height; y++) edges.push(raw[y * width], raw[y * width + width - 1]);
  edges.sort((a, b) => a - b);
  return { level: level > MOST_FEW ? LEVELS : level, light: edges[Math.floor(edges.length / 2)] > level / 2 };
}
function brightest(info) { // without samples: two deviations above the mean
  const { mean, scale } = info.layers[0].rule;
  return Math.max(...mean.map((m, c) => m + 2 / scale[c]));
}

/** Return `picture` (anything a canvas draws) at the network's size as ImageData, on paper or none, and what was done. */
export function fitted(picture, width, height, [columns, rows], fit, paper = "#fff") {
  const image = pixelsOf(picture, width, height, paper), same = width === columns && height === rows;
  if (same) return { image, steps: [] };
  const done = [`${width} × ${height} pixels, ${{ stretch: "stretched", crop: "cropped", pad: "padded" }[fit]} to ${columns} × ${rows}`];
  const [w, h] = [image.width, image.height], [across, down] = [w / columns, h / rows];
  if (fit === "crop") {
    const step = Math.min(across, down);
    return { image: resized(image, [(w - step * columns) / 2, (h - step * rows) / 2, step * columns, step * rows], [columns, rows]), steps: done };
  }
  if (fit === "stretch") return { image: resized(image, [0, 0, w, h], [columns, rows]), steps: done };
  const step = Math.max(across, down), size = [Math.max(1, Math.round(w / step)), Math.max(1, Math.round(h / step))];
  const canvas = new OffscreenCanvas(columns, rows), context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillRect(0, 0, columns, rows);
  context.putImageData(resized(image, [0, 0, w, h], size), Math.round((columns - size[0]) / 2), Math.round((rows - size[1]) / 2));
  return { image: context.getImageData(0, 0, columns, rows), steps: done };
}
function pixelsOf(picture, width, height, paper) {
  const shrink = Math.min(1, MOST_SIDE / Math.max(width, height)), canvas = new OffscreenCanvas(Math.max(1, Math.round(width * shrink)), Math.max(1, Math.round(height * shrink)));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (paper) {
    context.fillStyle = paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Return raw numbers, channel by channel from 0 to `level`, of an ImageData. */
export function rawOf(image, channels, level) {
  const count = image.width * image.height, raw = new Float32Array(channels * count), d = image.data;
  const put = (place, value) => { raw[place] = (value * level) / LEVELS; };
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [d[4 * i], d[4 * i + 1], d[4 * i + 2]];
    if (channels === 1) put(i, Math.round(0.299 * r + 0.587 * g + 0.114 * b));
    else [r, g, b].forEach((value, c) => put(c * count + i, value));
  }
  return raw;
}

/** Return strokes (a canvas with transparent paper) moved and scaled as handwritten digits are: their ink in the middle. */
export function centred(canvas, [columns, rows], share = 20 / 28) {
  const context = canvas.getContext("2d", { willReadFrequently: true }), { width, height } = canvas;
  const data = context.getImageData(0, 0, width, height).data;
  let [left, right, top, bottom, sum, sumX, sumY] = [width, -1, height, -1, 0, 0, 0];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const v = data[4 * (y * width + x) + 3];
    if (v < 40) continue;
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    sum += v;
    sumX += v * x;
    sumY += v * y;
  }
  if (right < 0) return { canvas, steps: [] };
  const out = new OffscreenCanvas(width, height), target = out.getContext("2d");
  const scale = Math.min(MOST_ZOOM, (share * Math.min(width, height)) / Math.max(right - left + 1, bottom - top + 1));
  target.setTransform(scale, 0, 0, scale, width / 2 - (scale * sumX) / sum, height / 2 - (scale * sumY) / sum);
  target.imageSmoothingQuality = "high";
  target.drawImage(canvas, 0, 0);
  return { canvas: out, steps: [`scaled by ${scale.toFixed(2)}, its centre of mass in the middle of ${columns} × ${rows}`] };
}

/** Return raw numbers with strokes, the ImageData of a canvas of the network's size, laid over them. */
export function over(raw, { data }, shape, level) {
  const count = shape.at(-1) * shape.at(-2), channels = shape[0], found = Float32Array.from(raw);
  for (let i = 0; i < count; i++) {
    const share = data[4 * i + 3] / LEVELS, [r, g, b] = data.subarray(4 * i, 4 * i + 3);
    if (share === 0) continue;
    const colours = channels === 1 ? [Math.round(0.299 * r + 0.587 * g + 0.114 * b)] : [r, g, b];
    colours.forEach((value, c) => {
      found[c * count + i] += share * ((value * level) / LEVELS - found[c * count + i]);
    });
  }
  return found;
}

/** Return raw numbers as a canvas of the network's size. */
export function toImage(raw, shape, level) {
  const [rows, columns] = shape.slice(-2), count = rows * columns, canvas = new OffscreenCanvas(columns, rows);
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  for (let i = 0; i < count; i++) {
    const pixel = [0, 1, 2].map((c) => (raw[(shape[0] === 1 ? 0 : c) * count + i] * LEVELS) / level);
    image.data.set([...pixel, LEVELS], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
