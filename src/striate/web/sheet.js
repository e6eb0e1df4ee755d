// All feature maps of a layer on one canvas: where each value stands, and how it is painted.
import { colour } from "./colours.js";
import { clip, product, range } from "./numbers.js";

const GAP = 5, LARGEST_CELL = 13, MAP_SIZE = 84;

/** Return the layout of a layer's values on a sheet of this width: tiles of rows and columns of cells. */
export function layoutOf(shape, width, most, side = MAP_SIZE) {
  const space = shape.slice(1), flatShape = product(space) === 1;
  let columns = flatShape ? Math.min(shape[0], 40) : space.at(-1);
  const tiles = flatShape ? 1 : Math.min(shape[0], most);
  const count = flatShape ? shape[0] : product(space);
  if (flatShape && shape[0] > 40) columns = Math.ceil(Math.sqrt(shape[0] * 5));
  const rows = Math.ceil(count / columns);
  let cell = flatShape ? LARGEST_CELL : clip(side / Math.max(rows, columns), 0.5, LARGEST_CELL);
  if (cell > 1) cell = Math.floor(cell);
  cell = Math.min(cell, (width - 1) / columns);
  const curve = !flatShape && rows === 1 && columns > 1;
  if (curve) cell = Math.min(2, Math.max(1, 220 / columns), (width - 1) / columns);
  const [w, h] = [columns * cell, curve ? 52 : Math.max(rows * cell, 4)];
  const across = Math.max(1, Math.min(tiles, Math.floor((width + GAP) / (w + GAP))));
  return { columns, rows, count, tiles, cell, w, h, across, flatShape, width: across * (w + GAP) - GAP, height: Math.ceil(tiles / across) * (h + GAP) - GAP };
}

/** Return the corner of a tile. */
export function corner(layout, tile) {
  return [(tile % layout.across) * (layout.w + GAP), Math.floor(tile / layout.across) * (layout.h + GAP)];
}

/** Return the place, counted through the whole layer, that lies at (x, y) of the sheet; -1 between maps. */
export function placeAt(layout, x, y) {
  const column = Math.floor(x / (layout.w + GAP)), row = Math.floor(y / (layout.h + GAP)), tile = row * layout.across + column;
  if (tile >= layout.tiles || column >= layout.across || column < 0 || row < 0) return -1;
  const i = Math.floor((x - column * (layout.w + GAP)) / layout.cell), j = Math.floor((y - row * (layout.h + GAP)) / (layout.h / layout.rows));
  if (i >= layout.columns || j >= layout.rows || j * layout.columns + i >= layout.count) return -1;
  return tile * layout.count + j * layout.columns + i;
}

/** Return {left, top, width, height} of the smallest box around some places of one tile. */
export function boxAround(layout, places) {
  const tile = Math.floor(places[0] / layout.count), [x, y] = corner(layout, tile), cellHeight = layout.h / layout.rows;
  const cells = places.filter((p) => Math.floor(p / layout.count) === tile).map((p) => p % layout.count);
  const columns = range(cells.map((p) => p % layout.columns)), rows = range(cells.map((p) => Math.floor(p / layout.columns)));
  return { left: x + columns[0] * layout.cell, top: y + rows[0] * cellHeight, width: (columns[1] - columns[0] + 1) * layout.cell, height: (rows[1] - rows[0] + 1) * cellHeight };
}

/** Paint the values of a layer; `signed` puts zero in the middle of the colours. */
export function paintSheet(canvas, values, layout, signed) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  canvas.width = Math.max(1, Math.round(layout.width * ratio));
  canvas.height = Math.max(1, Math.round(layout.height * ratio));
  canvas.style.width = `${layout.width}px`;
  canvas.style.height = `${layout.height}px`;
  const context = canvas.getContext("2d"), [low, high] = range(values);
  context.scale(ratio, ratio);
  if (layout.rows === 1 && !layout.flatShape && layout.columns > 1) return paintCurves(context, values, layout, low, high);
  const pixels = pixelsOf(values.subarray(0, layout.tiles * layout.count), layout, low, high, signed);
  context.imageSmoothingEnabled = layout.cell < 1;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--line");
  context.lineWidth = 0.5;
  for (let tile = 0; tile < layout.tiles; tile++) {
    const [x, y] = corner(layout, tile);
    context.drawImage(pixels, 0, tile * layout.rows, layout.columns, layout.rows, x, y, layout.w, layout.h);
    if (layout.count === layout.rows * layout.columns) context.strokeRect(x + 0.25, y + 0.25, layout.w - 0.5, layout.h - 0.5);
  }
}

const scratch = typeof document === "undefined" ? null : document.createElement("canvas");
function pixelsOf(values, layout, low, high, signed) {
  scratch.width = layout.columns;
  scratch.height = layout.rows * layout.tiles;
  const context = scratch.getContext("2d", { willReadFrequently: true }), image = context.createImageData(scratch.width, scratch.height);
  const span = signed ? Math.max(Math.abs(low), Math.abs(high)) || 1 : high - low || 1;
  for (let i = 0; i < values.length; i++) {
    const [r, g, b] = colour(signed ? values[i] / span : (values[i] - low) / span, signed);
    image.data[4 * i] = r;
    image.data[4 * i + 1] = g;
    image.data[4 * i + 2] = b;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return scratch;
}

function paintCurves(context, values, layout, low, high) {
  const style = getComputedStyle(document.documentElement), span = high - low || 1;
  context.strokeStyle = style.getPropertyValue("--blue");
  for (let tile = 0; tile < layout.tiles; tile++) {
    const [x, y] = corner(layout, tile);
    context.fillStyle = style.getPropertyValue("--panel");
    context.fillRect(x, y, layout.w, layout.h);
    context.beginPath();
    for (let n = 0; n < layout.columns; n++) {
      const v = values[tile * layout.count + n];
      context.lineTo(x + (n + 0.5) * layout.cell, y + layout.h - 2 - ((v - low) / span) * (layout.h - 4));
    }
    context.stroke();
  }
}
