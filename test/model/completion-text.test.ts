import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/json/canonical-json.ts';
import { type Completion, completionText, type Usage } from '../../src/model/completion.ts';
import fc from '../support/property.ts';

const text = () => fc.string({ unit: 'binary' });
const number = () => fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const usage: fc.Arbitrary<Usage> = fc.record(
  {
    inputTokens: fc.nat(),
    outputTokens: fc.nat(),
    cachedInputTokens: fc.nat(),
    cacheWriteTokens: fc.nat(),
    reasoningTokens: fc.nat(),
    inputAudioTokens: fc.nat(),
    outputAudioTokens: fc.nat(),
  },
  { requiredKeys: ['inputTokens', 'outputTokens'] },
);
const toolCall = fc.record({ id: text(), name: text(), arguments: fc.jsonValue(), rawArguments: text() });
const completion: fc.Arbitrary<Completion> = fc.record(
  {
    text: text(),
    toolCalls: fc.array(toolCall, { maxLength: 2 }) as fc.Arbitrary<Completion['toolCalls']>,
    reasoning: text(),
    refusal: text(),
    finishReason: fc.constantFrom('stop', 'length', 'other'),
    rawFinishReason: text(),
    usage,
    latencyMs: number(),
    responseId: text(),
    model: text(),
    systemFingerprint: text(),
  },
  { requiredKeys: ['text', 'toolCalls'] },
);

test('an answer is written as canonical JSON, whatever members it has', () => {
  fc.assert(
    fc.property(completion, (answer) => {
      expect(completionText(answer)).toBe(canonicalJson(answer));
    }),
  );
});
