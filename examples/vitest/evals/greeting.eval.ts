import { defineSuite } from 'llmcheck';

export default defineSuite({
  prompts: [{ id: 'v1', text: 'Greet {{ name }} in one line.' }],
  providers: ['exec:node greet.mjs'],
  defaults: { assert: [{ contains: '{{ name }}' }] },
  cases: ['Ada', 'Grace'].map((name) => ({ id: name, vars: { name } })),
});
