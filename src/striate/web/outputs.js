// What the network says: probabilities of classes, numbers, or the class of every pixel.
import { element } from "./elements.js";
import { short, unflat } from "./numbers.js";
import { interpret } from "./reading.js";

const MOST = 12, MOST_SHOWN = 4;

/** Return {shown, verdict, index, share} for the outputs of a model: numbers to be drawn, a sentence, the output to ask about. */
export function meaning(info, outputs) {
  const found = interpret(info, outputs), largest = (list) => list.indexOf(Math.max(...list));
  if (found.values) return { shown: found.values, verdict: numbersOf(info, found.values), index: 0, share: false };
  if (found.indices) return { ...found, ...places(info, found) };
  if (found.labels) return { shown: found.probabilities, verdict: found.labels.join(", ") || "none", index: largest(found.probabilities), share: true };
  return { shown: found.probabilities, verdict: `${found.label}, ${percent(found.probability)}`, index: Math.min(found.index, outputs.length - 1), share: true };
}

function numbersOf(info, values) {
  const text = values.slice(0, MOST_SHOWN).map((value) => short(Number(value.toPrecision(4)))).join(", ");
  return values.length > MOST_SHOWN ? `${text}, …` : text;
}

/** Of classes at every place: the share of each class, and of the class that is not the commonest the surest place. */
function places(info, { indices, probabilities }) {
  const counts = info.classes.map(() => 0);
  for (const k of indices) counts[k]++;
  const shown = counts.map((count) => count / indices.length), order = counts.map((_, k) => k).sort((a, b) => counts[b] - counts[a]);
  const chosen = counts[order[1]] ? order[1] : order[0];
  return { shown, share: true, index: surestPlace(probabilities, chosen, indices.length), verdict: order.filter((k) => counts[k]).slice(0, 3).map((k) => `${info.classes[k]} ${percent(shown[k])}`).join(", ") };
}

/** Return the output where a class is most probable. */
export function surestPlace(probabilities, k, count) {
  let best = k * count;
  for (let i = k * count; i < (k + 1) * count; i++) if (probabilities[i] > probabilities[best]) best = i;
  return best;
}

/** Return the name of an output: its class or number, and where. */
export function outputName(info, target) {
  const count = info.kind === "classes" ? info.outputShape.slice(1).reduce((a, b) => a * b, 1) : 1;
  const name = info.classes[info.outputShape[0] === 1 && info.classes.length === 2 ? 1 : Math.floor(target / count)] ?? String(target);
  return count > 1 ? `${name} at ${unflat(target % count, info.outputShape.slice(1)).join(", ")}` : name;
}

/** Return a probability as text. */
export function percent(share) {
  return `${(100 * share).toFixed(1)}\u00a0%`; // on one line
}

/** Draw bars for what a network says into `room`; `choose(number)` is called for the one that is clicked. */
export function drawOutputs(room, info, found, target, choose) {
  const order = found.shown.map((_, k) => k), most = found.share ? 1 : Math.max(...found.shown.map(Math.abs)) || 1;
  if (order.length > MOST) order.sort((a, b) => found.shown[b] - found.shown[a]);
  room.replaceChildren(...order.slice(0, MOST).map((k) => {
    const bar = element("span", { class: "bar" });
    bar.style.width = `${Math.min(100, (100 * Math.abs(found.shown[k])) / most)}%`;
    const text = found.share ? percent(found.shown[k]) : short(Number(found.shown[k].toPrecision(4)));
    return element("button", { type: "button", class: "score", "aria-pressed": String(k === target), onclick: () => choose(k),
      title: "ask what speaks for this one" }, element("span", { class: "name", text: info.classes[k] ?? String(k) }), element("span", { class: "track" }, bar), element("span", { class: "amount", text }));
  }));
}
