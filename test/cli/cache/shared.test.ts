import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import { startServer } from '../../support/http-server.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { openTempProject, statusesOf, type TempProject, withoutTimes } from '../../support/temp-project.ts';

const awsEnv = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE0123', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI-K7MDENG' };

const noNotes = { notes: [] };

/** A machine of its own: the same suite, and a local cache that is empty. A busy machine is no cache that is too slow. */
function openMachine(cache: string, theme = 'echo'): TempProject {
  const project = openTempProject(theme);
  const patient = cache.includes('timeout: ') ? cache : cache.replace(' }', ', timeout: 30s }');
  project.write('llmcheck.config.yaml', `cache: ${patient}\n`);
  return project;
}

/** A bucket that knows no other request than those of a cache. Closed with the test. */
async function startBucket() {
  const objects = new Map<string, string>();
  const authorizations: string[] = [];
  const server = await startServer(({ method, url: path, body, headers }) => {
    authorizations.push(String(headers['authorization']));
    if (path.includes('list-type=2')) {
      const keys = [...objects.keys()].map((key) => `<Key>${key}</Key>`).join('');
      return { body: `<ListBucketResult><IsTruncated>false</IsTruncated>${keys}</ListBucketResult>` };
    }
    if (method === 'PUT') {
      objects.set(path, body);
      return { body: '' };
    }
    const found = objects.get(path);
    return found === undefined ? { status: 404, body: '<Code>NoSuchKey</Code>' } : { body: found };
  });
  return { ...server, objects, authorizations };
}

describe('a cache in Redis', () => {
  test('answers on a second machine what the first has asked, and says what is shared', async () => {
    const redis = await startRedisServer();
    const server = await startEchoServer();
    const first = await openMachine(`{ url: "${redis.url}" }`).report(['run'], { env: server.env });
    expect([redis.values.size, server.requests.length]).toEqual([3, 3]);
    const machine = openMachine(`{ url: "${redis.url}", prefix: "llmcheck:", ttl: 24h }`);
    const second = await machine.report(['run'], { env: server.env });
    expect([second.report.totals.cached, server.requests.length]).toEqual([3, 3]);
    expect(withoutTimes(second.report)).toEqual(withoutTimes(first.report));
    const { stdout } = await machine.run(['cache', 'stats']);
    expect(stdout).toContain(`shared: ${redis.url}, 3 entries`);
    // What came from there is local now.
    redis.kill();
    const third = await machine.report(['run'], { env: server.env });
    expect([third.report.totals.cached, third.stderr.includes('shared')]).toEqual([3, false]);
  });

  test('that dies in mid-run costs one warning and no verdict', { tags: ['slow'] }, async () => {
    const redis = await startRedisServer();
    const server = await startChatServer(({ text, index }) => {
      if (index === 20) redis.kill();
      return text.endsWith('3') ? 'wrong' : wordOf(text);
    });
    const { code, report, stderr } = await openMachine(redis.url, 'two-providers').report(['run'], { env: server.env });
    expect([code, report.totals.errored, report.totals.passed + report.totals.failed]).toEqual([1, 0, 80]);
    expect(stderr.match(/The shared cache/g)).toHaveLength(1);
    expect(stderr).toContain(`The shared cache ${redis.url} can't be used`);
  });

  test('that answers nothing is given up after its time limit, once for the run', { tags: ['slow'] }, async () => {
    const redis = await startRedisServer({ isSilent: () => true });
    const server = await startEchoServer();
    const project = openMachine(`{ url: "${redis.url}", timeout: 1s }`, 'two-providers');
    const { code, stderr } = await project.report(['run', '-j', '1'], { env: server.env });
    expect([code, stderr.match(/no answer within 1000 ms|timed? ?out/gi)?.length]).toEqual([0, 1]);
    // None of the 80 cells waits for it again.
    expect(redis.commands.length).toBeLessThan(10);
  });

  test('with values that are cut, foreign or of another request counts them as missing', async () => {
    const redis = await startRedisServer();
    const server = await startEchoServer();
    const first = await openMachine(`{ url: "${redis.url}" }`).report(['run'], { env: server.env });
    const [a = '', b = '', c = ''] = [...redis.values.keys()];
    const stored = new Map(redis.values);
    redis.values.set(a, (stored.get(a) ?? '').replace('"text":"', '"text":"not '));
    redis.values.set(b, '{"answer": 42}');
    redis.values.set(c, stored.get(a) ?? '');
    const { report, stderr } = await openMachine(`{ url: "${redis.url}" }`).report(['run'], { env: server.env });
    expect([report.totals.cached, server.requests.length]).toEqual([0, 6]);
    expect(withoutTimes({ ...report, ...noNotes })).toEqual(withoutTimes(first.report));
    expect(stderr.match(/shared cache/g)).toHaveLength(1);
    expect(redis.values).toEqual(
      new Map([...stored.keys()].map((key) => [key, expect.stringContaining('"checksum"')])),
    );
  });

  test('takes its password from a variable, shows it nowhere, and survives a wrong one', { tags: 'slow' }, async () => {
    const password = '100%correct-horse';
    const redis = await startRedisServer({ password });
    const server = await startChatServer(({ text }) => `${wordOf(text)} ${password}`);
    const project = openMachine(`{ url: "${redis.url}", passwordEnv: REDIS_PASSWORD }`);
    const right = await project.run(['run', '-r', 'json'], { env: { ...server.env, REDIS_PASSWORD: password } });
    expect(right.stderr).not.toContain('shared cache');
    expect(redis.commands).toContain('get');
    const byAddress = openMachine('{ urlEnv: REDIS_URL }');
    const url = redis.url.replace('//', `//:${password}@`);
    const other = await byAddress.run(['run', '-r', 'json'], { env: { ...server.env, REDIS_URL: url } });
    expect(other.stderr).not.toContain('shared cache');
    for (const text of [right, other].flatMap(({ stdout, stderr }) => [stdout, stderr])) {
      expect(text).not.toContain(password);
    }
    for (const machine of [project, byAddress]) {
      for (const file of machine.files('.llmcheck')) expect(machine.read(file)).not.toContain(password);
    }
    // Nor does an answer that repeats it reach the other machines.
    expect(redis.values.size).toBe(0);
  });

  test('that refuses the password, or whose variable is not set, costs one warning', async () => {
    const redis = await startRedisServer({ password: 'correct-horse-battery' });
    const server = await startEchoServer();
    const refused = openMachine(`{ url: "${redis.url}", passwordEnv: REDIS_PASSWORD }`);
    const refusedEnv = { ...server.env, REDIS_PASSWORD: 'wrong-password' };
    const wrong = await refused.report(['run'], { env: refusedEnv });
    expect(wrong.code).toBe(0);
    expect(wrong.stderr).toMatch(/The shared cache .* can't be used .*WRONGPASS/);
    const { stdout } = await refused.run(['cache', 'stats'], { env: refusedEnv });
    expect(stdout).toContain('not usable: WRONGPASS');
    expect(wrong.stderr + stdout).not.toContain('wrong-password');
    const unset = await openMachine('{ urlEnv: REDIS_URL }').report(['run'], { env: server.env });
    expect([unset.code, unset.stderr.match(/REDIS_URL is not set/g)?.length]).toEqual([0, 1]);
    const off = await openMachine('{ urlEnv: REDIS_URL }').report(['run', '--cache', 'off'], { env: server.env });
    expect([off.code, off.stderr.includes('REDIS_URL')]).toEqual([0, false]);
  });

  test('is not used where it does not have the database of the address', async () => {
    const redis = await startRedisServer();
    const server = await startEchoServer();
    const url = redis.url.replace(/0$/, '99');
    const { stderr } = await openMachine(`{ url: "${url}" }`).report(['run'], { env: server.env });
    expect(stderr).toContain(`${url} can't be used (ERR DB index is out of range)`);
    expect(redis.values.size).toBe(0);
  });

  test('forgets what is older than its ttl', { tags: ['slow'] }, async () => {
    const redis = await startRedisServer();
    const server = await startEchoServer();
    const cache = `{ url: "${redis.url}", ttl: 1h }`;
    await openMachine(cache).report(['run'], { env: server.env, now: () => new Date('2026-11-24T10:00:00Z') });
    const at = async (time: string) => {
      const { report } = await openMachine(cache).report(['run'], { env: server.env, now: () => new Date(time) });
      return report.totals.cached;
    };
    expect(await at('2026-11-24T10:59:00Z')).toBe(3);
    expect(await at('2026-11-24T11:01:00Z')).toBe(0);
  });
});

test('a cache in a bucket answers on a second machine, signed, and a bucket that is gone costs a warning', async () => {
  const bucket = await startBucket();
  const server = await startEchoServer();
  const env = { ...server.env, ...awsEnv };
  const cache = `{ url: "s3://answers/team", endpoint: "${bucket.url}", prefix: "answers/" }`;
  const first = await openMachine(cache).report(['run'], { env });
  expect([...bucket.objects.keys()]).toHaveLength(3);
  expect([...bucket.objects.keys()][0]).toMatch(/^\/answers\/team\/answers\/v2%3A[0-9a-f]{64}$/);
  expect(bucket.authorizations[0]).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE0123\/\d{8}\/us-east-1\/s3\//);
  const machine = openMachine(cache);
  const second = await machine.report(['run'], { env });
  expect([second.report.totals.cached, server.requests.length]).toEqual([3, 3]);
  expect(withoutTimes(second.report)).toEqual(withoutTimes(first.report));
  expect((await machine.run(['cache', 'stats'], { env })).stdout).toContain('shared: s3://answers/team, 3 entries');
  // To count takes longer than to read an answer.
  const hasty = openMachine(cache.replace(' }', ', timeout: 1ms }'));
  expect((await hasty.run(['cache', 'stats'], { env })).stdout).toContain('shared: s3://answers/team, 3 entries');
  await bucket.close();
  rmSync(machine.path('.llmcheck'), { recursive: true });
  const third = await machine.report(['run'], { env });
  expect([third.code, third.report.totals.cached, third.stderr.match(/The shared cache/g)?.length]).toEqual([0, 0, 1]);
  expect(statusesOf(third.report)).toEqual(statusesOf(first.report));
});

test.each([
  ['a password in the address', 'redis://:hunter2hunter2@127.0.0.1:6379/0', 'literal-key', 'passwordEnv'],
  ['a key in the address of a bucket', 's3://hunter2@answers/team', 'literal-key', 'passwordEnv'],
  ['an unknown scheme', 'memcached://127.0.0.1', 'invalid-value', 'redis://host:6379/0'],
  [
    'a key instead of a name',
    '{ url: "redis://h/0", passwordEnv: "my secret" }',
    'literal-key',
    'environment variable',
  ],
  ['two addresses', '{ url: "redis://h/0", urlEnv: REDIS_URL }', 'invalid-value', 'url and urlEnv'],
  [
    'answers that are old at once',
    '{ url: "redis://h/0", ttl: 0s }',
    'invalid-value',
    'cache.ttl: "0s" leaves no time',
  ],
  ['an unknown key', '{ url: "redis://h/0", password: x }', 'unknown-key', 'password'],
])('%s is a usage error with its place', async (_name, cache, code, hint) => {
  const project = openMachine(cache);
  const { code: exitCode, stderr } = await project.run(['validate']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(code);
  expect(stderr).toContain('llmcheck.config.yaml:1:');
  expect(stderr).toContain(hint);
  expect(stderr).not.toContain('hunter2');
});
