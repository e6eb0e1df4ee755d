// A pad to draw on with mouse, finger or pen; by keyboard with the arrow keys and the space bar.
import { button, element } from "./elements.js";

const SIDE = 280;

export class Sketch {
  /** `changed(canvas)` is called at every stroke. */
  constructor(shape, changed) {
    const [rows, columns] = shape.slice(-2), scale = SIDE / Math.max(rows, columns);
    this.canvas = element("canvas", { class: "pad", width: Math.round(columns * scale), height: Math.round(rows * scale), tabindex: "0", role: "application",
      "aria-label": "Drawing pad. Arrow keys move the pen, hold the space bar to draw, Delete clears." });
    Object.assign(this, { changed, pen: SIDE / 11, at: [SIDE / 2, SIDE / 2], erasing: false, touched: false });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.clear(false);
    this._listen();
    this.erase = button("erase", () => {
      this.erasing = !this.erasing;
      this.erase.setAttribute("aria-pressed", String(this.erasing));
    }, { "aria-pressed": "false" });
    this.tools = element("div", { class: "choices" }, button("clear", () => this.clear(true)), this.erase);
  }

  clear(tell) {
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (tell) this.changed(this.canvas);
  }

  _line(to, color) {
    const { context, at } = this;
    Object.assign(context, { strokeStyle: color, lineWidth: this.pen, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(...at);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
    this.at = to;
    this.changed(this.canvas);
  }

  _listen() {
    const { canvas } = this;
    const point = (event) => {
      const area = canvas.getBoundingClientRect();
      return [((event.clientX - area.left) / area.width) * canvas.width, ((event.clientY - area.top) / area.height) * canvas.height];
    };
    const color = (event) => (this.erasing || event.buttons === 2 ? "#000" : "#fff");
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.at = point(event);
      this._line(this.at, color(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const parts = event.getCoalescedEvents?.() ?? [];
      for (const part of parts.length ? parts : [event]) this._line(point(part), color(event));
    });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    let drawing = false;
    canvas.addEventListener("keyup", (event) => { if (event.key === " ") drawing = false; });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10], " ": [0, 0], Delete: null }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      if (step === null) return this.clear(true);
      if (event.key === " ") drawing = true;
      const to = [this.at[0] + step[0], this.at[1] + step[1]];
      if (drawing) this._line(to, this.erasing ? "#000" : "#fff");
      else this.at = to;
    });
  }
}
