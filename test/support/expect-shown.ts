import { expect } from 'vitest';

interface Shown {
  readonly show: (value: unknown) => string;
  readonly showError: (error: unknown) => string;
}

const plain: Shown = {
  show: (value) => JSON.stringify(value) ?? 'undefined',
  showError: (error) => `! ${error instanceof Error ? error.message : String(error)}`,
};

/** Compares what functions make of each value, line by line, with the snapshot of this name beside the test, which has every word and digit. */
export async function expectShown(
  name: string,
  values: readonly unknown[],
  functions: readonly ((value: never) => unknown)[],
  { show, showError }: Shown = plain,
): Promise<void> {
  const results = values.map((value) => {
    const made = functions.map((make) => {
      try {
        return show(make(value as never));
      } catch (error) {
        return showError(error);
      }
    });
    return [show(value), ...made.map((line) => `  ${line}`)].join('\n');
  });
  await expect(`${results.join('\n')}\n`).toMatchFileSnapshot(`snapshots/${name}.txt`);
}
