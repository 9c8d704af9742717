import * as fc from 'fast-check';

// One seed, so that a change is judged by what it changed. To look further: LLMCHECK_TEST_SEED=random, and LLMCHECK_TEST_RUNS for how many values.
const seed = process.env['LLMCHECK_TEST_SEED'] ?? '20260101';
const runs = process.env['LLMCHECK_TEST_RUNS'];

fc.configureGlobal({
  ...(seed === 'random' ? {} : { seed: Number(seed) }),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});

export default fc;
