import { writeJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { isJsonObject } from '../../../json/json.ts';
import type { DrawnAnswer } from '../../../measuring/label-answers.ts';
import { type LabelSession, openLabelSession } from '../../../measuring/label-answers.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { usageError } from '../../../model/problem.ts';
import type { Suite } from '../../../model/suite/suite.ts';
import { loadProject } from '../../../project/load-project.ts';
import { maskFor } from '../../../project/mask-for.ts';
import type { Mask } from '../../../secrets/mask-secrets.ts';
import { formatCount } from '../../../text/format-amount.ts';
import { sanitizeTerminal, toSafeLine } from '../../../text/sanitize.ts';
import { openFlagReader } from '../../flags/flag-reader.ts';
import type { Io, LineReader } from '../../io.ts';
import { printProblems } from '../../output/problems.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly check?: string;
  readonly size: string;
  readonly seed: string;
  readonly run?: string;
  readonly config?: string;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .description('Label stored answers without seeing what the judge said, so that judge check can measure it.')
    .argument('<suite>', 'a suite file')
    .option('--check <name>', 'the check to label for, by its name or assertion, if the suite has several')
    .option('--size <n>', 'how many answers to draw', '40')
    .option('--seed <n>', 'of the draw; the same seed draws the same answers', '1')
    .option('--run <id|file>', 'the run whose answers are drawn (default: the last that has the suite)')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
Answers are drawn half from those that the judge passed and half from those that it failed, split
votes first. Type p or pass, f or fail, s or skip, q or quit. Each label is written at once to the
file that labels: of the judge names, so that a later call continues with the rest. Nothing is sent.

Examples:
  $ llmcheck judge label evals/triage.eval.yaml
  $ llmcheck judge label evals/triage.eval.yaml --check polite --size 100`,
    )
    .action(async (suite: string, flags: Flags) => exit(await label(suite, flags, io)));
};

async function label(path: string, flags: Flags, io: Io): Promise<number> {
  const reader = openFlagReader();
  const size = reader.readCount('--size', flags.size, { min: 1, max: 10_000 });
  const seed = reader.readCount('--seed', flags.seed, { min: 0, max: Number.MAX_SAFE_INTEGER });
  reader.check();
  const { cwd, env } = io;
  const options = { paths: [path], cwd, mayLackLabels: true, ...defined({ configPath: flags.config }) };
  const { project, warnings } = await loadProject(options);
  printProblems(warnings, io);
  const suite = onlySuite(path, project.suites);
  const { check, run } = flags;
  const session = openLabelSession(suite, { size, seed, root: project.root, cwd, ...defined({ check, run }) });
  const done = session.drawn - session.open.length;
  const earlier = done === 0 ? '' : `, ${done} of them labelled before`;
  io.stdout.write(`${toSafeLine(`${formatCount(session.drawn, 'answer')} of ${session.source}${earlier}`)}\n\n`);
  if (session.open.length > 0 && io.openLines === undefined) throw usageError('there is no input to read labels from');
  const lines = session.open.length === 0 ? undefined : io.openLines?.();
  try {
    const { labelled, isInterrupted } = await askAll(session, { lines, io, mask: maskFor(project, env) });
    io.stdout.write(describeEnd(session, labelled, suite));
    return isInterrupted ? exitCodes.sigint : exitCodes.passed;
  } finally {
    lines?.close();
  }
}

function onlySuite(path: string, suites: readonly Suite[]): Suite {
  const [suite, second] = suites;
  if (suite !== undefined && second === undefined) return suite;
  if (suite === undefined) throw usageError(`${path} selects no suite`, 'name a suite file');
  throw usageError(`${path} selects ${suites.length} suites`, `name one: ${suites.map((one) => one.path).join(', ')}`);
}

interface Asking {
  readonly lines: LineReader | undefined;
  readonly io: Io;
  readonly mask: Mask;
}

/** Asks for each answer until the user quits or the input ends. */
async function askAll(session: LabelSession, { lines, io, mask }: Asking) {
  let labelled = 0;
  for (const [index, answer] of session.open.entries()) {
    io.stdout.write(mask(describeAnswer(answer, `${index + 1} of ${session.open.length}`)));
    const word = await askFor(lines);
    io.stdout.write('\n');
    if (word === 'quit' || word === 'interrupt') return { labelled, isInterrupted: word === 'interrupt' };
    if (word === 'skip') continue;
    session.save(answer, word);
    labelled += 1;
  }
  return { labelled, isInterrupted: false };
}

const words = { p: 'pass', f: 'fail', s: 'skip', q: 'quit' } as const;

type Word = (typeof words)[keyof typeof words];

/** Asks until a word is known. The end of the input is a quit. */
async function askFor(lines: LineReader | undefined): Promise<Word | 'interrupt'> {
  for (;;) {
    const typed = (await lines?.ask('[p]ass, [f]ail, [s]kip, [q]uit? ')) ?? { ended: 'input' };
    if ('ended' in typed) return typed.ended === 'interrupt' ? 'interrupt' : 'quit';
    const text = typed.line.trim().toLowerCase();
    const found = Object.entries(words).find(([key, word]) => text === key || text === word);
    if (found !== undefined) return found[1];
  }
}

/** The question, the expected value, the criterion and the answer, but never the judge's verdict. */
function describeAnswer({ testCase, check, answer }: DrawnAnswer, place: string): string {
  const criterion = isJsonObject(check.params) ? check.params['value'] : undefined;
  const parts: readonly (readonly [string, unknown])[] = [
    ...Object.entries(testCase.vars),
    ['expected', testCase.expected],
    [check.assertion, criterion],
    ['answer', answer],
  ];
  const shown = parts.flatMap(([name, value]) => (value === undefined ? [] : [describePart(name, value)]));
  return `${[toSafeLine(`${place}: ${testCase.id}`), ...shown].join('\n')}\n`;
}

function describePart(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : (writeJson(value) ?? '');
  const safe = sanitizeTerminal(text, { keepNewlines: true, keepTabs: true });
  return `  ${toSafeLine(name)}:\n${safe.replace(/^/gm, '    ')}`;
}

function describeEnd({ open, file }: LabelSession, labelled: number, { path }: Suite): string {
  const left = open.length - labelled;
  const rest = left === 0 ? '' : `, ${left} left: run it again to go on`;
  const next = `llmcheck judge check ${path} measures the judge\n`;
  return `${toSafeLine(`${formatCount(labelled, 'label')} written to ${file}${rest}`)}\n${toSafeLine(next.trim())}\n`;
}
