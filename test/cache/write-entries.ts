import { openCacheStore } from '../../src/cache/cache-store.ts';
import { ask, buildEntry } from './build-entry.ts';

// Started by concurrency.test.ts: node write-entries.mjs FOLDER WRITER COUNT. Prints each key once it is stored.
const [folder = '', writer = '', count = ''] = process.argv.slice(2);
const store = openCacheStore(folder, { onWarning: (message) => process.stdout.write(`warning: ${message}\n`) });
for (let index = 0; index < Number(count); index += 1) {
  // Half of the entries are written by every process at once.
  const entry = buildEntry(
    ask(index % 2 === 0 ? `shared ${index}` : `${writer} ${index}`),
    `answer ${'x'.repeat(2000)}`,
    new Date().toISOString(),
  );
  store.write(entry);
  if (store.read(entry.key) !== undefined) process.stdout.write(`${entry.key}\n`);
}
