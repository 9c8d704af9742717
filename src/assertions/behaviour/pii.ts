import * as z from 'zod';
import { findPii, type PiiKind, piiKinds } from '../../secrets/find-pii.ts';
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
