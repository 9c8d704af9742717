// Feeds stored exchanges through their adapters over a local server and compares what comes out with what the raw
// bodies say: npm run --silent check:exchanges -- FILE.jsonl
import { readFile } from 'node:fs/promises';
import { checkExchanges } from './exchange-checks.ts';
import type { Exchange } from './exchange-truth.ts';

const [file] = process.argv.slice(2);
process.exitCode = file === undefined ? usage() : await checkFile(file);

function usage(): number {
  console.error('usage: npm run --silent check:exchanges -- FILE.jsonl');
  return 2;
}

async function checkFile(path: string): Promise<number> {
  let exchanges: readonly Exchange[];
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '');
    exchanges = lines.map((line) => JSON.parse(line) as Exchange);
  } catch (error) {
    console.error(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  let checked = 0;
  let failed = 0;
  for await (const { line, faults } of checkExchanges(exchanges)) {
    console.log(JSON.stringify(line));
    const { id, kind, uri } = exchanges[checked] ?? {};
    for (const fault of faults) console.error(`${id} (${kind}, ${uri}): ${fault}`);
    checked += 1;
    if (faults.length > 0) failed += 1;
  }
  console.log(`${checked - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
