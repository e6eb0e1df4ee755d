// Pictures as the numbers that a network takes.

/** Return the raw numbers of an ImageData of the network's size, channel by channel, from 0 to 255. */
export function fromImage(image, shape, name) {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || image.width !== width || image.height !== height || ![1, 3].includes(channels)) {
    throw new RangeError(
      `${name}: takes pictures of ${shape.slice(1).join(" x ")}; got ${image.height} x ${image.width}. ` +
        "Draw it on a canvas of that size first."
    );
  }
  const count = width * height, out = new Float32Array(channels * count), d = image.data;
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [d[4 * i], d[4 * i + 1], d[4 * i + 2]];
    if (channels === 1) out[i] = Math.floor((r * 19595 + g * 38470 + b * 7471 + 32768) / 65536);
    else [out[i], out[count + i], out[2 * count + i]] = [r, g, b];
  }
  return out;
}
