// From a picture of any size to the numbers that the network takes: the same steps as in training, each to be seen.

const LEVELS = 255, MOST_ZOOM = 2.5;

/** Return how light the data are: {level, light}: the largest raw value, and whether they are dark on light. */
export function lightness(info) {
  const samples = info.samples.map((sample) => sample.raw);
  if (!samples.length) return { level: info.input === "picture" && brightest(info) <= 2 ? 1 : LEVELS, light: false };
  const level = samples.reduce((most, raw) => Math.max(most, raw.reduce((a, b) => Math.max(a, b), 0)), 0) || 1;
  const [height, width] = info.inputShape.slice(-2), edges = [];
  for (const raw of samples) for (let y = 0; y < height; y++) edges.push(raw[y * width], raw[y * width + width - 1]);
  edges.sort((a, b) => a - b);
  return { level: level > 200 ? LEVELS : level, light: edges[Math.floor(edges.length / 2)] > level / 2 };
}
function brightest(info) { // without samples: two deviations above the mean
  const { mean, scale } = info.layers[0].rule;
  return Math.max(...mean.map((m, c) => m + 2 / scale[c]));
}

/** Draw `picture` (anything a canvas draws) at the network's size; return its ImageData and what was done. */
export function fitted(picture, width, height, [columns, rows], fit) {
  const canvas = new OffscreenCanvas(columns, rows), context = canvas.getContext("2d", { willReadFrequently: true });
  const scale = fit === "crop" ? Math.max(columns / width, rows / height) : Math.min(columns / width, rows / height);
  const [w, h] = fit === "stretch" ? [columns, rows] : [width * scale, height * scale];
  context.fillStyle = "#000";
  context.fillRect(0, 0, columns, rows);
  const small = halved(picture, width, height, w, h);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, (columns - w) / 2, (rows - h) / 2, w, h);
  const done = width === columns && height === rows ? [] : [`${width} × ${height} pixels, ${{ stretch: "stretched", crop: "cropped", pad: "padded" }[fit]} to ${columns} × ${rows}`];
  return { image: context.getImageData(0, 0, columns, rows), steps: done };
}
function halved(picture, width, height, least, lowest) { // step by step, as browsers skip pixels when they shrink a lot
  let from = picture, [w, h] = [width, height];
  while (w >= 2 * least && h >= 2 * lowest && w > 2 && h > 2) {
    const next = new OffscreenCanvas(Math.round(w / 2), Math.round(h / 2)), context = next.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(from, 0, 0, next.width, next.height);
    [from, w, h] = [next, next.width, next.height];
  }
  return from;
}

/** Return raw numbers, channel by channel from 0 to `level`, of an ImageData. */
export function rawOf(image, channels, level, invert) {
  const count = image.width * image.height, raw = new Float32Array(channels * count), d = image.data;
  const put = (place, value) => { raw[place] = ((invert ? LEVELS - value : value) * level) / LEVELS; };
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [d[4 * i], d[4 * i + 1], d[4 * i + 2]];
    if (channels === 1) put(i, Math.round(0.299 * r + 0.587 * g + 0.114 * b));
    else [r, g, b].forEach((value, c) => put(c * count + i, value));
  }
  return raw;
}

/** Return a drawing (a canvas, light on dark) moved and scaled as handwritten digits are: its ink in the middle. */
export function centred(canvas, [columns, rows], share = 20 / 28) {
  const context = canvas.getContext("2d", { willReadFrequently: true }), { width, height } = canvas;
  const data = context.getImageData(0, 0, width, height).data;
  let [left, right, top, bottom, sum, sumX, sumY] = [width, -1, height, -1, 0, 0, 0];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const v = data[4 * (y * width + x)];
    if (v < 40) continue;
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    sum += v;
    sumX += v * x;
    sumY += v * y;
  }
  const out = new OffscreenCanvas(width, height), target = out.getContext("2d");
  target.fillStyle = "#000";
  target.fillRect(0, 0, width, height);
  if (right < 0) return { canvas: out, steps: [] };
  const scale = Math.min(MOST_ZOOM, (share * Math.min(width, height)) / Math.max(right - left + 1, bottom - top + 1));
  target.setTransform(scale, 0, 0, scale, width / 2 - (scale * sumX) / sum, height / 2 - (scale * sumY) / sum);
  target.imageSmoothingQuality = "high";
  target.drawImage(canvas, 0, 0);
  return { canvas: out, steps: [`scaled by ${scale.toFixed(2)}, its centre of mass in the middle of ${columns} × ${rows}`] };
}
