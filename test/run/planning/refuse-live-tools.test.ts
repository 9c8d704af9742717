import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/model/problem.ts';
import type { Cell } from '../../../src/model/run/cell.ts';
import type { McpServer } from '../../../src/model/suite/agent.ts';
import type { Plan } from '../../../src/plan/build-plan.ts';
import { refuseLiveTools } from '../../../src/run/planning/refuse-live-tools.ts';
import { buildCell, buildSuite } from '../../support/build-case.ts';
import { openTempProject } from '../../support/temp-project.ts';

const shop: McpServer = { source: 'exec:node shop.js', folder: '/' };

describe('live tools', () => {
  const live = { stubs: [], servers: new Map([['find', shop]]), maxSteps: 10 };

  /** The cells of each suite, by its id. */
  function refusedOf(
    cells: Readonly<Record<string, readonly (Partial<Cell> & { readonly caseId: string })[]>>,
    {
      env = {},
      replayed = [],
      without = [],
    }: { env?: Record<string, string>; replayed?: string[]; without?: string[] },
  ): readonly string[] {
    const suites = Object.keys(cells).map((id) => ({
      suite: buildSuite([], { id, ...(without.includes(id) ? {} : { snapshots: [] }) }),
      variants: [],
      filtered: false,
      selectedCases: 0,
    }));
    const all = Object.entries(cells).flatMap(([suite, own]) =>
      own.map(({ caseId, ...more }) => buildCell({ ...more, key: { ...buildCell().key, suite, caseId } })),
    );
    const plan: Plan = {
      suites,
      cellCount: all.length,
      providerKeys: ['p'],
      cells: (_key, isWanted = () => true) => all.filter(({ key }) => isWanted(key.suite, key.caseId)),
    };
    try {
      refuseLiveTools({ plan }, { answersFromStoreOnly: ({ id }) => replayed.includes(id), env });
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.problems.map(({ message, hint, at }) => `${at?.line}: ${message}; ${hint}`);
    }
  }

  const two = {
    a: [{ caseId: 'stubbed' }, { caseId: 'skipped', agent: live, skip: 'later' }, { caseId: 'x', agent: live }],
    b: [
      { caseId: 'y', agent: live },
      { caseId: 'z', agent: live },
    ],
  };

  const fork = '; select other cases there, or write stubs in place of mcp: live';
  const isFork = ', and this is a pull request from a fork, on which no server is asked';

  test('are asked where nothing speaks against it', () => {
    expect(refusedOf(two, {})).toEqual([]);
    expect(refusedOf(two, { env: { GITHUB_EVENT_NAME: 'push' } })).toEqual([]);
  });

  test('are not asked where stored answers alone answer, at the first such case of each suite', () => {
    const stored = ', and stored answers alone answer this run; write stubs in place of mcp: live';
    expect(refusedOf(two, { replayed: ['b'] })).toEqual([`12: case y of suite b has tools: { mcp: live }${stored}`]);
    expect(refusedOf(two, { replayed: ['a'] })).toEqual([`12: case x of suite a has tools: { mcp: live }${stored}`]);
    expect(refusedOf(two, { replayed: ['a', 'b'] })).toHaveLength(2);
    expect(refusedOf(two, { replayed: ['a', 'b'], without: ['a'] })).toHaveLength(1);
    expect(refusedOf(two, { replayed: ['a', 'b'], without: ['a', 'b'] })).toEqual([]);
    expect(refusedOf({ a: two.a.slice(0, 2) }, { replayed: ['a'] })).toEqual([]);
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['pull request of which no more is known', { GITHUB_EVENT_NAME: 'pull_request' }, true],
    ['pull request from the outside of which no more is known', { GITHUB_EVENT_NAME: 'pull_request_target' }, true],
    ['merge request from a fork', gitlabEnv('7', '8'), true],
    ['merge request of the project', gitlabEnv('7', '7'), false],
  ])('are asked by a %s or not', (_what, env, isRefused) => {
    const own = { a: [{ caseId: 'x', agent: live }] };
    expect(refusedOf(own, { env })).toEqual(
      isRefused ? [`12: case x of suite a has tools: { mcp: live }${isFork}${fork}`] : [],
    );
  });

  test.each<[string, string | undefined, boolean]>([
    ['of the same repository', 'me/shop', false],
    ['of a fork', 'them/shop', true],
    ['without a file of it', undefined, true],
  ])('are asked by a pull request %s or not', (_what, head, isRefused) => {
    const project = openTempProject();
    const pull = { number: 3, head: { repo: { full_name: head } }, base: { ref: 'main' } };
    if (head !== undefined) project.write('event.json', JSON.stringify({ pull_request: pull }));
    const env = {
      GITHUB_REPOSITORY: 'me/shop',
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: project.path('event.json'),
    };
    const own = { a: [{ caseId: 'x', agent: live }] };
    expect(refusedOf(own, { env })).toHaveLength(isRefused ? 1 : 0);
    // A folder can't be read as a file.
    expect(refusedOf(own, { env: { ...env, GITHUB_EVENT_PATH: project.root } })).toHaveLength(1);
  });
});

function gitlabEnv(project: string, target: string): Record<string, string> {
  return {
    GITLAB_CI: 'true',
    CI_PROJECT_ID: project,
    CI_API_V4_URL: 'https://gitlab.example/api/v4',
    CI_COMMIT_SHA: 'a'.repeat(40),
    CI_MERGE_REQUEST_IID: '5',
    CI_MERGE_REQUEST_PROJECT_ID: target,
  };
}
