import { expect, test } from 'vitest';
import { findSecrets } from '../../src/secrets/find-secrets.ts';
import { findPii, type PiiKind, piiKinds } from '../../src/secrets/personal-data.ts';

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

test('random texts are distinguished from others', () => {
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

test('every form of a key is found alone in a text', () => {
  const letters = 'aB3'.repeat(16);
  const forms: Readonly<Record<string, readonly string[]>> = {
    'a private key': ['', 'RSA ', 'EC ', 'OPENSSH '].map((of) => `-----BEGIN ${of}PRIVATE KEY-----`),
    'an OpenAI key': ['sk-', 'sk-proj-', 'sk-svcacct-', 'sk-admin-'].map((start) => `${start}${letters}`),
    'a GitHub token': [
      ...['p', 'o', 'u', 's', 'r'].map((letter) => `gh${letter}_${letters.slice(0, 36)}`),
      `github_pat_${letters}`,
    ],
    'a GitLab token': [`glpat-${letters}`],
    'an AWS access key id': ['AKIA', 'ASIA'].map((start) => `${start}${'A2'.repeat(8)}`),
    'a Google API key': [`AIza${letters.slice(0, 35)}`],
    'a Slack token': ['a', 'b', 'e', 'o', 'p', 'r', 's'].map((letter) => `xox${letter}-${letters}`),
    'a Slack webhook': [`https://hooks.slack.com/services/T12345/B12345/${letters.slice(0, 24)}`],
    'a Stripe key': ['rk_live_', 'rk_test_', 'sk_live_', 'sk_test_'].map((start) => `${start}${letters}`),
    'a SendGrid key': [`SG.${letters.slice(0, 22)}.${letters.slice(0, 43)}`],
    'a Hugging Face token': [`hf_${letters.slice(0, 34)}`],
    'an npm token': [`npm_${letters.slice(0, 36)}`],
    'a Groq key': [`gsk_${letters}`],
    'an xAI key': [`xai-${letters}`],
  };
  for (const [kind, keys] of Object.entries(forms))
    for (const key of keys) expect(find({}, `it is ${key}.`)).toEqual([{ kind, text: key, index: 6 }]);
});

test('keys are distinguished from similar texts', () => {
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

test.each<[kind: PiiKind, text: string, found: readonly string[]]>([
  ['phone', '+1234567 +0123456789 +1234567890123456', []],
  ['phone', '+12345678, +123456789012345', ['+12345678', '+123456789012345']],
  ['phone', '212-555-1234; 1 212 555 1234; (212) 555-1234', ['212-555-1234', '1 212 555 1234', '(212) 555-1234']],
  ['phone', '112-555-1234; 212-155-1234', []],
  ['phone', '030 12345; 03012 34567890', []],
  ['phone', '030 123456; 0301 23456789', ['030 123456', '0301 23456789']],
  ['phone', '0301234567; (0301234567; 00 301234567', []],
  ['phone', '(030) 1234567', ['(030) 1234567']],
  ['phone', '01.02.2024 5', []],
  [
    'phone',
    '0123 02 2024; 01 234 2024; 01 02 20245; 01 2345678',
    ['0123 02 2024', '01 234 2024', '01 02 20245', '01 2345678'],
  ],
  ['phone', 'call 030 1234567 100 200 300', ['030 1234567']],
  ['phone', '030 1234567 040 7654321', ['030 1234567', '040 7654321']],
  ['card', '4111 1111 1111 1111 5500 0000 0000 0004', ['4111 1111 1111 1111', '5500 0000 0000 0004']],
  ['email', 'a..b@example.com a.@example.com @example.com', []],
  ['email', 'a.b@example.com', ['a.b@example.com']],
  [
    'iban',
    'DE89370400440532013000, de89 3704 0044 0532 0130 00',
    ['DE89370400440532013000', 'de89 3704 0044 0532 0130 00'],
  ],
  ['iban', 'DE89370400440532013001 ZZ89370400440532013000 DE89370400440532013000a DE8937040044053201300', []],
  ['iban', 'DE89  370400440532013000 DE89-3704-0044-0532-0130-00', []],
  [
    'iban',
    'GB82WEST12345698765432 MT84MALT011000012345MTLCAST001S',
    ['GB82WEST12345698765432', 'MT84MALT011000012345MTLCAST001S'],
  ],
  ['card', '5500 0000 0000 0004, 4111-1111-1111-1111', ['5500 0000 0000 0004', '4111-1111-1111-1111']],
  ['card', '5500000000000005 1111111111111111 0000000000000000', []],
  ['card', '6666666666666 8000000000000003', []],
  ['card', '4111 1111 1111 1112 101', []],
  ['phone', '01 234 2024 9999', []],
  ['card', '378282246310005 100 200', ['378282246310005']],
  ['ssn', '078-05-1120 078 05 1120', ['078-05-1120', '078 05 1120']],
  ['ssn', '000-05-1120 666-05-1120 900-05-1120 078-00-1120 078-05-0000 078-05 1120', []],
])('%s in %j', (kind, given, found) => {
  const findings = findPii(given, { kinds: [kind], ignore: new Set<string>(), limit: 9 });
  expect(findings.map((finding) => finding.text)).toEqual(found);
  for (const { index, text: own } of findings) expect(given.slice(index, index + own.length)).toBe(own);
});

test('a key right after another is found, too', () => {
  const kinds = find({}, '-----BEGIN PRIVATE KEY-----https://me:realone@h.example').map(({ kind }) => kind);
  expect(kinds).toEqual(['a private key', 'a password in a URL']);
});

test('a random text is a key where it has digits and letters of both cases', () => {
  const key = 'aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW0xY';
  expect(find({ entropy: true }, key)).toHaveLength(1);
  for (const other of [key.replaceAll(/\d/g, 'z'), key.toLowerCase(), key.toUpperCase(), 'aB1c2'.repeat(7)])
    expect([other, find({ entropy: true }, other)]).toEqual([other, []]);
});
