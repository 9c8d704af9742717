// What `llmcheck bisect` finds in prompts with planted breaking hunks: node scripts/run-ts.mjs bench/bisect.ts [PROMPTS] [SEED]
// The model follows every rule of its prompt. Half of the cases are flaky: each trial shows the other outcome one time in five.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../src/text/random.ts';
import { type BrokenPrompt, makeBrokenPrompt, type PlantedKind, topicsOf } from './parts/broken-prompt.ts';
import { openModel, runHere } from './parts/local-model.ts';

interface Found {
  readonly kind: PlantedKind;
  readonly flake: number;
  readonly isExact: boolean;
  readonly isWrong: boolean;
  readonly isUndecided: boolean;
  readonly probes: number;
  readonly allowed: number;
  readonly trials: number;
}

interface Outcome {
  readonly cases: readonly {
    readonly verdict: string;
    readonly probes: number;
    readonly sets: readonly { readonly hunks: readonly { readonly before?: string; readonly after?: string }[] }[];
  }[];
  readonly spent: { readonly trials: number };
}

const kinds: readonly PlantedKind[] = ['one', 'two separate', 'two together'];
await bench();

async function bench(): Promise<void> {
  const count = Number(process.argv[2] ?? 200);
  const random = createRandom(Number(process.argv[3] ?? 1));
  const root = mkdtempSync(join(tmpdir(), 'llmcheck-bisect-'));
  const found: Found[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const kind = kinds[index % kinds.length] ?? 'one';
      const flake = Math.floor(index / kinds.length) % 2 === 0 ? 0 : 0.2;
      const prompt = makeBrokenPrompt(random, kind, 2 + Math.floor(random() * 39));
      found.push(await search(root, prompt, { kind, flake, random }));
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  print(found);
}

async function search(
  root: string,
  prompt: BrokenPrompt,
  { kind, flake, random }: { readonly kind: PlantedKind; readonly flake: number; readonly random: () => number },
): Promise<Found> {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  write(root, prompt);
  openModel(root, (text) => (prompt.fails(text) !== random() < flake ? 'wrong' : 'right'));
  const { cases, spent } = (await runHere(root, ['bisect', '--case', 'refund', '--json'])) as Outcome;
  const [first] = cases;
  if (first === undefined) throw new Error('the case is missing');
  const sets = first.sets.map(({ hunks }) =>
    hunks.flatMap(({ before = '', after = '' }) => topicsOf(before + after)).sort((a, b) => a - b),
  );
  const isDecided = first.verdict === 'found';
  const innocent = sets.flat().filter((topic) => !prompt.planted.flat().includes(topic));
  return {
    kind,
    flake,
    isExact: isDecided && JSON.stringify(sets.sort(byFirst)) === JSON.stringify(prompt.planted),
    // A hunk that breaks nothing is blamed, or the change is acquitted.
    isWrong: innocent.length > 0 || first.verdict === 'passes' || first.verdict === 'failed-before',
    isUndecided: first.verdict === 'undecided',
    probes: first.probes,
    allowed: 4 * Math.log2(prompt.hunks) + 10,
    trials: spent.trials,
  };
}

function byFirst([a = 0]: readonly number[], [b = 0]: readonly number[]): number {
  return a - b;
}

function write(root: string, { before, after }: BrokenPrompt): void {
  mkdirSync(join(root, 'evals'));
  writeFileSync(join(root, 'v1.md'), before);
  writeFileSync(join(root, 'v2.md'), after);
  writeFileSync(
    join(root, 'evals/mail.eval.yaml'),
    `prompts:
  - { id: v1, file: ../v1.md }
  - { id: v2, file: ../v2.md, replaces: v1 }
providers: [{ id: model, use: local:model }]
cases: [{ id: refund, vars: { mail: money }, assert: [{ equals: right }] }]
`,
  );
}

function print(found: readonly Found[]): void {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say('| planted | flake | prompts | exact set | wrong blame | undecided | probes | 4·log2(hunks) + 10 | trials |');
  say('|---|---|---|---|---|---|---|---|---|');
  for (const kind of kinds) {
    for (const flake of [0, 0.2]) {
      const own = found.filter((one) => one.kind === kind && one.flake === flake);
      if (own.length > 0) say(row(kind, `${flake * 100} %`, own));
    }
  }
  say(row('all', '', found));
}

function row(name: string, flake: string, found: readonly Found[]): string {
  const share = (is: (one: Found) => boolean) => `${((100 * found.filter(is).length) / found.length).toFixed(1)} %`;
  const median = (of: (one: Found) => number) => {
    const sorted = found.map(of).sort((a, b) => a - b);
    return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0);
  };
  const cells = [
    name,
    flake,
    `${found.length}`,
    share(({ isExact }) => isExact),
    share(({ isWrong }) => isWrong),
    share(({ isUndecided }) => isUndecided),
    median(({ probes }) => probes),
    median(({ allowed }) => allowed),
    median(({ trials }) => trials),
  ];
  return `| ${cells.join(' | ')} |`;
}
