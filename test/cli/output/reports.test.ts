import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AcceptedBaseline } from '../../../src/baseline/accept-baseline.ts';
import type { Io } from '../../../src/cli/io.ts';
import { describeKnownFailures } from '../../../src/cli/output/known-failures.ts';
import {
  collect,
  collectSplit,
  parseReporters,
  parseRequests,
  type ReportRequest,
  requestsOf,
  writeDecision,
  writeReports,
  writeReportsOnly,
} from '../../../src/cli/output/reports.ts';
import { UserError } from '../../../src/model/problem.ts';
import { makeFolder } from '../../record/build-rows.ts';

describe('--reporter', () => {
  const parse = (...texts: readonly string[]) => {
    const { requests, problems } = parseReporters(texts);
    return [
      requests.map(({ name, path }) => `${name} to ${path ?? 'stdout'}`),
      problems.map(({ message, hint }) => `${message}; ${hint}`),
    ];
  };

  test.each<[readonly string[], readonly string[]]>([
    [[], ['terminal to stdout']],
    [['json'], ['json to stdout']],
    [['json=-'], ['json to stdout']],
    [['json=a.json'], ['terminal to stdout', 'json to a.json']],
    [
      ['json=a=b.json', 'junit=c.xml', 'markdown'],
      ['json to a=b.json', 'junit to c.xml', 'markdown to stdout'],
    ],
    [['json=a\nb'], ['terminal to stdout', 'json to a\nb']],
  ])('%j is %j', (texts, expected) => {
    expect(parse(...texts)).toEqual([expected, []]);
  });

  test.each<[readonly string[], readonly string[]]>([
    [['jsn'], ['--reporter jsn: there is no reporter "jsn"; did you mean "json"?']],
    [
      ['zzzzzzzz=a'],
      [expect.stringMatching(/^--reporter zzzzzzzz=a: there is no reporter "zzzzzzzz"; there are: ctrf, /)],
    ],
    [['report.html'], ['--reporter report.html: there is no reporter "report.html"; write html=report.html']],
    [['out/a.xml'], ['--reporter out/a.xml: there is no reporter "out/a.xml"; write junit=out/a.xml']],
    [['constructor'], [expect.stringContaining('there is no reporter "constructor"')]],
    [['json='], ['--reporter json=: the path is empty; write json=report.json']],
    [
      ['json', 'junit'],
      ['--reporter: json and junit would both write to stdout; give all but one a path: junit=report.xml'],
    ],
    [
      ['json=a', 'junit=b', 'markdown=a'],
      ['--reporter: two reports would be written to a; give each a path of its own'],
    ],
    ...['evals/a.eval.yaml', 'a.eval.yml', 'evals/a.baseline.jsonl', './llmcheck.config.yaml'].map(
      (path): [readonly string[], readonly string[]] => [
        [`json=${path}`],
        [`--reporter json=${path}: the report would replace a file that llmcheck reads; write json=report.json`],
      ],
    ),
    [['json=a', 'junit=./b/../a'], ['--reporter: two reports would be written to a; give each a path of its own']],
  ])('%j is a mistake', (texts, problems) => {
    expect(parse(...texts)[1]).toEqual(problems);
    expect(() => requestsOf(parseReporters(texts))).toThrow(UserError);
  });

  test('has no terminal report if it names others', () => {
    const format = { extension: 'txt', render: () => [] };
    expect(requestsOf(parseRequests([], { text: format }))).toEqual([]);
    expect(requestsOf(parseRequests(['text=a'], { text: format }))).toEqual([
      { name: 'text', reporter: format, path: 'a' },
    ]);
  });

  test('may be given several times, and some flags take lists', () => {
    expect([collect('b,c', ['a']), collect('a'), collectSplit('b,c', ['a'])]).toEqual([
      ['a', 'b,c'],
      ['a'],
      ['a', 'b', 'c'],
    ]);
  });
});

describe('reports', () => {
  function openIo() {
    const cwd = makeFolder();
    const [out, err]: [string[], string[]] = [[], []];
    const sink = (texts: string[]) => ({
      write: (text: string) => void texts.push(text),
      isTty: false,
      columns: () => undefined,
    });
    const io = { stdout: sink(out), stderr: sink(err), env: {}, cwd } as unknown as Io;
    return { io, cwd, out, err };
  }
  const requestOf = (name: string, render: () => unknown, path?: string) =>
    ({
      name,
      reporter: { extension: 'txt', render },
      ...(path !== undefined && { path }),
    }) as unknown as ReportRequest<object>;

  test('are written to stdout or to files, without secrets, whatever one of them does', async () => {
    const { io, cwd, out, err } = openIo();
    const requests = [
      requestOf('own', () => ['a secret', ' and more\n']),
      requestOf('late', () => Promise.resolve(['b secret']), 'reports/late.txt'),
      requestOf('broken', () => {
        throw new Error('no secret');
      }),
      requestOf('last', () => ['c'], 'last.txt'),
    ];
    const isWhole = await writeReports({}, requests, {
      io,
      color: false,
      mask: (text) => text.replace('secret', '***'),
    });
    expect([isWhole, out, err]).toEqual([
      false,
      ['a ***', ' and more\n'],
      ['warning: the broken report could not be written to stdout: no ***\n'],
    ]);
    expect(['reports/late.txt', 'last.txt'].map((file) => readFileSync(`${cwd}/${file}`, 'utf8'))).toEqual([
      'b ***',
      'c',
    ]);
  });

  test('are left out once the time after the deadline is over, but for the verdict', async () => {
    const { io, cwd, out, err } = openIo();
    let isOver = false;
    const render = function* () {
      yield 'a';
      isOver = true;
      yield 'b';
    };
    const requests = [
      requestOf('cut', render, 'cut.txt'),
      requestOf('unbegun', () => ['c'], 'unbegun.txt'),
      requestOf('terminal', () => ['the verdict']),
    ];
    const isWhole = await writeReports({}, requests, { io, color: false, isOverdue: () => isOver });
    const reason =
      'the time for reports after the deadline was over (--deadline); llmcheck report writes them from the record';
    expect([isWhole, out, err]).toEqual([
      false,
      ['the verdict'],
      [
        `warning: the cut report could not be written to cut.txt: ${reason}\n`,
        `warning: the unbegun report could not be written to unbegun.txt: ${reason}\n`,
      ],
    ]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test.each<[() => unknown, string]>([
    [() => 'a text', 'render must return a list of texts'],
    [() => undefined, 'render must return a list of texts'],
    [() => null, 'render must return a list of texts'],
    [() => [1], 'render must return texts, and one part is not a text'],
    [() => Promise.reject(new TypeError('later')), 'later'],
    [() => Promise.reject(new Error('')), 'the reporter threw an error without a message'],
    [() => Promise.reject('a text'), 'the reporter threw a text'],
  ])('give a warning with the reason if one of them fails', async (render, reason) => {
    const { io, err } = openIo();
    expect(await writeReports({}, [requestOf('own', render)], { io, color: false })).toBe(false);
    expect(err).toEqual([`warning: the own report could not be written to stdout: ${reason}\n`]);
  });

  test('fail the commands that only write them if they can’t be written, and change no decision', async () => {
    const { io, cwd, err } = openIo();
    mkdirSync(`${cwd}/folder`);
    const [fine, broken] = [requestOf('own', () => ['a'], 'a.txt'), requestOf('own', () => ['a'], 'folder')];
    const options = { io, color: false };
    expect(await writeReportsOnly({}, [fine], options)).toBe(0);
    expect(await writeReportsOnly({}, [broken, fine], options)).toBe(2);
    const report = { exitCode: 1 };
    const changing = requestOf('own', () => {
      report.exitCode = 0;
      return ['a'];
    });
    expect(await writeDecision(report, [changing as never, broken as never], options)).toBe(1);
    expect(err[0]).toMatch(/^warning: the own report could not be written to folder: /);
  });
});

describe('known failures', () => {
  const failure = (caseId: string) => ({ suite: 's', caseId, prompt: 'v1', provider: 'p', reason: `why ${caseId}` });
  const describeOf = (known: number, expected: number, isWhole: boolean) => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => failure(`c${index}`));
    const accepted = { suite: 'triage', knownFailures: names(known), stillExpected: names(expected) };
    return describeKnownFailures(accepted as unknown as AcceptedBaseline, isWhole);
  };

  test('have one line, or each its reason, beside those that are expected to pass', () => {
    const told = [
      describeOf(0, 0, false),
      describeOf(1, 0, false),
      describeOf(2, 1, false),
      describeOf(2, 2, true),
      describeOf(10, 0, false),
      describeOf(11, 11, false),
    ];
    expect(told).toMatchInlineSnapshot(`
      [
        "",
        "  1 failing case of triage is a known failure from now on: c0 · v1 × p
      ",
        "  2 failing cases of triage are known failures from now on: c0 · v1 × p, c1 · v1 × p
        1 case of triage failed in this run and passes in most of its accepted trials, so a failure still counts (--known-failures makes it known): c0 · v1 × p
      ",
        "  2 failing cases of triage are known failures from now on:
          c0 · v1 × p: "why c0"
          c1 · v1 × p: "why c1"
        2 cases of triage failed in this run and pass in most of their accepted trials, so a failure still counts (--known-failures makes it known): c0 · v1 × p, c1 · v1 × p
      ",
        "  10 failing cases of triage are known failures from now on: c0 · v1 × p, c1 · v1 × p, c2 · v1 × p, c3 · v1 × p, c4 · v1 × p, c5 · v1 × p, c6 · v1 × p, c7 · v1 × p, c8 · v1 × p, c9 · v1 × p
      ",
        "  11 failing cases of triage are known failures from now on: c0 · v1 × p, c1 · v1 × p, c2 · v1 × p, c3 · v1 × p, c4 · v1 × p, c5 · v1 × p, c6 · v1 × p, c7 · v1 × p, c8 · v1 × p, c9 · v1 × p and 1 more (--known-failures names each)
        11 cases of triage failed in this run and pass in most of their accepted trials, so a failure still counts (--known-failures makes it known): c0 · v1 × p, c1 · v1 × p, c2 · v1 × p, c3 · v1 × p, c4 · v1 × p, c5 · v1 × p, c6 · v1 × p, c7 · v1 × p, c8 · v1 × p, c9 · v1 × p and 1 more
      ",
      ]
    `);
  });
});
