import { appendFileSync, copyFileSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openViewServer } from '../../../src/cli/view/server.ts';
import type { PageBlock, PageIndex } from '../../../src/model/report/page.ts';
import type { PageRun, PageRunVerdict } from '../../../src/model/report/page-runs.ts';
import { openViewedRuns } from '../../../src/viewing/view-runs.ts';
import { listenTo, openRunProject, openView, runIdsOf, splitAfterFirstCell } from '../../support/open-view.ts';

describe('llmcheck view', () => {
  test('lists the stored runs, the latest first, and shows each as its page has it', { tags: ['slow'] }, async () => {
    const project = await openRunProject(2);
    const view = await openView(project);
    const runs = await view.json<PageRun[]>('/api/runs');
    expect(runs.map(({ state, passed, failed }) => [state, passed, failed])).toEqual([
      ['complete', 1, 1],
      ['complete', 1, 1],
    ]);
    expect(runs[0]?.id).toBe(runIdsOf(project)[1]);
    const id = runs[0]?.id ?? '';
    const index = await view.json<PageIndex>(`/api/run/${id}/index`);
    expect(index.run.id).toBe(id);
    expect(index.suites[0]?.variants[0]?.trend).toHaveLength(2);
    const cell = index.suites[0]?.cases[0]?.cells[0];
    const block = await view.json<PageBlock>(`/api/run/${id}/block/${cell?.block}`);
    expect(block[cell?.item ?? -1]).toMatchObject({ caseId: index.suites[0]?.cases[0]?.id, status: cell?.status });
  });

  test('says of a run what its report says first, and what was compared and checked out', async () => {
    const project = await openRunProject(1);
    const commit = 'c0ffee00'.repeat(5);
    const env = {
      GITHUB_ACTIONS: 'true',
      GITHUB_SHA: commit,
      GITHUB_REF_NAME: 'change',
      GITHUB_REF: 'refs/heads/change',
    };
    const { report } = await project.report(['run'], { env });
    const view = await openView(project);
    const [run] = await view.json<PageRun[]>('/api/runs');
    expect(run).toMatchObject({ id: report.run.id, commit, branch: 'change' });
    expect(await view.json<PageRunVerdict>(`/api/run/${run?.id}/verdict`)).toEqual({
      word: 'failed',
      outcome: 'failed',
      text: expect.stringMatching(/^1 of 2 echo cases fails/),
      against: [],
    });
    expect((await view.get('/api/run/none/verdict')).status).toBe(404);
  });

  test('compares two runs as llmcheck compare does', async () => {
    const project = await openRunProject(2);
    const [a = '', b = ''] = runIdsOf(project);
    const view = await openView(project);
    const index = await view.json<PageIndex>(`/api/compare/${a}/${b}/index`);
    const { report } = await project.report(['compare', a, b]);
    expect(index.verdict.outcome).toBe(report.decision.outcome);
    expect(index.suites[0]?.variants[0]?.comparison?.against.source).toBe(`run ${a}`);
  });

  test('follows a run that is going on', { tags: ['slow'] }, async () => {
    const project = await openRunProject(1);
    const [id = ''] = runIdsOf(project);
    const other = id.replace(/\w{4}$/, 'ffff');
    const [begun, rest] = splitAfterFirstCell(project.read(`.llmcheck/runs/${id}.jsonl`).replaceAll(id, other));
    project.write(`.llmcheck/runs/${other}.jsonl`, begun);
    const view = await openView(project);
    const find = async () => (await view.json<PageRun[]>('/api/runs')).find((run) => run.id === other);
    expect(await find()).toMatchObject({ state: 'running', planned: 2 });
    // A run that says nothing for more than five minutes was killed.
    for (const [minutes, state] of [
      [4, 'running'],
      [6, 'unfinished'],
    ] as const) {
      const then = new Date(Date.now() - minutes * 60_000);
      utimesSync(project.path(`.llmcheck/runs/${other}.jsonl`), then, then);
      expect(await find()).toMatchObject({ state });
    }
    const before = await view.json<PageIndex>(`/api/run/${other}/index`);
    expect(before.totals.passed + before.totals.failed).toBe(1);
    const { next } = await view.listen();
    appendFileSync(project.path(`.llmcheck/runs/${other}.jsonl`), rest);
    expect(await next).toBe(other);
    expect(await find()).toMatchObject({ state: 'complete' });
    const after = await view.json<PageIndex>(`/api/run/${other}/index`);
    expect(after.totals.passed + after.totals.failed).toBe(2);
  });

  test('names a record that cannot be read and shows the others', async () => {
    const project = await openRunProject(1);
    project.write('.llmcheck/runs/20990101-000000-aaaa.jsonl', 'no record\n');
    const view = await openView(project);
    const runs = await view.json<PageRun[]>('/api/runs');
    expect(runs.map(({ state }) => state)).toEqual(['unreadable', 'complete']);
    const { status, body } = await view.get('/api/run/20990101-000000-aaaa/index');
    expect([status, body]).toEqual([422, expect.stringContaining('is not a run record')]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends on %s, open pages or not', async (signal) => {
    const view = await openView(await openRunProject(1));
    await view.listen();
    expect(await view.end(signal)).toBe(signal === 'SIGINT' ? 130 : 143);
    // A connection that was kept open is reset, a new one is refused.
    await expect(view.get('/')).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  });

  test('goes on where the records cannot be read for a while', { tags: ['slow'] }, async () => {
    let looks = 0;
    const states = () => {
      looks += 1;
      if (looks === 2) throw new Error('EIO: i/o error');
      return new Map([['a', `${looks}`]]);
    };
    const runs = { ...openViewedRuns({ root: '/', cwd: '/', env: {}, now: () => new Date() }), states };
    const server = await openViewServer({ runs, token: 'key', port: 0 });
    const url = new URL(server.url);
    const { next } = await listenTo(url, `llmcheck_${url.port}=key`);
    expect([await next, looks]).toEqual(['a', 3]);
    await server.close();
  });

  test('says that a port is taken, or none', async () => {
    const project = await openRunProject(1);
    const view = await openView(project);
    const taken = await project.run(['view', '--port', view.address.port]);
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining('the port is taken')]);
    expect((await project.run(['view', '--port', '70000'])).code).toBe(2);
  });
});

describe('llmcheck view keeps others out', () => {
  test('by a key in the address, which a cookie then takes the place of', async () => {
    const view = await openView(await openRunProject(1));
    expect(view.address.hostname).toBe('127.0.0.1');
    expect(view.address.searchParams.get('token')).toMatch(/^[\w-]{43}$/);
    const entered = await view.get(`/${view.address.search}`, {});
    expect(entered.status).toBe(303);
    expect(entered.headers).toMatchObject({ location: '/' });
    expect(String(entered.headers['set-cookie'])).toMatch(/; HttpOnly; SameSite=Strict$/);
    const page = await view.get('/');
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('data-source="server"')]);
    expect(page.body).not.toContain(view.address.searchParams.get('token'));
  });

  test.each([
    ['no cookie', '/', {}],
    ['no cookie for data', '/api/runs', {}],
    ['no cookie for news', '/api/events', {}],
    ['another cookie', '/api/runs', { cookie: 'llmcheck_1=x' }],
    ['an empty key', '/?token=', {}],
    ['a wrong key', `/?token=${'A'.repeat(43)}`, {}],
  ])('403 for %s', async (_, path, headers) => {
    const view = await openView(await openRunProject(1));
    const { status, body } = await view.get(path, headers);
    expect([status, body]).toEqual([403, expect.stringContaining('llmcheck view')]);
  });

  test.each([
    ['another name that leads here', { host: 'evil.example' }],
    ['its own name at another port', { host: '127.0.0.1:1' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['a frame or script of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ])('403 for %s, with the right cookie', async (_, headers) => {
    const view = await openView(await openRunProject(1));
    const { status } = await view.get('/api/runs', { cookie: view.cookie, ...headers });
    expect(status).toBe(403);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])('405 for %s', async (method) => {
    const view = await openView(await openRunProject(1));
    const { status, headers } = await view.get('/api/runs', { cookie: view.cookie }, method);
    expect([status, headers['allow']]).toEqual([405, 'GET']);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  test.each([
    '/api/run/..%2f..%2fsecret/index',
    '/api/run/%2e%2e%2f%2e%2e%2fsecret/index',
    '/api/run/../../secret.jsonl/index',
    '/../secret.jsonl',
    '/api/run/%2Fetc%2Fpasswd/index',
    '/api/run/latest/index',
    '/api/compare/git:HEAD/latest/index',
    '/api/run/%E0%A4%A/index',
    '/api/run/__proto__/index',
    '/api/run',
    '//[',
    '/index.html',
  ])('404 for %s', async (path) => {
    const project = await openRunProject(1);
    const [id = ''] = runIdsOf(project);
    copyFileSync(project.path(`.llmcheck/runs/${id}.jsonl`), project.path('secret.jsonl'));
    const view = await openView(project);
    expect((await view.get(path)).status).toBe(404);
  });

  test('and its headers forbid to frame, store or script it', async () => {
    const view = await openView(await openRunProject(1));
    const { headers } = await view.get('/');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']*'; .*frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    });
  });

  test('whatever a record is named', { tags: ['slow'] }, async () => {
    const project = await openRunProject(1);
    const [id = ''] = runIdsOf(project);
    for (const name of ['git:main', '<img src=x onerror=alert(1)>', '..%2f..%2fx', 'a b\u202ec']) {
      copyFileSync(project.path(`.llmcheck/runs/${id}.jsonl`), project.path(`.llmcheck/runs/${name}.jsonl`));
    }
    const view = await openView(project);
    const runs = await view.json<PageRun[]>('/api/runs');
    expect(runs).toHaveLength(5);
    for (const run of runs) {
      const index = await view.json<PageIndex>(`/api/run/${encodeURIComponent(run.id)}/index`);
      expect(index.run.id).toBe(id);
      const pair = `${encodeURIComponent(run.id)}/${id}`;
      expect((await view.get(`/api/compare/${pair}/index`)).status).toBe(200);
    }
  });
});
