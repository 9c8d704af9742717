import { defined } from '../../json/defined.ts';
import { escapeTemplate, loadTemplateEngine } from '../../templates/template.ts';
import { childOf, itemsOf, type Located, type Problems } from '../documents/locate.ts';
import { readDocument } from '../documents/read-document.ts';
import { type BuildContext, buildEvals, expectationKeys, findText, idOf, warnOfUnread } from './skill-evals.ts';
import { createPlaces, findSkill, placeSkill, type SkillContext } from './skill-file.ts';

/** Builds a suite document from a skill's evals. Reports each mistake at its place in their file. */
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
  const errorsBefore = problems.errorCount();
  if (config.providers.length === 0) {
    problems.refuse(
      document,
      'the evals of a skill name no model, and no config has providers',
      'add providers: [anthropic:claude-sonnet-4-5], or an agent as exec:…, to llmcheck.config.yaml',
    );
  }
  // A skill's text may contain braces, which a tag of the engine escapes.
  await loadTemplateEngine();
  const places = createPlaces();
  const items = itemsOf(list);
  const has = (key: string) => items.some((item) => childOf(item, key).value !== undefined);
  const isTrigger = has('should_trigger') && !expectationKeys.some(has);
  const build = isTrigger ? buildTriggers : buildEvals;
  const requests = items.flatMap((item) => findText(item, ['prompt', 'query'])?.value ?? []);
  const installed = await placeSkill(path, skill, { document, requests }, context);
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
  const named = ['evals', 'cases', 'test_cases', 'queries'].map((key) => childOf(document, key));
  const list = Array.isArray(document.value) ? document : named.find(({ value }) => Array.isArray(value));
  if (list !== undefined && Array.isArray(list.value) && list.value.length > 0) return list;
  return problems.refuse(
    list ?? document,
    list === undefined ? 'the file holds no list of evals' : 'the list of evals is empty',
    'write {"skill_name": …, "evals": [{"id": 1, "prompt": …, "expectations": […]}]}, or [{"query": …, "should_trigger": true}]',
  );
}

/** The class of a request that needs no skill. */
const none = 'none';

/**
 * Builds a suite that counts the requests for which the skill is loaded. The model knows only its name and description.
 */
function buildTriggers(items: readonly Located[], context: BuildContext): Readonly<Record<string, unknown>> {
  const { skill, places, problems } = context;
  warnOfUnread(items, problems, ['id', 'name', 'query', 'prompt', 'should_trigger', 'category']);
  const cases = items.flatMap((item, index) => {
    const query = findText(item, ['query', 'prompt']);
    const should = childOf(item, 'should_trigger').value;
    if (query === undefined || typeof should !== 'boolean') {
      const message = query === undefined ? 'the eval has no query' : 'should_trigger must be true or false';
      problems.refuse(item, message);
      return [];
    }
    places.add(['cases', index], item);
    places.add(['cases', index, 'vars', 'query'], query);
    return [{ id: idOf(item, index), vars: { query: query.value }, expected: should ? skill.name : none }];
  });
  const about = `You may load a skill before you work on a request. Load one only if its description fits the request.

Skills:
- ${skill.name}: ${skill.description}

Reply with one JSON object and nothing else: {"skill": ${JSON.stringify(skill.name)}} to load it, or {"skill": "${none}"}.`;
  const user = { role: 'user', content: '{{ query }}' };
  const { agents, models, workspace } = context.installed;
  const only = agents.length > 0 && models.length > 0;
  // An agent finds the description of an installed skill by itself.
  const ofAgents = {
    id: 'description',
    messages: [user],
    workspace,
    ...defined({ providers: only ? agents : undefined }),
  };
  const ofModels = {
    id: only ? 'description-text' : 'description',
    messages: [{ role: 'system', content: escapeTemplate(about) }, user],
    ...defined({ providers: only ? models : undefined }),
  };
  return {
    prompts: [...(agents.length > 0 ? [ofAgents] : []), ...(models.length > 0 ? [ofModels] : [])],
    classes: { truth: '{{expected}}', found: 'skill' },
    defaults: { assert: [{ equals: '{{expected}}', select: 'skill' }] },
    cases,
  };
}
