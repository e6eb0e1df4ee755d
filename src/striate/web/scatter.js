// Predicted numbers against true ones: a dot for each, and the line on which all would lie.
import { range } from "./numbers.js";

const SIDE = 320, EDGE = 8;

/** Draw dots for two lists of numbers of one length. */
export function drawScatter(canvas, truths, predictions) {
  Object.assign(canvas, { width: SIDE, height: SIDE });
  const context = canvas.getContext("2d"), [low, high] = range([...truths, ...predictions]);
  const at = (value) => EDGE + ((SIDE - 2 * EDGE) * (value - low)) / (high - low || 1);
  const style = getComputedStyle(document.documentElement);
  context.clearRect(0, 0, SIDE, SIDE);
  context.strokeStyle = style.getPropertyValue("--soft");
  context.beginPath();
  context.moveTo(EDGE, SIDE - EDGE);
  context.lineTo(SIDE - EDGE, EDGE);
  context.stroke();
  context.fillStyle = style.getPropertyValue("--blue");
  truths.forEach((truth, i) => {
    context.beginPath();
    context.arc(at(truth), SIDE - at(predictions[i]), 2.5, 0, 2 * Math.PI);
    context.fill();
  });
}
