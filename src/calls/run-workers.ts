/**
 * Repeats `step` until it returns false, in as many workers as `workers` allows at the time. More start when it allows
 * more; none stops before the end. Rejects with the first bug once all running steps have ended.
 */
export async function runWorkers(step: () => Promise<boolean>, workers: () => number): Promise<void> {
  const bugs: unknown[] = [];
  let working = 0;
  let isDone = false;
  await new Promise<void>((resolve) => {
    async function work(): Promise<void> {
      try {
        while (!isDone) {
          if (working < workers()) start();
          if (!(await step())) isDone = true;
        }
      } catch (bug) {
        bugs.push(bug);
        isDone = true;
      }
      working -= 1;
      if (working === 0) resolve();
    }
    function start(): void {
      working += 1;
      // Each begins by itself: thousands that start one another at once would use up the stack.
      queueMicrotask(() => void work());
    }
    start();
  });
  if (bugs.length > 0) throw bugs[0];
}
