// A series as a curve, and behind it what speaks for a score.
import { colour, dark } from "./colours.js";
import { range } from "./numbers.js";

/** Paint curves of one length over each other; `map`, if given, colours the places behind them. */
export function paintCurves(canvas, curves, [low, high], map = null) {
  const context = canvas.getContext("2d"), { width, height } = canvas, length = curves[0].length;
  context.clearRect(0, 0, width, height);
  if (map) paintStrips(context, map, width, height);
  const level = (value) => 2 + (height - 4) * (1 - (value - low) / (high - low || 1));
  curves.forEach((values, n) => {
    context.strokeStyle = strokeOf(n);
    context.beginPath();
    if (length <= 2 * width) values.forEach((value, i) => context.lineTo(((i + 0.5) / length) * width, level(value)));
    else for (let x = 0; x < width; x++) {
      const [least, most] = range(values.subarray(Math.floor((x * length) / width), Math.ceil(((x + 1) * length) / width)));
      context.moveTo(x + 0.5, level(least));
      context.lineTo(x + 0.5, level(most) - 1);
    }
    context.stroke();
  });
}

function strokeOf(n) {
  const style = getComputedStyle(document.documentElement);
  return style.getPropertyValue(["--blue", "--mark", "--ink", "--soft"][n % 4]);
}

function paintStrips(context, map, width, height) {
  const most = Math.max(...range(map).map(Math.abs)) || 1, each = width / map.length, onDark = dark();
  map.forEach((value, i) => {
    context.fillStyle = `rgb(${colour((0.8 * value) / most, true, onDark)})`;
    context.fillRect(i * each, 0, Math.ceil(each), height);
  });
}
