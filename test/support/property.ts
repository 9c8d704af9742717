import * as fc from 'fast-check';

// One seed, so that a change is judged by what it changed. To look further: LLMCHECK_TEST_SEED=random, and LLMCHECK_TEST_RUNS for how many values.
const seed = process.env['LLMCHECK_TEST_SEED'] ?? '20260101';
const runs = process.env['LLMCHECK_TEST_RUNS'];

fc.configureGlobal({
  ...(seed === 'random' ? {} : { seed: Number(seed) }),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});

const surrogates = 0x800;
const firstSurrogate = 0xd800;

/**
 * The code points of texts, as `unit: 'binary'` draws them. Fast-check keeps each of the million in a map then, which takes a
 * second and 100 MB in every process of tests.
 */
export const codePoint: fc.Arbitrary<string> = fc.nat({ max: 0x10_ffff - surrogates }).map(
  (index) => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates),
  (value) => {
    const [first, second] = typeof value === 'string' ? value : '';
    const code = first?.codePointAt(0);
    const isSurrogate = code !== undefined && code >= firstSurrogate && code < firstSurrogate + surrogates;
    if (code === undefined || second !== undefined || isSurrogate) throw new Error('not one code point');
    return code < firstSurrogate ? code : code - surrogates;
  },
);

export default fc;
