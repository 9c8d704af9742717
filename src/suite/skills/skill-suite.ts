import { defined } from '../../json/defined.ts';
import { loadTemplateEngine } from '../../templates/template.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { readDocument } from '../documents/read-document.ts';
import { createPlaces } from './built-document.ts';
import { placeSkill } from './placed-skill.ts';
import { buildEvals } from './skill-evals.ts';
import { findSkill, type SkillContext } from './skill-file.ts';
import { buildTriggers } from './trigger-evals.ts';

/** Makes a suite document of the evals of a skill; what is wrong is reported at its place in their file. */
export async function readSkillSuite(path: string, context: SkillContext): Promise<Located | undefined> {
  const { files, problems, config } = context;
  const document = await readDocument(path, files, problems);
  if (document === undefined) return undefined;
  const list = findList(document, problems);
  if (list === undefined) return undefined;
  const written = childOf(document, 'skill_name').value;
  const name = typeof written === 'string' && written !== '' ? written : undefined;
  const skill = await findSkill(path, name, document, { files, problems });
  if (skill === undefined) return undefined;
  if (config.providers.length === 0) {
    problems.report({
      code: 'invalid-value',
      message: 'the evals of a skill name no model, and no config has providers',
      hint: 'add providers: [anthropic:claude-sonnet-4-5], or an agent as exec:…, to llmcheck.config.yaml',
      at: locate(document),
    });
    return undefined;
  }
  // The text of a skill may hold braces, which are escaped by a tag of the engine.
  await loadTemplateEngine();
  const places = createPlaces();
  const items = itemsOf(list);
  const isTrigger = items.some((item) => childOf(item, 'should_trigger').value !== undefined);
  const build = isTrigger ? buildTriggers : buildEvals;
  const errorsBefore = problems.errorCount();
  const installed = await placeSkill(path, skill, document, context);
  const suite = await build(items, { ...context, skill, places, installed });
  if (problems.errorCount() > errorsBefore) return undefined;
  const description = childOf(document, 'description').value;
  const value = {
    suite: isTrigger ? `${skill.name}-trigger` : skill.name,
    ...defined({ description: typeof description === 'string' ? description : undefined }),
    ...suite,
  };
  return { value, source: places.toSource(document), path: [] };
}

function findList(document: Located, problems: Problems): Located | undefined {
  const named = ['evals', 'cases', 'test_cases'].map((key) => childOf(document, key));
  const list = Array.isArray(document.value) ? document : named.find(({ value }) => Array.isArray(value));
  if (list !== undefined && Array.isArray(list.value) && list.value.length > 0) return list;
  problems.report({
    code: 'invalid-value',
    message: list === undefined ? 'the file holds no list of evals' : 'the list of evals is empty',
    hint: 'write {"skill_name": …, "evals": [{"id": 1, "prompt": …, "expectations": […]}]}, or [{"query": …, "should_trigger": true}]',
    at: locate(list ?? document),
  });
  return undefined;
}
