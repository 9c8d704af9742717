import { describe, expect, test } from 'vitest';
import { recordingHash } from '../../src/cache/cache-key.ts';
import { fillRecordingHashes } from '../../src/cache/fill-recording-hashes.ts';
import type { RecordingLine } from '../../src/cache/recordings.ts';
import type { CompletionRequest } from '../../src/model/completion.ts';
import { answer, ask } from './build-request.ts';

const first = ask('first turn');
const second = ask('second turn');
const byHand: RecordingLine = {
  prompt: 'v1',
  provider: 'openai:small',
  caseId: 'refund',
  trial: 0,
  completion: answer('billing'),
};

describe('fillRecordingHashes', () => {
  test('fills a missing hash and renews a stale one', () => {
    const stale = { ...byHand, requestHash: 'stale' };
    for (const line of [byHand, stale]) {
      expect(fillRecordingHashes([line], [first])).toEqual({
        lines: [{ ...line, requestHash: recordingHash(first) }],
        filled: 1,
        unmatched: [],
      });
    }
  });

  test('leaves alone what holds', () => {
    const line = { ...byHand, requestHash: recordingHash(first) };
    expect(fillRecordingHashes([line], [first])).toEqual({ lines: [line], filled: 0, unmatched: [] });
  });

  test('reports lines of cells that are not asked for, and keeps them', () => {
    const stranger = { ...byHand, caseId: 'gone' };
    expect(fillRecordingHashes([stranger], [first])).toEqual({ lines: [stranger], filled: 0, unmatched: [stranger] });
  });

  test('a line of a renamed case that still answers a request is not reported', () => {
    const renamed = { ...byHand, caseId: 'old-name', requestHash: recordingHash(first) };
    expect(fillRecordingHashes([renamed], [first])).toMatchObject({ filled: 0, unmatched: [] });
  });

  test('tells trials apart', () => {
    const trials = [0, 1].map((trial) => ask('first turn', { trial }));
    const lines = [
      { ...byHand, trial: 1 },
      { ...byHand, trial: 0 },
    ];
    const filled = fillRecordingHashes(lines, trials).lines;
    expect(filled.map(({ requestHash }) => requestHash)).toEqual(trials.toReversed().map(recordingHash));
  });

  test('follows a conversation from answer to answer', () => {
    const lines = [byHand, { ...byHand, completion: answer('done') }];
    const follow = (request: CompletionRequest, line: RecordingLine) =>
      request === first && line.completion.text === 'billing' ? second : undefined;
    expect(fillRecordingHashes(lines, [first], follow).lines.map(({ requestHash }) => requestHash)).toEqual([
      recordingHash(first),
      recordingHash(second),
    ]);
    expect(fillRecordingHashes(lines, [first])).toMatchObject({ filled: 1, unmatched: [lines[1]] });
  });

  test('does not take a line from the request that it answers', () => {
    const lines = [{ ...byHand, requestHash: recordingHash(second) }, byHand];
    expect(fillRecordingHashes(lines, [first, second]).lines.map(({ requestHash }) => requestHash)).toEqual([
      recordingHash(second),
      recordingHash(first),
    ]);
  });
});
