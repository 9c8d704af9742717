import { describe, expect, test } from 'vitest';
import { measureFalseAlarms } from '../../src/sizing/measure-false-alarms.ts';
import { type PlanSizeOptions, planSize } from '../../src/sizing/plan-size.ts';
import { createRandom } from '../../src/text/random.ts';
import { openRunProject, wordsSuite } from '../run/run-project.ts';

const file = 'evals/words.eval.yaml';

interface Given {
  readonly gate?: string;
  readonly ofCase?: (word: string) => string;
  readonly edit?: (text: string) => string;
  /** After the runs. */
  readonly later?: (text: string) => string;
  readonly runs?: number;
  readonly accepts?: boolean;
  readonly record?: boolean;
}

/** A project whose word w01 fails every third time, w02 every second time and w03 always, unless it is accepted. */
async function openFlaky({
  gate = '',
  ofCase,
  edit = (text) => text,
  later,
  runs = 1,
  accepts = false,
  record = false,
}: Given) {
  const project = openRunProject({
    [file]: edit(wordsSuite(6, gate, ofCase)).replace('defaults: { ', 'defaults: { trials: 6, '),
  });
  const counts = new Map<string, number>();
  project.reply = (text) => {
    const word = text.replace(/^.*: /, '');
    const before = counts.get(text) ?? 0;
    counts.set(text, before + 1);
    const isWrong =
      (word === 'w03' && !accepts) || (word === 'w01' && before % 3 === 0) || (word === 'w02' && before % 2 === 0);
    return { text: isWrong ? 'sorry' : word, usage: { inputTokens: 10, outputTokens: 5 } };
  };
  for (let run = 0; run < runs; run += 1) {
    const isAccepting = accepts && run === 0;
    await project.go({ cache: 'off', ...(isAccepting && { updateBaseline: true }), ...(record && { record }) });
  }
  // The runs made more trials than the suite plans now.
  project.edit(file, 'defaults: { trials: 6, ', 'defaults: { ');
  if (later !== undefined) project.write(file, later(project.read(file)));
  const { options } = await project.prepare();
  return { project: options.project, cwd: project.root };
}

/** On one line each, with four digits. */
function show(value: object): readonly string[] {
  const round = (_key: string, found: unknown) => (typeof found === 'number' ? Number(found.toPrecision(4)) : found);
  return Object.entries(value).map(([name, found]) => `${name} ${JSON.stringify(found, round)}`);
}

async function sizes(given: Given, more: Partial<PlanSizeOptions> = {}) {
  const { variants, warnings } = await planSize({ ...(await openFlaky(given)), power: 0.8, ...more });
  expect(warnings).toEqual([]);
  return variants.map(({ suite: _suite, pilot: { runs, ...pilot }, ...rest }) =>
    show({ ...rest, pilot: { runs: runs.length, ...pilot } }),
  );
}

describe('the size of a suite', () => {
  test('follows from its stored trials', async () => {
    expect(await sizes({})).toMatchInlineSnapshot(`
      [
        [
          "prompt "v1"",
          "provider "own"",
          "alpha 0.05",
          "power 0.8",
          "drop 0.05",
          "scope "population"",
          "isHermetic false",
          "cases 6",
          "trials {"min":1,"max":1}",
          "baselineTrials null",
          "averages 1",
          "asksAccepted true",
          "groups null",
          "judge null",
          "visibleDrop 0.8089",
          "excludableDrop 0.556",
          "see {"byCases":{"cases":951,"trials":1,"calls":951,"costUsd":0.01902},"byTrials":null,"byBoth":{"cases":317,"trials":3,"calls":951,"costUsd":0.01902}}",
          "exclude {"byCases":{"cases":594,"trials":1,"calls":594,"costUsd":0.01188},"byTrials":null,"byBoth":{"cases":198,"trials":3,"calls":594,"costUsd":0.01188}}",
          "run {"cases":6,"trials":1,"calls":6,"costUsd":0.00012}",
          "confirmation {"calls":200,"costUsd":0.004}",
          "singleCase {"trials":4,"acceptedTrials":4,"calls":8,"mostTrials":15,"brokenForGood":1,"brokenAfterFlaking":0.8996,"failsMostly":0.5905,"failsHalf":0.03125}",
          "pilot {"runs":1,"usesBaseline":false,"cases":6,"trials":36,"passRate":0.6944,"flakyCases":2,"flakeRate":0.1056,"isAssumed":false,"withinCases":0.09444,"betweenCases":0.1444}",
        ],
      ]
    `);
  });

  test('is planned for a wanted drop and power', async () => {
    expect(await sizes({}, { drop: 0.2, power: 0.9 })).toMatchInlineSnapshot(`
      [
        [
          "prompt "v1"",
          "provider "own"",
          "alpha 0.05",
          "power 0.9",
          "drop 0.2",
          "scope "population"",
          "isHermetic false",
          "cases 6",
          "trials {"min":1,"max":1}",
          "baselineTrials null",
          "averages 1",
          "asksAccepted true",
          "groups null",
          "judge null",
          "visibleDrop 0.8681",
          "excludableDrop 0.5834",
          "see {"byCases":{"cases":90,"trials":1,"calls":90,"costUsd":0.0018},"byTrials":null,"byBoth":{"cases":30,"trials":3,"calls":90,"costUsd":0.0018}}",
          "exclude {"byCases":{"cases":50,"trials":1,"calls":50,"costUsd":0.001},"byTrials":null,"byBoth":{"cases":17,"trials":3,"calls":51,"costUsd":0.00102}}",
          "run {"cases":6,"trials":1,"calls":6,"costUsd":0.00012}",
          "confirmation {"calls":200,"costUsd":0.004}",
          "singleCase {"trials":4,"acceptedTrials":4,"calls":8,"mostTrials":15,"brokenForGood":1,"brokenAfterFlaking":0.8996,"failsMostly":0.5905,"failsHalf":0.03125}",
          "pilot {"runs":1,"usesBaseline":false,"cases":6,"trials":36,"passRate":0.6944,"flakyCases":2,"flakeRate":0.1056,"isAssumed":false,"withinCases":0.09444,"betweenCases":0.1444}",
        ],
      ]
    `);
  });

  test('is that of a suite whose cases are all that there are', async () => {
    expect(await sizes({ gate: 'gate: { scope: suite, passRate: { maxDrop: 0 } }' })).toMatchInlineSnapshot(`
      [
        [
          "prompt "v1"",
          "provider "own"",
          "alpha 0.05",
          "power 0.8",
          "drop 0.05",
          "scope "suite"",
          "isHermetic false",
          "cases 6",
          "trials {"min":1,"max":1}",
          "baselineTrials null",
          "averages 1",
          "asksAccepted true",
          "groups null",
          "judge null",
          "visibleDrop 0.8089",
          "excludableDrop 0.556",
          "see {"byCases":{"cases":951,"trials":1,"calls":951,"costUsd":0.01902},"byTrials":{"cases":6,"trials":159,"calls":954,"costUsd":0.01908},"byBoth":{"cases":317,"trials":3,"calls":951,"costUsd":0.01902}}",
          "exclude {"byCases":{"cases":594,"trials":1,"calls":594,"costUsd":0.01188},"byTrials":{"cases":6,"trials":99,"calls":594,"costUsd":0.01188},"byBoth":{"cases":198,"trials":3,"calls":594,"costUsd":0.01188}}",
          "run {"cases":6,"trials":1,"calls":6,"costUsd":0.00012}",
          "confirmation {"calls":200,"costUsd":0.004}",
          "singleCase {"trials":4,"acceptedTrials":4,"calls":8,"mostTrials":15,"brokenForGood":1,"brokenAfterFlaking":0.8996,"failsMostly":0.5905,"failsHalf":0.03125}",
          "pilot {"runs":1,"usesBaseline":false,"cases":6,"trials":36,"passRate":0.6944,"flakyCases":2,"flakeRate":0.1056,"isAssumed":false,"withinCases":0.09444,"betweenCases":0.1444}",
        ],
      ]
    `);
  });

  test('counts cases of one group together, without fresh trials', async () => {
    const ofCase = (word: string) => (word < 'w04' ? ', group: one' : '');
    expect(await sizes({ gate: 'gate: { confirm: { budget: 0 } }', ofCase })).toMatchInlineSnapshot(`
      [
        [
          "prompt "v1"",
          "provider "own"",
          "alpha 0.05",
          "power 0.8",
          "drop 0.05",
          "scope "population"",
          "isHermetic false",
          "cases 6",
          "trials {"min":1,"max":1}",
          "baselineTrials null",
          "averages 1",
          "asksAccepted false",
          "groups {"designEffect":1}",
          "judge null",
          "visibleDrop 0.8601",
          "excludableDrop 0.556",
          "see {"byCases":{"cases":710,"trials":1,"calls":710,"costUsd":0.0142},"byTrials":null,"byBoth":{"cases":314,"trials":3,"calls":942,"costUsd":0.01884}}",
          "exclude {"byCases":{"cases":594,"trials":1,"calls":594,"costUsd":0.01188},"byTrials":null,"byBoth":{"cases":198,"trials":3,"calls":594,"costUsd":0.01188}}",
          "run {"cases":6,"trials":1,"calls":6,"costUsd":0.00012}",
          "confirmation null",
          "singleCase null",
          "pilot {"runs":1,"usesBaseline":false,"cases":6,"trials":36,"passRate":0.6944,"flakyCases":2,"flakeRate":0.1056,"isAssumed":false,"withinCases":0.09444,"betweenCases":0.1444}",
        ],
      ]
    `);
  });

  test('counts the accepted trials, and those of several runs', async () => {
    expect(await sizes({ runs: 2, accepts: true })).toMatchInlineSnapshot(`
      [
        [
          "prompt "v1"",
          "provider "own"",
          "alpha 0.05",
          "power 0.8",
          "drop 0.05",
          "scope "population"",
          "isHermetic false",
          "cases 6",
          "trials {"min":1,"max":1}",
          "baselineTrials 6",
          "averages 1",
          "asksAccepted true",
          "groups null",
          "judge null",
          "visibleDrop 0.8089",
          "excludableDrop 0.5002",
          "see {"byCases":{"cases":849,"trials":1,"calls":849,"costUsd":0.01698},"byTrials":null,"byBoth":{"cases":295,"trials":3,"calls":885,"costUsd":0.0177}}",
          "exclude {"byCases":{"cases":315,"trials":1,"calls":315,"costUsd":0.0063},"byTrials":null,"byBoth":{"cases":180,"trials":3,"calls":540,"costUsd":0.0108}}",
          "run {"cases":6,"trials":1,"calls":6,"costUsd":0.00012}",
          "confirmation {"calls":200,"costUsd":0.004}",
          "singleCase {"trials":4,"acceptedTrials":4,"calls":8,"mostTrials":15,"brokenForGood":1,"brokenAfterFlaking":0.9837,"failsMostly":0.5905,"failsHalf":0.03125}",
          "pilot {"runs":2,"usesBaseline":true,"cases":6,"trials":72,"passRate":0.8611,"flakyCases":2,"flakeRate":0.09486,"isAssumed":false,"withinCases":0.08586,"betweenCases":0.04192}",
        ],
      ]
    `);
  });

  test('of several prompts and providers takes their averages together', { tags: ['slow'] }, async () => {
    const edit = (text: string) =>
      text
        .replace('prompts: [', 'prompts: [{ id: v2, replaces: v1, text: "Tell: {{ word }}" }, ')
        .replace('}]\ndefaults', '}, { id: new, use: "own:newer" }]\ndefaults');
    const ofCase = (word: string) =>
      word === 'w05' ? ', providers: [own], observe: true' : word === 'w04' ? ', skip: later' : '';
    expect(await sizes({ edit, ofCase })).toMatchInlineSnapshot(`
      [
        [
          "prompt "v2"",
          "provider "own"",
          "alpha 0.05",
          "power 0.8",
          "drop 0.05",
          "scope "population"",
          "isHermetic false",
          "cases 4",
          "trials {"min":1,"max":1}",
          "baselineTrials null",
          "averages 2",
          "asksAccepted true",
          "groups null",
          "judge null",
          "visibleDrop null",
          "excludableDrop 0.6111",
          "see {"byCases":{"cases":710,"trials":1,"calls":710,"costUsd":0.0142},"byTrials":null,"byBoth":{"cases":237,"trials":3,"calls":711,"costUsd":0.01422}}",
          "exclude {"byCases":{"cases":419,"trials":1,"calls":419,"costUsd":0.00838},"byTrials":null,"byBoth":{"cases":140,"trials":3,"calls":420,"costUsd":0.0084}}",
          "run {"cases":4,"trials":1,"calls":4,"costUsd":0.00008}",
          "confirmation {"calls":200,"costUsd":0.004}",
          "singleCase {"trials":4,"acceptedTrials":4,"calls":8,"mostTrials":15,"brokenForGood":1,"brokenAfterFlaking":0.8996,"failsMostly":0.5905,"failsHalf":0.03125}",
          "pilot {"runs":1,"usesBaseline":false,"cases":4,"trials":24,"passRate":0.4167,"flakyCases":1,"flakeRate":0.07183,"isAssumed":false,"withinCases":0.06667,"betweenCases":0.2389}",
        ],
        [
          "prompt "v2"",
          "provider "new"",
          "alpha 0.05",
          "power 0.8",
          "drop 0.05",
          "scope "population"",
          "isHermetic false",
          "cases 4",
          "trials {"min":1,"max":1}",
          "baselineTrials null",
          "averages 2",
          "asksAccepted true",
          "groups null",
          "judge null",
          "visibleDrop null",
          "excludableDrop 0.6111",
          "see {"byCases":{"cases":710,"trials":1,"calls":710,"costUsd":null},"byTrials":null,"byBoth":{"cases":237,"trials":3,"calls":711,"costUsd":null}}",
          "exclude {"byCases":{"cases":419,"trials":1,"calls":419,"costUsd":null},"byTrials":null,"byBoth":{"cases":140,"trials":3,"calls":420,"costUsd":null}}",
          "run {"cases":4,"trials":1,"calls":4,"costUsd":null}",
          "confirmation {"calls":200,"costUsd":null}",
          "singleCase {"trials":4,"acceptedTrials":4,"calls":8,"mostTrials":15,"brokenForGood":1,"brokenAfterFlaking":0.8996,"failsMostly":0.5905,"failsHalf":0.03125}",
          "pilot {"runs":1,"usesBaseline":false,"cases":4,"trials":24,"passRate":0.6667,"flakyCases":1,"flakeRate":0.07183,"isAssumed":false,"withinCases":0.06667,"betweenCases":0.2111}",
        ],
      ]
    `);
  });

  test('is that of recorded answers, and of turns', async () => {
    const ofCase = (word: string) => (word === 'w00' ? ', turns: [{ user: w00 }], trials: 3' : '');
    expect(await sizes({ gate: 'recordings: words.recordings.jsonl', ofCase, record: true })).toMatchInlineSnapshot(`
      [
        [
          "prompt "v1"",
          "provider "own"",
          "alpha 0.05",
          "power 0.8",
          "drop 0.05",
          "scope "population"",
          "isHermetic true",
          "cases 6",
          "trials {"min":1,"max":3}",
          "baselineTrials null",
          "averages 1",
          "asksAccepted false",
          "groups null",
          "judge null",
          "visibleDrop 0.8601",
          "excludableDrop 0.5138",
          "see {"byCases":{"cases":698,"trials":1.333,"calls":1015,"costUsd":0.02031},"byTrials":null,"byBoth":{"cases":332,"trials":3,"calls":1087,"costUsd":0.02173}}",
          "exclude {"byCases":{"cases":586,"trials":1.333,"calls":852,"costUsd":0.01705},"byTrials":null,"byBoth":{"cases":220,"trials":3,"calls":720,"costUsd":0.0144}}",
          "run {"cases":6,"trials":1.333,"calls":9,"costUsd":0.0001745}",
          "confirmation null",
          "singleCase null",
          "pilot {"runs":1,"usesBaseline":false,"cases":6,"trials":33,"passRate":0.6944,"flakyCases":2,"flakeRate":0.1191,"isAssumed":false,"withinCases":0.1049,"betweenCases":0.1398}",
        ],
      ]
    `);
  });

  test('knows nothing of another version of the prompt', { tags: ['slow'] }, async () => {
    expect(await sizes({ later: (text) => text.replace('Say:', 'Please say:') })).toEqual(await sizes({}));
    expect(await sizes({ later: (text) => text.replaceAll('equals:', 'contains:') })).toEqual(
      await sizes({ runs: 0, later: (text) => text.replaceAll('equals:', 'contains:') }),
    );
  });
});

describe('the false alarms of a gate', () => {
  const measured = async (given: Given) => {
    const found = await measureFalseAlarms({ ...(await openFlaky(given)), comparisons: 30, random: createRandom(7) });
    return show({ ...found, variants: found.variants.map(({ runs, ...rest }) => ({ ...rest, runs: runs.length })) });
  };

  test('are those of simulated runs of the stored trials', { tags: ['slow'] }, async () => {
    expect(await measured({})).toMatchInlineSnapshot(`
      [
        "variants [{"suite":"words","prompt":"v1","provider":"own","alpha":0.05,"usesBaseline":false,"cases":6,"suiteCases":6,"trials":36,"passed":{"count":29,"value":0.9667,"low":0.6283,"high":0.998},"drifted":{"count":1,"value":0.03333,"low":0.002006,"high":0.3717},"inconclusive":{"count":0,"value":0,"low":0,"high":0.329},"failed":{"count":0,"value":0,"low":0,"high":0.329},"regressed":{"count":0,"value":0,"low":0,"high":0.329},"caseBroken":{"count":0,"value":0,"low":0,"high":0.329},"mustPass":{"count":0,"value":0,"low":0,"high":0.329},"openAverages":{"count":0,"value":0,"low":0,"high":0.329},"openCases":{"count":0,"value":0,"low":0,"high":0.329},"brokenCases":[],"runs":1}]",
        "run {"failed":{"count":0,"value":0,"low":0,"high":0.329},"regressed":{"count":0,"value":0,"low":0,"high":0.329},"caseFailed":{"count":0,"value":0,"low":0,"high":0.329},"drifted":{"count":1,"value":0.03333,"low":0.002006,"high":0.3717},"inconclusive":{"count":0,"value":0,"low":0,"high":0.329},"extraCalls":{"average":0.4111,"most":2.333,"forAverages":0,"forCases":0.4111}}",
        "insufficient []",
        "warnings []",
      ]
    `);
  });

  test('are those of each variant, with must-pass cases and accepted trials', { tags: ['slow'] }, async () => {
    const edit = (text: string) => text.replace('}]\ndefaults', '}, { id: new, use: "own:newer" }]\ndefaults');
    const ofCase = (word: string) => (word === 'w01' ? ', mustPass: true' : '');
    expect(await measured({ edit, ofCase, accepts: true, gate: 'gate: { scope: suite }' })).toMatchInlineSnapshot(`
      [
        "variants [{"suite":"words","prompt":"v1","provider":"own","alpha":0.05,"usesBaseline":true,"cases":6,"suiteCases":6,"trials":36,"passed":{"count":30,"value":1,"low":0.671,"high":1},"drifted":{"count":0,"value":0,"low":0,"high":0.329},"inconclusive":{"count":0,"value":0,"low":0,"high":0.329},"failed":{"count":0,"value":0,"low":0,"high":0.329},"regressed":{"count":0,"value":0,"low":0,"high":0.329},"caseBroken":{"count":0,"value":0,"low":0,"high":0.329},"mustPass":{"count":0,"value":0,"low":0,"high":0.329},"openAverages":{"count":0,"value":0,"low":0,"high":0.329},"openCases":{"count":0,"value":0,"low":0,"high":0.329},"brokenCases":[],"runs":1},{"suite":"words","prompt":"v1","provider":"new","alpha":0.05,"usesBaseline":true,"cases":6,"suiteCases":6,"trials":36,"passed":{"count":30,"value":1,"low":0.671,"high":1},"drifted":{"count":0,"value":0,"low":0,"high":0.329},"inconclusive":{"count":0,"value":0,"low":0,"high":0.329},"failed":{"count":0,"value":0,"low":0,"high":0.329},"regressed":{"count":0,"value":0,"low":0,"high":0.329},"caseBroken":{"count":0,"value":0,"low":0,"high":0.329},"mustPass":{"count":0,"value":0,"low":0,"high":0.329},"openAverages":{"count":0,"value":0,"low":0,"high":0.329},"openCases":{"count":0,"value":0,"low":0,"high":0.329},"brokenCases":[],"runs":1}]",
        "run {"failed":{"count":0,"value":0,"low":0,"high":0.329},"regressed":{"count":0,"value":0,"low":0,"high":0.329},"caseFailed":{"count":0,"value":0,"low":0,"high":0.329},"drifted":{"count":0,"value":0,"low":0,"high":0.329},"inconclusive":{"count":0,"value":0,"low":0,"high":0.329},"extraCalls":{"average":0.08611,"most":0.75,"forAverages":0,"forCases":0.08611}}",
        "insufficient []",
        "warnings []",
      ]
    `);
  });

  test('are unknown where no case has two trials', async () => {
    expect(await measured({ runs: 0, gate: 'recordings: words.recordings.jsonl' })).toMatchInlineSnapshot(`
      [
        "variants []",
        "run null",
        "insufficient [{"suite":"words","prompt":"v1","provider":"own","isHermetic":true}]",
        "warnings []",
      ]
    `);
  });
});
