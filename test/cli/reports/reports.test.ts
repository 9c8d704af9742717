import { execFileSync, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import type { PageIndex } from '../../../src/model/report/page.ts';
import { reporters } from '../../../src/reports/index.ts';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

async function openFailed(): Promise<{ project: TempProject; env: Readonly<Record<string, string>> }> {
  const project = openTempProject('echo');
  const server = await startChatServer(({ text }) => (text.includes('seven') ? 'eight' : wordOf(text)));
  return { project, env: server.env };
}

describe('reporters of a run', () => {
  test('one without a path takes the place of the terminal, others go to files', async () => {
    const { project, env } = await openFailed();
    const both = await project.run(['run', '-r', 'json', '-r', 'junit=out/deep/junit.xml'], { env });
    expect(JSON.parse(both.stdout)).toMatchObject({ decision: { exitCode: 1 } });
    expect(project.read('out/deep/junit.xml')).toContain('<testsuites');
    const file = await project.run(['run', '-r', 'json=report.json'], { env });
    expect(file.stdout).toContain('echo');
    expect(() => JSON.parse(file.stdout) as unknown).toThrow(SyntaxError);
    expect(JSON.parse(project.read('report.json'))).toMatchObject({ decision: { exitCode: 1 } });
  });

  test('what is no file, such as a pipe, is written to and stays what it is', async () => {
    const { project, env } = await openFailed();
    execFileSync('mkfifo', [join(project.root, 'pipe')]);
    const reader = spawn('cat', [join(project.root, 'pipe')]);
    const read = text(reader.stdout);
    const { stderr } = await project.run(['run', '-r', 'json=pipe'], { env });
    expect(JSON.parse(await read)).toMatchObject({ decision: { exitCode: 1 } });
    expect(stderr).not.toContain('could not be written');
    expect(statSync(join(project.root, 'pipe')).isFIFO()).toBe(true);
  });

  test('json is valid by the schema that the program prints', { tags: 'slow' }, async () => {
    const { project, env } = await openFailed();
    const { stdout } = await project.run(['run', '-r', 'json'], { env });
    const schema = JSON.parse((await project.run(['schema', 'report'])).stdout) as object;
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    validate(JSON.parse(stdout));
    expect(validate.errors).toBeNull();
  });

  test('two without a path are a usage error before any call', async () => {
    const { project, env } = await openFailed();
    const { code, stderr } = await project.run(['run', '-r', 'json', '-r', 'junit'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('json and junit');
    expect(project.files('.llmcheck')).toEqual([]);
  });

  test('two at one path are a usage error', async () => {
    const { project, env } = await openFailed();
    const { code, stderr } = await project.run(['run', '-r', 'json=out.txt', '-r', 'junit=out.txt'], { env });
    expect([code, stderr.includes('out.txt')]).toEqual([2, true]);
    expect(project.files('.llmcheck')).toEqual([]);
  });

  test('a path may hold an equals sign, and a comma separates in the environment', async () => {
    const { project, env } = await openFailed();
    await project.run(['run'], { env: { ...env, LLMCHECK_REPORTER: 'json=a=b.json,junit=j.xml' } });
    expect(project.files().filter((name) => !name.startsWith('.llmcheck'))).toEqual([
      'a=b.json',
      'evals/echo.eval.yaml',
      'j.xml',
    ]);
  });

  test('stdout carries the report alone, progress goes to stderr', async () => {
    const { project, env } = await openFailed();
    const { stdout } = await project.run(['run', '-r', 'jsonl'], { env });
    for (const line of stdout.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  test('-q is silent where all passes, and names what failed', async () => {
    const { project, env } = await openFailed();
    const good = await project.run(['run', '-q', '-t', 'red'], { env });
    const bad = await project.run(['run', '-q'], { env });
    const loud = await project.run(['run'], { env });
    expect(good.stderr).toBe('');
    expect(good.stdout.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(bad.stdout).toContain('seven');
    expect(bad.stdout.length).toBeLessThan(loud.stdout.length);
  });

  test('the terminal names planned = passed + failed + …', async () => {
    const { project, env } = await openFailed();
    const { stdout } = await project.run(['run'], { env });
    expect(stdout).toMatch(/^3 planned = 2 passed \+ 1 failed · /m);
  });
});

describe('colour', () => {
  const esc = '\u001b[';

  async function colours(
    project: TempProject,
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    isTty: boolean,
  ) {
    let text = '';
    const sink = { write: (chunk: string) => void (text += chunk), isTty, columns: () => 100 };
    const io = {
      stdout: sink,
      stderr: sink,
      env,
      cwd: project.root,
      now: () => new Date(),
      random: Math.random,
      onSignal: () => () => {},
    };
    await main(argv, io);
    return text.includes(`${esc}3`) || text.includes(`${esc}1m`);
  }

  test('is for terminals, and NO_COLOR, --no-color and FORCE_COLOR are respected', async () => {
    const { project, env } = await openFailed();
    expect(await colours(project, ['run'], env, true)).toBe(true);
    expect(await colours(project, ['run'], env, false)).toBe(false);
    expect(await colours(project, ['run'], { ...env, NO_COLOR: '1' }, true)).toBe(false);
    expect(await colours(project, ['run', '--no-color'], env, true)).toBe(false);
    expect(await colours(project, ['run'], { ...env, LLMCHECK_NO_COLOR: '1' }, true)).toBe(false);
    expect(await colours(project, ['run', '--trials=0'], { ...env, FORCE_COLOR: '1' }, false)).toBe(true);
    expect(await colours(project, ['run', '--trials=0', '--no-color'], env, true)).toBe(false);
    expect(await colours(project, ['run'], { ...env, FORCE_COLOR: '1' }, false)).toBe(true);
    expect(await colours(project, ['run', '--no-color'], { ...env, FORCE_COLOR: '1' }, false)).toBe(false);
  });

  test('a file has none', async () => {
    const { project, env } = await openFailed();
    await project.run(['run', '-r', 'terminal=out.txt'], { env: { ...env, FORCE_COLOR: '1' } });
    expect(project.read('out.txt')).not.toContain(esc);
  });
});

describe('report', () => {
  test.each(Object.keys(reporters))('renders a stored run in %s as the run itself did', async (reporter) => {
    const { project, env } = await openFailed();
    const run = await project.run(['run', '-r', reporter], { env });
    const again = await project.run(['report', '-r', reporter]);
    expect(again.code).toBe(0);
    expect(again.stdout).toBe(run.stdout);
  });

  test('finds a run by id, by the start of one, and by its file', async () => {
    const { project, env } = await openFailed();
    const { report } = await project.report(['run', '-t', 'red'], { env });
    await project.run(['run', '-t', 'seven'], { env });
    const { id } = report.run;
    for (const name of [id, id.slice(0, -1), `.llmcheck/runs/${id}.jsonl`]) {
      const { stdout } = await project.run(['report', name, '-r', 'json']);
      expect((JSON.parse(stdout) as typeof report).run.id).toBe(id);
    }
  });

  test('gives the reason of a required check without weight, and not the full score', async () => {
    const server = await startChatServer(({ text: asked }) => wordOf(asked));
    const project = openTempProject();
    project.write(
      'evals/words.eval.yaml',
      `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [openai:gpt-4o-mini]
cases:
  - { id: one, vars: { word: one }, assert: [{ contains: one }, { equals: two, weight: 0, required: true }] }
`,
    );
    const { code, stdout } = await project.run(['run'], { env: server.env });
    expect(code).toBe(1);
    expect(stdout).toContain('equals: expected "two"');
    expect(stdout).not.toContain('is too low');
  });

  test('of an earlier run leaves later runs out of its charts', async () => {
    const { project, env } = await openFailed();
    const { report } = await project.report(['run'], { env });
    await project.run(['run'], { env });
    const runsInChart = async (...runs: readonly string[]) => {
      const { stdout } = await project.run(['report', ...runs, '-r', 'html']);
      const json = /<script type="application\/json" id="index">(.*?)<\/script>/s.exec(stdout)?.[1] ?? '';
      return (JSON.parse(json) as PageIndex).suites[0]?.variants[0]?.trend?.map(({ runId }) => runId);
    };
    expect(await runsInChart(report.run.id)).toEqual([report.run.id]);
    expect(await runsInChart()).toHaveLength(2);
  });

  test.each(['nowhere', '.llmcheck/runs/nowhere.jsonl', '../../etc/passwd'])('of %s is a usage error', async (name) => {
    const { project, env } = await openFailed();
    await project.run(['run'], { env });
    const { code, stderr } = await project.run(['report', name]);
    expect([code, stderr.includes('this is a bug')]).toEqual([2, false]);
  });

  test('without a run says so', async () => {
    const project = openTempProject();
    const { code, stderr } = await project.run(['report']);
    expect(code).toBe(2);
    expect(stderr).toContain('no stored run');
  });

  test('of a file that is not a record is a usage error', async () => {
    const project = openTempProject();
    project.write('bad.jsonl', 'not json\n');
    project.write('empty.jsonl', '');
    project.write('future.jsonl', '{"type":"run","format":99,"id":"x"}\n');
    for (const name of ['bad.jsonl', 'empty.jsonl', 'future.jsonl']) {
      const { code, stderr } = await project.run(['report', name]);
      expect([name, code, stderr.includes('record:')]).toEqual([name, 2, true]);
    }
  });
});
