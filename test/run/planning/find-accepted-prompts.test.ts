import { describe, expect, test } from 'vitest';
import type { RunSuitesOptions } from '../../../src/api/options.ts';
import { planWithBaselines } from '../../../src/run/planning/plan-with-baselines.ts';
import { parseQueueUrl } from '../../../src/text/addresses/store-urls.ts';
import { openAccepted, openRunProject, wordsSuite } from '../run-project.ts';

const file = 'evals/words.eval.yaml';

/** What the variants of a run are compared with: state, and what asks it again. */
async function find(
  project: ReturnType<typeof openRunProject>,
  options: RunSuitesOptions = {},
  { queue }: { queue?: string } = {},
) {
  const { options: prepared, ports } = await project.prepare(options);
  const parsed = queue === undefined ? undefined : parseQueueUrl(queue);
  const given = parsed === undefined || 'reason' in parsed ? prepared : { ...prepared, queue: parsed };
  const { acceptedPrompts, planned } = await planWithBaselines(given, ports);
  const found = Array.from(acceptedPrompts, ([key, { state, variant }]) => {
    const why = 'why' in state ? ` ${state.why}` : '';
    const asked =
      variant === undefined
        ? ''
        : ` → ${variant.prompt.id} "${variant.prompt.messages[0]?.template.source}" ${variant.provider.id}/${variant.provider.model}/${variant.provider.pricedAs} ${JSON.stringify(variant.params)}${'baselineOf' in variant.prompt ? ' of a baseline' : ''}`;
    return `${JSON.parse(key).join(' ')}: ${state.is}${why}${asked}`;
  });
  return { found, models: Array.from(planned.providers.values(), ({ id, model }) => `${id}/${model}`) };
}

const second = (more = '') => `, { id: v2, text: "Tell: {{ word }}"${more} }]`;

describe('the prompt that a variant is compared with', () => {
  test('is none without a baseline', async () => {
    expect(await find(openRunProject({ [file]: wordsSuite(1) }))).toEqual({ found: [], models: ['own/model'] });
  });

  test('is the accepted one, which can be asked where it is another', async () => {
    const project = await openAccepted({ [file]: wordsSuite(1) });
    expect((await find(project)).found).toMatchInlineSnapshot(`
      [
        "words v1 own: unchanged → v1 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
      ]
    `);
    project.edit(file, 'Say:', 'Please say:');
    expect(await find(project)).toMatchInlineSnapshot(`
      {
        "found": [
          "words v1 own: askable → v1 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
        ],
        "models": [
          "own/model",
        ],
      }
    `);
    project.edit(file, 'own:model', 'own:other');
    expect(await find(project)).toMatchInlineSnapshot(`
      {
        "found": [
          "words v1 own: askable → v1 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
        ],
        "models": [
          "own/other",
          "own/model",
        ],
      }
    `);
    expect((await find(project, { maxCost: 1 })).found).toMatchInlineSnapshot(`
      [
        "words v1 own: unavailable no price is known for model, so --max-cost can't be held",
      ]
    `);
    expect((await find(project, {}, { queue: 'redis://127.0.0.1:1' })).found).toMatchInlineSnapshot(`
      [
        "words v1 own: unavailable no worker asks model",
      ]
    `);
  });

  test('is that of a version beside it where both are compared on purpose', async () => {
    const project = await openAccepted({ [file]: wordsSuite(1) });
    project.edit(file, ' }]\nproviders', ` }${second()}\nproviders`);
    expect((await find(project)).found).toMatchInlineSnapshot(`
      [
        "words v1 own: unchanged → v1 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
      ]
    `);
    expect((await find(project, { compare: ['v1', 'v2'] })).found).toMatchInlineSnapshot(`
      [
        "words v1 own: unchanged → v1 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
        "words v2 own: askable → v2 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
      ]
    `);
    expect((await find(project, { compare: ['v2', 'v1'] })).found).toMatchInlineSnapshot(`
      [
        "words v1 own: askable → v1 "Tell: {{ word }}" own/model/undefined {"max_tokens":100}",
      ]
    `);
    expect((await find(project, { rerunBaseline: true, prompt: ['v1'] })).found).toMatchInlineSnapshot(`
      [
        "words v1 own: askable → v1 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
      ]
    `);
  });

  test('is that of the replaced version, stored before beside', async () => {
    const replacing = wordsSuite(1).replace(' }]\nproviders', ` }${second(', replaces: v1')}\nproviders`);
    expect((await find(openRunProject({ [file]: replacing }))).found).toMatchInlineSnapshot(`
      [
        "words v2 own: askable → v2 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
      ]
    `);
    expect((await find(openRunProject({ [file]: replacing }), { prompt: ['v2'] })).found).toMatchInlineSnapshot(`[]`);
    const project = await openAccepted({ [file]: wordsSuite(1) });
    project.write(file, replacing.replace('Say:', 'Please say:'));
    expect((await find(project)).found).toMatchInlineSnapshot(`
      [
        "words v1 own: askable → v1 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
        "words v2 own: askable → v2 "Say: {{ word }}" own/model/undefined {"max_tokens":100}",
      ]
    `);
  });

  test('is that of the provider that a candidate would replace', async () => {
    const two = wordsSuite(1).replace('}]\ndefaults', '}, { id: new, use: "own:newer" }]\ndefaults');
    const project = openRunProject({ [file]: two });
    expect((await find(project, { swap: ['own=new'] })).found).toMatchInlineSnapshot(`
      [
        "words v1 new: askable → v1 "Say: {{ word }}" new/model/own {"max_tokens":100}",
      ]
    `);
    expect((await find(project)).found).toEqual([]);
    // Also where answers of both were accepted.
    const accepted = await openAccepted({ [file]: two });
    expect((await find(accepted, { swap: ['own=new'] })).found.at(-1)).toMatch(
      /^words v1 new: askable → v1 .* new\/model\/own /,
    );
    expect((await find(accepted)).found.at(-1)).toMatch(/^words v1 new: unchanged → /);
  });

  test('is that of its own provider where the baseline runs again', async () => {
    const two = wordsSuite(1).replace('}]\ndefaults', '}, { id: new, use: "own:newer" }]\ndefaults');
    const project = await openAccepted({ [file]: two });
    project.edit(file, 'Say:', 'Please say:');
    expect((await find(project, { rerunBaseline: true })).found).toEqual([
      expect.stringMatching(/^words v1 own: askable → v1 "Say: .* own\/model\//),
      expect.stringMatching(/^words v1 new: askable → v1 "Say: .* new\/newer\//),
    ]);
  });

  test('is no version beside it that runs no case', async () => {
    const replacing = wordsSuite(1, '', () => ', prompts: [v2]').replace(
      ' }]\nproviders',
      ` }${second(', replaces: v1')}\nproviders`,
    );
    expect((await find(openRunProject({ [file]: replacing }))).found).toEqual([]);
  });
});
