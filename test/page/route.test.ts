import { describe, expect, test } from 'vitest';
import { hrefOf, parseRoute, type Subject, type View } from '../../src/page/route.ts';
import fc, { codePoint } from '../support/property.ts';

// Most strings have no character that an address gives a meaning.
const id = fc.oneof(
  fc.string({ unit: codePoint, minLength: 1, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', '/', '%', '?', '#', '&', '=', '+', ' ', '.'), minLength: 1, maxLength: 5 }),
);
const view: fc.Arbitrary<View> = fc.oneof(
  fc.constant<View>({ name: 'overview' }),
  fc.constant<View>({ name: 'contracts' }),
  fc.constant<View>({ name: 'cases', filter: { statuses: ['failed'], text: 'a b' } }),
  fc
    .tuple(id, id, id, id)
    .map(([suite, caseId, prompt, provider]): View => ({ name: 'case', suite, caseId, prompt, provider, filter: {} })),
);
const served: fc.Arbitrary<Subject> = fc.oneof(
  id.map((run): Subject => ({ kind: 'run', id: run })),
  fc.tuple(id, id).map(([a, b]): Subject => ({ kind: 'compare', a, b })),
);

describe('the address of a view', () => {
  test('in a file leads back to it, whatever the ids', () => {
    fc.assert(
      fc.property(view, (shown) => {
        const subject = { kind: 'file' } as const;
        expect(parseRoute(hrefOf(subject, shown), false)).toEqual({ kind: 'report', subject, view: shown });
      }),
    );
  });

  test('on a server leads back to it and to its run or its pair of runs', () => {
    fc.assert(
      fc.property(served, view, (subject, shown) => {
        expect(parseRoute(hrefOf(subject, shown), true)).toEqual({ kind: 'report', subject, view: shown });
      }),
    );
  });

  test.each(['', '#', '#/', '#/nowhere', '#/case/only', '#/%E0%A4%A', '#/case/a/b/c/%'])('%j is no error', (hash) => {
    expect(parseRoute(hash, false).kind).toBe('report');
    expect(parseRoute(hash, true).kind).toBe('runs');
  });
});
