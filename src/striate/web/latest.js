// Work whose newest state alone matters: asked for often, done once at a time.

export class Latest {
  /** `work()` returns a promise; it reads what it works on when it begins. */
  constructor(work) {
    Object.assign(this, { work, last: Promise.resolve(), waiting: null, open: 0 });
  }

  /** Whether work is waiting or under way. */
  get busy() {
    return this.open > 0;
  }

  /** Do the work after what is under way; calls that wait share it. Resolves when work that began after the call is done. */
  ask() {
    if (this.waiting) return this.waiting;
    this.open++;
    const begin = () => {
      this.waiting = null;
      return this.work();
    };
    this.waiting = this.last.then(begin).finally(() => this.open--);
    this.last = this.waiting.catch(() => {});
    return this.waiting;
  }
}
