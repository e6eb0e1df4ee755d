// A pad that shows the current picture, to draw on with mouse, finger or pen; by keyboard with the arrow keys and the space bar.
import { button, element } from "./elements.js";
import { product } from "./numbers.js";
import { over, toImage } from "./preprocess.js";

const SIDE = 280;

export class Sketch {
  /** `changed()` is called at every stroke, `begin()` before the first change of one; `paper` and `ink` are colours. */
  constructor(shape, level, { paper, ink }, changed, begin) {
    const [rows, columns] = shape.slice(-2), scale = SIDE / Math.max(rows, columns);
    this.canvas = element("canvas", { class: "pad", width: Math.round(columns * scale), height: Math.round(rows * scale), tabindex: "0", role: "application",
      "aria-label": "Drawing pad. Arrow keys move the pen, hold the space bar to draw, Delete clears." });
    this.strokes = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    Object.assign(this, { shape, level, paper, ink, changed, begin, base: null, drawn: false, pen: SIDE / 11, at: [SIDE / 2, SIDE / 2], erasing: false, down: false });
    this.context = this.strokes.getContext("2d", { willReadFrequently: true });
    this.paint();
    this._listen();
    this.erase = button("erase", () => {
      this.erasing = !this.erasing;
      this.erase.setAttribute("aria-pressed", String(this.erasing));
    }, { "aria-pressed": "false", title: "erase strokes" });
    this.tools = element("div", { class: "choices" }, button("clear", () => this.clear()), this.erase);
  }

  /** Show a sample; strokes go over it from now on. */
  show(raw) {
    this.base = raw;
    this.drawn = false;
    this.context.clearRect(0, 0, this.strokes.width, this.strokes.height);
    this.paint();
  }

  clear() {
    this.begin();
    this.show(null);
    this.changed();
  }

  /** Return a function that brings back what the pad shows now. */
  remember() {
    const { base, drawn } = this, strokes = this.context.getImageData(0, 0, this.strokes.width, this.strokes.height);
    return () => {
      Object.assign(this, { base, drawn });
      this.context.putImageData(strokes, 0, 0);
      this.paint();
    };
  }

  /** Return the raw numbers: `strokes` (a canvas of the network's size) over the sample or the paper. */
  raw(strokes) {
    const blank = this.paper === "#ffffff" ? this.level : 0;
    return over(this.base ?? new Float32Array(product(this.shape)).fill(blank), strokes, this.shape, this.level);
  }

  paint() {
    const context = this.canvas.getContext("2d"), { width, height } = this.canvas;
    context.fillStyle = this.paper;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    if (this.base) context.drawImage(toImage(this.base, this.shape, this.level), 0, 0, width, height);
    context.drawImage(this.strokes, 0, 0);
    if (this.base || this.drawn) return;
    Object.assign(context, { fillStyle: "#808890", font: "20px system-ui, sans-serif", textAlign: "center" });
    context.fillText("draw here", width / 2, height / 2);
  }

  _line(to) {
    const { context, at } = this;
    Object.assign(context, { strokeStyle: this.ink, lineWidth: this.pen, lineCap: "round", lineJoin: "round" });
    context.globalCompositeOperation = this.erasing || this.rubbing ? "destination-out" : "source-over";
    context.beginPath();
    context.moveTo(...at);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
    context.globalCompositeOperation = "source-over";
    Object.assign(this, { at: to, drawn: true });
    this.paint();
    this.changed();
  }

  _listen() {
    const { canvas } = this;
    const point = (event) => {
      const area = canvas.getBoundingClientRect();
      return [((event.clientX - area.left) / area.width) * canvas.width, ((event.clientY - area.top) / area.height) * canvas.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.begin();
      Object.assign(this, { at: point(event), rubbing: event.button === 2 });
      this._line(this.at);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const parts = event.getCoalescedEvents?.() ?? [];
      for (const part of parts.length ? parts : [event]) this._line(point(part));
    });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("keyup", (event) => event.key === " " && (this.down = false));
    canvas.addEventListener("keydown", (event) => this._key(event));
  }

  _key(event) {
    const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10], " ": [0, 0], Delete: null }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (step === null) return this.clear();
    if (event.key === " " && !this.down) {
      this.begin();
      this.down = true;
    }
    const to = [this.at[0] + step[0], this.at[1] + step[1]];
    if (this.down) this._line(to);
    else this._cursor(to);
  }

  _cursor(to) { // show where the pen is, as it is moved by keys
    this.at = to;
    this.paint();
    const context = this.canvas.getContext("2d");
    Object.assign(context, { strokeStyle: "#d95f02", lineWidth: 2 });
    context.strokeRect(to[0] - this.pen / 2, to[1] - this.pen / 2, this.pen, this.pen);
  }
}
