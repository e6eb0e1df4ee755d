// A trained network as a .safetensors file that striate opens: its tensors, its description, one checksum.
import { sha256 } from "./sha256.js";

const encode = (text) => new TextEncoder().encode(text);

/** Return the bytes of the file; `facts` replaces what stands between @ in the description. */
export function modelFile(plan, theta, states, facts) {
  let body = plan.body;
  for (const [name, value] of Object.entries(facts)) body = body.replace(`"@${name}@"`, JSON.stringify(value));
  const slots = [...plan.parameters.map((slot) => ({ ...slot, vector: theta })), ...plan.states.map((slot) => ({ ...slot, vector: states }))];
  slots.sort((a, b) => (a.name < b.name ? -1 : 1));
  const pieces = [encode(body)], header = {}, tensors = [];
  let offset = 0;
  for (const { name, offset: at, shape, vector } of slots) {
    const size = shape.reduce((a, b) => a * b, 1), values = vector.slice(at, at + size), bytes = new Uint8Array(values.buffer);
    pieces.push(encode(`\n${name} <f4 [${shape.join(", ")}]\n`), bytes);
    tensors.push(bytes);
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const described = `${body.slice(0, -1)},"sha256":"${sha256(joined(pieces))}"}`;
  let text = JSON.stringify({ __metadata__: { striate: described }, ...header });
  text += " ".repeat((8 - (encode(text).length % 8)) % 8);
  const head = encode(text), length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, head.length, true);
  return joined([length, head, ...tensors]);
}

function joined(pieces) {
  const out = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
