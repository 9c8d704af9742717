import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerOfEveryApi, type ScriptedServer, startServer } from '../../support/http-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const png = Buffer.from('89504e470d0a1a0a00', 'hex');
const pdf = Buffer.from('%PDF-1.4 ');
const [image, document] = [png.toString('base64'), pdf.toString('base64')];
const text = 'A cat.';
const answer = answerOfEveryApi(text);
const responses = { status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text }] }] };

function openProject(
  server: ScriptedServer,
  provider: object,
  attach: readonly string[],
  vars: object = {},
): TempProject {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["evals/*.eval.yaml"]\n');
  mkdirSync(project.path('evals/photos'), { recursive: true });
  writeFileSync(project.path('evals/photos/cat 1.png'), png);
  writeFileSync(project.path('evals/bill.pdf'), pdf);
  const suite = {
    suite: 'photos',
    prompts: [{ id: 'v1', messages: [{ role: 'user', content: 'What is it?', attach }] }],
    providers: [{ id: 'p', baseURL: server.url, ...provider }],
    cases: [{ id: 'cat', vars, assert: [{ contains: 'cat' }] }],
  };
  project.write('evals/photos.eval.yaml', JSON.stringify(suite));
  return project;
}

async function start(body: object = answer): Promise<ScriptedServer> {
  const server = await startServer({ body });
  onTestFinished(() => server.close());
  return server;
}

describe('files that a message attaches', () => {
  const both = ['{{ photo }}', 'bill.pdf'];
  const vars = { photo: 'photos/cat 1.png' };

  it.each([
    [
      'openai',
      [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
        { type: 'file', file: { filename: 'bill.pdf', file_data: `data:application/pdf;base64,${document}` } },
        { type: 'text', text: 'What is it?' },
      ],
    ],
    [
      'anthropic',
      [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: document } },
        { type: 'text', text: 'What is it?' },
      ],
    ],
    [
      'gemini',
      [
        { inlineData: { mimeType: 'image/png', data: image } },
        { inlineData: { mimeType: 'application/pdf', data: document } },
        { text: 'What is it?' },
      ],
    ],
    [
      'bedrock',
      [
        { image: { format: 'png', source: { bytes: image } } },
        { document: { format: 'pdf', name: '2 evals bill pdf', source: { bytes: document } } },
        { text: 'What is it?' },
      ],
    ],
  ])('go to %s in its own words', async (adapter, expected) => {
    const server = await start();
    const project = openProject(server, { use: `${adapter}:some-model` }, both, vars);
    expect(await project.run(['run', '-q'])).toMatchObject({ code: 0, stderr: '' });
    const sent = JSON.parse(server.requests[0]?.body ?? '') as Record<string, { content?: unknown; parts?: unknown }[]>;
    const [message] = sent['messages'] ?? sent['contents'] ?? [];
    expect(message?.content ?? message?.parts).toEqual(expected);
  });

  it('are known by their suffix in any case, and refused where they are too large', async () => {
    const server = await start();
    const project = openProject(server, { use: 'openai:some-model' }, ['LOUD.PNG']);
    writeFileSync(project.path('evals/LOUD.PNG'), png);
    expect(await project.run(['run', '-q'])).toMatchObject({ code: 0, stderr: '' });
    truncateSync(project.path('evals/LOUD.PNG'), 50 * 1024 * 1024 + 1);
    const { code, stderr } = await project.run(['run', '-q']);
    expect([code, stderr, server.requests.length]).toEqual([2, expect.stringContaining('is larger than 50 MiB'), 1]);
  });

  it('go to the Responses API in its own words', async () => {
    const server = await start(responses);
    const project = openProject(server, { use: 'openai:some-model', api: 'responses' }, both, vars);
    expect(await project.run(['run', '-q'])).toMatchObject({ code: 0 });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
      input: [
        {
          content: [
            { type: 'input_image', image_url: `data:image/png;base64,${image}` },
            { type: 'input_file', filename: 'bill.pdf', file_data: `data:application/pdf;base64,${document}` },
            { type: 'input_text', text: 'What is it?' },
          ],
        },
      ],
    });
  });

  it('that an API does not take are a failure which names them, and nothing is sent', async () => {
    const server = await start();
    const project = openProject(server, { use: 'cohere:some-model' }, both, vars);
    const { code, report } = await project.report(['run']);
    expect(code).toBe(3);
    expect(JSON.stringify(report)).toContain('cohere takes no application/pdf: evals/bill.pdf');
    expect(server.requests).toEqual([]);
  });

  it.each([
    [{ use: 'anthropic:some-model' }, 'anthropic takes no files in a system message: evals/bill.pdf'],
    [{ use: 'gemini:some-model' }, 'gemini takes no files in a system message: evals/bill.pdf'],
    [{ use: 'bedrock:some-model' }, 'bedrock takes no files in a system message: evals/bill.pdf'],
    [{ use: 'http:app', request: { q: '{{ prompt }}' } }, 'http takes no application/pdf: evals/bill.pdf'],
  ])('of a system message that %j can not carry are a failure, and nothing is sent', async (provider, message) => {
    const server = await start();
    const project = openProject(server, provider, []);
    const system = { role: 'system', content: 'Read it.', attach: ['bill.pdf'] };
    const suite = JSON.parse(project.read('evals/photos.eval.yaml')) as { prompts: object[] };
    suite.prompts = [{ id: 'v1', messages: [system, { role: 'user', content: 'What is it?' }] }];
    project.write('evals/photos.eval.yaml', JSON.stringify(suite));
    const { code, report } = await project.report(['run']);
    expect([code, server.requests]).toEqual([3, []]);
    expect(JSON.stringify(report)).toContain(message);
  });

  it('go to http as members of `messages`', async () => {
    const server = await start({ text });
    const project = openProject(server, { use: 'http:app', request: { asked: '{{ messages }}' } }, both, vars);
    expect(await project.run(['run', '-q'])).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
      asked: [{ role: 'user', content: 'What is it?', files: [{ base64: image }, { base64: document }] }],
    });
  });

  it.each([
    ['changed', 'changed while the run went on: run it again'],
    ['removed', 'evals/bill.pdf'],
  ])('that were %s while the run went on are a failure, and are not sent', async (how, message) => {
    const server = await startServer(() => {
      if (how === 'changed') writeFileSync(project.path('evals/bill.pdf'), '%PDF-1.7 ');
      else rmSync(project.path('evals/bill.pdf'), { force: true });
      return { body: answer };
    });
    onTestFinished(() => server.close());
    const project = openProject(server, { use: 'openai:some-model' }, both, vars);
    const { code, report } = await project.report(['run', '-j', '1', '--trials', '2', '--cache', 'off']);
    expect([code, server.requests.length]).toEqual([3, 1]);
    expect(JSON.stringify(report)).toContain(message);
  });

  it('are part of the request: the cache misses once one has changed', async () => {
    const server = await start();
    const project = openProject(server, { use: 'openai:some-model' }, both, vars);
    await project.run(['run', '-q']);
    await project.run(['run', '-q']);
    expect(server.requests).toHaveLength(1);
    writeFileSync(project.path('evals/bill.pdf'), '%PDF-1.7 ');
    await project.run(['run', '-q']);
    expect(server.requests).toHaveLength(2);
  });

  it('are kept as paths in the baseline, and no byte of them', async () => {
    const server = await start();
    const project = openProject(server, { use: 'openai:some-model' }, both, vars);
    await project.run(['run', '-q']);
    expect(await project.run(['baseline', 'accept'])).toMatchObject({ code: 0 });
    const baseline = project.read('evals/photos.baseline.jsonl');
    expect(baseline).toContain('"attach":["{{ photo }}","bill.pdf"]');
    expect(baseline).not.toContain(image);
  });

  it('run again with the accepted prompt where the case names them, and are refused where the prompt does', {
    tags: ['slow'],
  }, async () => {
    const server = await start();
    const project = openProject(server, { use: 'openai:some-model' }, ['{{ photo }}'], vars);
    expect(await project.run(['run', '-q', '--update-baseline'])).toMatchObject({ code: 0 });
    const again = ['run', '-q', '--rerun-baseline', '--cache', 'off'];
    expect(await project.run(again)).toMatchObject({ code: 0 });
    expect(server.requests).toHaveLength(2);
    expect(server.requests.at(-1)?.body).toContain(image);
    // Today's file would be sent with the accepted prompt, and excuse what its change broke.
    const own = openProject(server, { use: 'openai:some-model' }, both, vars);
    expect(await own.run(['run', '-q', '--update-baseline'])).toMatchObject({ code: 0 });
    writeFileSync(own.path('evals/bill.pdf'), '%PDF-1.7 ');
    const { code, stderr } = await own.run(again);
    expect([code, server.requests.length]).toEqual([2, 3]);
    expect(stderr).toContain('prompt v1 attaches bill.pdf, which a baseline does not keep');
  });

  it('of a dotprompt are not sent with the accepted prompt once they have changed', { tags: ['slow'] }, async () => {
    const server = await startServer(({ body }) => ({
      body: answerOfEveryApi(body.includes(image) ? text : 'A dog.'),
    }));
    onTestFinished(() => server.close());
    const project = openProject(server, { use: 'openai:some-model' }, []);
    const write = (question: string) => project.write('evals/v1.prompt', `${question} {{q}} {{media url="cat.png"}}\n`);
    const suite = JSON.parse(project.read('evals/photos.eval.yaml')) as { prompts: object[]; cases: object[] };
    suite.prompts = [{ id: 'v1', file: 'v1.prompt' }];
    const caseOf = (id: string, word: string) => ({ id, vars: { q: id }, assert: [{ contains: word }] });
    suite.cases = [caseOf('one', 'cat'), caseOf('two', 'A'), caseOf('three', 'A'), caseOf('four', 'A')];
    project.write('evals/photos.eval.yaml', JSON.stringify(suite));
    writeFileSync(project.path('evals/cat.png'), png);
    write('What is it?');
    expect(await project.run(['run', '-q', '--update-baseline'])).toMatchObject({ code: 0 });
    writeFileSync(project.path('evals/cat.png'), Buffer.from('89504e470d0a1a0a01', 'hex'));
    write('What is it, then?');
    const { code, report } = await project.report(['run']);
    expect(code).toBe(1);
    expect(JSON.stringify(report)).toContain('it attaches files, which a baseline does not keep');
    const again = await project.run(['run', '-q', '--rerun-baseline']);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('prompt v1 attaches cat.png')]);
  });

  it.each([
    [['missing.png'], 'missing.png does not exist'],
    [['../../outside.png'], '../../outside.png'],
    [['photos.eval.yaml'], 'is not an image, PDF or sound'],
    [['{{ photo }}'], 'photo'],
    [['folder.png'], 'folder.png is not a file'],
    [['empty.png'], 'empty.png is empty'],
    [['pointer.png'], 'pointer.png is a pointer of Git LFS, not the file: run `git lfs pull`'],
  ])('at %j are a mistake of the user, with its place', async (attach, message) => {
    const server = await start();
    const project = openProject(server, { use: 'openai:some-model' }, attach);
    mkdirSync(project.path('evals/folder.png'));
    project.write('evals/empty.png', '');
    project.write('evals/pointer.png', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n');
    const { code, stderr } = await project.run(['validate']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/evals\/photos\.eval\.yaml:1:\d+/);
    expect(stderr).toContain(message);
    expect(server.requests).toEqual([]);
  });
});
