// A worker whose methods are called like functions: each call is a message, each answer a promise.

/** In a worker: answer calls, one after the other, with the methods of what `make(start)` returns for the first. */
export function serve(make) {
  let object = null, last = Promise.resolve();
  const answer = async ({ id, method, args }) => {
    try {
      if (method === "make") {
        object = await make(...args);
        self.postMessage({ id, result: null });
      } else {
        self.postMessage({ id, result: await object[method](...args) });
      }
    } catch (error) {
      self.postMessage({ id, error: error.message });
    }
  };
  self.onmessage = ({ data }) => {
    last = last.then(() => answer(data));
  };
}

/** In a worker: tell the page something that it did not ask for. */
export function announce(event) {
  self.postMessage({ event });
}

/** Return {call, listen} for a worker made of the text of a script. */
export function remote(script) {
  const worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const waiting = new Map(), listeners = [];
  let last = 0;
  worker.onmessage = ({ data: { id, result, error, event } }) => {
    if (event) return listeners.forEach((listener) => listener(event));
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  };
  worker.onerror = (event) => waiting.forEach(({ reject }) => reject(new Error(event.message)));
  const call = (method, ...args) => new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject });
    worker.postMessage({ id: last, method, args });
  });
  return { call, listen: (listener) => listeners.push(listener) };
}
