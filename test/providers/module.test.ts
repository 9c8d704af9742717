import { describe, expect, it, onTestFinished } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import type { CompletionOutcome } from '../../src/model/run/completion.ts';
import type { ConnectedProvider } from '../../src/model/suite/provider.ts';
import { module } from '../../src/providers/code/module.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';
import { buildConfig, buildRequest } from './build-request.ts';

type Options = Parameters<typeof buildConfig>[0];

async function connect(project: TempProject, over: Options = {}, env = {}): Promise<ConnectedProvider> {
  const config = buildConfig({ adapter: 'module', model: 'answer.mjs', folder: project.root, ...over });
  const provider = await module.connect(config, { env: { ...process.env, ...env }, projectRoot: project.root });
  onTestFinished(() => provider.close());
  return provider;
}

async function ask(source: string, over: Options = {}, env = {}): Promise<CompletionOutcome> {
  const project = openTempProject();
  const file = over?.model ?? 'answer.mjs';
  project.write(file, source);
  return (await connect(project, over, env)).complete(buildRequest({}), new AbortController().signal);
}

const versionOf = (project: TempProject, options = {}): string =>
  module.resolve(buildConfig({ model: 'answer.mjs', folder: project.root, options }), {
    env: {},
    projectRoot: project.root,
  }).adapterVersion;

describe('a module as a provider', () => {
  it('is given the request and answers with a text', { tags: ['slow'] }, async () => {
    const outcome = await ask('export default ({ messages, caseId }) => `${messages[0].content} ${caseId}`;');
    expect(outcome).toMatchObject({
      status: 'completed',
      attempts: 1,
      completion: { text: 'Hello refund', toolCalls: [] },
    });
  });

  it('in TypeScript answers with all that an answer can have, by a named export', { tags: ['slow'] }, async () => {
    const source = `
      import { usage } from './usage.ts';
      interface Input { readonly params: Record<string, unknown> }
      export const reply = async (_input: Input): Promise<object> =>
        ({ text: '', toolCalls: [{ name: 'find', arguments: { q: 1 } }], usage, model: 'mine' });`;
    const project = openTempProject();
    project.write('answer.ts', source);
    project.write('usage.ts', 'export const usage: object = { inputTokens: 3, outputTokens: 2 };');
    const provider = await connect(project, { model: 'answer.ts', options: { export: 'reply' } });
    expect(await provider.complete(buildRequest({}), new AbortController().signal)).toMatchObject({
      completion: {
        toolCalls: [{ name: 'find', arguments: { q: 1 }, rawArguments: '{"q":1}' }],
        finishReason: 'toolCalls',
        usage: { inputTokens: 3, outputTokens: 2 },
        model: 'mine',
      },
    });
  });

  it('sees only the variables that are named', { tags: ['slow'] }, async () => {
    const source = 'export default () => `${process.env.MY_URL} ${process.env.OPENAI_API_KEY}`;';
    const env = { MY_URL: 'http://x', OPENAI_API_KEY: 'sk-secret-0123' };
    expect(await ask(source, { options: { env: ['MY_URL'] } }, env)).toMatchObject({
      completion: { text: 'http://x undefined' },
    });
    expect(await ask(source, { options: { env: ['NOT_SET_ANYWHERE'] } }, env)).toMatchObject({
      failure: { kind: 'auth' },
      attempts: 0,
    });
  });

  it.each([
    ['throws', 'export default () => { throw new RangeError("too far"); };', 'server', 'RangeError: too far'],
    ['exports nothing', 'export const other = 1;', 'server', 'exports no function "default", only other'],
    ['ends its process', 'export default () => process.exit(3);', 'server', 'ended its process early (exit code 3)'],
    ['answers nothing', 'export default () => undefined;', 'server', 'returned no answer but undefined'],
    ['answers something else', 'export default () => ({ answer: 1 });', 'malformed', 'wrote no answer object'],
    ['leaves a map', 'export default () => ({ text: "", state: { a: new Map() } });', 'server', '"a" is a Map'],
    ['was filtered', 'export default () => ({ text: "", finishReason: "contentFilter" });', 'contentFilter', 'filter'],
  ])('that %s is a failure', { tags: 'slow' }, async (_what, source, kind, message) => {
    const outcome = await ask(source);
    expect(outcome).toMatchObject({
      failure: { kind, message: expect.stringContaining(message) as string },
      attempts: 1,
    });
  });

  it('that takes too much memory is stopped', { tags: ['slow'] }, async () => {
    const source = 'export default () => { const a = []; for (;;) a.push(Buffer.alloc(1e6, 1)); };';
    expect(await ask(source, { options: { memoryMb: 32 } })).toMatchObject({
      failure: { kind: 'server', message: expect.stringContaining('32 MB of memory') as string },
    });
  });

  it('that never answers is killed when its time is up, and the next request is answered', {
    tags: ['slow'],
  }, async () => {
    const project = openTempProject();
    project.write('answer.mjs', 'export default ({ params }) => { while (params.hang); return "Hi"; };');
    const provider = await connect(project, { limits: { concurrency: 1 } });
    const controller = new AbortController();
    const hanging = provider.complete(buildRequest({ params: { hang: true } }), controller.signal);
    const next = provider.complete(buildRequest({}), new AbortController().signal);
    controller.abort(new DOMException('the time is up', 'TimeoutError'));
    expect(await hanging).toMatchObject({ failure: { kind: 'timeout' } });
    expect(await next).toMatchObject({ completion: { text: 'Hi' } });
  });

  it('has its source, what it imports and what the suite names in its identity', () => {
    const project = openTempProject();
    project.write('answer.mjs', 'import { say } from "./say.mjs"; export default say;');
    project.write('say.mjs', 'export const say = () => "Hi";');
    project.write('data.json', '1');
    const first = versionOf(project, { files: ['data.json'] });
    expect(versionOf(project, { files: ['data.json'] })).toBe(first);
    project.write('data.json', '2');
    const second = versionOf(project, { files: ['data.json'] });
    expect(second).not.toBe(first);
    project.write('say.mjs', 'export const say = () => "Ho";');
    expect(versionOf(project, { files: ['data.json'] })).not.toBe(second);
  });

  it.each([
    ['./say.js', 'say.ts'],
    ['./say', 'say/index.ts'],
  ])('has what it imports as %s in its identity: %s', (name, path) => {
    const project = openTempProject();
    project.write('answer.mjs', `import { say } from "${name}"; export default say;`);
    project.write(path, 'export const say = () => "Hi";');
    const first = versionOf(project);
    project.write(path, 'export const say = () => "Ho";');
    expect(versionOf(project)).not.toBe(first);
  });

  it('has the content and names of the files of a folder in its identity, but for those of packages', () => {
    const project = openTempProject();
    project.write('answer.mjs', 'export default () => "Hi";');
    project.write('shop/lib/a.txt', '1');
    const version = () => versionOf(project, { files: ['shop', '../..'] });
    const versions = [version()];
    for (const path of ['shop/node_modules/b/c.txt', 'shop/.git/HEAD', 'shop/__pycache__/a.pyc', 'other.txt'])
      project.write(path, '1');
    expect(version()).toBe(versions[0]);
    for (const path of ['shop/lib/a.txt', 'shop/lib/b.txt', 'shop/.claude/settings.json']) {
      project.write(path, '2');
      versions.push(version());
    }
    expect(new Set(versions).size).toBe(4);
  });

  it.each([['missing.mjs'], ['../outside.mjs']])('at %s is the mistake of the user', (model) => {
    const project = openTempProject();
    const config = buildConfig({ model, folder: project.root });
    expect(() => module.resolve(config, { env: {}, projectRoot: project.root })).toThrow(UserError);
  });
});
