import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const flagsWithOptionalValue = new Set(['--bail', '--changed', '--resume', '--otel']);

/** Keeps `--bail evals/x.eval.yaml` from taking the path as its value: a flag without a value moves behind the paths. */
export function protectOptionalValues(argv: readonly string[], cwd: string): string[] {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  const kept: string[] = [];
  const moved: string[] = [];
  flags.forEach((argument, index) => {
    const next = flags[index + 1];
    // One that another flag follows moves too, or the path behind that flag would come to stand behind this one.
    const hasValue = next !== undefined && !next.startsWith('-') && !existsSync(resolve(cwd, next));
    (flagsWithOptionalValue.has(argument) && !hasValue ? moved : kept).push(argument);
  });
  return [...kept, ...moved, ...(end === -1 ? [] : argv.slice(end))];
}
