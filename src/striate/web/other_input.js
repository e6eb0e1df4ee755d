// Input that cannot be entered by hand: volumes, arrays, symbols without a vocabulary.
import { button, element } from "./elements.js";

/** Say what the page cannot take, and offer random numbers. */
export function otherInput(room, info, give, begin) {
  const { mean, scale } = info.layers[0].rule, symbols = info.input === "symbols";
  const hint = symbols
    ? "This network reads symbols of a text, but the model holds no vocabulary. Use the samples."
    : `This network takes ${info.inputShape.join(" × ")} numbers. Use the samples, or random numbers.`;
  room.append(element("p", { class: "hint", text: hint }));
  if (!symbols) {
    room.append(button("random numbers", () => {
      begin();
      give(Float32Array.from({ length: info.values }, (_, i) => {
        const c = Math.floor((i / info.values) * mean.length);
        return mean[c] + (2 * Math.random() - 1) * (1.7 / scale[c]);
      }), []);
    }));
  }
  return {};
}
