// What `llmcheck prompt cover` finds in prompts with planted rules: node scripts/run-ts.mjs bench/cover.ts [PROMPTS] [SEED]
// The model follows every rule of its prompt. In half of the prompts its answers are worded differently each time, and in
// half three in ten topics are flaky: each trial fails one time in five.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../src/text/random.ts';
import { openModel, runHere } from './parts/local-model.ts';
import { makeRuledPrompt, type RuledPrompt } from './parts/ruled-prompt.ts';

interface Outcome {
  readonly prompts: readonly {
    readonly instructions: readonly { readonly text: string; readonly verdict: string }[];
  }[];
  readonly spent: { readonly trials: number };
}

interface Tally {
  name: string;
  unguarded: number;
  unguardedFound: number;
  guarded: number;
  guardedFound: number;
  withEffect: number;
  saidNoEffect: number;
  undecided: number;
  trials: number;
  naive: number;
}

await bench();

async function bench(): Promise<void> {
  const count = Number(process.argv[2] ?? 40);
  const random = createRandom(Number(process.argv[3] ?? 1));
  const root = mkdtempSync(join(tmpdir(), 'llmcheck-cover-'));
  const tallies = new Map<string, Tally>();
  try {
    for (let index = 0; index < count; index += 1) {
      const isWordy = index % 2 === 1;
      const flake = index % 4 < 2 ? 0 : 0.2;
      const sizes = { rules: 5 + Math.floor(random() * 20), cases: 10 + Math.floor(random() * 40) };
      const prompt = makeRuledPrompt(random, { ...sizes, flake, isWordy });
      const name = `${isWordy ? 'worded freely' : 'worded the same'}, ${flake * 100} % flakes`;
      const tally = tallies.get(name) ?? emptyTally(name);
      tallies.set(name, tally);
      await cover(root, prompt, tally);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  print([...tallies.values()]);
}

async function cover(root: string, prompt: RuledPrompt, tally: Tally): Promise<void> {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, 'evals'), { recursive: true });
  openModel(root, (text) => prompt.answer(text));
  writeFileSync(join(root, 'mail.md'), prompt.prompt);
  const cases = prompt.cases.map(({ id, topic, wanted }) => {
    const checks = [{ contains: 'Dear' }, ...wanted.map((word) => ({ contains: word }))];
    return JSON.stringify({ id, vars: { mail: `about topic${topic}x` }, assert: checks });
  });
  writeFileSync(
    join(root, 'evals/mail.eval.yaml'),
    `prompts: [{ id: v1, file: ../mail.md }]\nproviders: [{ id: model, use: local:model }]\ncases:\n${cases.map((one) => `  - ${one}\n`).join('')}`,
  );
  const { prompts, spent } = (await runHere(root, ['prompt', 'cover', '--json'])) as Outcome;
  const found = new Map(prompts[0]?.instructions.map(({ text, verdict }) => [text.replace(/^- /, ''), verdict]));
  for (const { text, kind } of prompt.rules) {
    const verdict = found.get(text);
    if (verdict === undefined) throw new Error(`no verdict on ${text}`);
    const isUnguarded = kind !== 'guarded';
    tally.unguarded += Number(isUnguarded);
    tally.unguardedFound += Number(isUnguarded && (verdict === 'unnoticed' || verdict === 'noEffect'));
    tally.guarded += Number(!isUnguarded);
    tally.guardedFound += Number(!isUnguarded && verdict === 'guarded');
    tally.withEffect += Number(kind !== 'noEffect');
    tally.saidNoEffect += Number(kind !== 'noEffect' && verdict === 'noEffect');
    tally.undecided += Number(verdict === 'undecided');
  }
  tally.trials += spent.trials;
  tally.naive += (prompts[0]?.instructions.length ?? 0) * prompt.cases.length;
}

function emptyTally(name: string): Tally {
  return {
    name,
    unguarded: 0,
    unguardedFound: 0,
    guarded: 0,
    guardedFound: 0,
    withEffect: 0,
    saidNoEffect: 0,
    undecided: 0,
    trials: 0,
    naive: 0,
  };
}

function print(tallies: readonly Tally[]): void {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const share = (part: number, of: number) => `${((100 * part) / Math.max(1, of)).toFixed(1)} % of ${of}`;
  say(
    '| answers | unguarded rules found | guarded rules found | false "no effect" | undecided | trials | instructions × cases |',
  );
  say('|---|---|---|---|---|---|---|');
  for (const own of tallies) {
    const cells = [
      own.name,
      share(own.unguardedFound, own.unguarded),
      share(own.guardedFound, own.guarded),
      share(own.saidNoEffect, own.withEffect),
      `${own.undecided}`,
      `${own.trials}`,
      `${own.naive}`,
    ];
    say(`| ${cells.join(' | ')} |`);
  }
}
