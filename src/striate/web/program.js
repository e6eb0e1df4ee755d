// A program of striate in memory of its own: named segments, and runs of calls of WebAssembly kernels.
const PAGE = 65536;

/** Return the bytes that base64 text stands for. */
export function bytesOf(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** Compile the kernels of a parcel; throws where the browser lacks what they need. */
export function compileKernels(parcel, bytes) {
  return Promise.all(parcel.kernels.map(([begin, size]) => WebAssembly.compile(bytes.slice(begin, begin + size))));
}

export class Program {
  /** Use `await Program.load(parcel, name, bytes, modules)`. */
  constructor(description, memory, kernels) {
    this.places = description.places;
    this.memory = memory;
    this._runs = description.runs;
    this._kernels = kernels;
  }

  /** Put the program `name` of a parcel into memory; `modules` are those of `compileKernels`. */
  static async load(parcel, name, bytes, modules) {
    const description = parcel.programs[name];
    const memory = new WebAssembly.Memory({ initial: Math.ceil(description.size / PAGE) + 1 });
    const room = new Uint8Array(memory.buffer);
    for (const [address, begin, size] of description.memory) room.set(bytes.subarray(begin, begin + size), address);
    const env = {
      __linear_memory: memory,
      __stack_pointer: new WebAssembly.Global({ value: "i32", mutable: true }, parcel.stack),
      __indirect_function_table: new WebAssembly.Table({ initial: 16, element: "anyfunc" }),
    };
    const used = new Set(Object.values(description.runs).flatMap((calls) => calls.filter((_, i) => i % 2 === 0)));
    const kernels = [];
    await Promise.all([...used].map(async (number) => {
      kernels[number] = (await WebAssembly.instantiate(modules[number], { env })).exports.kernel;
    }));
    return new Program(description, memory, kernels);
  }

  /** Return a segment as numbers that the program reads and writes. */
  floats(segment) {
    const [address, size] = this.places[segment];
    return new Float32Array(this.memory.buffer, address, size / 4);
  }

  /** Return a segment as bytes. */
  bytes(segment) {
    return new Uint8Array(this.memory.buffer, ...this.places[segment]);
  }

  /** Return a segment as 64-bit integers. */
  integers(segment) {
    const [address, size] = this.places[segment];
    return new BigInt64Array(this.memory.buffer, address, size / 8);
  }

  /** Compute the calls of a run in order. */
  run(name) {
    const calls = this._runs[name], kernels = this._kernels;
    for (let i = 0; i < calls.length; i += 2) kernels[calls[i]](0, 0, calls[i + 1]);
  }
}
