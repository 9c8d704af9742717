import { openCacheStore } from '../../src/cache/file-store.ts';
import { ask, buildEntry } from './build-entry.ts';

// Started by concurrency.test.ts: node read-entries.mjs FOLDER FIRST END. Looks up these questions until its standard
// input ends, says when it has begun, and then how many answers it found and how many not.
const [folder = '', first = '', end = ''] = process.argv.slice(2);
const store = openCacheStore(folder, {
  now: () => new Date(),
  onWarning: (message) => process.stdout.write(`warning: ${message}\n`),
});
const stop = new AbortController();
process.stdin.once('end', () => stop.abort());
process.stdin.resume();
let [found, lost] = [0, 0];
const keys: string[] = [];
for (let index = Number(first); index < Number(end); index += 1)
  keys.push(buildEntry(ask(`question ${index}`), '').key);
while (!stop.signal.aborted) {
  for (const key of keys) {
    if (store.read(key)?.key === key) found += 1;
    else lost += 1;
  }
  if (found + lost === keys.length) process.stdout.write('begun\n');
  await new Promise((resolve) => setImmediate(resolve));
}
store.close();
process.stdout.write(`${found} found, ${lost} lost\n`);
