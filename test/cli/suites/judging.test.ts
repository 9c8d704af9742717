import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject, statusesOf, trialsOf } from '../../support/temp-project.ts';

test('thresholds, weights, required checks and combinators decide as the specification says', async () => {
  const project = openTempProject('judging');
  const server = await startEchoServer();
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(1);
  expect(statusesOf(report)).toEqual({
    combined: 'passed',
    'missing-target': 'failed',
    observed: 'failed',
    'required-fails': 'failed',
    skipped: 'skipped',
    structured: 'passed',
    'weighted-enough': 'passed',
    'weighted-too-little': 'failed',
    weightless: 'passed',
  });
  expect(report.totals).toMatchObject({ planned: 8, passed: 4, failed: 3, errored: 0, skipped: 1, observed: 1 });
  const scores = Object.fromEntries(trialsOf(report).map(({ caseId, score }) => [caseId, score]));
  expect(scores).toMatchObject({ 'weighted-enough': 0.75, combined: 1 });
  const [variant] = report.suites[0]?.variants ?? [];
  expect(variant?.passRate).toMatchObject({ value: 4 / 7, n: 7 });
});

test('what is observed is shown and decides nothing', async () => {
  const project = openTempProject('judging');
  const server = await startEchoServer();
  const { code, report } = await project.report(['run', '-t', '{observed,combined}'], { env: server.env });
  expect(code).toBe(0);
  expect(report.totals).toMatchObject({ planned: 1, passed: 1, failed: 0, observed: 1 });
  expect(report.suites[0]?.cases.find(({ caseId }) => caseId === 'observed')?.observe).toBe(true);
});

test('a must-pass case fails the gate by itself, whatever the pass rate is', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml').replace('id: red\n', 'id: red\n    mustPass: true\n');
  project.write(
    'evals/echo.eval.yaml',
    `${suite.replace('expected: red', 'expected: blue')}gate: { passRate: { min: 0.1 } }\n`,
  );
  const server = await startEchoServer();
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(1);
  expect(report.decision.breaches).toMatchObject([{ code: 'must-pass', caseId: 'red' }]);
});

test('explicit gates hold: pass rate, score, cost and latency', async () => {
  const gates = {
    'passRate: { min: 60% }': [],
    'passRate: { min: 0.7 }': ['pass-rate-min'],
    'passRate: { min: 0 }, score: { min: 0.9 }': ['score-min'],
    'passRate: { min: 0 }, cost: { max: 0 }': ['cost-max'],
    'passRate: { min: 0 }, latency: { p95Max: 1ms }': ['latency-p95-max'],
  };
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml').replace('expected: red', 'expected: blue');
  const server = await startEchoServer();
  for (const [gate, codes] of Object.entries(gates)) {
    project.write('evals/echo.eval.yaml', `${suite}gate: { ${gate} }\n`);
    const { code, report } = await project.report(['run', '--cache', 'off'], { env: server.env });
    expect([gate, report.decision.breaches.map((breach) => breach.code)]).toEqual([gate, codes]);
    expect(code).toBe(codes.length > 0 ? 1 : 0);
  }
});

test('a cost check on a model without a price is errored, not failed', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml').replace('gpt-4o-mini', 'my-own-model');
  project.write('evals/echo.eval.yaml', suite.replace('equals: "{{expected}}"', 'cost: { max: 1 }'));
  const server = await startEchoServer();
  const { code, report } = await project.report(['run', '-t', 'red'], { env: server.env });
  expect(code).toBe(3);
  expect(trialsOf(report)[0]).toMatchObject({ status: 'errored', error: { kind: 'check' } });
});

test('an output contract is checked on every answer', async () => {
  const project = openTempProject('judging');
  const suite = project.read('evals/judging.eval.yaml');
  project.write('evals/judging.eval.yaml', `${suite}contract: { output: { type: object, required: [queue] } }\n`);
  const server = await startEchoServer();
  const { report } = await project.report(['run', '-t', '{structured,combined}'], { env: server.env });
  expect(statusesOf(report)).toEqual({ combined: 'failed', structured: 'passed' });
  const failed = trialsOf(report).find(({ status }) => status === 'failed');
  expect(failed?.checks.find(({ pass }) => !pass)?.assertion).toBe('contract');
});
