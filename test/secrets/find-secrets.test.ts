import { expect, test } from 'vitest';
import { findSecrets } from '../../src/secrets/find-secrets.ts';
import { findPii, piiKinds } from '../../src/secrets/personal-data.ts';

const token = (letter: string) => `ghp_${`${letter}1`.repeat(18)}`;
const text = `${token('a')} ${token('b')} ${token('c')}`;
const find = (options: object = {}, given = text) =>
  findSecrets(given, { entropy: false, ignore: new Set<string>(), limit: 9, ...options });

test('each key is found once, at its place, up to the limit', () => {
  const all = ['a', 'b', 'c'].map((letter, at) => ({ kind: 'a GitHub token', text: token(letter), index: 41 * at }));
  expect(find()).toEqual(all);
  expect(find({ limit: 3 })).toEqual(all);
  expect(find({ limit: 2 })).toEqual(all.slice(0, 2));
  expect(find({ limit: 0 })).toEqual([]);
  expect(find({ ignore: new Set([token('a')]), limit: 2 })).toEqual(all.slice(1));
  expect(find({}, 'nothing')).toEqual([]);
});

test('a key that is random, too, has one kind, and one beside it has its own', () => {
  const random = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0iL';
  expect(find({ entropy: true }, `${random} ${token('a')}`)).toEqual([
    { kind: 'a GitHub token', text: token('a'), index: 33 },
    { kind: 'a random text that may be a key', text: random, index: 0 },
  ]);
  expect(find({}, random)).toEqual([]);
  const inUrl = 'https://me:sk-ant-aaaaaaaaaaaaaaaaaaaaaaaa@h.example';
  expect(find({}, inUrl).map(({ kind }) => kind)).toEqual(['an Anthropic key']);
  const two = `${token('a')}-${token('b')}`;
  expect(find({}, two)).toHaveLength(1);
});

test('random texts are told from others', () => {
  const isRandom = (given: string) => find({ entropy: true }, given).length === 1;
  const random = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0iLo';
  expect([31, 32, 33].map((length) => isRandom(random.slice(0, length)))).toEqual([false, true, true]);
  expect(
    [
      `sha256-${random}`,
      random.toLowerCase(),
      random.toUpperCase(),
      random.replaceAll(/\d/g, 'x'),
      `${random.replaceAll(/\d/g, 'x')}12`,
      'aaaaaaaaaaaaaaaaB1bbbbbbbbbbbbbbbbbb2',
      '0123456789abcdef0123456789abcdeF',
    ].map(isRandom),
  ).toEqual(Array(7).fill(false));
  expect([128, 129].map((length) => isRandom(random.repeat(4).slice(0, length)))).toEqual([true, false]);
});

test('keys are told from what looks like one', () => {
  const kinds = (given: string) => find({}, given).map(({ kind }) => kind);
  const jwt = (header: object) => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.abcd.`;
  expect(kinds(jwt({ alg: 'none' }))).toEqual(['a JWT']);
  expect(kinds(jwt({ other: 'none' }))).toEqual([]);
  expect(kinds('sk-abcdefghijklmnopqrs1x2')).toEqual(['an OpenAI key']);
  expect(kinds('sk-abcdefghijklmnopqrstx2')).toEqual([]);
  expect(kinds('https://me:realone@h.example')).toEqual(['a password in a URL']);
  for (const word of ['****', 'xxxx', '<key>', '${KEY}', '{key}', '[key]', 'password', 'pass', 'SECRET'])
    expect(kinds(`https://me:${word}@h.example`)).toEqual([]);
  expect(kinds('-----BEGIN RSA PRIVATE KEY-----')).toEqual(['a private key']);
});

test('personal data is found in the order of its kinds, up to the limit', () => {
  const given = 'b@example.com 4111 1111 1111 1111 a@example.com';
  const pii = (options: object) =>
    findPii(given, { kinds: piiKinds, ignore: new Set<string>(), limit: 9, ...options }).map(({ kind, index }) => [
      kind,
      index,
    ]);
  const all = [
    ['email', 0],
    ['email', 34],
    ['card', 14],
  ];
  expect(pii({})).toEqual(all);
  expect(pii({ limit: 3 })).toEqual(all);
  expect(pii({ limit: 2 })).toEqual(all.slice(0, 2));
  expect(pii({ kinds: ['card', 'email'], limit: 2 })).toEqual([all[2], all[0]]);
  expect(pii({ ignore: new Set(['b@example.com']) })).toEqual(all.slice(1));
});
