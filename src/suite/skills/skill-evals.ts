import { join, relative } from 'node:path';
import { defined } from '../../json/defined.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import type { Places } from './built-document.ts';
import { expectationKeys, readExpectations } from './expectations.ts';
import { literal, type Skill, type SkillContext } from './skill-file.ts';

export interface BuildContext extends SkillContext {
  readonly skill: Skill;
  readonly places: Places;
}

/** A suite of the evals: a case for each, and a prompt with the skill that is compared with one without it. */
export function buildEvals(items: readonly Located[], context: BuildContext): Readonly<Record<string, unknown>> {
  const { skill, problems, config } = context;
  // Evals name no judge: of several, the first one of the config.
  const judge = config.judges.length > 1 ? config.judges[0]?.id : undefined;
  const cases = items.flatMap((item, index) => {
    const built = buildCase(item, index, judge, context);
    return built === undefined ? [] : [built];
  });
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
  const user = { role: 'user', content: '{{ prompt }}{{ files }}' };
  return {
    prompts: [
      { id: 'without-skill', messages: [user] },
      {
        id: 'with-skill',
        replaces: 'without-skill',
        messages: [{ role: 'system', content: literal(skill.text) }, user],
      },
    ],
    cases,
  };
}

function buildCase(item: Located, index: number, judge: string | undefined, context: BuildContext) {
  const { places, problems } = context;
  const prompt = findText(item, ['prompt', 'query']);
  if (prompt === undefined) {
    const hint = 'give every eval a "prompt"';
    problems.report({ code: 'invalid-value', message: 'the eval has no prompt', hint, at: locate(item) });
    return undefined;
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
  return {
    id: idOf(item, index),
    ...defined({ description: findText(item, ['name', 'eval_name', 'title'])?.value }),
    ...(category === undefined ? {} : { tags: [category] }),
    vars: { prompt: prompt.value, files: readFiles(childOf(item, 'files'), context) },
    ...defined({ expected: findText(item, ['expected_output'])?.value }),
    ...defined({
      observe: checks.length === 0 ? true : undefined,
      assert: checks.length === 0 ? undefined : checks.map(({ check }) => check),
    }),
  };
}

/** The text of the files that go with a prompt, as one block. */
function readFiles(list: Located, { skill, files, problems }: BuildContext): string {
  const blocks = itemsOf(list).map((item) => {
    if (typeof item.value !== 'string') {
      problems.report({ code: 'invalid-value', message: 'files must be a list of paths', at: locate(item) });
      return '';
    }
    return describeFile(item as Located<string>, skill.folder, files, problems);
  });
  return blocks.map((block) => `\n\n${block}`).join('');
}

function describeFile(item: Located<string>, folder: string, files: ProjectFiles, problems: Problems): string {
  const found = [folder, item.source.folder].map((base) => join(base, item.value));
  for (const path of found) {
    const read = files.readText(path);
    if ('text' in read) return `<file path=${JSON.stringify(item.value)}>\n${read.text}\n</file>`;
    if (files.hash(path) === undefined) continue;
    problems.warn({
      code: 'not-carried-over',
      message: `${item.value} is no text, so that only its path is sent`,
      hint: 'give an agent a workspace that holds it',
      at: locate(item),
    });
    return `<file path=${JSON.stringify(item.value)}/>`;
  }
  const looked = found.map((path) => relative(folder, path)).join(' and ');
  problems.report({
    code: 'file-unreadable',
    message: `the file ${item.value} of the eval is not there`,
    hint: `paths start from the folder of SKILL.md: looked for ${looked}`,
    at: locate(item),
  });
  return '';
}

const readKeys: ReadonlySet<string> = new Set(
  'id name eval_name title prompt query expected_output files category should_trigger'
    .split(' ')
    .concat(expectationKeys),
);

/** Keys that say nothing of what must hold. */
const remarkKeys: ReadonlySet<string> = new Set(
  (
    'description notes note comment rationale reason tags skill skills difficulty priority type kind language version ' +
    'author source weight split'
  ).split(' '),
);

/** Says of each key that is not read how many evals have it: it may hold checks. */
export function warnOfUnread(items: readonly Located[], problems: Problems): void {
  const found = new Map<string, { readonly at: Located; count: number }>();
  for (const item of items) {
    for (const key of Object.keys(item.value ?? {})) {
      if (readKeys.has(key) || remarkKeys.has(key)) continue;
      const known = found.get(key) ?? { at: childOf(item, key), count: 0 };
      known.count += 1;
      found.set(key, known);
    }
  }
  for (const [key, { at, count }] of found) {
    const message = `"${key}" is not read, in ${count} of ${items.length} evals`;
    const hint = 'write what it demands as an item of expectations';
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
