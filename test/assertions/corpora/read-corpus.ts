import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The examples of a corpus in `fixtures/corpora`, whose README names the sources. */
export function readCorpus(name: string): readonly unknown[] {
  const text = readFileSync(join(import.meta.dirname, '../../../fixtures/corpora', `${name}.jsonl`), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}
