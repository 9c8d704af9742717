import * as z from 'zod';
import { findSecrets } from '../../secrets/find-secrets.ts';
import { findPii, type PiiKind, piiKinds } from '../../secrets/personal-data.ts';
import { defineAssertion } from '../define.ts';
import { hintAtFinding, textOf } from '../targets.ts';

const names: Readonly<Record<PiiKind, string>> = {
  email: 'an email address',
  phone: 'a phone number',
  iban: 'an IBAN',
  card: 'a card number',
  ssn: 'a US social security number',
};

const maxFindings = 20;

/** Personal data by form and check digits: IBAN by ISO 7064 (MOD 97-10), cards by Luhn. Names are not recognised. */
export const pii = defineAssertion({
  summary: 'the text holds personal data: email, phone, IBAN, card, US SSN, by form and check digits',
  family: 'behaviour',
  example: 'pii: false',
  failsOn: { text: 'Write to jane.doe@example.com.' },
  definition: 'Luhn check of cards: ISO/IEC 7812-1; IBAN check: ISO 13616',
  main: 'value',
  params: z.strictObject({
    value: z.boolean().describe('False: the text must hold none.'),
    kinds: z
      .array(z.enum(piiKinds))
      .min(1, { error: 'needs at least one kind' })
      .default([...piiKinds])
      .describe('What is looked for.'),
    allow: z.array(z.string().min(1)).default([]).describe('Texts that do not count, such as your own address.'),
  }),
  check(target, { value, kinds, allow }) {
    const text = textOf(target);
    const ignore = new Set(allow.map((entry) => entry.toLowerCase()));
    const findings = findPii(text, { kinds, ignore, limit: maxFindings });
    if (findings.length === 0)
      return { pass: !value, reason: `holds no personal data of the kinds ${kinds.join(', ')}` };
    const shown = findings
      .slice(0, 5)
      .map(({ kind, text: found, index }) => `${names[kind]} ${hintAtFinding(found)} at character ${index + 1}`);
    return { pass: value, reason: `holds ${shown.join(', ')}${findings.length > 5 ? ' and more' : ''}` };
  },
});

/** Keys by their published prefixes, JWT (RFC 7519), PEM private keys (RFC 7468), and Shannon entropy. */
export const secrets = defineAssertion({
  summary: 'the text holds a key or token: by well-known prefixes, as a JWT, a private key, or a random text',
  family: 'behaviour',
  example: 'secrets: false',
  failsOn: { text: `The key is ${['ghp', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('_')}.` },
  definition:
    'prefixes that the issuers publish; JWT: RFC 7519; private keys: RFC 7468; randomness: Shannon entropy per character',
  main: 'value',
  params: z.strictObject({
    value: z.boolean().describe('False: the text must hold none.'),
    entropy: z.boolean().default(true).describe('Random texts of 32 to 128 characters count too.'),
    allow: z.array(z.string().min(1)).default([]).describe('Texts that do not count, such as a documented example.'),
  }),
  check(target, { value, entropy, allow }) {
    const findings = findSecrets(textOf(target), { entropy, ignore: new Set(allow), limit: maxFindings });
    if (findings.length === 0) return { pass: !value, reason: 'holds no key or token' };
    const shown = findings
      .slice(0, 5)
      .map(({ kind, text, index }) => `${kind}, ${hintAtFinding(text)} at character ${index + 1}`);
    return { pass: value, reason: `holds ${shown.join('; ')}${findings.length > 5 ? '; and more' : ''}` };
  },
});
