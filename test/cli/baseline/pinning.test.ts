import { cpSync, mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type BaselineProject,
  baselineFile,
  casesFile,
  firstWords,
  openBaselineProject,
  suiteFile,
} from './baseline-project.ts';

const referenceFile = 'evals/words.reference.jsonl';

/** A project whose reference rests on accepted runs in which every case passed; on fewer than five with a warning. */
async function openPinned(runs = 5): Promise<BaselineProject> {
  const project = await openBaselineProject();
  for (let run = 0; run < runs; run += 1) await project.acceptUnchanged('--cache', 'refresh');
  const { code, stdout, stderr } = await project.llmcheck('baseline', 'pin');
  expect([code, stdout, stderr === '']).toEqual([0, `pinned ${referenceFile}: 20 cases × variants\n`, runs === 5]);
  return project;
}

/** Lets so many words fail in the next pull request, which changes the parameters, and accepts what came. */
async function changeParams(project: BaselineProject, failing: number, number: number) {
  project.edit(suiteFile, /max_tokens: \d+/, `max_tokens: ${20 + number}`);
  for (const word of firstWords(failing)) project.answers.set(word, 'sorry');
  const run = await project.compared(['run', '--cache', 'refresh'], {
    env: {
      GITHUB_SHA: `${number}`.repeat(40),
      GITHUB_HEAD_REF: `tone-${number}`,
      GITHUB_REF: `refs/pull/${number}/merge`,
    },
  });
  await project.llmcheck('baseline', 'accept', '--known-failures');
  return run;
}

interface JsonErosion {
  readonly outcome: string;
  readonly message: string;
  readonly cases: number;
  readonly passRate: { readonly delta: number };
  readonly since: readonly { readonly run: string }[];
}

function erosionIn({ report }: { readonly report: object }): readonly JsonErosion[] {
  return 'erosion' in report ? (report.erosion as readonly JsonErosion[]) : [];
}

describe('a pinned reference', () => {
  test('names erosion however often the baseline was accepted in between, with the changes since', {
    tags: 'slow',
  }, async () => {
    const project = await openPinned();
    const outcomes: string[] = [];
    for (let number = 1; number <= 4; number += 1) {
      const run = await changeParams(project, number * 2, number);
      outcomes.push(...erosionIn(run).map(({ outcome }) => outcome));
    }
    expect(outcomes).toEqual(['held', 'held', 'eroded', 'eroded']);
    const run = await project.compared(['run']);
    expect(run.code).toBe(0);
    const [finding] = erosionIn(run);
    expect(finding).toMatchObject({ kind: 'erosion', outcome: 'eroded', cases: 20, of: 20, margin: 0.05 });
    expect(finding?.passRate.delta).toBeCloseTo(-0.4, 12);
    expect(finding?.since).toHaveLength(5);
    expect(finding?.since[2]).toMatchObject({
      commit: '3'.repeat(40),
      branch: 'tone-3',
      pullRequest: 3,
      passRate: 0.7,
    });
    expect(run.report.decision.warnings.join()).toContain('erosion: the pass rate fell from 100 % → 60 %');
    const { stdout } = await project.llmcheck('run');
    expect(stdout).toMatch(/70\.0 % {2}#3 tone-3 {2}33333333/);
    const markdown = await project.llmcheck('run', '-r', 'markdown');
    expect(markdown.stdout).toContain('### Erosion of `words · v1 × mini` against `evals/words.reference.jsonl`');
    expect(markdown.stdout).toContain('`#3 tone-3`');
    // A stored run is judged by the same reference.
    const stored = await project.compared(['report']);
    expect(erosionIn(stored).map(({ outcome }) => outcome)).toEqual(['eroded']);
    // One of before knows of none that came after it, and one of a few cases says nothing of the rate.
    const { run: third = '' } = finding?.since[2] ?? {};
    const earlier = JSON.parse((await project.llmcheck('report', third, '-r', 'json')).stdout);
    expect(erosionIn({ report: earlier })[0]?.since).toHaveLength(3);
    await project.llmcheck('run', '--filter', 'case-01');
    expect(erosionIn(await project.compared(['run']))[0]?.since).toHaveLength(8);
  });

  test('is compared with neither observed cases nor a version that another one replaces', {
    tags: 'slow',
  }, async () => {
    const project = await openPinned();
    project.edit(casesFile, '"id":"case-01"', '"observe":true,"id":"case-01"');
    project.edit(suiteFile, 'providers:', '  - { id: v2, replaces: v1, text: "Now say: {{word}}" }\nproviders:');
    const run = await project.compared(['run']);
    expect(erosionIn(run)).toMatchObject([{ prompt: 'v2', cases: 19, of: 20 }]);
  });

  test('is compared without the cases that errored', { tags: 'slow' }, async () => {
    const project = await openPinned();
    project.edit(suiteFile, 'max_tokens: 20', 'max_tokens: 21');
    project.answers.set('w01', () => ({ status: 400, body: { error: { message: 'no' } } }));
    const run = await project.compared(['run', '--cache', 'refresh', '--max-errors', '1']);
    expect(erosionIn(run)).toMatchObject([{ outcome: 'held', cases: 19, of: 20, passRate: { delta: 0 } }]);
  });

  test('fails the gate where the suite says so', { tags: 'slow' }, async () => {
    const project = await openPinned();
    project.edit(suiteFile, 'defaults:', 'gate: { erosion: fail }\ndefaults:');
    await changeParams(project, 8, 1);
    const run = await project.compared(['run']);
    expect([run.code, run.codes]).toEqual([1, ['erosion']]);
    expect(run.report.decision.breaches[0]).toMatchObject({ metric: 'passRate', baseline: 1, candidate: 0.6 });
  });

  test('that the gate asks for is missed, but not by a filtered run and not without baselines', async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', 'gate: { erosion: fail }\ndefaults:');
    const warning =
      'suite words: gate.erosion is not applied, since nothing is pinned; pin with `llmcheck baseline pin evals/words.eval.yaml`';
    for (const [argv, warnings] of [
      [[], [warning]],
      [['-t', 'case-0*'], []],
      [['--no-baseline'], []],
    ] as const) {
      const { report } = await project.report(['run', ...argv], { env: project.server.env });
      expect([argv, report.decision.warnings]).toEqual([argv, warnings]);
    }
  });

  test('does not move when runs are accepted, and is replaced and removed by name alone', {
    tags: 'slow',
  }, async () => {
    const project = await openPinned();
    const pinned = project.read(referenceFile);
    expect(pinned).not.toContain('"output"');
    await changeParams(project, 8, 1);
    expect(project.read(referenceFile)).toBe(pinned);
    const [listed] = JSON.parse((await project.llmcheck('baseline', 'list', '--json')).stdout);
    expect(listed).toMatchObject({ baseline: baselineFile, pinned: referenceFile });
    const [shown] = JSON.parse((await project.llmcheck('baseline', 'show', '--pinned', '--json')).stdout);
    expect(shown).toMatchObject({ case: 'case-01', passed: '5 of 5', runs: 5 });
    await project.llmcheck('baseline', 'pin');
    expect(erosionIn(await project.compared(['run'])).map(({ outcome }) => outcome)).toEqual(['held']);
    expect((await project.llmcheck('baseline', 'unpin')).stdout).toBe(`removed ${referenceFile}\n`);
    expect((await project.llmcheck('baseline', 'unpin')).stdout).toBe('words has no pinned reference\n');
    expect(erosionIn(await project.compared(['run']))).toEqual([]);
  });

  test('says how many runs it lacks', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    await project.acceptUnchanged('--cache', 'refresh');
    const { code, stderr } = await project.llmcheck('baseline', 'pin');
    expect(code).toBe(0);
    expect(stderr).toContain('20 of 20 of words rest on fewer than 5 runs (the fewest on 2): 3 more');
  });

  test('speaks of the cases that are still the same, and says so once most are not', { tags: 'slow' }, async () => {
    const project = await openPinned();
    for (const word of firstWords(20)) project.edit(casesFile, `"word":"${word}"`, `"word":"${word} please"`);
    for (const word of firstWords(11)) project.edit(casesFile, `"word":"${word} please"`, `"word":"${word}"`);
    const half = await project.compared(['run', '--cache', 'refresh']);
    expect(erosionIn(half)).toMatchObject([{ outcome: 'held', cases: 11, of: 20 }]);
    for (const word of firstWords(11)) project.edit(casesFile, `"word":"${word}"`, `"word":"${word} please"`);
    const none = await project.compared(['run', '--cache', 'refresh']);
    expect(erosionIn(none)).toMatchObject([{ outcome: 'silent', cases: 0, of: 20 }]);
    expect(none.report.decision.warnings.join()).toContain(
      'no longer speaks: 0 of its 20 cases remain with the same checks; pin again with `llmcheck baseline pin evals/words.eval.yaml`',
    );
  });

  test('does not speak of another output contract or of a variant that it does not have', {
    tags: 'slow',
  }, async () => {
    const project = await openPinned();
    project.edit(suiteFile, 'defaults:', 'contract: { output: { type: string } }\ndefaults:');
    const other = await project.compared(['run', '--cache', 'refresh']);
    expect(erosionIn(other)[0]?.message).toContain('(the output contract changed)');
    project.edit(suiteFile, 'id: mini', 'id: large');
    const renamed = await project.compared(['run']);
    expect(erosionIn(renamed)[0]?.message).toContain('it has no case of v1 × large');
  });

  test('is not compared with a filtered run, nor without baselines', { tags: 'slow' }, async () => {
    const project = await openPinned();
    for (const word of firstWords(8)) project.answers.set(word, 'sorry');
    const filtered = await project.compared(['run', '-t', 'case-0*', '--cache', 'refresh']);
    expect(erosionIn(filtered)).toEqual([]);
    expect(erosionIn(await project.report(['run', '--no-baseline'], { env: project.server.env }))).toEqual([]);
  });

  test('holds as in the merge base, whatever a change does to the file', { tags: 'slow' }, async () => {
    const project = await openPinned();
    project.git('init', '-q', '-b', 'main');
    project.git('add', 'evals');
    project.git('commit', '-qm', 'pinned');
    await changeParams(project, 8, 1);
    for (const change of ['pin', 'unpin']) {
      await project.llmcheck('baseline', change);
      const run = await project.compared(['run', '--baseline', 'git:main']);
      expect([change, ...erosionIn(run).map(({ outcome }) => outcome)]).toEqual([change, 'eroded']);
    }
  });

  test('without a suite beside it is a warning', { tags: 'slow' }, async () => {
    const project = await openPinned();
    cpSync(project.path(referenceFile), project.path('evals/gone.reference.jsonl'));
    const { stderr, stdout } = await project.llmcheck('validate');
    expect(stderr + stdout).toContain('evals/gone.reference.jsonl has no suite beside it');
  });
});

describe('baseline pin --from', () => {
  /** Three records of the same prompt, and one of another, as files. */
  async function openRecords(): Promise<BaselineProject> {
    const project = await openBaselineProject();
    const keep = async (name: string) => {
      const before = new Set(project.files('.llmcheck/runs'));
      await project.llmcheck('run', '--cache', 'refresh');
      const record = project.files('.llmcheck/runs').find((file) => !before.has(file)) ?? '';
      cpSync(project.path(record), project.path(name));
    };
    await keep('a.jsonl');
    project.answers.set('w01', 'sorry');
    await keep('b.jsonl');
    await keep('c.jsonl');
    project.edit(suiteFile, 'Say: ', 'Please say: ');
    await keep('other.jsonl');
    project.edit(suiteFile, 'Please say: ', 'Say: ');
    return project;
  }

  test('counts the trials of the named runs, failed ones too, each run once', { tags: 'slow' }, async () => {
    const project = await openRecords();
    const { code } = await project.llmcheck(
      'baseline',
      'pin',
      '--from',
      'b.jsonl,a.jsonl',
      '--from',
      'c.jsonl,a.jsonl',
    );
    const shown = JSON.parse((await project.llmcheck('baseline', 'show', '--pinned', '--json')).stdout);
    expect([code, shown[0].passed, shown[1].passed]).toEqual([0, '1 of 3', '3 of 3']);
    expect(project.files('evals')).not.toContain(baselineFile);
  });

  test('refuses a run of another prompt, and one of other checks', { tags: 'slow' }, async () => {
    const project = await openRecords();
    const other = await project.llmcheck('baseline', 'pin', '--from', 'a.jsonl,other.jsonl');
    expect([other.code, project.files('evals').includes(referenceFile)]).toEqual([2, false]);
    expect(other.stderr).toContain(
      'another prompt text, another model, or other parameters or settings in a.jsonl than in other.jsonl',
    );
    project.edit(suiteFile, 'equals: "{{expected}}"', 'contains: "{{expected}}"');
    await project.llmcheck('run');
    const checks = await project.llmcheck('baseline', 'pin', '--from', 'a.jsonl,latest');
    expect([checks.code, checks.stderr.includes('has other cases or other checks in a.jsonl')]).toEqual([2, true]);
  });

  test('refuses a run that is not there', { tags: 'slow' }, async () => {
    const project = await openRecords();
    const { code, stderr } = await project.llmcheck('baseline', 'pin', '--from', 'nothing');
    expect([code, stderr.includes('there is no stored run "nothing"')]).toEqual([2, true]);
  });
});

describe('a reference that can not be used', () => {
  test('is written for no suite where one has no baseline', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.write('evals/other.eval.yaml', project.read(suiteFile).replace('suite: words', 'suite: other'));
    const { code, stderr } = await project.llmcheck('baseline', 'pin');
    expect([code, stderr.includes('suite other has no baseline to pin')]).toEqual([2, true]);
    expect(project.files('evals').filter((file) => file.includes('reference'))).toEqual([]);
  });

  test.each([
    ['no "pin" in its header', (text: string) => text.replace(/,"pin":\{[^}]*\}/, ''), ':1'],
    ['a moment that is none', (text: string) => text.replace(/"until":"[^"]*"/, '"until":"soon"'), ':1'],
    ['another suite', (text: string) => text.replace('"suite":"words"', '"suite":"letters"'), ':1'],
    ['a line cut in half', (text: string) => text.slice(0, -100), ''],
    ['a merge conflict', (text: string) => `<<<<<<< ours\n${text}`, ':1'],
    ['nothing', () => '', ':1'],
  ])('for %s is found before the first call', async (_name, damage, place) => {
    const project = await openPinned(1);
    project.write(referenceFile, damage(project.read(referenceFile)));
    project.forget();
    for (const argv of [['run', '--cache', 'refresh'], ['validate'], ['baseline', 'list']]) {
      const { code, stdout, stderr } = await project.llmcheck(...argv);
      expect([argv, code, (stdout + stderr).includes(`${referenceFile}${place}`)]).toEqual([argv, 2, true]);
    }
    expect(project.asked.size).toBe(0);
    expect((await project.llmcheck('baseline', 'unpin')).code).toBe(0);
    expect((await project.llmcheck('run')).code).toBe(0);
  });

  test('for a folder in its place is a usage error', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    mkdirSync(project.path(referenceFile));
    for (const command of ['pin', 'unpin']) {
      const { code, stderr } = await project.llmcheck('baseline', command);
      expect([command, code, stderr.includes(referenceFile)]).toEqual([command, 2, true]);
    }
  });
});

test('two that accept at the same time are both counted', { tags: 'slow' }, async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  for (const name of ['a.jsonl', 'b.jsonl']) {
    const before = new Set(project.files('.llmcheck/runs'));
    await project.llmcheck('run', '--cache', 'refresh');
    const record = project.files('.llmcheck/runs').find((file) => !before.has(file)) ?? '';
    cpSync(project.path(record), project.path(name));
  }
  const accept = (name: string) => project.llmcheck('baseline', 'accept', '--run', name);
  const pin = project.llmcheck('baseline', 'pin');
  const codes = (await Promise.all([accept('a.jsonl'), accept('b.jsonl'), pin])).map(({ code }) => code);
  expect(codes).toEqual([0, 0, 0]);
  const shown = JSON.parse((await project.llmcheck('baseline', 'show', '--json')).stdout);
  expect(shown[0]).toMatchObject({ passed: '3 of 3', runs: 3 });
});
