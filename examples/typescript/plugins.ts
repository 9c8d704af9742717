import { defineAssertion, defineProvider } from 'llmcheck';

/** Named in suites as `polite: { least: 1 }`. */
export const polite = defineAssertion({
  name: 'polite',
  summary: 'has polite words',
  params: { type: 'object', properties: { least: { type: 'integer', minimum: 1, default: 1 } } },
  check({ text, params }) {
    const found = ['welcome', 'please', 'thank you'].filter((word) => text.toLowerCase().includes(word));
    return { pass: found.length >= Number(params['least']), reason: `found ${found.join(', ') || 'none'}` };
  },
});

/** Named in suites as `shout:model-1`; a real one would ask a model. */
export const shout = defineProvider({
  name: 'shout',
  summary: 'greets without a model',
  complete({ messages }) {
    const name = /Greet (.+) in one line/.exec(messages.at(-1)?.content ?? '')?.[1] ?? 'you';
    return { text: `Welcome, ${name}!`, usage: { inputTokens: 8, outputTokens: 4 } };
  },
});
