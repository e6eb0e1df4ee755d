// Numbers as colours: blue below zero, red above it, the paper at zero; or from black to white.
import { clip } from "./numbers.js";

const MIDDLE = 0.18; // the luminance on which black and white can be read equally well

/** Return whether the page is shown light on dark. */
export function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Return [r, g, b] for a share: from -1 to 1 if signed, from 0 to 1 otherwise. */
export function colour(share, signed, onDark = dark()) {
  if (!signed) {
    const grey = Math.round(255 * clip(share, 0, 1));
    return [grey, grey, grey];
  }
  const s = clip(share, -1, 1), size = Math.abs(s);
  const paper = onDark ? [27, 32, 38] : [255, 255, 255];
  const ends = onDark ? [[255, 112, 102], [92, 164, 255]] : [[178, 24, 43], [33, 102, 172]];
  return paper.map((p, i) => Math.round(p + (ends[s >= 0 ? 0 : 1][i] - p) * size));
}

/** Return the text colour that can be read on `colour(share, true)`. */
export function ink(share, onDark = dark()) {
  const [r, g, b] = colour(share, true, onDark).map((value) => (value / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > MIDDLE ? "#000" : "#fff";
}
