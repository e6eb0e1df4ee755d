// Input of texts: words are typed, and become their numbers in the vocabulary of the training.
import { element } from "./elements.js";

const UNKNOWN = 1, FIRST = 2, WORD = /[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu;

/** Return the words of a text in lower case, as `striate.data.text` does. */
export function wordsOf(text) {
  return text.toLowerCase().match(WORD) ?? [];
}

/** Return the words of symbols up to the padding at the end; "?" for those that are not in the vocabulary. */
export function decoded(raw, { words }) {
  const last = raw.findLastIndex((symbol) => symbol > 0);
  return Array.from(raw.subarray(0, last + 1), (symbol) => (symbol === 0 ? "" : words[symbol - FIRST] ?? "?"));
}

/** Return what encodes a text: {raw, steps}. */
export function encoder({ words, values }) {
  const numbers = new Map(words.map((word, n) => [word, n + FIRST]));
  return (text) => {
    const found = wordsOf(text), raw = new Float32Array(values);
    raw.set(found.slice(0, values).map((word) => numbers.get(word) ?? UNKNOWN));
    const unknown = raw.filter((symbol) => symbol === UNKNOWN).length, steps = [`${found.length} ${found.length === 1 ? "word" : "words"}`];
    if (found.length > values) steps[0] += `, of which the network reads the first ${values}`;
    if (unknown) steps.push(`${unknown} not in the vocabulary, shown as ?`);
    return { raw, steps };
  };
}

/** Draw a field for a text; `give(raw, steps)` gets its symbols, `begin()` is called before a change. */
export function textInput(room, info, give, begin) {
  const encode = encoder(info), field = element("textarea", { rows: 6, "aria-label": "text", placeholder: "Type or paste a text." });
  let changing = false, before = "";
  field.addEventListener("input", () => {
    if (!changing) begin();
    changing = true;
    before = field.value;
    const { raw, steps } = encode(before);
    give(raw, steps);
  });
  field.addEventListener("change", () => { changing = false; }); // all that is typed at once is one change to undo
  room.append(field);
  const write = (text) => { field.value = before = text; };
  return { show: (raw) => write(decoded(raw, info).join(" ")), remember: () => {
    const text = before;
    return () => write(text);
  } };
}
