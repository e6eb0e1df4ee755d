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
  static async load(info, differentiable) {
    const source = new HttpSource();
    source.info = unpackAll(info);
    source.editable = true;
    source.differentiable = differentiable;
    source._first = new Map(); // the values before
    source.edits = new Map(); // parameters that this page has changed: the server keeps nothing of them
    source.parameters = new Float32Array(await (await ask("/explorer/parameters")).arrayBuffer());
    return source;
  }

  async samples() {
    return unpackAll((await (await ask("/explorer/samples")).json()).samples);
  }

  async run(raw) {
    const start = performance.now(), found = new Float32Array(await (await this._ask("values", raw)).arrayBuffer()), values = {};
    let at = 0;
    for (const { name, shape } of this.info.layers) {
      const count = shape.reduce((a, b) => a * b, 1);
      values[name] = found.slice(at, (at += count));
    }
    return { values, milliseconds: performance.now() - start };
  }

  async scores(samples, target) {
    return new Float32Array(await (await this._ask("scores", samples, target)).arrayBuffer());
  }

  async gradients(samples, weights, target) {
    const size = this.info.values, rows = new Float32Array(weights.length * (size + 1));
    weights.forEach((weight, n) => {
      rows.set(samples.subarray(n * size, (n + 1) * size), n * (size + 1));
      rows[n * (size + 1) + size] = weight;
    });
    return new Float32Array(await (await this._ask("gradients", rows, target)).arrayBuffer());
  }

  async setParameters(changes) {
    for (const [index, value] of changes) {
      this._first.set(index, this._first.get(index) ?? this.parameters[index]);
      this.parameters[index] = value;
      if (this.parameters[index] === this._first.get(index)) this.edits.delete(index);
      else this.edits.set(index, this.parameters[index]);
    }
  }

  _ask(what, body, target) {
    const query = new URLSearchParams(target === undefined ? {} : { target });
    if (this.edits.size) query.set("edits", Array.from(this.edits, ([index, value]) => `${index}:${value}`).join(","));
    return ask(`/explorer/${what}?${query}`, body);
  }
}
