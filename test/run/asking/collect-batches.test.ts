import { describe, expect, test } from 'vitest';
import { cacheKey } from '../../../src/cache/cache-key.ts';
import type { BatchAnswers } from '../../../src/calls/run-batches.ts';
import { createStop } from '../../../src/calls/stop.ts';
import { UserError } from '../../../src/model/problem.ts';
import type { Cell } from '../../../src/model/run/cell.ts';
import { type BatchHandle, batchHandleFormat } from '../../../src/model/suite/provider.ts';
import type { ProviderConfig } from '../../../src/model/suite/suite.ts';
import { providerKey } from '../../../src/plan/build-plan.ts';
import type { PlannedRun } from '../../../src/plan/plan-run.ts';
import {
  type BatchRun,
  collectBatches,
  describeUnbatched,
  refuseUnbatchable,
} from '../../../src/run/asking/collect-batches.ts';
import { buildCell, buildProvider, buildRequest, buildSuite } from '../../support/build-case.ts';
import { openTempProject } from '../../support/temp-project.ts';

const openai = buildProvider({ id: 'gpt' });
const local = buildProvider({ id: 'local', adapter: 'ollama' });
const replayed = buildProvider({ id: 'replayed', adapter: 'replay' });

const cellOf = (caseId: string, more: Partial<Cell> = {}): Cell =>
  buildCell({
    key: { suite: 'triage', prompt: 'v1', provider: 'gpt', caseId, trial: 0 },
    request: buildRequest({ messages: [{ role: 'user', content: caseId }] }),
    ...more,
  });

function plan(configs: readonly ProviderConfig[], cells: readonly Cell[] = []): PlannedRun {
  const suites = ['triage', 'other'].map((id) => ({ suite: buildSuite([], { id }) }));
  const [first] = configs;
  // The cells are those of the first provider, unless they name another one.
  const isOf = (key: string, { key: { provider } }: Cell) => {
    const own = configs.find(({ id }) => id === provider) ?? first;
    return own !== undefined && providerKey(own) === key;
  };
  return {
    plan: {
      suites,
      providerKeys: configs.map(providerKey),
      cells: (key: string, isWanted = (_suite: string) => true) =>
        cells.filter((cell) => isOf(key, cell) && isWanted(cell.key.suite)),
    },
    providers: new Map(configs.map((config) => [providerKey(config), config])),
    endpointOf: ({ adapter }: ProviderConfig) => ({ adapterVersion: '1', sends: adapter !== 'replay' }),
    // Without a key nothing is sent.
    providerEnv: { env: {}, projectRoot: '/' },
  } as unknown as PlannedRun;
}

describe('--batch is refused, before anything is sent,', () => {
  const problemsOf = (planned: PlannedRun) => {
    try {
      refuseUnbatchable(planned);
      return describeUnbatched(planned);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.problems.map(({ code, message, hint }) => `${code}: ${message} → ${hint}`);
    }
  };
  const agent = { stubs: [], maxSteps: 2 };

  test.each<[string, PlannedRun, readonly string[]]>([
    ['not where every provider has a batch API', plan([openai]), []],
    ['not where nothing is sent', plan([replayed]), []],
    [
      'not where some have none, which are asked live',
      plan([openai, local, replayed]),
      ['provider local has no batch API that llmcheck speaks, so it is asked live, at the live price'],
    ],
    [
      'where none has one',
      plan([local, replayed, buildProvider({ id: 'second', adapter: 'ollama' })]),
      [
        'usage: --batch: no provider of this run has a batch API: local, second → leave it out; batches are known for openai, anthropic, gemini',
      ],
    ],
    [
      'where the only one has none',
      plan([local]),
      [
        'usage: --batch: no provider of this run has a batch API: local → leave it out; batches are known for openai, anthropic, gemini',
      ],
    ],
    [
      'where one case has tools',
      plan([openai], [cellOf('only', { agent })]),
      [expect.stringContaining('case only of suite triage has tools')],
    ],
    [
      'where one case of the second provider has tools',
      plan(
        [openai, local],
        [cellOf('plain'), cellOf('only', { agent, key: { ...cellOf('only').key, provider: 'local' } })],
      ),
      [expect.stringContaining('case only of suite triage has tools')],
    ],
    [
      'where cases have tools, of which the first of each suite is named',
      plan(
        [openai],
        [
          cellOf('plain'),
          cellOf('skipped', { agent, skip: 'later' }),
          cellOf('first', { agent }),
          cellOf('second', { agent }),
          cellOf('third', { agent, key: { ...cellOf('third').key, suite: 'other' } }),
        ],
      ),
      ['first of suite triage', 'third of suite other'].map(
        (of) =>
          `usage: --batch: case ${of} has tools, and each step of an agent waits for the answer before it → leave --batch out, or select suites without tools`,
      ),
    ],
  ])('%s', (_what, planned, expected) => {
    expect(problemsOf(planned)).toEqual(expected);
  });
});

test('a batch is asked for the first requests that nothing else answers', async () => {
  const project = openTempProject();
  const cells = [
    cellOf('asked'),
    cellOf('cached'),
    cellOf('skipped', { skip: 'later' }),
    cellOf('done'),
    cellOf('foreign', { key: { ...cellOf('foreign').key, suite: 'unknown' } }),
  ];
  const run: BatchRun = {
    options: { project: { root: project.root } } as unknown as BatchRun['options'],
    ports: { onProgress: () => undefined } as unknown as BatchRun['ports'],
    planned: plan([openai, local], cells),
    calls: {
      needsNoCall: ({ messages }) => messages[0]?.content === 'cached',
      batchSpendingOf: () => {
        throw new Error('nothing may be sent');
      },
    },
    earlier: { rowOf: ({ caseId }) => (caseId === 'done' ? 0 : undefined) },
    stop: createStop(),
  };
  const added: string[] = [];
  const answers: BatchAnswers = {
    add: (found) => {
      for (const [key, { answer, isSent }] of found) {
        expect([key, isSent, 'failure' in answer && answer.failure.kind]).toEqual([
          cacheKey(cells[0]?.request ?? buildRequest()),
          false,
          'auth',
        ]);
        added.push(key);
      }
    },
    wrap: (next) => next,
  };
  const handle: BatchHandle = {
    format: batchHandleFormat,
    name: 'kept',
    provider: 'gpt',
    endpoint: 'other',
    startedAt: '2026-11-28T08:00:00.000Z',
    keys: [cacheKey(buildRequest())],
    batchIds: ['b1'],
    isConfirmed: true,
  };
  project.write('.llmcheck/batches/kept.json', JSON.stringify(handle));
  const collected = await collectBatches(run, answers);
  expect([added.length, collected.notes]).toEqual([1, []]);
  collected.forgetCollected();
  expect(project.files('.llmcheck')).toEqual(['.llmcheck/batches/kept.json']);
});
