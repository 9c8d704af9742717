import { dirname, join, posix, relative } from 'node:path';
import { defined } from '../../json/defined.ts';
import { hasWorkspace } from '../../model/suite/suite.ts';
import { escapeTemplate } from '../../templates/template.ts';
import { nameSet } from '../../text/name-set.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { type PlacedSkill, type Places, type Skill, type SkillContext } from './skill-file.ts';

export interface BuildContext extends SkillContext {
  readonly skill: Skill;
  readonly places: Places;
  readonly installed: PlacedSkill;
}

/** Builds a suite from evals: one case for each, and a prompt with the skill, compared with a prompt without it. */
export async function buildEvals(
  items: readonly Located[],
  context: BuildContext,
): Promise<Readonly<Record<string, unknown>>> {
  const { problems, config } = context;
  // Evals name no judge, so the first judge of the config is used.
  const judge = config.judges.length > 1 ? config.judges[0]?.id : undefined;
  const built = await Promise.all(items.map((item, index) => buildCase(item, index, judge, context)));
  const cases = built.flatMap((one) => one ?? []);
  const asks = cases.some(({ assert }) => assert?.some((check) => Object.hasOwn(check, 'rubric')) === true);
  const [first] = items;
  if (asks && config.judges.length === 0 && first !== undefined) {
    problems.report({
      code: 'unknown-id',
      message: 'a judge decides whether an expectation is met, and no config has judges',
      hint: 'add judges: [openai:gpt-4o] to llmcheck.config.yaml, another model than the one under test',
      at: locate(first),
    });
  }
  warnOfUnread(items, problems);
  return { prompts: buildPrompts(context), cases };
}

/** An agent finds the skill in its workspace, and loads it or not. A model is sent its text. */
function buildPrompts({ skill, installed }: BuildContext): readonly object[] {
  const { agents, models, workspace } = installed;
  const hasBoth = agents.length > 0 && models.length > 0;
  const ofAgents = [{ role: 'user', content: '{{ prompt }}{{ paths }}' }];
  const ofModels = [{ role: 'user', content: '{{ prompt }}{{ files }}' }];
  const instructions = { role: 'system', content: escapeTemplate(skill.text) };
  const pair = (suffix: string, providers: readonly string[], without: object, withSkill: object) => {
    const assigned = hasBoth ? { providers } : {};
    const id = `without-skill${suffix}`;
    return [
      { id, ...without, ...assigned },
      { id: `with-skill${suffix}`, replaces: id, ...withSkill, ...assigned },
    ];
  };
  return [
    ...(agents.length === 0 ? [] : pair('', agents, { messages: ofAgents }, { messages: ofAgents, workspace })),
    ...(models.length === 0
      ? []
      : pair(hasBoth ? '-text' : '', models, { messages: ofModels }, { messages: [instructions, ...ofModels] })),
  ];
}

async function buildCase(item: Located, index: number, judge: string | undefined, context: BuildContext) {
  const { places, problems, installed } = context;
  const prompt = findText(item, ['prompt', 'query']);
  if (prompt === undefined) {
    const hint = 'give every eval a "prompt"';
    return problems.refuse(item, 'the eval has no prompt', hint);
  }
  const checks = readExpectations(item, judge, problems);
  if (checks.length === 0) {
    const message = 'the eval says nowhere what must hold, so that its answer is shown and not judged';
    const hint = 'give it "expectations": ["…"], or an "expected_output"';
    problems.warn({ code: 'not-carried-over', message, hint, at: locate(item) });
  }
  places.add(['cases', index], item);
  places.add(['cases', index, 'vars', 'prompt'], prompt);
  for (const [at, { written }] of checks.entries()) places.add(['cases', index, 'assert', at], written);
  const category = findText(item, ['category'])?.value;
  const found = await findEvalFiles(childOf(item, 'files'), context);
  const placed = installed.agents.length === 0 || found.length === 0 ? undefined : placeEvalFiles(found, context);
  return {
    id: idOf(item, index),
    ...defined({
      description: findText(item, ['name', 'eval_name', 'title'])?.value,
      tags: category === undefined ? undefined : [category],
    }),
    vars: {
      prompt: prompt.value,
      ...defined({
        files: installed.models.length === 0 ? undefined : writeFiles(found, context),
        paths: installed.agents.length === 0 ? undefined : writePaths(found),
      }),
    },
    ...defined({
      workspace: placed,
      expected: findText(item, ['expected_output'])?.value,
      observe: checks.length === 0 ? true : undefined,
      assert: checks.length === 0 ? undefined : checks.map(({ check }) => check),
    }),
  };
}

/** The keys under which evals list expectations. A file uses one or two of them. */
export const expectationKeys = [
  'expectations',
  'assertions',
  'expect',
  'expected_behavior',
  'scorers',
  'criteria',
] as const;

const readKeys = [
  ...nameSet('id name eval_name title prompt query expected_output files category'),
  ...expectationKeys,
];

/** Keys without expectations. */
const remarkKeys = nameSet(`
  description notes note comment rationale reason tags skill skills difficulty priority type kind language version author
  source weight split`);

/** Warns of each unread key with the number of evals that have it, because it may contain checks. */
export function warnOfUnread(items: readonly Located[], problems: Problems, known: readonly string[] = readKeys): void {
  const found = new Map<string, { readonly at: Located; count: number }>();
  for (const item of items) {
    for (const key of Object.keys(item.value ?? {})) {
      if (known.includes(key) || remarkKeys.has(key)) continue;
      const unread = found.get(key) ?? { at: childOf(item, key), count: 0 };
      unread.count += 1;
      found.set(key, unread);
    }
  }
  for (const [key, { at, count }] of found) {
    const message = `"${key}" is not read, in ${count} of ${items.length} evals`;
    const hint = didYouMean(key, known) ?? 'write what it demands as an item of expectations';
    problems.warn({ code: 'not-carried-over', message, hint, at: locate(at, 'key') });
  }
}

export function findText(item: Located, keys: readonly string[]): Located<string> | undefined {
  return keys
    .map((key) => childOf(item, key))
    .find((found): found is Located<string> => typeof found.value === 'string' && found.value.trim() !== '');
}

export function idOf(item: Located, index: number): string {
  const id = childOf(item, 'id').value;
  const given = typeof id === 'number' || (typeof id === 'string' && id !== '') ? String(id) : undefined;
  return given ?? findText(item, ['name', 'eval_name'])?.value ?? String(index + 1);
}

const textKeys = ['text', 'expectation', 'assertion', 'description', 'criterion', 'statement', 'check', 'requirement'];

interface Expectation {
  readonly check: Readonly<Record<string, unknown>>;
  readonly written: Located;
}

/** The checks of an eval. Without a list of expectations, a judge checks its expected output. */
function readExpectations(written: Located, judge: string | undefined, problems: Problems): Expectation[] {
  const found: Expectation[] = [];
  const earlier = problems.errorCount();
  for (const key of expectationKeys) {
    const list = childOf(written, key);
    if (list.value === undefined || list.value === null) continue;
    if (isText(list.value)) {
      found.push({ check: askJudge(list.value, judge), written: list });
      continue;
    }
    if (!Array.isArray(list.value)) {
      problems.refuse(list, `${key} must be a list`);
      continue;
    }
    for (const item of itemsOf(list)) {
      const check = readExpectation(item, judge);
      if (check !== undefined) found.push({ check, written: item });
      else {
        const hint = 'write a text, or a map with text or description';
        problems.refuse(item, `an item of ${key} has no text`, hint);
      }
    }
  }
  const expected = childOf(written, 'expected_output');
  if (found.length > 0 || problems.errorCount() > earlier || !isText(expected.value)) return found;
  const check = askJudge(`The answer is what this description of the result asks for: ${expected.value}`, judge);
  return [{ check, written: expected }];
}

function readExpectation(item: Located, judge: string | undefined): Expectation['check'] | undefined {
  if (isText(item.value)) return askJudge(item.value, judge);
  const name = ['name', 'id'].map((key) => childOf(item, key).value).find(isText);
  const check = readTyped(item) ?? readText(item, judge);
  return check && { ...check, ...defined({ name }) };
}

const typedKeys: ReadonlySet<string> = new Set(['type', 'pattern', 'value', 'name', 'id', 'weight', ...textKeys]);

/** Reads forms that need no judge. Another key, such as `negate`, may change their meaning. */
function readTyped(item: Located): Expectation['check'] | undefined {
  if (!Object.keys(item.value ?? {}).every((key) => typedKeys.has(key))) return undefined;
  const [type, pattern, value] = ['type', 'pattern', 'value'].map((key) => childOf(item, key).value);
  if (type === 'regex' && isText(pattern)) return notEmpty({ regex: escapeTemplate(pattern) });
  if (type === 'contains' && isText(value)) return { contains: escapeTemplate(value) };
  if (type === 'not_contains' && isText(value)) return notEmpty({ not: { contains: escapeTemplate(value) } });
  return undefined;
}

/** Adds a check against an empty answer, which matches many patterns and contains nothing forbidden. */
function notEmpty(check: Expectation['check']): Expectation['check'] {
  return { allOf: [check, { regex: '\\S' }] };
}

function readText(item: Located, judge: string | undefined): Expectation['check'] | undefined {
  const text = textKeys.map((key) => childOf(item, key).value).find(isText);
  return text === undefined ? undefined : askJudge(text, judge);
}

function askJudge(text: string, judge: string | undefined): Expectation['check'] {
  return { rubric: { value: escapeTemplate(text), ...defined({ judge }) } };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

/** A file that goes with the prompt of an eval. */
interface EvalFile {
  /** The path as the eval names it. If the eval names a folder, the path of the file in it follows. */
  readonly shown: string;
  /** Absolute. */
  readonly path: string;
  readonly written: Located;
}

interface FilesContext extends SkillContext {
  readonly skill: Skill;
}

/** The files that an eval names, including files in named folders. Reports missing ones. */
async function findEvalFiles(list: Located, context: FilesContext): Promise<readonly EvalFile[]> {
  const found = await Promise.all(itemsOf(list).map((item) => findOne(item, context)));
  return found.flat();
}

async function findOne(item: Located, context: FilesContext): Promise<readonly EvalFile[]> {
  const { skill, files, problems } = context;
  const written = typeof item.value === 'string' ? item : childOf(item, 'path');
  const { value: shown } = written;
  if (typeof shown !== 'string') {
    const message = 'files must be a list of paths, or of maps with a path';
    problems.refuse(item, message);
    return [];
  }
  if (isOfSkill(shown, skill, context)) {
    const message = `${shown} is a part of the skill, which the version without it does not get`;
    problems.warn({ code: 'not-carried-over', message, at: locate(written) });
    return [];
  }
  // Paths may begin with a former folder of the skill.
  const names = [shown, toSlashes(shown).replace(/^[^/]*\//, '')];
  const bases = [skill.folder, written.source.folder, dirname(written.source.folder)];
  const candidates = [...new Set(names.flatMap((name) => bases.map((base) => join(base, name))))];
  for (const path of candidates) {
    if (files.hash(path) !== undefined) return [{ shown, path, written }];
    const { paths } = await files.glob(['**/*'], path);
    if (paths.length === 0) continue;
    return paths.map((one) => ({ shown: posix.join(shown, toSlashes(relative(path, one))), path: one, written }));
  }
  problems.report({
    code: 'file-unreadable',
    message: `the file ${shown} of the eval is not there`,
    hint: `paths start from the folder of SKILL.md: looked for ${candidates.map((path) => files.display(path)).join(', ')}`,
    at: locate(written),
  });
  return [];
}

/**
 * True for files of the skill, which need not be added. A model gets SKILL.md anyway, and an agent has the installed
 * skill.
 */
function isOfSkill(shown: string, { folder }: Skill, { config, files }: FilesContext): boolean {
  const [first = ''] = posix.normalize(toSlashes(shown)).split('/');
  if (files.hash(join(folder, shown)) === undefined && !/^(?:references|scripts)$/.test(shown)) return false;
  return /^SKILL\.md$/i.test(shown) || (/^(?:references|scripts)$/.test(first) && config.providers.every(hasWorkspace));
}

/** For a model: the text of each file, as blocks after the prompt. */
function writeFiles(found: readonly EvalFile[], { files, problems }: FilesContext): string {
  const blocks = found.map(({ shown, path, written }) => {
    const read = files.readText(path);
    if ('text' in read) return `<file path=${JSON.stringify(shown)}>\n${read.text}\n</file>`;
    problems.warn({
      code: 'not-carried-over',
      message: `${shown} is no text, so that only its path is sent`,
      hint: 'run the evals with an agent that has a workspace',
      at: locate(written),
    });
    return `<file path=${JSON.stringify(shown)}/>`;
  });
  return blocks.map((block) => `\n\n${block}`).join('');
}

/** The paths of the files in an agent's workspace. */
function writePaths(found: readonly EvalFile[]): string {
  const paths = found.map(({ shown }) => `\n- ${pathInWorkspace(shown)}`);
  return paths.length === 0 ? '' : `\n\nFiles in the working folder:${paths.join('')}`;
}

function placeEvalFiles(found: readonly EvalFile[], { suiteFolder }: FilesContext): Readonly<Record<string, string>> {
  return Object.fromEntries(
    found.map(({ shown, path }) => [pathInWorkspace(shown), toSlashes(relative(suiteFolder, path))]),
  );
}

/**
 * Keeps the path that the eval names, because its prompt may name it too. A path that leaves the folder begins at its
 * first name.
 */
function pathInWorkspace(shown: string): string {
  return posix.normalize(toSlashes(shown)).replace(/^(?:\.{0,2}\/)+/, '');
}
