import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../../src/text/yaml/yaml-text.ts';
import fc from '../../support/property.ts';

/** Where a value may be written; `@@` is the value. */
const places = {
  'a map': 'a:\n  key: @@\n  next: 1\n',
  'a list': '- @@\n- next\n',
  'a map in a list': '- id: @@\n  next: 1\n',
  'a map in brackets': 'a: [{ id: @@, next: 1 }]\n',
  'a map in brackets on lines of its own': 'a: [\n  {\n    id: @@,\n    next: 1,\n  },\n]\n',
  'a list in brackets': 'a: [@@, next]\n',
};

const word = fc.constantFrom(
  '{{ x }}',
  '{{ x | default: "a, b" }}',
  '{% if x %}',
  '{% endif %}',
  'Re: b',
  'word',
  'a\\d',
  '@me',
  '`code`',
  '!important',
  '"quoted" text',
  "it's",
  '%d',
  '[tag] text',
  '{x} text',
  'end:',
);

const value = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));

describe('what is said of a value that must be in quotes', () => {
  test.each(Object.entries(places))('in %s it is read as it is meant, once the hint is followed', (name, place) => {
    fc.assert(
      fc.property(value, (written) => {
        const bare = written.replaceAll(/\{\{.*?\}\}/g, '');
        // In brackets a comma ends a value, and a quote or bracket in the middle may be meant otherwise.
        fc.pre(!name.includes('brackets') || !/^(?:\{%|.*[[{]x?\w*[\]}] text|.*["'])/.test(bare));
        // An item of a list with a colon is a map with that key.
        fc.pre(
          !name.startsWith('a list') || !(/^\S+: /.test(written) || (/["']/.test(bare) && written.includes(': '))),
        );
        const text = place.replace('@@', () => written);
        const { errors } = parseYaml(text);
        if (errors.length === 0) return;
        const hints = errors.map(({ hint = '' }) => /^put the whole value in quotes: (.*)$/.exec(hint)?.[1] ?? hint);
        const followed = parseYaml(place.replace('@@', () => hints[0] ?? ''));
        expect({ written, hints, errors: followed.errors, read: JSON.stringify(followed.value) }).toEqual({
          written,
          hints: [expect.any(String)],
          errors: [],
          read: expect.stringContaining(JSON.stringify(written)),
        });
        expect(errors[0]?.offset).toBe(text.indexOf(written));
      }),
    );
  });
});
