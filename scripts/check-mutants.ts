/**
 * Mutation check: plants small faults in src/, one at a time and by chance, and tells which ones the tests find. Each is tried
 * on the tests nearest to it first, then on all that `npm test` runs. Exits with 1 where fewer than nine of ten were found.
 * Run by `node scripts/run-ts.mjs scripts/check-mutants.ts [--count 40] [--seed 1] [--under src/run] [--near] [--tests PATH]`;
 * `--near` leaves out the whole suite, `--tests` adds to the nearest tests. `src/` must hold nothing that is not committed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findMutants, type Mutant } from './find-mutants.ts';

interface Planted extends Mutant {
  readonly path: string;
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    under: { type: 'string', default: 'src' },
    near: { type: 'boolean', default: false },
    tests: { type: 'string', multiple: true, default: [] },
  },
});
const nearMs = 180_000;
const wholeMs = 900_000;

main();

function main(): void {
  if (execFileSync('git', ['status', '--porcelain', 'src'], { encoding: 'utf8' }) !== '') {
    throw new Error('src/ holds changes that are not committed; commit or stash them first');
  }
  let found = 0;
  const planted = draw(Number(values.count));
  for (const [index, mutant] of planted.entries()) {
    const by = findIn(mutant);
    if (by !== undefined) found += 1;
    const { path, line, was, becomes } = mutant;
    const change = `${shorten(was)} → ${shorten(becomes)}`;
    console.log(
      `${index + 1}. ${by === undefined ? 'SURVIVED' : 'found'} ${path}:${line}: ${change}${by ? ` (${by})` : ''}`,
    );
  }
  console.log(`${found} of ${planted.length} found`);
  if (found < 0.9 * planted.length) process.exitCode = 1;
}

/** Spread over the rooms of src/, every fourth in src/run; in a room each place is as likely as another. */
function draw(count: number): readonly Planted[] {
  const random = createRandom(Number(values.seed));
  const rooms = new Map<string, string[]>();
  for (const path of listSources(values.under)) {
    const room = dirname(path).split('/').slice(0, 2).join('/');
    rooms.set(room, [...(rooms.get(room) ?? []), path]);
  }
  const runs = rooms.get('src/run');
  const order = shuffle([...rooms.values()], random).flatMap((paths, index) =>
    index % 3 === 0 && runs !== undefined ? [runs, paths] : [paths],
  );
  const drawn: Planted[] = [];
  for (let turn = 0; drawn.length < count && turn < 50 * count; turn += 1) {
    const all = (order[turn % order.length] ?? []).flatMap((path) =>
      findMutants(path, readFileSync(path, 'utf8')).map((mutant) => ({ ...mutant, path })),
    );
    const one = all[Math.floor(random() * all.length)];
    const isNew = drawn.every(({ path, line }) => path !== one?.path || line !== one.line);
    if (one !== undefined && isNew) drawn.push(one);
  }
  return drawn;
}

/** What is bundled for browsers has tests of its own in `npm run test:slow`; one file is generated. */
function listSources(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/page/') && !path.endsWith('suite-definition.ts'))
    .sort();
}

/** The tests that find the fault; undefined where none does. */
function findIn({ path, source }: Planted): 'nearest tests' | 'npm test' | undefined {
  const before = readFileSync(path, 'utf8');
  const restore = () => writeFileSync(path, before);
  process.once('exit', restore);
  try {
    writeFileSync(path, source);
    if (nearestTests(path).some((tests) => isRed(tests, nearMs))) return 'nearest tests';
    if (!values.near && isRed([], wholeMs)) return 'npm test';
    return undefined;
  } finally {
    restore();
    process.removeListener('exit', restore);
  }
}

/** First the test of the file's name alone, which takes seconds. Then those of its folder, its room and its commands. */
function nearestTests(path: string): readonly (readonly string[])[] {
  const folder = dirname(path).replace(/^src/, 'test');
  const room = folder.split('/').slice(0, 2).join('/');
  const own = join(folder, basename(path).replace(/\.ts$/, '.test.ts'));
  // The room of the command line holds half of all tests.
  const around =
    room === 'test/cli' ? [folder.split('/').slice(0, 3).join('/')] : [folder, room, join('test/cli', basename(room))];
  const known = (paths: readonly string[]) => [...new Set(paths)].filter((path) => existsSync(path));
  return [known([own]), [...known(around), ...values.tests]].filter((tests) => tests.length > 0);
}

/** A fault that makes the tests hang is found, too. */
function isRed(tests: readonly string[], timeout: number): boolean {
  const args = ['vitest', 'run', '--tags-filter', '!slow', '--bail', '1', '--reporter', 'dot', ...tests];
  const { status, error } = spawnSync('npx', args, { encoding: 'utf8', stdio: 'pipe', timeout });
  return error !== undefined || status !== 0;
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}

/** The linear congruential generator of Numerical Recipes (ranqd1). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffle<T>(all: readonly T[], random: () => number): readonly T[] {
  return all
    .map((one) => ({ one, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ one }) => one);
}
