import { expect, test } from 'vitest';
import { answersFromStoreOnly } from '../../src/calls/calls.ts';
import type { CacheMode } from '../../src/model/run/record.ts';
import { buildSuite } from '../support/build-case.ts';

const recorded = buildSuite([], { recordings: '/p/a.jsonl' });

test.each<[cacheMode: CacheMode, isCacheModeChosen: boolean, record: boolean, plain: boolean, recorded: boolean]>([
  ['use', false, false, false, true],
  ['use', true, false, false, false],
  ['use', false, true, false, false],
  ['off', true, false, false, false],
  ['refresh', false, false, false, true],
  ['replay', true, false, true, true],
  ['replay', false, false, true, true],
  ['replay', true, true, true, true],
])(
  'under --cache %s (chosen: %s, recording: %s) only stored answers answer',
  (cacheMode, isCacheModeChosen, record, ...expected) => {
    const options = { settings: { cacheMode }, isCacheModeChosen, record };
    expect([answersFromStoreOnly(buildSuite([]), options), answersFromStoreOnly(recorded, options)]).toEqual(expected);
  },
);
