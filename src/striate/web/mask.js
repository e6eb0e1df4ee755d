// The class of every pixel, as colours over the picture; click a pixel to ask about it.
import { element } from "./elements.js";
import { product } from "./numbers.js";

const COLOURS = [[90, 98, 106], [217, 95, 2], [27, 158, 119], [117, 112, 179], [231, 41, 138], [102, 166, 30], [230, 171, 2], [166, 118, 29]], SIDE = 200;

/** Return the colour of a class. */
export function classColour(k) {
  return COLOURS[k % COLOURS.length];
}

export class Mask {
  /** `choose(output)` is called for the pixel that is clicked. */
  constructor(shape, choose) {
    Object.assign(this, { shape, rows: shape.at(-2) ?? 1, columns: shape.at(-1) });
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
    const context = this.canvas.getContext("2d"), image = context.createImageData(this.columns, this.rows), chosen = target % product(this.shape.slice(1));
    for (let i = 0; i < this.rows * this.columns; i++) image.data.set([...(i === chosen ? [255, 255, 255] : classColour(indices[i])), 255], 4 * i);
    context.putImageData(image, 0, 0);
  }
}
