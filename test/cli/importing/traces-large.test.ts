import { closeSync, openSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import fc from '../../support/property.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject } from '../../support/temp-project.ts';

const spanOf = (id: number, messages: readonly unknown[], more: readonly unknown[] = []) => ({
  traceId: `t${id}`,
  spanId: 's',
  attributes: [{ key: 'gen_ai.input.messages', value: { stringValue: JSON.stringify(messages) } }, ...more],
});

test('500 rendered prompts come back with the same variables, or are refused', { tags: ['slow'] }, async () => {
  const word = fc.string({
    unit: fc.constantFrom('a', 'b', 'c', 'é', ':', '\n', ' ', '#', '"', '\\', '{', '}'),
    maxLength: 12,
  });
  const prompts = [
    'Route {{ x }} to {{ y }}.',
    '{{ x }}',
    'A: {{ x }}\nB: {{ y }}\nC: {{ z.a }}',
    '{{ x }} {{ x }} {{ y }}',
    '# {{ x }}\n\n{{ y }}{{ z.a }}',
  ];
  let same = 0;
  let refused = 0;
  for (const [place, source] of prompts.entries()) {
    const project = openTempProject();
    const prompt = { id: 'v1', text: source };
    const own = { id: 'own', observe: true, vars: { x: 'own', y: 'own', z: { a: 'own' } } };
    project.write('evals/s.eval.yaml', JSON.stringify({ prompts: [prompt], providers: ['replay:x'], cases: [own] }));
    const rows = fc.sample(fc.record({ x: word, y: word, z: fc.record({ a: word }) }), { numRuns: 100, seed: place });
    const spans = rows.map(({ x, y, z }, index) => {
      const content = source
        .replaceAll('{{ x }}', () => x)
        .replaceAll('{{ y }}', () => y)
        .replaceAll('{{ z.a }}', () => z.a);
      return spanOf(index, [{ role: 'user', parts: [{ type: 'text', content }] }]);
    });
    project.write('export.json', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
    const { code, stdout } = await project.run(['import', 'otel', 'export.json', '--prompt', 'v1']);
    expect(code).toBe(0);
    const [cases = 0, exact = 0, near = 0, others = 0] = (stdout.match(/\d+/g) ?? []).map(Number);
    expect(cases + exact + near + others).toBe(100);
    refused += others;
    for (const line of project.read('evals/cases/prod.jsonl').trimEnd().split('\n')) {
      const { description, vars } = JSON.parse(line) as {
        description: string;
        vars: Readonly<Record<string, unknown>>;
      };
      const row = rows[Number(/trace t(\d+)/.exec(description)?.[1])];
      for (const [name, value] of Object.entries(vars)) expect([name, value]).toEqual([name, row?.[name as 'x']]);
    }
    same += cases + exact + near;
  }
  expect(same + refused).toBe(500);
  expect(same).toBeGreaterThan(200);
});

// As objects, fewer of them fill the heap.
test.each([
  ['18 MB of OTLP JSON as one document', 2400],
  ['29 MB of OTLP JSON as JSON lines', 4000],
])('%s pass through a heap of 40 MB', { tags: ['slow'] }, async (form, count) => {
  const project = openTempProject();
  const own = { id: 'own', observe: true, vars: { x: 'own' } };
  project.write(
    'evals/s.eval.yaml',
    JSON.stringify({ prompts: [{ id: 'v1', text: 'Say {{ x }}' }], providers: ['replay:x'], cases: [own] }),
  );
  const file = openSync(project.path('export.json'), 'w');
  const filler = 'lorem ipsum dolor '.repeat(400);
  const isLines = form.endsWith('JSON lines');
  if (!isLines) writeSync(file, '{"resourceSpans":[{"scopeSpans":[{"spans":[');
  for (let block = 0; block < count; block += 100) {
    const spans = Array.from({ length: 100 }, (_, index) => {
      // What is done with long texts does not depend on the form; reading them twice would take as long again.
      const content = `Say ${isLines ? '' : filler}${(block + index) % 500}`;
      const more = isLines ? [{ key: 'app.note', value: { stringValue: filler } }] : [];
      return JSON.stringify(spanOf(block + index, [{ role: 'user', parts: [{ type: 'text', content }] }], more));
    });
    const text = isLines
      ? spans.map((span) => `{"resourceSpans":[{"scopeSpans":[{"spans":[${span}]}]}]}\n`).join('')
      : `${block === 0 ? '' : ','}${spans.join(',')}`;
    writeSync(file, text);
  }
  if (!isLines) writeSync(file, ']}]}]}');
  closeSync(file);
  const spawned = prepareSpawn()(['import', 'otel', 'export.json', '--prompt', 'v1'], {
    cwd: project.root,
    env: { NODE_OPTIONS: '--max-old-space-size=40' },
  });
  const { code, stdout, stderr } = await spawned.ended;
  expect([code, stderr.includes('heap')]).toEqual([0, false]);
  const [cases = 0, exact = 0, near = 0, others = 0] = (stdout.match(/\d+/g) ?? []).map(Number);
  expect([cases + exact + near, others]).toEqual([count, 0]);
});
