// The class of every pixel, as colours over the picture; click a pixel to ask about it.
import { element } from "./elements.js";
import { product } from "./numbers.js";

const COLOURS = [[90, 98, 106], [217, 95, 2], [27, 158, 119], [117, 112, 179], [231, 41, 138], [102, 166, 30], [230, 171, 2], [166, 118, 29]], SIDE = 200;

/** Return the colour of a class. */
export function classColour(k) {
  return COLOURS[k % COLOURS.length];
}

/** Paint the class of every pixel, one pixel for each; that of the place `chosen` is white. */
export function paintClasses(canvas, shape, indices, chosen = -1) {
  Object.assign(canvas, { width: shape.at(-1), height: shape.length > 2 ? shape.at(-2) : 1 });
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  indices.forEach((k, i) => image.data.set([...(i === chosen ? [255, 255, 255] : classColour(k)), 255], 4 * i));
  context.putImageData(image, 0, 0);
}

export class Mask {
  /** `choose(output)` is called for the pixel that is clicked. */
  constructor(shape, choose) {
    Object.assign(this, { shape, rows: shape.length > 2 ? shape.at(-2) : 1, columns: shape.at(-1) });
    this.canvas = element("canvas", { width: this.columns, height: this.rows, class: "mask", role: "img", "aria-label": "the class of every pixel; click one to ask about it" });
    const scale = SIDE / Math.max(this.rows, this.columns);
    this.canvas.style.width = `${this.columns * scale}px`;
    this.canvas.style.height = `${Math.max(12, this.rows * scale)}px`;
    this.canvas.addEventListener("click", (event) => {
      const area = this.canvas.getBoundingClientRect();
      const x = Math.min(this.columns - 1, Math.floor(((event.clientX - area.left) / area.width) * this.columns)), y = Math.min(this.rows - 1, Math.floor(((event.clientY - area.top) / area.height) * this.rows));
      choose(this.indices[y * this.columns + x] * product(shape.slice(1)) + y * this.columns + x);
    });
  }

  show({ indices }, target) {
    this.indices = indices;
    paintClasses(this.canvas, this.shape, indices, target % product(this.shape.slice(1)));
  }
}
