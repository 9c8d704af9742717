import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { Report, SuiteReport } from '../../src/model/report/report.ts';
import { json, jsonl } from '../../src/reports/json/json.ts';
import { buildReportJsonSchema, reportSchema } from '../../src/reports/json/report-schema.ts';
import { buildCase, buildReport, buildReports, buildSuite, buildVariant, plainStyle } from '../support/build-report.ts';

function render(report: Report): string {
  return [...json.render(report, plainStyle)].join('');
}

describe('json', () => {
  const validate = new Ajv2020({ strict: true, allErrors: true }).compile(buildReportJsonSchema());

  it.each(Object.entries(buildReports()))('of a run that is %s is what its JSON Schema says', (_, report) => {
    const document: unknown = JSON.parse(render(report));
    validate(document);
    expect(validate.errors).toBeNull();
    // A key that the schema does not name would be gone after parsing.
    expect(reportSchema.parse(document)).toEqual(document);
  });

  it.each([
    ['an unknown format', { format: 2 }],
    ['an unknown outcome', { decision: { outcome: 'fine' } }],
    ['a missing total', { totals: {} }],
    ['a negative count', { suites: [{ suite: 's', path: 'p', cases: [], variants: [{ planned: -1 }] }] }],
  ])('has a schema that refuses %s', (_, change) => {
    const document: unknown = JSON.parse(render(buildReport([])));
    expect(validate({ ...(document as object), ...change })).toBe(false);
  });

  it('has the keys of every object in order', () => {
    const objects = (value: unknown): object[] =>
      typeof value === 'object' && value !== null
        ? [...(Array.isArray(value) ? [] : [value]), ...Object.values(value).flatMap(objects)]
        : [];
    for (const report of Object.values(buildReports())) {
      for (const object of objects(JSON.parse(render(report)))) {
        expect(Object.keys(object)).toEqual(Object.keys(object).toSorted());
      }
    }
  });

  it('sorts suites, variants and names whatever order they came in', () => {
    const variants = ['z', 'B', 'a'].map((prompt) => buildVariant({ prompt }));
    const suites = ['second', 'first'].map((suite) => buildSuite([], { suite, variants }));
    const document = reportSchema.parse(JSON.parse(render(buildReport(suites))));
    expect(document.suites.map(({ suite }) => suite)).toEqual(['first', 'second']);
    expect(document.suites[0]?.variants.map(({ prompt }) => prompt)).toEqual(['B', 'a', 'z']);
  });

  it('says null where nothing is known', () => {
    const [suite] = reportSchema.parse(JSON.parse(render(buildReports()['incomplete'] ?? buildReport([])))).suites;
    expect(suite?.variants[0]).toMatchObject({ costUsd: null, latencyMs: { p50: null, p95: null } });
    expect(suite?.cases[0]?.trials[0]).toMatchObject({ output: null, costUsd: null, usage: null, latencyMs: null });
  });

  it('holds the change of a case, its answer on the baseline, and what differs besides', () => {
    const [suite] = reportSchema.parse(JSON.parse(render(buildReports()['regressed'] ?? buildReport([])))).suites;
    const found = suite?.cases.find(({ caseId }) => caseId === 'tool');
    expect(found).toMatchObject({
      change: 'regressed',
      baseline: { status: 'passed', output: '', toolCalls: [{ name: 'refund' }] },
    });
    expect(suite?.cases.find(({ prompt }) => prompt === 'v1')).not.toHaveProperty('change');
    expect(suite?.variants[1]?.comparison).toMatchObject({
      notes: ['38 of 40 answers are the very ones the baseline holds', expect.stringMatching(/^case weather/)],
      accepted: [],
      prompts: { candidate: [{ role: 'system' }, { role: 'user', content: '{{ email }}' }] },
    });
    const [accepted] = reportSchema.parse(JSON.parse(render(buildReports()['accepted'] ?? buildReport([])))).suites;
    expect(accepted?.variants[0]?.comparison?.accepted).toContain('refund (regressed)');
  });

  it('says null of a baseline answer that was not kept', () => {
    const entry = buildCase({ baseline: { status: 'failed', reason: 'too long' } });
    const [suite] = reportSchema.parse(JSON.parse(render(buildReport([buildSuite([entry])])))).suites;
    expect(suite?.cases[0]?.baseline).toEqual({ status: 'failed', output: null, reason: 'too long' });
  });

  it('marks what is only observed, and fresh trials', () => {
    const entry = buildCase({ observe: true }, [{}, { confirmation: true }]);
    const [suite] = reportSchema.parse(JSON.parse(render(buildReport([buildSuite([entry])])))).suites;
    expect(suite?.cases[0]?.observe).toBe(true);
    expect(suite?.cases[0]?.trials.map(({ confirmation }) => confirmation)).toEqual([undefined, true]);
  });

  it('keeps tool calls whose arguments are not JSON, and keys that JavaScript knows', () => {
    const toolCalls = [
      { name: 'refund', arguments: JSON.parse('{"__proto__":1,"b":2,"a":[null]}'), rawArguments: '{}' },
      { id: 'c2', name: 'refund', arguments: undefined, rawArguments: '{"a":' },
    ];
    const document: unknown = JSON.parse(render(buildReport([buildSuite([buildCase({}, [{ toolCalls }])])])));
    expect(JSON.stringify(document)).toContain(
      '[{"arguments":{"__proto__":1,"a":[null],"b":2},"name":"refund","rawArguments":"{}"},{"id":"c2","name":"refund","rawArguments":"{\\"a\\":"}]',
    );
    expect(validate(document)).toBe(true);
  });
});

describe('jsonl', () => {
  it('is a header, a line a cell and the decision', () => {
    const report = buildReports()['failed'] ?? buildReport([]);
    const lines = [...jsonl.render(report, plainStyle)].map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ type }) => type)).toEqual(['run', 'cell', 'cell', 'cell', 'cell', 'cell', 'cell', 'decision']);
    expect(lines[0]).toMatchObject({ format: 1, run: { id: report.run.id } });
    expect(lines[3]).toMatchObject({ suite: 'support-triage', caseId: 'refund', index: 0, status: 'failed' });
    expect(lines.at(-1)).toMatchObject({ decision: { outcome: 'failed', exitCode: 1 }, totals: { planned: 6 } });
  });
});

describe.each([
  ['json', json],
  ['jsonl', jsonl],
])('%s', (_, reporter) => {
  it('reads one case at a time', () => {
    let read = 0;
    const endless: SuiteReport = {
      ...buildSuite([]),
      *cases() {
        for (;;) {
          read += 1;
          yield buildCase({ caseId: `case-${read}` });
        }
      },
    };
    for (const chunk of reporter.render(buildReport([endless]), plainStyle)) if (chunk.includes('case-100"')) break;
    expect(read).toBe(100);
  });
});
