import { expect, test } from 'vitest';
import { createDebounce } from '../../../src/cli/watch/file-watcher.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function collect() {
  const clock = createManualClock();
  const batches: string[][] = [];
  const debounce = createDebounce<string>({ quietMs: 40, maxMs: 100, clock }, (items) => batches.push([...items]));
  return { clock, batches, debounce };
}

test('a burst comes as one batch, once it is over', async () => {
  const { clock, batches, debounce } = collect();
  for (const item of ['a', 'b', 'a']) {
    debounce.add(item);
    await clock.advance(30);
  }
  expect(batches).toEqual([]);
  await clock.advance(10);
  expect(batches).toEqual([['a', 'b']]);
  debounce.add('c');
  await clock.advance(40);
  expect(batches).toEqual([['a', 'b'], ['c']]);
});

test('what never ends comes in parts', async () => {
  const { clock, batches, debounce } = collect();
  for (let index = 0; index < 10; index += 1) {
    debounce.add(`f${index}`);
    await clock.advance(30);
  }
  expect(batches.map((batch) => batch.length)).toEqual([4, 4]);
});

test('nothing comes after the end', async () => {
  const { clock, batches, debounce } = collect();
  debounce.add('a');
  debounce.cancel();
  await clock.advance(1000);
  expect(batches).toEqual([]);
});
