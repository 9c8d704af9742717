/**
 * Repeats `step` until it returns false, in as many loops at once as `atOnce` allows at the time. More start when it allows
 * more; none stops before the end. Rejects with the first bug once all running steps have ended.
 */
export async function runConcurrently(step: () => Promise<boolean>, atOnce: () => number): Promise<void> {
  const bugs: unknown[] = [];
  let running = 0;
  let isDone = false;
  await new Promise<void>((resolve) => {
    async function loop(): Promise<void> {
      try {
        while (!isDone) {
          if (running < atOnce()) start();
          if (!(await step())) isDone = true;
        }
      } catch (bug) {
        bugs.push(bug);
        isDone = true;
      }
      running -= 1;
      if (running === 0) resolve();
    }
    function start(): void {
      running += 1;
      // Each begins by itself: thousands that start one another at once would use up the stack.
      queueMicrotask(() => void loop());
    }
    start();
  });
  if (bugs.length > 0) throw bugs[0];
}
