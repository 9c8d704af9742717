import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunSuitesOptions } from '../../../src/api/options.ts';
import { reportOnRun } from '../../../src/assessing/assess-run.ts';
import type { Report } from '../../../src/model/report/report.ts';
import { mergeRecords } from '../../../src/run/record/merge-records.ts';
import { sha256Hex } from '../../../src/text/sha256.ts';
import fc from '../../support/property.ts';
import { openTempProject } from '../../support/temp-project.ts';
import { openAccepted, type Reply, words } from '../run-project.ts';

const file = 'evals/words.eval.yaml';

/** What a suite has beside its cases. Few of them, because a baseline is made for each. */
const gates = [
  '',
  'gate: { cases: { drifted: warn }, unsettled: warn }',
  'gate: { passRate: { min: 0.5, maxDrop: 0.3 }, cases: { broken: warn } }',
  'gate: { confirm: { budget: 0 } }',
  'gate: { confirm: { budget: 9 }, cases: { added: warn } }',
  'gate: { cost: { maxIncrease: 0.1 } }',
];

const slicesGate = 'gate: { slices: { even: { passRate: { maxDrop: 0.05 } } } }';

const detailsOf: Readonly<Record<string, (index: number) => string>> = {
  plain: () => '',
  mustPass: (index) => (index % 3 === 0 ? ', mustPass: true' : ''),
  groups: (index) => `, group: g${index >> 1}`,
  slices: (index) => (index % 2 === 0 ? ', tags: [even]' : ''),
};

/** How the suite is edited after its answers were accepted, beside its prompt. */
const edits: Readonly<Record<string, (suite: string) => string>> = {
  nothing: (suite) => suite,
  loosened: (suite) => suite.replace('equals: "{{ word }}"', 'length: { min: 1 }'),
  tightened: (suite) => suite.replace('length: { min: 1 }', 'equals: "{{ word }}"'),
  added: (suite) => `${suite}  - { id: added, vars: { word: added } }\n`,
  removed: (suite) => suite.replace(/ {2}- \{ id: w01.*\n/, ''),
};

const flags: Readonly<Record<string, RunSuitesOptions>> = {
  none: {},
  drift: { drift: true },
  conclusive: { requireConclusive: true },
  rerun: { rerunBaseline: true },
  early: { early: true },
};

const shape = fc.record({
  cases: fc.constantFrom(2, 4),
  trials: fc.integer({ min: 1, max: 2 }),
  providers: fc.constantFrom(1, 1, 2),
  gate: fc.constantFrom(...gates),
  detail: fc.constantFrom(...Object.keys(detailsOf)),
  check: fc.constantFrom('equals: "{{ word }}"', 'equals: "{{ word }}"', 'length: { min: 1 }'),
});

type Shape = typeof shape extends fc.Arbitrary<infer Value> ? Value : never;

function suiteOf({ cases, trials, providers, gate, detail, check }: Shape): string {
  const detailOf = detailsOf[detail] ?? (() => '');
  const used = ['own', 'other']
    .slice(0, providers)
    .map((id) => `{ id: ${id}, use: "own:${id}", price: { input: 1, output: 2 } }`);
  return `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [${used.join(', ')}]
${detail === 'slices' ? slicesGate : gate}
defaults: { trials: ${trials}, assert: [{ ${check} }] }
cases:
${words(cases)
  .map((word, index) => `  - { id: ${word}, vars: { word: ${word} }${detailOf(index)} }\n`)
  .join('')}`;
}

/** A baseline is made for each, once. */
const shapes = fc.sample(shape, { numRuns: 24, seed: 20_260_101 });

const world = fc.record({
  shape: fc.constantFrom(...shapes),
  edit: fc.constantFrom(...Object.keys(edits)),
  flags: fc.constantFrom(...Object.keys(flags)),
  shards: fc.constantFrom(2, 2, 2, 3, 5),
  /** Where the record is cut, as a share of its length. */
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
  /** How often the new and the accepted prompt fail a case. */
  failing: fc.array(fc.constantFrom(0, 0, 0.4, 1), { minLength: 12, maxLength: 12 }),
  seed: fc.nat(),
});

type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

/** Answers that depend on nothing but the request and how often it was sent. */
function replyOf({ failing, seed }: World): Reply {
  return (text, asked, model) => {
    const word = text.replace(/^.*: /, '');
    const index = Number(/\d+/.exec(word)?.[0] ?? 5) + (text.startsWith('Please') ? 0 : 6);
    const draw = Number.parseInt(sha256Hex(JSON.stringify([seed, text, asked, model])).slice(0, 6), 16) / 0xff_ff_ff;
    return draw < (failing[index % failing.length] ?? 0) ? 'sorry' : word;
  };
}

async function openWorld({ shape: ofSuite, edit, ...rest }: World) {
  const project = await openAccepted({ [file]: suiteOf(ofSuite) });
  project.reply = replyOf({ shape: ofSuite, edit, ...rest });
  const editSuite = edits[edit] ?? ((suite: string) => suite);
  project.write(file, editSuite(project.read(file).replace('Say:', 'Please say:')));
  return project;
}

const textOf = ({ decision, exitCode }: Report): string => JSON.stringify([exitCode, decision]);

const reportIn = async (root: string, path: string): Promise<string> =>
  textOf(await reportOnRun({ path, root, cwd: root }));

/** An empty folder with a copy of a record. */
async function reportElsewhere(path: string): Promise<string> {
  const { root } = openTempProject();
  const folder = join(root, '.llmcheck/runs');
  mkdirSync(folder, { recursive: true });
  const copy = join(folder, basename(path));
  writeFileSync(copy, readFileSync(path));
  return reportIn(root, copy);
}

const recordPath = (root: string, { run }: Report): string => join(root, '.llmcheck/runs', `${run.id}.jsonl`);

/** Cuts a record at a byte behind its header, as a kill does. */
function cutRecord(path: string, share: number): void {
  const bytes = readFileSync(path);
  const header = bytes.indexOf('\n') + 1;
  writeFileSync(path, bytes.subarray(0, header + Math.floor(share * (bytes.length - header))));
}

function mergeIn(root: string, shards: readonly string[]): string {
  return mergeRecords({ shards, root, cwd: root, now: () => new Date('2026-11-28T08:00:00.000Z'), random: () => 0.5 });
}

/** Two hundred projects in four parts. */
function optionsOf(part: number): fc.Parameters<[World]> {
  const { seed = 0, numRuns } = fc.readConfigureGlobal();
  return { seed: seed + part, numRuns: numRuns ?? 50, endOnFailure: true };
}

describe('the same records give the same decision', () => {
  /** What was decided so far: random projects that all end alike would show nothing. */
  const kinds = new Set<string>();

  // In parts, so that no test takes long.
  const parts = [1, 2, 3, 4] as const;

  test.each(parts)(
    'in place, without suite files, elsewhere and after a kill (%i)',
    { tags: ['slow'] },
    async (part) => {
      await fc.assert(
        fc.asyncProperty(world, async (given) => {
          const project = await openWorld(given);
          const run = { ...flags[given.flags] };
          const { report } = await project.go(run);
          const path = recordPath(project.root, report);
          const first = textOf(report);
          kinds.add(report.decision.kind);
          expect(await reportIn(project.root, path)).toBe(first);
          expect(await reportElsewhere(path)).toBe(first);
          cutRecord(path, given.cut);
          const resumed = await project.go({ resume: report.run.id });
          expect(textOf(resumed.report)).toBe(first);
          rmSync(project.path('evals'), { recursive: true });
          expect(await reportIn(project.root, path)).toBe(first);
        }),
        optionsOf(part),
      );
    },
  );

  test('and the decisions were of many kinds', { tags: ['slow'] }, () => {
    expect(kinds.size).toBeGreaterThan(5);
  });

  test.each(parts)('after a merge of shards, here and where no suite is (%i)', { tags: ['slow'] }, async (part) => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const project = await openWorld(given);
        const { shards, flags: name } = given;
        const run = name === 'early' ? {} : { ...flags[name] };
        const paths: string[] = [];
        for (let index = 1; index <= shards; index += 1) {
          const { report } = await project.go({ ...run, shard: `${index}/${shards}` });
          paths.push(recordPath(project.root, report));
        }
        const merged = mergeIn(project.root, paths);
        const first = await reportIn(project.root, merged);
        expect(await reportElsewhere(merged)).toBe(first);
        const { root } = openTempProject();
        expect(await reportIn(root, mergeIn(root, paths))).toBe(first);
        rmSync(project.path('evals'), { recursive: true });
        expect(await reportIn(project.root, merged)).toBe(first);
      }),
      optionsOf(part),
    );
  });
});
