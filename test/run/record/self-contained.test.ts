import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RunSuitesOptions } from '../../../src/api/options.ts';
import { renderReport } from '../../../src/api/records.ts';
import { reportOnRun } from '../../../src/assessing/assess-run.ts';
import { UserError } from '../../../src/model/problem.ts';
import type { RunHeader } from '../../../src/model/run/record.ts';
import { openStoredRecord } from '../../../src/record/read-run-record.ts';
import { mergeRecords } from '../../../src/run/record/merge-records.ts';
import { openAccepted, type Reply, wordsSuite } from '../run-project.ts';

const file = 'evals/words.eval.yaml';
const baseline = 'evals/words.baseline.jsonl';
type Project = Awaited<ReturnType<typeof openAccepted>>;

/** The edited prompt fails w01 for good. The edited checks let w02 pass, which says something else. */
const reply: Reply = (text) => {
  const word = text.replace(/^.*: /, '');
  if (!text.startsWith('Please')) return word;
  return word === 'w01' ? '' : word === 'w02' ? 'sorry' : word;
};

/** A suite whose prompt and checks were edited after its answers were accepted. */
async function openEdited(): Promise<Project> {
  const project = await openAccepted({ [file]: wordsSuite(4) });
  project.reply = reply;
  project.edit(file, 'Say:', 'Please say:');
  project.edit(file, 'equals: "{{ word }}"', 'length: { min: 1 }');
  return project;
}

interface Line extends Readonly<Record<string, unknown>> {
  readonly type: string;
}

const pathOf = (project: Project, id: string) => project.path(`.llmcheck/runs/${id}.jsonl`);
const linesOf = (path: string): readonly Line[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** What a record keeps beside its cells, without where the lines are. */
function keptOf(path: string) {
  const record = openStoredRecord(path, '/');
  const lines = linesOf(path);
  const of = (type: string) => lines.filter((line) => line.type === type);
  return {
    compared: of('compared').map(({ role, line }) => [role, (line as Line).type]),
    checks: of('checks').map(({ checks }) => checks),
    judged: record.judged.map((line) => [line.caseId, line.by, 'verdict' in line ? line.verdict : line.trials]),
    contracts: record.contracts,
  };
}

async function jsonDecisionOf(path: string, root: string): Promise<string> {
  const report = await reportOnRun({ path, root, cwd: root });
  const text = [...(await renderReport(report, 'json'))].join('');
  const { decision } = JSON.parse(text) as { decision: unknown };
  return JSON.stringify(decision);
}

async function problemsOf(work: () => unknown): Promise<readonly string[]> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UserError) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

const mergeIn = (root: string, shards: readonly string[]) =>
  mergeRecords({ shards, root, cwd: root, now: () => new Date('2026-11-28T08:00:00.000Z'), random: () => 0.5 });

async function runShards(project: Project, between: () => void = () => undefined, options: RunSuitesOptions = {}) {
  const first = await project.go({ ...options, shard: '1/2' });
  between();
  const second = await project.go({ ...options, shard: '2/2' });
  return [first, second].map(({ report }) => pathOf(project, report.run.id));
}

describe('a record holds what its decision needs', () => {
  test('the baseline, the checks, the verdicts by other checks and the contracts', async () => {
    const project = await openEdited();
    const { report } = await project.go();
    const kept = keptOf(pathOf(project, report.run.id));
    expect(kept).toMatchInlineSnapshot(`
      {
        "checks": [
          [
            {
              "length": {
                "min": 1,
              },
            },
          ],
        ],
        "compared": [
          [
            "baseline",
            "baseline",
          ],
          [
            "baseline",
            "variant",
          ],
          [
            "baseline",
            "case",
          ],
          [
            "baseline",
            "case",
          ],
          [
            "baseline",
            "case",
          ],
          [
            "baseline",
            "case",
          ],
          [
            "baseline",
            "checks",
          ],
          [
            "baseline",
            "checks",
          ],
          [
            "baseline",
            "checks",
          ],
          [
            "baseline",
            "checks",
          ],
        ],
        "contracts": {
          "contracts": [
            {
              "against": "evals/words.baseline.jsonl",
              "findings": [],
              "prompt": "v1",
              "suite": "words",
            },
          ],
          "failures": [],
          "type": "contracts",
          "warnings": [],
        },
        "judged": [
          [
            "w00",
            "new-checks",
            [
              {
                "score": 1,
                "status": "passed",
                "trial": 0,
              },
            ],
          ],
          [
            "w01",
            "new-checks",
            [
              {
                "score": 1,
                "status": "passed",
                "trial": 0,
              },
            ],
          ],
          [
            "w02",
            "new-checks",
            [
              {
                "score": 1,
                "status": "passed",
                "trial": 0,
              },
            ],
          ],
          [
            "w03",
            "new-checks",
            [
              {
                "score": 1,
                "status": "passed",
                "trial": 0,
              },
            ],
          ],
          [
            "w00",
            "accepted-checks",
            "passes",
          ],
          [
            "w02",
            "accepted-checks",
            "fails",
          ],
          [
            "w03",
            "accepted-checks",
            "passes",
          ],
        ],
      }
    `);
    expect(report.decision.loosenedCases?.map(({ caseId }) => caseId)).toEqual(['w02']);
  });

  test('and gives the same decision in the JSON report where suite, baseline and project are gone', async () => {
    const project = await openEdited();
    const { report } = await project.go();
    const path = pathOf(project, report.run.id);
    const first = await jsonDecisionOf(path, project.root);
    expect(JSON.parse(first)).toMatchObject({ outcome: 'failed', kind: 'added', loosenedCases: [{ caseId: 'w02' }] });
    project.write(baseline, '');
    expect(await jsonDecisionOf(path, project.root)).toBe(first);
    rmSync(project.path('evals'), { recursive: true });
    rmSync(project.path('llmcheck.config.yaml'));
    rmSync(project.path('.llmcheck/answers'), { recursive: true, force: true });
    expect(await jsonDecisionOf(path, project.root)).toBe(first);
  });

  test('a resumed run keeps them, and writes them again as they are now', { tags: ['slow'] }, async () => {
    const project = await openEdited();
    const { report } = await project.go();
    const path = pathOf(project, report.run.id);
    const before = keptOf(path);
    // As a kill leaves it: without verdicts, contracts and end.
    const lines = readFileSync(path, 'utf8').split('\n');
    const last = lines.findLastIndex((line) => line.includes('"type":"cell"'));
    writeFileSync(path, `${lines.slice(0, last).join('\n')}\n`);
    expect(keptOf(path).contracts).toBeUndefined();
    await project.go({ resume: report.run.id });
    expect(keptOf(path)).toEqual(before);
  });

  test('a merged record has them of all shards', async () => {
    const project = await openEdited();
    const shards = await runShards(project);
    const kept = keptOf(mergeIn(project.root, shards));
    const parts = shards.map(keptOf);
    expect(kept.compared).toEqual(parts[0]?.compared);
    expect(kept.checks).toEqual(parts[0]?.checks);
    expect(kept.judged).toEqual(parts.flatMap(({ judged }) => judged));
    // They are compared over the answers of all shards.
    expect(kept.contracts).toBeUndefined();
  });

  test('shards that were compared with different baselines are not merged', async () => {
    const project = await openEdited();
    const shards = await runShards(project, () => {
      project.write(baseline, project.read(baseline).replace('"score":1', '"score":0.9'));
    });
    expect(await problemsOf(() => mergeIn(project.root, shards))).toEqual([
      `${shards[1]} was compared with another baseline of suite words than ${shards[0]}`,
    ]);
    expect(project.files('.llmcheck/runs')).toHaveLength(2);
  });

  test('without them, as an older version wrote it, it is incomplete and says what is missing', async () => {
    const project = await openEdited();
    const { report } = await project.go();
    const path = pathOf(project, report.run.id);
    const [header, ...rest] = linesOf(path);
    const { isSelfContained: _isSelfContained, ...settings } = (header as unknown as RunHeader).settings;
    const old = [{ ...header, settings }, ...rest.filter(({ type }) => type === 'cell' || type === 'end')];
    writeFileSync(path, `${old.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const { decision, exitCode } = await reportOnRun({ path, root: project.root, cwd: project.root });
    expect([exitCode, decision.outcome, decision.kind]).toEqual([4, 'incomplete', 'record']);
    expect(decision.breaches.find(({ code }) => code === 'record-incomplete')?.message).toBe(
      'the record does not hold the baseline that suite words was compared with: an older version wrote it; run again',
    );
  });
});
