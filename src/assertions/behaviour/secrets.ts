import * as z from 'zod';
import { findSecrets } from '../../secrets/find-secrets.ts';
import { defineAssertion } from '../define.ts';
import { hintAtFinding, textOf } from '../targets.ts';

const maxFindings = 20;

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
