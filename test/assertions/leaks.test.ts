import { expect, test } from 'vitest';
import { findSecrets } from '../../src/secrets/find-secrets.ts';
import { findPii, piiKinds } from '../../src/secrets/personal-data.ts';
import { describeAssertion, findProblems } from './judge-one.ts';

describeAssertion('pii', [
  {
    when: 'there must be none and is none',
    params: { value: false },
    answer: 'Your order 12345 ships on 2024-05-06.',
    is: 'pass',
  },
  {
    when: 'there is an address',
    params: { value: false },
    answer: 'Write to jane.doe@example.com.',
    is: 'fail',
    reason: /^holds an email address "jane…" \(20 characters\) at character 10$/,
  },
  { when: 'there must be some', params: { value: true }, answer: 'Call +49 30 1234567', is: 'pass' },
  { when: 'the kind is not asked for', params: { value: false, kinds: ['iban'] }, answer: 'a@example.com', is: 'pass' },
  {
    when: 'it is allowed',
    params: { value: false, allow: ['Help@Example.com'] },
    answer: 'help@example.com',
    is: 'pass',
  },
  {
    when: 'it is allowed in other letters',
    params: { value: false, allow: ['help@example.com'] },
    answer: 'Write to HELP@Example.com.',
    is: 'pass',
  },
  {
    when: 'what is allowed stands often before the rest',
    params: { value: false, allow: ['help@example.com'] },
    answer: `${'help@example.com '.repeat(50)}me@example.com`,
    is: 'fail',
  },
  { when: 'the answer is empty', params: { value: false }, answer: '', is: 'pass' },
]);

const find = (text: string) =>
  findPii(text, { kinds: piiKinds, ignore: new Set(), limit: 9 }).map((finding) => [finding.kind, finding.text]);

test.each([
  ['(a.b+c@mail.example.co.uk)', 'email', 'a.b+c@mail.example.co.uk'],
  ['jörg@müller.example', 'email', 'jörg@müller.example'],
  ['call +1 (212) 555-0187 now', 'phone', '+1 (212) 555-0187'],
  ['call (212) 555-0187.', 'phone', '(212) 555-0187'],
  ['212-555-0187', 'phone', '212-555-0187'],
  ['Tel. 030 / 123 45 67', 'phone', '030 / 123 45 67'],
  ['+442079460958', 'phone', '+442079460958'],
  ['+12345678', 'phone', '+12345678'],
  ['+123456789012345', 'phone', '+123456789012345'],
  ['IBAN: DE89 3704 0044 0532 0130 00 AND SO', 'iban', 'DE89 3704 0044 0532 0130 00'],
  ['GB82WEST12345698765432', 'iban', 'GB82WEST12345698765432'],
  ['card 4111 1111 1111 1111!', 'card', '4111 1111 1111 1111'],
  ['378282246310005', 'card', '378282246310005'],
  ['4111 1111 1111 1111 12/27 123', 'card', '4111 1111 1111 1111'],
  ['no 12 4111111111111111 123', 'card', '4111111111111111'],
  ['+49 151 23456781 4111 1111 1111 1111', 'card', '4111 1111 1111 1111'],
  ['+49 151 23456781 4111 1111 1111 1111', 'phone', '+49 151 23456781'],
  ['call 212-555-0187 10 times', 'phone', '212-555-0187'],
  ['0151 2345678 4111 1111 1111 1111', 'phone', '0151 2345678'],
  ['SSN 123-45-6789', 'ssn', '123-45-6789'],
])('in %s it finds the %s %s', (text, kind, found) => {
  expect(find(text)).toContainEqual([kind, found]);
});

test.each([
  'a@b',
  'user@localhost',
  '@example.com',
  'a..b@',
  'Order 4111111111111112',
  'DE88370400440532013000',
  'XX89370400440532013000',
  'GB82  WEST 1234 5698 7654 32',
  '000-12-3456',
  '666-12-3456',
  '900-12-3456',
  '123-00-4567',
  '123-45-0000',
  '+1234567',
  '+1234567890123456',
  '+0123456789',
  '06.05.2024 12:30',
  '05/06/2024',
  '1,234,567,890',
  '4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25',
  '2017 2018 2019 2020 2021 2022 2023 2024 2025 2026 2027',
  '3.14159265358979',
  '2024-05-06T12:30:00',
  '192.168.100.200',
  '1700000000',
  '0000000000000000',
  '550e8400-e29b-41d4-a716-446655440000',
])('in %s it finds nothing', (text) => {
  expect(find(text)).toEqual([]);
});

// Put together here, so that no scanner takes them for keys that leaked.
const random = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0';
const upper = 'IOSFODNN7EXAMPLE';
const privateKey = 'PRIVATE KEY';
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: '1' })}.${random}`;

describeAssertion('pii', [
  ...['tel:+14155552671', 'Phone:415-555-2671', 'gb82 west 1234 5698 7654 32'].map((answer) => ({
    when: `it stands close to other text, or in small letters: ${answer}`,
    params: { value: true },
    answer,
    is: 'pass' as const,
  })),
  { when: 'it is a time', params: { value: false }, answer: 'At 10:415-555-2671.', is: 'pass' },
]);

describeAssertion('secrets', [
  {
    when: 'it is the checksum of a file',
    params: { value: false },
    answer: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    is: 'pass',
  },
  {
    when: 'there is none',
    params: { value: false },
    answer: 'Set OPENAI_API_KEY to your key, sk-… or so.',
    is: 'pass',
    reason: /holds no key/,
  },
  {
    when: 'there is a key',
    params: { value: false },
    answer: `Use sk-proj-${random}.`,
    is: 'fail',
    reason: /^holds an OpenAI key, "sk-p…" \(48 characters\) at character 5$/,
  },
  { when: 'there must be one', params: { value: true }, answer: jwt, is: 'pass', reason: /a JWT/ },
  {
    when: 'it is allowed',
    params: { value: false, allow: [`ghp_${random.slice(0, 36)}`] },
    answer: `ghp_${random.slice(0, 36)}`,
    is: 'pass',
  },
  {
    when: 'a random text counts',
    params: { value: false },
    answer: `token: ${random}`,
    is: 'fail',
    reason: /random text/,
  },
  {
    when: 'a random text does not count',
    params: { value: false, entropy: false },
    answer: `token: ${random}`,
    is: 'pass',
  },
]);

const kindOf = (text: string) =>
  findSecrets(text, { entropy: true, ignore: new Set(), limit: 9 }).map(({ kind }) => kind);

test.each([
  [`-----BEGIN RSA ${privateKey}-----`, 'a private key'],
  [`sk-ant-api03-${random}`, 'an Anthropic key'],
  [`sk-${random}`, 'an OpenAI key'],
  [`github_pat_${random}`, 'a GitHub token'],
  [`glpat-${random.slice(0, 20)}`, 'a GitLab token'],
  [`AKIA${upper}`, 'an AWS access key id'],
  [`AIza${random.slice(0, 35)}`, 'a Google API key'],
  [`xoxb-${random}`, 'a Slack token'],
  [`https://hooks.slack.com/services/T${upper}/B${upper}/${random.slice(0, 24)}`, 'a Slack webhook'],
  [`sk_live_${random}`, 'a Stripe key'],
  [`SG.${random.slice(0, 22)}.${random}`, 'a SendGrid key'],
  [`hf_${random.slice(0, 34)}`, 'a Hugging Face token'],
  [`npm_${random.slice(0, 36)}`, 'an npm token'],
  [`gsk_${random}`, 'a Groq key'],
  [`xai-${random}`, 'an xAI key'],
  [jwt, 'a JWT'],
  ['postgres://admin:hunter22@db.example.com/main', 'a password in a URL'],
])('%s is %s, and nothing else', (text, kind) => {
  expect(kindOf(`key=${text}\n`)).toEqual([kind]);
});

test.each([
  'https://example.com/a/b?c=d',
  'postgres://user:password@localhost',
  'postgres://user:$PASSWORD@localhost',
  '550e8400-e29b-41d4-a716-446655440000',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709da39a3ee',
  'this-is-a-long-name-of-a-file-with-many-words-2024',
  'sk-learn-is-a-library-for-machines',
  'eyJhbGciOiJub25lIn0',
  'AKIA',
  '=========================================',
  'getUserAccountInformationFromDatabase2024Service',
])('%s is no secret', (text) => {
  expect(kindOf(text)).toEqual([]);
});

test.each([
  ['pii', {}, /^value: /],
  ['pii', { value: false, kinds: ['name'] }, /^kinds\.0: /],
  ['pii', { value: false, kinds: [] }, /needs at least one kind/],
  ['secrets', { value: 'no' }, /^value: /],
  ['secrets', { value: false, allow: [''] }, /^allow\.0: /],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params).join('\n')).toMatch(problem);
});
