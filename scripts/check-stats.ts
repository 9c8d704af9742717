// Checks src/stats against a file of reference values: node scripts/run-ts.mjs scripts/check-stats.ts FILE.json
import { readFile } from 'node:fs/promises';
import { checkReference, parseReference } from './stats-reference.ts';

const [file] = process.argv.slice(2);
process.exitCode = file === undefined ? usage() : await checkFile(file);

function usage(): number {
  console.error('usage: node scripts/run-ts.mjs scripts/check-stats.ts FILE.json');
  return 2;
}

async function checkFile(path: string): Promise<number> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    console.error(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  const reference = parseReference(text);
  if (typeof reference === 'string') {
    console.error(`${path} holds no reference values: ${reference}`);
    return 2;
  }
  const failures = checkReference(reference);
  for (const { id, field, expected, got } of failures) {
    console.log(`${id}: ${field} expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  }
  const failed = new Set(failures.map(({ index }) => index)).size;
  console.log(`${reference.length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
