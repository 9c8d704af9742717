import { describe, expect, test } from 'vitest';
import { writeJson } from '../../src/json/canonical-json.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { plainNumbers } from '../../src/text/yaml/exact-numbers.ts';
import { parseYaml } from '../../src/text/yaml/yaml-text.ts';
import type { RecordedStub } from '../../src/tools/recorded-stubs.ts';
import { insertStubs } from '../../src/tools/recorded-stubs.ts';
import fc from '../support/property.ts';

function insert(text: string | undefined, stubs: readonly RecordedStub[]): string {
  const inserted = insertStubs(text, stubs);
  if ('fault' in inserted) throw new Error(inserted.fault);
  return inserted.text;
}

const stub = (name: string, when: JsonObject, returns = 'ok'): RecordedStub => ({ name, when, answer: { returns } });

const json = fc.jsonValue({ maxDepth: 3 });
const args = fc.dictionary(fc.string(), json, { maxKeys: 4 });

describe('recorded stubs in a file', () => {
  test('come back as what was recorded, whatever it holds', () => {
    fc.assert(
      fc.property(args, json, (given, value) => {
        // As they arrive: JSON knows no -0.
        const when = JSON.parse(JSON.stringify(given)) as JsonObject;
        const content = JSON.stringify(value);
        const { value: parsed, errors } = parseYaml(insert(undefined, [stub('say', when, content)]));
        expect(errors).toEqual([]);
        const [entry] = (plainNumbers(parsed) as { say: { when: JsonObject; returns: unknown }[] }).say;
        expect(JSON.stringify(entry?.when)).toBe(JSON.stringify(when));
        const returns = entry?.returns;
        expect(typeof returns === 'string' ? returns : writeJson(returns)).toBe(content);
      }),
    );
  });

  test('have one order, whatever the order of the calls was', () => {
    const calls = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 99 })), {
      selector: ([name, id]) => `${name}${id}`,
      maxLength: 8,
    });
    const shuffled = calls.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.nat({ max: 8 }), ([all, other], cut) => {
        const write = (list: typeof all) => list.map(([name, id]) => stub(name, { id }));
        const inTwo = insert(insert('# mine\n', write(other.slice(0, cut))), write(other.slice(cut)));
        expect(inTwo).toBe(insert('# mine\n', write(all)));
      }),
    );
  });

  test('leave what is there: comments, anchors, flow style and entries by hand', () => {
    const text = `# Top.
one: &one
  - { when: { id: 1 }, returns: "x" } # first
two: *one
# Before three.
three: { never: true }
`;
    const written = insert(text, [stub('two', { id: 2 }), stub('zero', {}), stub('three', { id: 3 })]);
    for (const line of text.split('\n').slice(0, 3)) expect(written).toContain(line);
    expect(written).toContain('# Before three.');
    const { value, errors } = parseYaml(written);
    expect(errors).toEqual([]);
    const added = { compare: 'exact', returns: 'ok' };
    expect(plainNumbers(value)).toEqual({
      one: [{ when: { id: 1 }, returns: 'x' }],
      two: [
        { when: { id: 1 }, returns: 'x' },
        { when: { id: 2 }, ...added },
      ],
      three: [{ never: true }, { when: { id: 3 }, ...added }],
      zero: [{ when: {}, ...added }],
    });
  });

  test('are not added twice, nor to a file that is no map', () => {
    const text = insert(undefined, [stub('say', { id: 1 }, 'first')]);
    expect(insert(text, [stub('say', { id: 1 }, 'second')])).toBe(text);
    const refused: RecordedStub = { name: 'say', when: {}, answer: { fails: '[1]' } };
    expect(insert(undefined, [refused])).toContain('fails: "[1]"');
    expect(insert(undefined, [stub('say', {}, '{"a":1}')])).toContain('a: 1');
    expect(insert(undefined, [stub('say', {}, '{ "a": 1 }')])).toContain(`returns: '{ "a": 1 }'`);
    expect(insertStubs('- a\n', [stub('say', {})])).toEqual({ fault: 'it holds no map of tools' });
    expect(insertStubs('{ a', [stub('say', {})])).toEqual({ fault: 'Flow map must end with a } at line 1, column 4:' });
  });

  const fails: RecordedStub = { name: 'say', when: { id: 2 }, answer: { fails: 'no such {{ order }}' } };

  const files: readonly (readonly [what: string, text: string | undefined, stubs: readonly RecordedStub[]])[] = [
    ['a new file', undefined, [stub('b', { id: 1 }, '[1, 2]'), stub('a', {}, '{"x":"y"}')]],
    [
      'a text that is only JSON by its start',
      undefined,
      [stub('a', { id: 1 }, '[1'), stub('b', {}, '[1234567890123456789]')],
    ],
    ['templates in the result or the arguments', '# mine\n', [fails, stub('say', { q: '{{ x }}' })]],
    ['an empty map and an empty list', '{}\n', [stub('say', {})]],
    ['an empty list of a tool', 'say: []\n', [stub('say', {})]],
    ['a flow map that holds something', '{ say: [{ never: true }], other: x }\n', [stub('say', {}), stub('zoo', {})]],
    [
      'entries by hand that are no map, or no exact one',
      'say: [~, x, { when: { id: 1 }, returns: y }, { compare: exact, returns: z }]\n',
      [stub('say', { id: 1 })],
    ],
    ['what is no entry at all', 'say: text\n', [stub('say', {})]],
    ['names that are numbers', '5: []\ntrue: []\n', [stub('5', {}), stub('null', {}), stub('~', {})]],
    [
      'the order of names and arguments',
      'b: []\nd: []\n',
      ['e', 'c', 'a', 'b'].flatMap((name) => [stub(name, { id: 2 }), stub(name, { id: 1 })]),
    ],
  ];

  test('are written as entries that a reader can edit', async () => {
    const written = files.map(([what, text, stubs]) => `=== ${what}\n${insert(text, stubs)}`);
    await expect(written.join('\n')).toMatchFileSnapshot('snapshots/recorded-stubs.txt');
  });
});
