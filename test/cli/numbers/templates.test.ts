import { expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';

const even = '9007199254740992';
const odd = '9007199254740993';
const vars = `{ id: ${odd}, near: ${even}, safe: 9007199254740990, text: '${odd}', ids: [9007199254740995, ${odd}, ${odd}], rows: [{ id: ${odd}, n: 1 }, { id: ${even}, n: 2 }] }`;

function write(text: string) {
  const project = openTempProject();
  project.write('evals/p.prompt.md', text);
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: v1, file: p.prompt.md }]\nproviders: [{ id: p, use: "exec:node echo.mjs" }]\ncases: [{ id: c, vars: ${vars}, assert: [{ regex: '.' }] }]\n`,
  );
  project.write(
    'evals/echo.mjs',
    `import { readFileSync } from 'node:fs';
const { messages } = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify({ text: messages[0].content }));
`,
  );
  return project;
}

test.each([
  ['an output', `{{ ${odd} }}`, /^evals\/p\.prompt\.md:1:4 error/],
  ['a variable', `a\n{% assign x = ${odd} %}{{ x }}`, /^evals\/p\.prompt\.md:2:15 error/],
  ['a test', `{% if id == ${odd} %}a{% endif %}`, /:1:13 error/],
  ['a branch', `{% case id %}{% when 1, ${odd} %}a{% endcase %}`, /:1:25 error/],
  ['a step', `{{ ids | where: "id", ${odd} | json }}`, /:1:23 error/],
  ['an expression in quotes', `{{ rows | where_exp: "r", "r.id == ${odd}" | json }}`, /:1:\d+ error/],
  ['a result', '{{ near | plus: 1 }}', /:1:\d+ error/],
  ['a product', '{{ safe | times: 3 }}', /:1:\d+ error/],
  ['a text that is calculated with', '{{ text | minus: 10 }}', /:1:\d+ error/],
  ['a sum', '{{ rows | sum: "id" }}', /:1:\d+ error/],
  ['an order', '{{ ids | sort | join: " " }}', /:1:\d+ error/],
  ['an order by a field', '{{ rows | sort: "id" | json }}', /:1:\d+ error/],
])('a number that no double keeps is refused at its place: %s', async (_, text, place) => {
  const { code, stderr } = await write(text).run(['validate']);
  expect([code, stderr]).toEqual([2, expect.stringMatching(place)]);
});

test.each([
  [`{% case id %}{% when ${even} %}HIT{% else %}miss{% endcase %}`, 'miss'],
  ['{% case id %}{% when near %}HIT{% when id %}same{% endcase %}', 'same'],
  ['{{ ids | uniq | join: " " }}', `9007199254740995 ${odd}`],
  ['{{ rows | where: "id", near | map: "n" | join: " " }}', '2'],
  ['{{ rows | group_by: "id" | size }}', '2'],
  ['{% cycle id %}', odd],
  ['{{ safe | plus: 1 }} {{ 3 | times: 0.5 }}', '9007199254740991 1.5'],
  [
    `{{ "${odd}" }} {% comment %}${odd}{% endcomment %}{% raw %}{{ ${odd} }}{% endraw %} ${odd}`,
    `${odd} {{ ${odd} }} ${odd}`,
  ],
])('compares by every digit: %s', async (text, sent) => {
  const { code, report } = await write(text).report(['run']);
  expect([code, JSON.stringify(report)]).toEqual([0, expect.stringContaining(JSON.stringify(sent))]);
});

test.each([
  ['prompty', `---\nname: p\nmodel: { api: chat }\n---\nsystem:\n{{ ${odd} }}\n`],
  ['prompt', `---\nmodel: openai/gpt-4o-mini\n---\n{{#ifEquals id ${odd}}}a{{/ifEquals}}\n`],
])('a number that no double keeps is refused in a file of another language: %s', async (ending, text) => {
  const project = write('Hello');
  project.write(`evals/q.${ending}`, text);
  project.write('evals/s.eval.yaml', project.read('evals/s.eval.yaml').replace('p.prompt.md', `q.${ending}`));
  const { code, stderr } = await project.run(['validate']);
  expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`q\\.${ending}:\\d+:\\d+ error.*${odd}`))]);
});
