import { createHash } from 'node:crypto';
import { dirname, relative, resolve } from 'node:path';
import { canonicalJson, writeJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { type Problem, type SourceLocation, UserError } from '../../model/problem.ts';
import type { PromptVersion, Suite } from '../../model/suite/suite.ts';
import { loadProject } from '../../project/load-project.ts';
import { maskPersonal, maskPersonalJson } from '../../secrets/personal-data.ts';
import { bytesOfText, openProjectFiles, type ProjectFiles } from '../../suite/files/project-files.ts';
import { findProject, isGlob, kindOfPath } from '../../suite/files/project-place.ts';
import { compilePaths } from '../../text/patterns/glob.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import type { RecordedCall } from '../data-sets/chat-messages.ts';
import { isMap } from '../draft.ts';
import { openSeenTexts, type SeenTexts } from './near-duplicates.ts';
import { guessFormat, readTraceFile, type TraceFormat } from './read-trace-file.ts';
import type { TraceRow } from './recorded-call.ts';
import { createRecoverVars, createSpreadCheck, type Recovered } from './recover-vars.ts';

export interface TraceImportOptions {
  readonly format: TraceFormat;
  readonly path: string;
  readonly cwd: string;
  /** Id of the prompt that made the calls. */
  readonly prompt: string;
  /** Suite of the prompt. Default: search all suites. */
  readonly suite?: string;
  /** Absolute path of the cases to write. */
  readonly target: string;
  readonly configPath?: string;
}

export interface TraceImport {
  /** Path relative to the project root. */
  readonly suitePath: string;
  /** Entry to add to the suite's cases, if they do not read the target yet. */
  readonly entry: string;
  /** Loads the suites with a sample of the cases: all of them may exceed the memory. */
  check(sample: string): Promise<TraceCheck>;
  /** The lines of the cases file. Throws a `UserError` at the end if there are none. */
  lines(): Generator<string>;
  /** Totals of the lines so far. */
  readonly counts: TraceCounts;
}

interface TraceCheck {
  /** True if a suite reads the target. */
  readonly isUsed: boolean;
  readonly warnings: readonly Problem[];
}

export interface TraceCounts {
  readonly cases: number;
  readonly exact: number;
  readonly near: number;
  /** Count and first place of refused calls, by reason. */
  readonly refused: ReadonlyMap<string, { readonly count: number; readonly first: string }>;
}

/** Opens an export of production calls. Each call that the prompt may have sent becomes a case under `observe`. */
export async function openTraceImport(options: TraceImportOptions): Promise<TraceImport> {
  const { format, cwd, target } = options;
  const files = openProjectFiles(findProject(cwd, options.configPath), cwd);
  const path = resolve(cwd, options.path);
  const found = await files.readBytes(path);
  if ('fault' in found) throw new UserError({ ...found.fault });
  const { bytes } = found;
  const { suite, prompt } = await findPrompt(options);
  // Mask the file's name, which messages contain: it may hold data of its rows.
  const shown = maskPersonal(files.display(path));
  const recover = createRecoverVars(prompt, suite.contract);
  const refused = new Map<string, { count: number; first: string }>();
  const counts = { cases: 0, exact: 0, near: 0, refused };
  const seen = openSeenTexts();
  rememberCases(suite, seen, resolve(cwd, target), cwd);
  const spreadsSecret = createSpreadCheck(prompt);
  const refuse = (reason: string, line: number) => {
    const known = refused.get(reason);
    if (known === undefined) refused.set(reason, { count: 1, first: `${shown}:${line}` });
    else known.count += 1;
  };
  function* lines(): Generator<string> {
    for (const { line, row } of readTraceFile(bytes, format, shown)) {
      const recovered = 'refused' in row ? row : recover(row);
      if ('refused' in recovered || 'refused' in row) {
        refuse('refused' in recovered ? recovered.refused : '', line);
        continue;
      }
      // Mask before anything is kept: the row passes only through here.
      const vars = maskPersonalJson(recovered.vars) as Readonly<Record<string, unknown>>;
      if (spreadsSecret(vars)) {
        refuse('a key or personal data is spread over several variables', line);
        continue;
      }
      const duplicate = seen.add(textOf(vars));
      if (duplicate !== undefined) {
        counts[duplicate] += 1;
        continue;
      }
      counts.cases += 1;
      const prompts = needsOnly(suite, prompt, vars) ? [prompt.id] : undefined;
      yield `${writeJson(buildCase(row, { ...recovered, vars }, prompts))}\n`;
    }
    if (counts.cases === 0) throw nothingFound(shown, counts, { format, found: guessFormat(bytes, shown) });
  }
  const folder = dirname(resolve(findProject(cwd, options.configPath).root, suite.path));
  const entry = `- file: ${toSlashes(relative(folder, target))}`;
  return { suitePath: suite.path, entry, check: (sample) => checkSample(sample, options), lines, counts };
}

/** Builds a case. `vars` must be masked already. */
function buildCase(
  { origin, answer: { text, calls } }: TraceRow,
  { vars, turns }: Recovered,
  prompts: readonly string[] | undefined,
): unknown {
  return {
    // Default ids have 32 bits: with many cases, two may collide.
    id: `prod-${createHash('sha256').update(canonicalJson(vars)).digest('hex').slice(0, 16)}`,
    ...defined({ description: describeRow(origin) }),
    tags: ['production'],
    observe: true,
    ...defined({ prompts }),
    vars,
    ...defined({
      turns,
      expected: text === undefined ? undefined : maskPersonal(text),
      assert: calls.length === 0 ? undefined : [checkCalls(calls)],
    }),
  };
}

/** Builds the check of the recorded calls, masked like the variables. Braces in them must not be read as templates. */
function checkCalls(calls: readonly RecordedCall[]): unknown {
  const value = calls.map(({ name, arguments: args }) => ({ name: maskPersonal(name), args: maskPersonalJson(args) }));
  const hasBraces = /\{[{%#]/.test(canonicalJson(value));
  return { toolCalls: hasBraces ? { names: value.map(({ name }) => name) } : { value, order: 'exact' } };
}

function describeRow(origin: readonly string[]): string | undefined {
  const text = origin.map(maskPersonal).join(', ').replaceAll(/\s+/g, ' ').slice(0, 400);
  return text === '' ? undefined : text;
}

/** Adds the target to the project's files: a suite may name it before it exists, and an existing one is replaced. */
function withTarget(files: ProjectFiles, target: string, text: string): ProjectFiles {
  return {
    ...files,
    read: (path) => (path === target ? Promise.resolve({ text }) : files.read(path)),
    readBytes: (path) => (path === target ? Promise.resolve({ bytes: bytesOfText(text) }) : files.readBytes(path)),
    async glob(patterns, folder) {
      const found = await files.glob(patterns, folder);
      const path = toSlashes(relative(folder, target));
      const isNamed = patterns.some((pattern) => isGlob(pattern) && compilePaths(pattern)(path));
      return isNamed && !found.paths.includes(target) ? { ...found, paths: [...found.paths, target].sort() } : found;
    },
  };
}

/** Loads the project with this text as the target. */
function loadWith(
  text: string,
  { cwd, suite, configPath, target }: TraceImportOptions,
): ReturnType<typeof loadProject> {
  const paths = suite === undefined ? [] : [resolve(cwd, suite)];
  const place = findProject(cwd, configPath);
  const files = withTarget(openProjectFiles(place, cwd), resolve(cwd, target), text);
  return loadProject({ paths, cwd, snapshot: { place, files, kindOf: kindOfPath }, ...defined({ configPath }) });
}

/** Tells whether a suite reads the target. Throws a `UserError` if its cases are invalid. */
async function checkSample(sample: string, options: TraceImportOptions): Promise<TraceCheck> {
  const { project, warnings } = await loadWith(sample, options);
  const isTarget = ({ at }: { readonly at: SourceLocation }) => resolve(options.cwd, at.file) === options.target;
  return { isUsed: project.suites.some((suite) => [...suite.cases()].some(isTarget)), warnings };
}

async function findPrompt(
  options: TraceImportOptions,
): Promise<{ readonly suite: Suite; readonly prompt: PromptVersion }> {
  const { prompt: id } = options;
  const { project } = await loadWith('', options);
  const found = project.suites.flatMap((one) => {
    const prompt = one.prompts.find((version) => version.id === id);
    return prompt === undefined ? [] : [{ suite: one, prompt }];
  });
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  const ids = project.suites.flatMap(({ prompts }) => prompts.map((version) => version.id));
  const message =
    only === undefined
      ? `no suite has a prompt "${id}"`
      : `several suites have a prompt "${id}": ${found.map((one) => one.suite.path).join(', ')}`;
  const hint =
    only === undefined
      ? (didYouMean(id, ids) ?? '`llmcheck list suites` shows the prompts of each suite')
      : 'name one with --suite FILE';
  throw new UserError({ code: 'usage', message, hint });
}

/** Remembers cases from the suite's other files: equal ones are duplicates too. */
function rememberCases(suite: Suite, seen: SeenTexts, target: string, cwd: string): void {
  for (const { vars, at } of suite.cases()) {
    if (resolve(cwd, at.file) !== target) seen.add(textOf(vars));
  }
}

/** The values of variables, without names. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  return isMap(value) ? Object.values(value).map(textOf).join('\n') : String(value);
}

/** True if another version of the prompt needs variables that are missing here. */
function needsOnly({ prompts }: Suite, own: PromptVersion, vars: Readonly<Record<string, unknown>>): boolean {
  return prompts.some(
    (prompt) =>
      prompt !== own &&
      prompt.messages.some(({ template }) =>
        template.variables.some((path) => !Object.hasOwn(vars, /^[^.[]+/.exec(path)?.[0] ?? path)),
      ),
  );
}

function nothingFound(
  shown: string,
  { refused, exact, near }: TraceCounts,
  { format, found }: { readonly format: TraceFormat; readonly found: TraceFormat | undefined },
): UserError {
  const reasons = [...refused].map(([reason, { count, first }]) => `${count} left out: ${reason} (first at ${first})`);
  if (exact + near > 0) reasons.push(`${exact + near} are duplicates of cases of the suite`);
  const message = `no call in ${shown} can become a case`;
  const isOther = found !== undefined && found !== format;
  const none = `the file holds no call of a model with its messages${
    isOther ? `; it looks like one for llmcheck import ${found}` : ''
  }`;
  const hint = reasons.length === 0 ? none : reasons.join('; ');
  return new UserError({ code: 'not-carried-over', message, hint });
}
