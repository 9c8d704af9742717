/**
 * Imports every promptfoo config of a folder without writing anything, and prints what became of each and why.
 *
 *   node scripts/run-ts.mjs scripts/survey-imports.ts FOLDER [--reasons]
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { checkWritten, importSuite } from '../src/importing/import-suite.ts';
import { promptfooImporter } from '../src/importing/promptfoo/promptfoo-importer.ts';
import { type Problem, UserError } from '../src/model/problem.ts';

type Outcome = 'whole' | 'partial' | 'refused' | 'invalid' | 'broken';

/** What promptfoo stops at too: files that are missing, and parts that it does not take. */
const BROKEN =
  /does not exist$|^no file of the project matches|^promptfoo takes no|^tests must be a list|^there are no providers, no prompts/;

interface Surveyed {
  readonly outcome: Outcome;
  readonly reasons: readonly Problem[];
}

const CONFIG = /^promptfooconfig.*\.(?:ya?ml|json)$/i;

function* findConfigs(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === '.git') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* findConfigs(path);
    else if (entry.isFile() && CONFIG.test(entry.name)) yield path;
  }
}

function isBroken(reasons: readonly Problem[]): boolean {
  return reasons.some(({ code, message }) => code === 'syntax' || BROKEN.test(message));
}

async function survey(path: string): Promise<Surveyed> {
  try {
    const imported = await importSuite({
      importer: promptfooImporter,
      path: basename(path),
      cwd: dirname(path),
      partial: true,
    });
    const texts = new Map([[resolve(dirname(path), imported.path), imported.text]]);
    for (const one of imported.code) texts.set(resolve(dirname(path), one.path), one.text);
    await checkWritten(texts, dirname(path));
    const reasons = imported.warnings.filter(({ code }) => code === 'not-carried-over').slice(0, imported.leftOut);
    return { outcome: reasons.length === 0 ? 'whole' : isBroken(reasons) ? 'broken' : 'partial', reasons };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const isRefused = error.problems.every(({ code }) => ['not-carried-over', 'invalid-value'].includes(code));
    const outcome = isBroken(error.problems) ? 'broken' : isRefused ? 'refused' : 'invalid';
    return { outcome, reasons: error.problems };
  }
}

const [folder = '.', flag] = process.argv.slice(2);
const root = resolve(folder);
const counts = new Map<Outcome, number>();
const blocked = new Map<string, number>();
for (const path of [...findConfigs(root)].toSorted()) {
  const { outcome, reasons } = await survey(path);
  counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  process.stdout.write(`${outcome.padEnd(8)} ${relative(root, path)}\n`);
  for (const { message, at } of reasons.slice(0, flag === '--reasons' ? undefined : 3))
    process.stdout.write(`           ${at === undefined ? '' : `${at.line}:${at.column} `}${message.slice(0, 200)}\n`);
  // A reason blocks a config once, however often it occurs there.
  const kinds = new Set(
    reasons.map(({ message }) => message.replaceAll(/"[^"]*"|\S*\/\S*/g, (text) => text.slice(0, 40))),
  );
  for (const kind of kinds) blocked.set(kind, (blocked.get(kind) ?? 0) + 1);
}
const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
process.stdout.write(
  `\n${total} configs: ${[...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}\n`,
);
const running = total - (counts.get('broken') ?? 0);
process.stdout.write(
  `${Math.round(((counts.get('whole') ?? 0) / running) * 100)} % of the ${running} that promptfoo can run are whole\n`,
);
for (const [kind, count] of [...blocked].toSorted(([, a], [, b]) => b - a).slice(0, 40))
  process.stdout.write(`${String(count).padStart(4)}  ${kind}\n`);
