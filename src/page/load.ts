/** Loads and calls back with what came, or with why nothing did; not any more once the returned function was called. */
export function load<T>(
  ask: () => Promise<T>,
  onValue: (value: T) => void,
  onProblem: (problem: string) => void,
): () => void {
  let isOver = false;
  const run = async () => {
    try {
      const value = await ask();
      if (!isOver) onValue(value);
    } catch (error) {
      if (!isOver) onProblem(error instanceof Error ? error.message : String(error));
    }
  };
  void run();
  return () => {
    isOver = true;
  };
}
