import { childOf, type Located, locate } from '../documents/locate.ts';
import { type BuildContext, findText, idOf, warnOfUnread } from './skill-evals.ts';
import { literal } from './skill-file.ts';

/** The class of a request that needs no skill. */
const none = 'none';

/** A suite that counts for which requests the skill is loaded: its name and description are all that the model knows of it. */
export function buildTriggers(items: readonly Located[], context: BuildContext): Readonly<Record<string, unknown>> {
  const { skill, places, problems } = context;
  warnOfUnread(items, problems);
  const cases = items.flatMap((item, index) => {
    const query = findText(item, ['query', 'prompt']);
    const should = childOf(item, 'should_trigger').value;
    if (query === undefined || typeof should !== 'boolean') {
      const message = query === undefined ? 'the eval has no query' : 'should_trigger must be true or false';
      problems.report({ code: 'invalid-value', message, at: locate(item) });
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
  // An agent finds the description of the skill that is installed by itself.
  const ofAgents = { id: 'description', messages: [user], workspace, ...(only ? { providers: agents } : {}) };
  const ofModels = {
    id: only ? 'description-text' : 'description',
    messages: [{ role: 'system', content: literal(about) }, user],
    ...(only ? { providers: models } : {}),
  };
  return {
    prompts: [...(agents.length > 0 ? [ofAgents] : []), ...(models.length > 0 ? [ofModels] : [])],
    classes: { truth: '{{expected}}', found: 'skill' },
    defaults: { assert: [{ equals: '{{expected}}', select: 'skill' }] },
    cases,
  };
}
