import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { canCutNetwork } from '../../../src/programs/run-program.ts';
import { removeAbandonedCopies } from '../../../src/programs/workspace-copy.ts';
import { initRepository } from '../../support/git.ts';
import { openTempProject, type TempProject, trialsOf } from '../../support/temp-project.ts';

const cart = 'export const sum = (a, b) => a - b;\n';
const testOfCart = `import { sum } from './cart.mjs';\nconsole.log('sum is', sum(1, 2));\nprocess.exit(sum(1, 2) === 3 ? 0 : 1);\n`;

/** A project with a shop and an agent that does what the case's variable `code` says. */
function openShop(cases: string, keys = 'workspace: fixtures/shop'): TempProject {
  const project = openTempProject();
  project.write('fixtures/shop/cart.mjs', cart);
  project.write('fixtures/shop/test.mjs', testOfCart);
  project.write('fixtures/shop/data/order.json', '{}\n');
  project.write(
    'agent.mjs',
    `import * as fs from 'node:fs';
import { writeFileSync } from 'node:fs';
const { messages } = JSON.parse(fs.readFileSync(0, 'utf8'));
await new Function('fs', 'require', \`return (async () => { \${messages.at(-1).content} })()\`)(fs, process.getBuiltinModule);
console.log('Done.');
`,
  );
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "{{ code }}" }]
providers: [{ id: agent, use: "exec:node agent.mjs", ${keys} }]
gate: { confirm: { budget: 0 } }
cases:
${cases}
`,
  );
  return project;
}

async function run(project: TempProject, ...flags: readonly string[]) {
  const result = await project.report(['run', 'shop.eval.yaml', '--no-baseline', ...flags]);
  const trials = new Map(trialsOf(result.report).map((trial) => [trial.caseId, trial]));
  return { ...result, trials };
}

const fix = `fs.writeFileSync("cart.mjs", fs.readFileSync("cart.mjs", "utf8").replace("-", "+"))`;
const quoted = (code: string) => JSON.stringify(code);

const everyCheck = (id: string, code: string) => `  - id: ${id}
    vars: { code: ${quoted(code)} }
    assert:
      - { files: { changed: cart.mjs, untouched: [test.mjs, "data/**"] }, name: files }
      - { command: node test.mjs, name: tests }
      - { contains: a + b, select: { file: cart.mjs }, name: content }`;

function workspacesLeft(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`llmcheck-workspace-${process.pid}-`));
}

describe('an agent with a workspace', () => {
  test('is judged by the files that it leaves, and an agent that does nothing passes no check', {
    tags: 'slow',
  }, async () => {
    const cases = [
      everyCheck('fixes', fix),
      everyCheck('idles', ''),
      everyCheck('cheats', `fs.writeFileSync("test.mjs", "")`),
    ];
    const project = openShop(cases.join('\n'));
    const { trials, code } = await run(project);
    // The failures are not asked again.
    expect(code).toBe(4);
    expect(trials.get('fixes')?.status).toBe('passed');
    const reasonsOf = (id: string) => trials.get(id)?.checks.map(({ name, pass, reason }) => [name, pass, reason]);
    expect(reasonsOf('idles')).toEqual([
      ['files', false, 'changed no file that cart.mjs matches: the program changed nothing'],
      ['tests', false, 'node test.mjs ended with exit code 1: sum is -1'],
      ['content', false, expect.stringContaining('a - b')],
    ]);
    expect(reasonsOf('cheats')?.[0]).toEqual(['files', false, 'changed test.mjs, which must stay untouched']);
    expect(project.read('fixtures/shop/cart.mjs')).toBe(cart);
    expect(workspacesLeft()).toEqual([]);
  });

  test('is judged alike from the cache, without another call', { tags: 'slow' }, async () => {
    const project = openShop(everyCheck('fixes', fix));
    await run(project);
    const again = await run(project, '--cache', 'replay');
    expect(again.code).toBe(0);
    expect(again.trials.get('fixes')).toMatchObject({ status: 'passed', cached: true });
    // The checks look at the stored answer again.
    project.write('shop.eval.yaml', project.read('shop.eval.yaml').replace('contains: a + b', 'contains: a * b'));
    expect((await run(project, '--cache', 'replay')).trials.get('fixes')?.status).toBe('failed');
  });

  test('is asked again when a file of the folder has changed', async () => {
    const project = openShop(everyCheck('fixes', fix));
    await run(project);
    project.write('fixtures/shop/data/order.json', '{"id":1}\n');
    const { trials, code } = await run(project, '--cache', 'replay');
    expect([code, trials.get('fixes')?.status]).toEqual([3, 'errored']);
  });

  test('has a home and a temporary folder of its own, and none of another cell', async () => {
    const code = `const os = require("os"); fs.appendFileSync(os.homedir() + "/seen", "x"); fs.appendFileSync(os.tmpdir() + "/seen", "x");
      fs.writeFileSync("seen.txt", process.cwd() + " " + os.homedir() + " " + fs.readFileSync(os.homedir() + "/seen", "utf8") + fs.readFileSync(os.tmpdir() + "/seen", "utf8"))`;
    const check = (id: string) => `  - id: ${id}
    vars: { code: ${quoted(`/* ${id} */ ${code}`)} }
    assert: [{ regex: "llmcheck-workspace-.*/files .*llmcheck-workspace-.*/home xx$", select: { file: seen.txt } }, { files: { created: seen.txt } }]`;
    const { code: exit, trials } = await run(openShop([check('one'), check('two')].join('\n')));
    expect([exit, [...trials.values()].map(({ status }) => status)]).toEqual([0, ['passed', 'passed']]);
  });

  test('leaves no folder and no process behind where it takes too long', { tags: 'slow' }, async () => {
    const code = `require("child_process").spawn("sleep", ["600"]); fs.mkdirSync("closed"); fs.writeFileSync("closed/a", ""); fs.chmodSync("closed", 0); await new Promise((resolve) => setTimeout(resolve, 60_000))`;
    const keys = 'workspace: fixtures/shop, limits: { timeout: 1s, retries: 0 }';
    const { trials } = await run(openShop(everyCheck('hangs', code), keys));
    expect(trials.get('hangs')?.status).toBe('errored');
    expect(workspacesLeft()).toEqual([]);
  });

  test('is affected by a new file of its folder', { tags: 'slow' }, async () => {
    const project = openShop(everyCheck('fixes', fix));
    initRepository(project.root);
    expect((await project.run(['run', 'shop.eval.yaml', '--changed', '--dry-run'])).stderr).not.toContain('1 cell');
    project.write('fixtures/shop/data/new.json', '{}');
    const { stdout, stderr } = await project.run(['run', 'shop.eval.yaml', '--changed', '--dry-run']);
    expect(stdout + stderr).toContain('1 cell');
  });

  test('keeps binary files, links, modes and deleted files', { tags: 'slow' }, async () => {
    const code = `fs.writeFileSync("logo.bin", Buffer.from([0, 255, 254])); fs.rmSync("data/order.json"); fs.symlinkSync("logo.bin", "link.bin");
      fs.writeFileSync("check.sh", "#!/bin/sh\\ntest -x check.sh && test ! -e data/order.json && test $(wc -c < link.bin) -eq 3"); fs.chmodSync("check.sh", 0o755)`;
    const project = openShop(`  - id: mixed
    vars: { code: ${quoted(code)} }
    assert:
      - files: { created: [logo.bin, link.bin, check.sh], deleted: data/order.json, untouched: "*.mjs" }
      - command: ./check.sh
      - command: [sh, -c, 'kill -9 $$']
      - not: { command: [sh, -c, 'kill -9 $$'] }
      - not: { command: [sh, -c, no-such-program-here] }
      - not: { command: [sh, -c, exit 1] }
  - id: reads
    vars: { code: ${quoted(`/* reads */ ${code}`)} }
    assert: [{ contains: x, select: { file: logo.bin } }]
  - id: gone
    vars: { code: ${quoted(`/* gone */ ${code}`)} }
    assert: [{ not: { contains: x }, select: { file: data/order.json } }]`);
    const { trials } = await run(project);
    expect(trials.get('mixed')?.checks.map(({ pass, reason }) => [pass, reason])).toEqual([
      [true, expect.any(String)],
      [true, './check.sh ended with exit code 0'],
      [false, expect.stringContaining('was ended by SIGKILL')],
      [false, expect.stringContaining('was ended by SIGKILL')],
      [false, expect.stringContaining('ended with exit code 127')],
      [true, expect.stringContaining('ended with exit code 1')],
    ]);
    expect(trials.get('reads')?.checks[0]?.reason).toBe('logo.bin is no UTF-8 text');
    expect(trials.get('gone')).toMatchObject({
      status: 'failed',
      checks: [{ reason: 'the program deleted data/order.json' }],
    });
  });
});

describe('what could pass without having looked', () => {
  const checks = `assert: [{ files: { untouched: cart.mjs } }, { command: "true" }, { not: { contains: x }, select: { file: cart.mjs } }]`;

  test('is errored without a workspace', async () => {
    const project = openShop(`  - { id: blind, vars: { code: "" }, ${checks} }`, 'output: text');
    const { trials, code } = await run(project);
    expect(code).not.toBe(0);
    expect(trials.get('blind')).toMatchObject({ status: 'errored' });
    expect(trials.get('blind')?.checks.map(({ pass, reason }) => [pass, reason])).toEqual(
      Array.from({ length: 3 }, () => [false, expect.stringContaining('without a workspace')]),
    );
  });

  test('is errored where untouched matches no file, and where a command is missing or takes too long', {
    tags: 'slow',
  }, async () => {
    const project = openShop(`  - { id: typo, vars: { code: "" }, assert: [{ files: { untouched: "src/*.js" } }] }
  - { id: absent, vars: { code: "" }, assert: [{ command: no-such-program-here }] }
  - { id: endless, vars: { code: "" }, assert: [{ command: { value: sleep 60, timeout: 50ms } }] }`);
    const { trials } = await run(project);
    const reasons = ['typo', 'absent', 'endless'].map((id) => [
      trials.get(id)?.status,
      trials.get(id)?.checks[0]?.reason,
    ]);
    expect(reasons).toEqual([
      ['errored', 'untouched: src/*.js matches no file of fixtures/shop'],
      ['errored', expect.stringContaining("can't be started")],
      ['errored', 'sleep 60 took longer than 50 ms'],
    ]);
    expect(workspacesLeft()).toEqual([]);
  });

  test('is errored where the agent leaves too much, or a state of its own', { tags: 'slow' }, async () => {
    const project =
      openShop(`  - { id: big, vars: { code: ${quoted('fs.writeFileSync("big.txt", "x".repeat(2 * 1024 * 1024))')} }, assert: [{ files: { created: big.txt } }] }
  - { id: many, vars: { code: ${quoted('for (let n = 0; n < 501; n += 1) fs.writeFileSync(`n${n}`, "")')} }, assert: [{ files: { created: n1 } }] }
  - { id: forged, vars: { code: ${quoted('console.log(JSON.stringify({ text: "", state: { workspace: {} } })); process.exit()')} }, assert: [{ files: { untouched: cart.mjs } }] }`);
    const { trials } = await run(project);
    expect([...trials.values()].map(({ status }) => status)).toEqual(['errored', 'errored', 'errored']);
    expect(trials.get('big')?.error?.message).toContain('more than 1 MiB in changed files, big.txt among them');
    expect(trials.get('many')?.error?.message).toContain('more than 500 changed files');
    expect(trials.get('forged')?.error?.message).toContain('its workspace is its state');
  });

  test('is errored where a link leaves the workspace, which nothing follows', { tags: 'slow' }, async () => {
    const project = openShop(
      `  - { id: link, vars: { code: ${quoted('fs.symlinkSync("/etc/passwd", "out"); fs.symlinkSync("/etc", "etc")')} }, assert: [{ command: cat out }, { contains: root, select: { file: out } }, { contains: root, select: { file: etc/passwd } }] }`,
    );
    const { trials } = await run(project);
    expect(trials.get('link')?.checks.map(({ pass, reason }) => [pass, reason])).toEqual([
      [false, expect.stringContaining('which leaves it')],
      [false, 'out is a link to /etc/passwd'],
      [false, 'the workspace has no file etc/passwd'],
    ]);
  });
});

describe('the network', () => {
  const ask = (port: number) =>
    `await fetch("http://127.0.0.1:${port}/").then(() => "reached", () => "cut off").then((found) => fs.writeFileSync("found.txt", found))`;

  async function openServer(): Promise<number> {
    const server = createServer((_, response) => void response.end('ok')).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const canCut = canCutNetwork({});

  test.each([
    ['workspace: fixtures/shop', canCut ? 'cut off' : 'reached'],
    ['workspace: fixtures/shop, network: true', 'reached'],
  ])('of a program with %s is %s', { tags: 'slow' }, async (keys, expected) => {
    const port = await openServer();
    const check = `fetch("http://127.0.0.1:${port}/").then(() => 0, () => 3).then(process.exit)`;
    const project = openShop(
      `  - id: asks
    vars: { code: ${quoted(ask(port))} }
    assert:
      - { contains: ${expected}, select: { file: found.txt } }
      - { command: [node, -e, ${quoted(check)}], name: cut }
      - { command: { value: [node, -e, ${quoted(check)}], network: true }, name: open }`,
      keys,
    );
    const { trials, stderr } = await run(project);
    expect(trials.get('asks')?.checks.map(({ pass }) => pass)).toEqual([true, !canCut, true]);
    expect(stderr.includes("the program has the network, which this system can't keep from it")).toBe(
      !canCut && !keys.includes('network'),
    );
  });

  test('a program reaches what it starts itself', { tags: 'slow' }, async () => {
    const code = `const server = require("http").createServer((_, response) => response.end("own")).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      fs.writeFileSync("found.txt", await (await fetch("http://127.0.0.1:" + server.address().port)).text()); server.close(); server.closeAllConnections()`;
    const project = openShop(`  - id: own
    vars: { code: ${quoted(code)} }
    assert: [{ equals: own, select: { file: found.txt } }]`);
    expect((await run(project)).trials.get('own')?.status).toBe('passed');
  });

  test('is named where nothing can keep it from the program, and refused where it must be', {
    tags: 'slow',
  }, async () => {
    const project = openShop(everyCheck('fixes', fix));
    // Without unshare in PATH no network can be cut off.
    mkdirSync(project.path('bin'));
    symlinkSync(process.execPath, project.path('bin/node'));
    const options = { env: { ...process.env, PATH: project.path('bin') } };
    const open = await project.run(['run', 'shop.eval.yaml', '--no-baseline'], options);
    expect([open.code, open.stderr]).toEqual([0, expect.stringContaining('write network: true if it may use it')]);
    const replayed = await project.run(['run', 'shop.eval.yaml', '--no-baseline', '--cache', 'replay'], options);
    expect([replayed.code, replayed.stderr]).toEqual([0, expect.not.stringContaining('network')]);
    const strict = openShop(everyCheck('fixes', fix), 'workspace: fixtures/shop, network: false');
    const { code, stderr } = await strict.run(['run', 'shop.eval.yaml', '--no-baseline'], options);
    expect([code, stderr]).toEqual([2, expect.stringContaining("network can't be kept from the program")]);
    const idle = openShop(everyCheck('fixes', fix), 'network: false');
    expect((await idle.run(['validate', 'shop.eval.yaml'])).stderr).toContain('only a program with a workspace');
  });
});

describe('files that are put into a workspace', () => {
  const look = `fs.writeFileSync("found.txt", fs.readdirSync(".", { recursive: true }).sort().join(" ") + " " + fs.readFileSync("data/order.json", "utf8"))`;

  /** A shop whose prompt and case bring files of their own. */
  function openPlaced(ofCase: string, providers = ''): TempProject {
    const project = openShop(`  - id: looks
    vars: { code: ${quoted(look)} }
    workspace: ${ofCase}
    assert: [{ contains: docs/rules.md, select: { file: found.txt } }, { command: test -x bin/run }, { files: { untouched: docs/rules.md } }]`);
    project.write('rules.md', 'Be kind.\n');
    project.write('order-2.json', '{"id":2}\n');
    project.write('run.sh', '#!/bin/sh\n');
    chmodSync(project.path('run.sh'), 0o755);
    const suite = project.read('shop.eval.yaml');
    const prompt = `{ id: v1, text: "{{ code }}", workspace: { docs/rules.md: rules.md, bin/run: run.sh }${providers} }`;
    project.write('shop.eval.yaml', suite.replace('{ id: v1, text: "{{ code }}" }', prompt));
    return project;
  }

  test('are there beside its own, and count for the cache and the checks', { tags: ['slow'] }, async () => {
    const project = openPlaced('{ data/order.json: order-2.json }');
    const first = await run(project);
    expect(first.trials.get('looks')?.checks.map(({ pass }) => pass)).toEqual([true, true, true]);
    expect(JSON.stringify(first.trials.get('looks'))).toContain('id');
    expect((await run(project, '--cache', 'replay')).trials.get('looks')).toMatchObject({
      status: 'passed',
      cached: true,
    });
    project.write('rules.md', 'Be brief.\n');
    expect((await run(project, '--cache', 'replay')).code).toBe(3);
    const rerun = await project.run(['run', 'shop.eval.yaml', '--rerun-baseline']);
    expect([rerun.code, rerun.stderr]).toEqual([2, expect.any(String)]);
  });

  test.each([
    ['{ data/order.json: nowhere.json }', 'nowhere.json does not exist'],
    ['{ ../order.json: order-2.json }', 'must be a path within the workspace'],
    ['{ a: ../../../etc/passwd }', 'etc/passwd'],
  ])('%s is refused at its place', async (ofCase, message) => {
    const { code, stderr } = await openPlaced(ofCase).run(['validate', 'shop.eval.yaml']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toMatch(/shop\.eval\.yaml:\d+:\d+/);
  });

  test('are refused where a provider has no workspace, and where one file would be a folder', async () => {
    const project = openPlaced('{ data/order.json/a: order-2.json }', ', providers: [agent]');
    const { trials } = await run(project);
    expect(trials.get('looks')?.error?.message).toContain('but data/order.json is a file');
    project.write('shop.eval.yaml', project.read('shop.eval.yaml').replace(', workspace: fixtures/shop', ''));
    const { stderr } = await project.run(['validate', 'shop.eval.yaml']);
    expect(stderr).toContain('the prompt "v1" puts files into a workspace, and provider "agent" has none');
    expect(stderr).toContain('case "looks" puts files into a workspace, and none of its providers has one');
    project.write('shop.eval.yaml', project.read('shop.eval.yaml').replace('[agent]', '[agnt]'));
    expect((await project.run(['validate', 'shop.eval.yaml'])).stderr).toContain('"agnt" is not a provider');
  });
});

describe('mistakes', () => {
  const cases = `  - { id: one, vars: { code: "" }, assert: [{ command: "true" }] }`;

  test.each([
    ['workspace: nowhere', 'does not exist'],
    ['workspace: agent.mjs', 'is no folder'],
    ['workspace: ..', 'is outside the project'],
    ['workspace: .', 'is the whole project'],
  ])('%s is refused before anything runs', async (keys, message) => {
    const project = openShop(cases, keys);
    project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
    const { code, stderr } = await project.run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toContain('shop.eval.yaml:3:');
  });

  test('a link in the folder, a path that leaves it and an empty check are refused', async () => {
    const project = openShop(`  - id: one
    vars: { code: "" }
    assert:
      - { contains: x, select: { file: ../agent.mjs } }
      - files: {}
      - files: { changed: "!a" }`);
    symlinkSync('cart.mjs', project.path('fixtures/shop/link.mjs'));
    const { stderr } = await project.run(['validate', 'shop.eval.yaml']);
    expect(stderr).toContain('must be a path within the workspace');
    expect(stderr).toContain('needs one of changed, created, deleted and untouched');
    expect(stderr).toContain('must not begin with !');
    project.write(
      'shop.eval.yaml',
      project.read('shop.eval.yaml').replace(/assert:[\s\S]*/, 'assert: [{ command: "true" }]\n'),
    );
    expect((await project.run(['validate', 'shop.eval.yaml'])).stderr).toContain('holds a symbolic link, link.mjs');
    expect(existsSync(project.path('fixtures/shop/cart.mjs'))).toBe(true);
  });
});

test('what a killed process left is removed after a day, and no sooner', () => {
  // Above the largest process id of Linux.
  const folders = ['old', 'new'].map((name) => join(tmpdir(), `llmcheck-workspace-4194999-${process.pid}${name}`));
  for (const folder of folders) mkdirSync(folder);
  const now = statSync(folders[1] ?? '').mtimeMs;
  const twoDaysAgo = now / 1000 - 2 * 24 * 60 * 60;
  utimesSync(folders[0] ?? '', twoDaysAgo, twoDaysAgo);
  removeAbandonedCopies(now);
  expect(folders.map((folder) => existsSync(folder))).toEqual([false, true]);
  utimesSync(folders[1] ?? '', twoDaysAgo, twoDaysAgo);
  removeAbandonedCopies(now);
  expect(folders.map((folder) => existsSync(folder))).toEqual([false, false]);
});
