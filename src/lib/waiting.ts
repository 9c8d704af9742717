/**
 * Work that seldom has to wait: it yields what it waits for and is given the result. Whoever runs it decides what waiting
 * means, and a hundred thousand rows that wait for nothing cost no promise.
 */
export type Waiting<T> = Generator<Promise<unknown>, T, unknown>;

/** The result of the work: at once where nothing had to be waited for. */
export function runWaiting<T>(work: Waiting<T>): T | Promise<T> {
  const step = work.next();
  return step.done === true ? step.value : finish(work, step.value);
}

async function finish<T>(work: Waiting<T>, first: Promise<unknown>): Promise<T> {
  let step = work.next(await first);
  while (step.done !== true) step = work.next(await step.value);
  return step.value;
}

/** The same of work that is known to wait for nothing. */
export function runAtOnce<T>(work: Waiting<T>): T {
  const step = work.next();
  if (step.done !== true) throw new Error('what was to be done at once waits for something');
  return step.value;
}

/** Waits within such work. */
export function* waitFor<T>(promise: Promise<T>): Waiting<T> {
  const settled: T[] = [];
  yield keep(promise, settled);
  const [value] = settled;
  if (settled.length === 0) throw new Error('went on before what was waited for was there');
  return value as T;
}

async function keep<T>(promise: Promise<T>, into: T[]): Promise<void> {
  into.push(await promise);
}
