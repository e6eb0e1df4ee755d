// A source (see source.js) whose numbers come from the server: the kernels of its processor.
import { unpackAll } from "./numbers.js";

/** Return the answer to a request; an error has the server's words. */
export async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", body, headers: { "content-type": "application/octet-stream" } });
  if (answer.ok) return answer;
  const found = await answer.json().catch(() => ({}));
  throw new Error(found.error ?? `the server answered ${answer.status}`);
}

export class HttpSource {
  static async load(info) {
    const source = new HttpSource();
    source.info = unpackAll(info);
    source.editable = false;
    source.differentiable = false;
    source.parameters = new Float32Array(await (await ask("/explorer/parameters")).arrayBuffer());
    return source;
  }

  async run(raw) {
    const start = performance.now(), found = new Float32Array(await (await ask("/explorer/values", raw)).arrayBuffer()), values = {};
    let at = 0;
    for (const { name, shape } of this.info.layers) {
      const count = shape.reduce((a, b) => a * b, 1);
      values[name] = found.slice(at, (at += count));
    }
    return { values, milliseconds: performance.now() - start };
  }

  async scores(samples, target) {
    const outputs = new Float32Array(await (await ask("/explorer/outputs", samples)).arrayBuffer());
    const each = this.info.outputShape.reduce((a, b) => a * b, 1);
    return Float32Array.from({ length: outputs.length / each }, (_, i) => outputs[i * each + target]);
  }
}
