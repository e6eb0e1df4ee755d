// What a page that is a single file holds beside its script: data, bytes, and the script of its worker.

/** Return {data, bytes, worker} of this page. */
export async function embedded() {
  const [data, bytes] = await Promise.all(["data", "binary"].map(unpacked));
  return { data: JSON.parse(new TextDecoder().decode(data)), bytes, worker: document.getElementById("worker").textContent };
}

async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// A module with one function of SIMD instructions: (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt).
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

/** Return why this browser cannot compute the network, or an empty text. */
export function obstacle() {
  if (typeof WebAssembly === "undefined") return "This browser has no WebAssembly.";
  if (!WebAssembly.validate(new Uint8Array(SIMD))) {
    return "This browser has no WebAssembly SIMD. Chrome 91, Firefox 113 and Safari 16.4 or later do.";
  }
  return typeof DecompressionStream === "undefined" ? "This browser is too old: it has no DecompressionStream." : "";
}
