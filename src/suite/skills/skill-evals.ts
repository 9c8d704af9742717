import { defined } from '../../json/defined.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { Places } from './built-document.ts';
import { findEvalFiles, placeEvalFiles, writeFiles, writePaths } from './eval-files.ts';
import { expectationKeys, readExpectations } from './expectations.ts';
import type { PlacedSkill } from './placed-skill.ts';
import { literal, type Skill, type SkillContext } from './skill-file.ts';

export interface BuildContext extends SkillContext {
  readonly skill: Skill;
  readonly places: Places;
  readonly installed: PlacedSkill;
}

/** A suite of the evals: a case for each, and a prompt with the skill that is compared with one without it. */
export async function buildEvals(
  items: readonly Located[],
  context: BuildContext,
): Promise<Readonly<Record<string, unknown>>> {
  const { problems, config } = context;
  // Evals name no judge: of several, the first one of the config.
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
  const only = agents.length > 0 && models.length > 0;
  const ofAgents = [{ role: 'user', content: '{{ prompt }}{{ paths }}' }];
  const ofModels = [{ role: 'user', content: '{{ prompt }}{{ files }}' }];
  const instructions = { role: 'system', content: literal(skill.text) };
  const pair = (suffix: string, providers: readonly string[], without: object, withSkill: object) => {
    const on = only ? { providers } : {};
    const id = `without-skill${suffix}`;
    return [
      { id, ...without, ...on },
      { id: `with-skill${suffix}`, replaces: id, ...withSkill, ...on },
    ];
  };
  return [
    ...(agents.length === 0 ? [] : pair('', agents, { messages: ofAgents }, { messages: ofAgents, workspace })),
    ...(models.length === 0
      ? []
      : pair(only ? '-text' : '', models, { messages: ofModels }, { messages: [instructions, ...ofModels] })),
  ];
}

async function buildCase(item: Located, index: number, judge: string | undefined, context: BuildContext) {
  const { places, problems, installed } = context;
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
  const found = await findEvalFiles(childOf(item, 'files'), context);
  const placed = installed.agents.length === 0 || found.length === 0 ? undefined : placeEvalFiles(found, context);
  return {
    id: idOf(item, index),
    ...defined({ description: findText(item, ['name', 'eval_name', 'title'])?.value }),
    ...(category === undefined ? {} : { tags: [category] }),
    vars: {
      prompt: prompt.value,
      ...(installed.models.length === 0 ? {} : { files: writeFiles(found, context) }),
      ...(installed.agents.length === 0 ? {} : { paths: writePaths(found) }),
    },
    ...defined({ workspace: placed }),
    ...defined({ expected: findText(item, ['expected_output'])?.value }),
    ...defined({
      observe: checks.length === 0 ? true : undefined,
      assert: checks.length === 0 ? undefined : checks.map(({ check }) => check),
    }),
  };
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
