import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RunSuitesOptions } from '../../src/api/options.ts';
import { forecastRun } from '../../src/run/dry-run.ts';
import { openAccepted, openRunProject, wordsSuite } from './run-project.ts';

const file = 'evals/words.eval.yaml';
type Project = ReturnType<typeof openRunProject>;

/** The forecasts of the variants, each with what fresh trials may spend in all. */
async function forecast(project: Project, options: RunSuitesOptions = {}) {
  const prepared = await project.prepare(options);
  const { variants, fresh } = await forecastRun(prepared.options, prepared.ports);
  return variants.map((variant) => ({ ...variant, fresh }));
}

describe('a dry run', () => {
  test('counts the requests of each variant and bounds their cost, without a baseline', async () => {
    const project = openRunProject({ [file]: wordsSuite(3, '', (word) => (word === 'w01' ? ', skip: later' : '')) });
    expect(await forecast(project, { trials: 2 })).toMatchInlineSnapshot(`
      [
        {
          "answered": 0,
          "boundUsd": 0.000864,
          "cells": 6,
          "expected": undefined,
          "fresh": {
            "calls": 200,
            "usd": 0.043199999999999995,
          },
          "inputTokens": 16,
          "judgeBoundUsd": undefined,
          "judgeRequests": 0,
          "prompt": "v1",
          "provider": "own",
          "requests": 4,
          "skipped": 2,
          "suite": "words",
          "uncounted": [],
          "uncountedJudges": [],
        },
      ]
    `);
    expect(project.files('.llmcheck')).toEqual([]);
  });

  test('counts first requests that the cache answers, as far as the mode reads it', async () => {
    const project = openRunProject({ [file]: wordsSuite(3) });
    await project.go({ filter: ['w01'] });
    const modes = ['use', 'replay', 'refresh', 'off'] as const;
    const found = await Promise.all(modes.map(async (cache) => (await forecast(project, { cache }))[0]));
    expect(
      found.map((one) => [one?.answered, one?.requests, one?.fresh.calls, one?.boundUsd, one?.fresh.usd]),
    ).toMatchInlineSnapshot(`
      [
        [
          1,
          2,
          200,
          0.000432,
          0.043199999999999995,
        ],
        [
          1,
          2,
          0,
          0.000432,
          undefined,
        ],
        [
          0,
          3,
          200,
          0.0006479999999999999,
          0.043199999999999995,
        ],
        [
          0,
          3,
          200,
          0.0006479999999999999,
          0.043199999999999995,
        ],
      ]
    `);
  });

  test('expects what the accepted answers of a case used, else those of all cases', async () => {
    const project = await openAccepted({ [file]: wordsSuite(3) });
    project.edit(file, 'cases:\n', 'cases:\n  - { id: new, vars: { word: new } }\n');
    const [all] = await forecast(project);
    expect(all?.expected).toMatchInlineSnapshot(`
      {
        "costUsd": 0.00008,
        "inputTokens": 40,
        "outputTokens": 20,
      }
    `);
    project.edit(
      'evals/words.baseline.jsonl',
      /"inputTokens":10,"outputTokens":5/g,
      '"inputTokens":40,"outputTokens":20',
    );
    expect((await forecast(project))[0]?.expected).toMatchInlineSnapshot(`
      {
        "costUsd": 0.00032,
        "inputTokens": 160,
        "outputTokens": 80,
      }
    `);
    project.edit(
      'evals/words.baseline.jsonl',
      /("caseId":"w00".*?)"inputTokens":40,"outputTokens":20/g,
      '$1"inputTokens":10,"outputTokens":5',
    );
    expect((await forecast(project, { filter: ['w00'] }))[0]?.expected).toMatchInlineSnapshot(`
      {
        "costUsd": 0.00002,
        "inputTokens": 10,
        "outputTokens": 5,
      }
    `);
    expect((await forecast(project, { filter: ['new'] }))[0]?.expected).toMatchInlineSnapshot(`
      {
        "costUsd": 0.00006,
        "inputTokens": 30,
        "outputTokens": 15,
      }
    `);
    project.edit(file, 'prompts: [', 'prompts: [{ id: v2, replaces: v1, text: "Tell: {{ word }}" }, ');
    expect((await forecast(project, { filter: ['w00'], prompt: ['v2'] }))[0]?.expected).toMatchInlineSnapshot(`
      {
        "costUsd": 0.00002,
        "inputTokens": 10,
        "outputTokens": 5,
      }
    `);
    expect((await forecast(project, { filter: ['new'], prompt: ['v2'] }))[0]?.expected).toMatchInlineSnapshot(`
      {
        "costUsd": 0.00006,
        "inputTokens": 30,
        "outputTokens": 15,
      }
    `);
    project.edit(file, 'replaces: v1, ', '');
    expect((await forecast(project, { prompt: ['v2'] }))[0]?.expected).toBeUndefined();
  });

  test('expects no cost of a model without a price, and bounds none', async () => {
    const project = await openAccepted({ [file]: wordsSuite(2) });
    project.edit(file, ', price: { input: 1, output: 2 }', '');
    expect(await forecast(project)).toMatchInlineSnapshot(`
      [
        {
          "answered": 0,
          "boundUsd": undefined,
          "cells": 2,
          "expected": {
            "costUsd": undefined,
            "inputTokens": 20,
            "outputTokens": 10,
          },
          "fresh": {
            "calls": 200,
            "usd": undefined,
          },
          "inputTokens": 8,
          "judgeBoundUsd": undefined,
          "judgeRequests": 0,
          "prompt": "v1",
          "provider": "own",
          "requests": 2,
          "skipped": 0,
          "suite": "words",
          "uncounted": [
            "own: model has no price",
          ],
          "uncountedJudges": [],
        },
      ]
    `);
    project.edit(file, ', params: { max_tokens: 100 }', ', price: { input: 1, output: 2 }');
    expect((await forecast(project))[0]?.uncounted).toMatchInlineSnapshot(`
      [
        "own: model has no limit on output tokens",
      ]
    `);
  });

  test('expects no cost where an answer reported none, though others did', async () => {
    const project = await openAccepted({ [file]: wordsSuite(2) });
    project.edit(file, ', price: { input: 1, output: 2 }', '');
    project.edit(file, 'cases:\n', 'cases:\n  - { id: new, vars: { word: new } }\n');
    project.edit('evals/words.baseline.jsonl', /("caseId":"w00".*?"outputTokens":5)/g, '$1,"costUsd":0.5');
    const costOf = async (id: string) => (await forecast(project, { filter: [id] }))[0]?.expected?.costUsd;
    expect([await costOf('w00'), await costOf('new')]).toEqual([0.5, undefined]);
  });

  test('bounds judges, conversations and fresh trials on their own', async () => {
    const more = `judges: [{ id: strict, use: "own:judge", price: { input: 1, output: 1 }, params: { max_tokens: 10 } }, { id: free, use: "own:free" }]`;
    const project = openRunProject({
      [file]: wordsSuite(3, more, (word) =>
        word === 'w00'
          ? ', assert: [{ rubric: { value: short, judge: strict } }]'
          : word === 'w01'
            ? ', observe: true, turns: [{ user: and now }], assert: [{ rubric: { value: short, judge: free } }]'
            : '',
      ),
    });
    expect(await forecast(project)).toMatchInlineSnapshot(`
      [
        {
          "answered": 0,
          "boundUsd": 0.000987,
          "cells": 3,
          "expected": undefined,
          "fresh": {
            "calls": 200,
            "usd": 0.9351000000000002,
          },
          "inputTokens": 12,
          "judgeBoundUsd": 0.01827,
          "judgeRequests": 4,
          "prompt": "v1",
          "provider": "own",
          "requests": 4,
          "skipped": 0,
          "suite": "words",
          "uncounted": [],
          "uncountedJudges": [
            "free has no price",
          ],
        },
      ]
    `);
    project.edit(
      file,
      '{ id: v1, text: "Say: {{ word }}" }',
      '{ id: v1, text: "Say: {{ word }}" }, { id: v2, text: "Tell: {{ word }}" }',
    );
    project.edit(file, 'judges:', 'gate: { confirm: { budget: 50% } }\njudges:');
    expect(await forecast(project)).toMatchInlineSnapshot(`
      [
        {
          "answered": 0,
          "boundUsd": 0.000987,
          "cells": 3,
          "expected": undefined,
          "fresh": {
            "calls": 4,
            "usd": 0.018703000000000004,
          },
          "inputTokens": 12,
          "judgeBoundUsd": 0.01827,
          "judgeRequests": 4,
          "prompt": "v1",
          "provider": "own",
          "requests": 4,
          "skipped": 0,
          "suite": "words",
          "uncounted": [],
          "uncountedJudges": [
            "free has no price",
          ],
        },
        {
          "answered": 0,
          "boundUsd": 0.000991,
          "cells": 3,
          "expected": undefined,
          "fresh": {
            "calls": 4,
            "usd": 0.018703000000000004,
          },
          "inputTokens": 15,
          "judgeBoundUsd": 0.01827,
          "judgeRequests": 4,
          "prompt": "v2",
          "provider": "own",
          "requests": 4,
          "skipped": 0,
          "suite": "words",
          "uncounted": [],
          "uncountedJudges": [
            "free has no price",
          ],
        },
      ]
    `);
  });

  test('bounds the dearer side of fresh trials, which may have another model', async () => {
    const project = await openAccepted({ [file]: wordsSuite(2) });
    project.edit(file, 'Say:', 'Please say very clearly:');
    const [edited] = await forecast(project);
    expect([edited?.fresh.calls, edited?.fresh.usd, edited?.boundUsd]).toMatchInlineSnapshot(`
      [
        200,
        0.0472,
        0.000472,
      ]
    `);
    project.edit(file, 'own:model', 'own:other');
    expect(await forecast(project)).toMatchInlineSnapshot(`
      [
        {
          "answered": 0,
          "boundUsd": 0.000472,
          "cells": 2,
          "expected": {
            "costUsd": 0.00004,
            "inputTokens": 20,
            "outputTokens": 10,
          },
          "fresh": {
            "calls": 200,
            "usd": 0.0472,
          },
          "inputTokens": 18,
          "judgeBoundUsd": undefined,
          "judgeRequests": 0,
          "prompt": "v1",
          "provider": "own",
          "requests": 2,
          "skipped": 0,
          "suite": "words",
          "uncounted": [
            "own: model has no price",
          ],
          "uncountedJudges": [],
        },
      ]
    `);
  });

  test('names each model without a price once, of either side', async () => {
    const project = await openAccepted({ [file]: wordsSuite(2) });
    project.edit(file, 'Say:', 'Please say:');
    project.edit(file, /use: "own:model", price: .*?\}/g, 'use: "own:other"');
    expect((await forecast(project))[0]?.uncounted).toEqual(['own: other has no price', 'own: model has no price']);
  });

  test('sends nothing of a suite that its recordings answer, and counts what they lack', async () => {
    const project = openRunProject({ [file]: wordsSuite(2, 'recordings: words.recordings.jsonl') });
    await project.go({ record: true });
    expect(await forecast(project)).toMatchInlineSnapshot(`
      [
        {
          "answered": 2,
          "boundUsd": 0,
          "cells": 2,
          "expected": {
            "costUsd": 0,
            "inputTokens": 0,
            "outputTokens": 0,
          },
          "fresh": {
            "calls": 0,
            "usd": undefined,
          },
          "inputTokens": 0,
          "judgeBoundUsd": undefined,
          "judgeRequests": 0,
          "prompt": "v1",
          "provider": "own",
          "requests": 0,
          "skipped": 0,
          "suite": "words",
          "uncounted": [],
          "uncountedJudges": [],
        },
      ]
    `);
    project.edit(file, 'cases:\n', 'cases:\n  - { id: new, vars: { word: new } }\n');
    const [lacking] = await forecast(project);
    expect([lacking?.answered, lacking?.requests, lacking?.fresh.calls]).toEqual([2, 1, 0]);
    const [chosen] = await forecast(project, { cache: 'off' });
    expect([chosen?.answered, chosen?.requests, chosen?.fresh.calls]).toEqual([0, 3, 200]);
    const [recorded] = await forecast(project, { record: true });
    expect([recorded?.answered, recorded?.requests, recorded?.fresh.calls]).toEqual([2, 1, 200]);
    rmSync(project.path('.llmcheck'), { recursive: true });
    const [replayed] = await forecast(project, { cache: 'replay' });
    expect([replayed?.answered, replayed?.requests, replayed?.fresh.calls]).toEqual([2, 1, 0]);
  });

  test('asks neither judges nor later turns of a suite whose recordings answer', async () => {
    const project = openRunProject({ [file]: wordsSuite(2, 'recordings: words.recordings.jsonl') });
    await project.go({ record: true });
    project.edit(file, 'recordings:', 'judges: [{ id: strict, use: "own:judge" }]\nrecordings:');
    project.edit(
      file,
      'vars: { word: w00 }',
      'vars: { word: w00 }, assert: [{ rubric: { value: short, judge: strict } }]',
    );
    project.edit(file, 'vars: { word: w01 }', 'vars: { word: w01 }, turns: [{ user: and now }]');
    const [one] = await forecast(project);
    expect([one?.answered, one?.requests, one?.judgeRequests, one?.uncountedJudges]).toEqual([2, 0, 0, []]);
    const [asked] = await forecast(project, { cache: 'off' });
    expect([asked?.answered, asked?.requests, asked?.judgeRequests]).toEqual([0, 3, 2]);
  });

  test('expects for each variant what its own answers used, and for a case that it lacks those of the replaced version', async () => {
    const prompts =
      'prompts: [{ id: v1, text: "Say: {{ word }}" }, { id: v2, replaces: v1, text: "Tell: {{ word }}" }]';
    const suite = wordsSuite(2, '', (word) => (word === 'w01' ? ', prompts: [v1]' : ''))
      .replace(/^prompts: .*$/m, prompts)
      .replace('}]\ndefaults', '}, { id: new, use: "own:newer", price: { input: 1, output: 2 } }]\ndefaults');
    const project = openRunProject({ [file]: suite });
    project.reply = (text, asked, model) => {
      const tokens = (text.startsWith('Tell') ? 100 : 10) + (model === 'newer' ? 1000 : 0) + (asked < 2 ? 0 : 4);
      return { text: text.replace(/^.*: /, ''), usage: { inputTokens: tokens, outputTokens: 1 } };
    };
    await project.go({ updateBaseline: true, cache: 'off', trials: 2 });
    project.edit(file, ', prompts: [v1]', '');
    const found = await Promise.all(
      ['w00', 'w01'].map(async (id) =>
        (await forecast(project, { filter: [id], cache: 'off' })).map(
          ({ prompt, provider, expected }) => `${id} ${prompt} ${provider} ${expected?.inputTokens}`,
        ),
      ),
    );
    expect(found.flat()).toMatchInlineSnapshot(`
      [
        "w00 v2 own 102",
        "w00 v1 own 12",
        "w00 v2 new 1102",
        "w00 v1 new 1012",
        "w01 v1 own 12",
        "w01 v2 own 12",
        "w01 v1 new 1012",
        "w01 v2 new 1012",
      ]
    `);
  });

  test('expects half of the cost of what goes to a batch API', async () => {
    const project = await openAccepted({ [file]: wordsSuite(2) });
    project.edit(file, 'own:model', 'openai:gpt-4o-mini');
    const costs = await Promise.all(
      [false, true].map(async (batch) => (await forecast(project, { batch }))[0]?.expected?.costUsd),
    );
    expect(costs).toEqual([0.00004, 0.00002]);
  });

  test('bounds what goes to a batch API by its price, and a conversation, which is asked live, by the usual one', async () => {
    const suite = `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: 10 } }]
defaults: { vars: { word: w }, assert: [{ equals: w }] }
cases: [{ id: one }, { id: talk, turns: [{ user: and now }] }]
`;
    const project = openRunProject({ [file]: suite });
    const boundOf = async (id: string, batch: boolean) =>
      (await forecast(project, { filter: [id], batch }))[0]?.boundUsd;
    const live = [await boundOf('one', false), await boundOf('talk', false)];
    expect(live).toEqual([expect.any(Number), expect.any(Number)]);
    expect([await boundOf('one', true), await boundOf('talk', true)]).toEqual([(live[0] ?? 0) / 2, live[1]]);
  });

  test('is refused where no provider has a batch API, as the run would be', async () => {
    const project = openRunProject({ [file]: wordsSuite(1) });
    await expect(forecast(project, { batch: true })).rejects.toThrow('no provider of this run has a batch API: own');
  });
});
