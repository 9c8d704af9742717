import { lastWords } from '../shorten.ts';

/** The end of a program's stderr. Keeps only the first own frame of a stack trace, so that the reason fits. */
export function lastOutput(stderr: string, maxUnits = 400): string {
  const lines = stderr.split('\n');
  const place = lines.find((line) => isFrame(line) && !line.includes('node:internal/'));
  const plainLines = lines.filter((line) => !isFrame(line) || line === place).join('\n');
  return lastWords(plainLines.trim(), maxUnits);
}

/** A line of a JavaScript stack. The last one may end with ` {`, before further properties of the error. */
function isFrame(line: string): boolean {
  return /^\s+at .*:\d+:\d+\)?(?: \{)?$/.test(line);
}
