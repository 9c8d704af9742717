import { describe, expect, it } from 'vitest';
import { createProgressView, type ProgressOptions } from '../../../src/cli/output/progress.ts';
import type { CellStatus } from '../../../src/model/run/cell.ts';
import type { ProgressEvent } from '../../../src/model/run/progress.ts';
import type { CellRow } from '../../../src/model/run/record.ts';

/** A view with a clock that the test moves, and what it wrote. */
function watch(options: Partial<ProgressOptions> = {}) {
  const clock = { ms: 0 };
  const written: string[] = [];
  const view = createProgressView({
    write: (text) => written.push(text),
    isTty: true,
    columns: () => 80,
    now: () => clock.ms,
    color: false,
    ci: false,
    ...options,
  });
  const send = (event: ProgressEvent, afterMs = 0): void => {
    clock.ms += afterMs;
    view.onEvent(event);
  };
  return { view, send, written, text: () => written.join('') };
}

function finished(
  status: CellStatus,
  more: Partial<Extract<ProgressEvent, { type: 'cell-finished' }>> = {},
): ProgressEvent {
  return {
    type: 'cell-finished',
    key: { suite: 'triage', caseId: 'refund', prompt: 'v1', provider: 'mini', trial: 0 },
    label: 'triage/refund',
    status,
    cached: false,
    spentUsd: 0.001,
    row: rowOf(status),
    ...more,
  };
}

function rowOf(status: CellStatus): CellRow {
  return {
    type: 'cell',
    suite: 'triage',
    prompt: 'v1',
    provider: 'p',
    caseId: 'refund',
    trial: 0,
    cellHash: '',
    caseHash: '',
    at: { file: 'a.yaml', line: 1, column: 1 },
    attempts: 1,
    calls: [],
    status,
    checks: [],
    cached: false,
  };
}

const planned: ProgressEvent = { type: 'planned', cells: 40, suites: 2 };
const clearLine = '\r\u001b[2K';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';

describe('on a terminal', () => {
  it('one line rewrites itself', () => {
    const { send, written } = watch();
    send(planned);
    send(finished('passed'), 200);
    expect(written).toEqual([
      `${hideCursor}${clearLine}0/40, 0 passed, 0 failed, 0 errored, spent $0`,
      `${clearLine}1/40, 1 passed, 0 failed, 0 errored, spent $0.0010`,
    ]);
  });

  it('is drawn at most ten times a second', () => {
    const { send, written } = watch();
    send(planned);
    for (let cell = 0; cell < 1000; cell += 1) send(finished('passed'), 1);
    expect(written.length).toBeLessThanOrEqual(11);
    expect(written.length).toBeGreaterThan(8);
  });

  it('failures are printed in the log of CI as they happen, without an escape, and not in captured output', () => {
    const log = watch({ isTty: false, ci: true });
    const captured = watch({ isTty: false });
    for (const { send } of [log, captured]) {
      send({ type: 'planned', cells: 40, suites: 1 });
      for (let index = 0; index < 40; index += 1) send(finished('failed', { reason: 'found \u001b[31m"a"' }));
    }
    expect(log.text().match(/^✗ triage\/refund found ␛\[31m"a"$/gm)).toHaveLength(30);
    expect(log.text()).toContain('… further failures are in the report');
    expect(captured.text()).not.toContain('✗');
  });

  it('failures are printed above it as they happen, and it is drawn again', () => {
    const { send, text } = watch();
    send(planned);
    send(finished('failed', { reason: 'contains: "refund" is not in the output' }));
    expect(text()).toContain(`${clearLine}✗ triage/refund contains: "refund" is not in the output\n`);
    expect(text().endsWith('1/40, 0 passed, 1 failed, 0 errored, spent $0.0010')).toBe(true);
  });

  it('a run in which all fails does not scroll the terminal away', () => {
    const { send, text } = watch();
    send(planned);
    for (let cell = 0; cell < 500; cell += 1) send(finished('errored'));
    expect(text().match(/\n/g)).toHaveLength(31);
    expect(text()).toContain('further failures are in the report');
  });

  it('no line is wider than the terminal, and no text acts on it', () => {
    const { send, text } = watch({ columns: () => 40 });
    send(planned);
    send(finished('failed', { label: '::error::\u001b[2J漢字'.repeat(20), reason: 'a\nb\r' }));
    send({ type: 'note', message: '##[error]x\u009b31m' });
    for (const line of text().replaceAll(clearLine, '\n').replace(hideCursor, '').split('\n')) {
      expect(line.length).toBeLessThan(40);
      expect(line).not.toMatch(/\p{Cc}|^\s*::|##\[/u);
    }
  });

  it('the cursor comes back once, whichever way the run ends', () => {
    for (const end of [true, false]) {
      const { send, view, text } = watch();
      send(planned);
      if (end) send({ type: 'finished' });
      view.close();
      view.close();
      expect(text().split(showCursor)).toHaveLength(2);
      expect(text().endsWith(`${clearLine}${showCursor}`)).toBe(true);
    }
  });

  it('nothing is written where nothing began', () => {
    const { view, text } = watch();
    view.close();
    expect(text()).toBe('');
  });

  it('estimates the time left once it can', () => {
    const { send, written } = watch();
    send(planned);
    send(finished('passed'), 1000);
    expect(written.at(-1)).not.toContain('left');
    for (let cell = 0; cell < 9; cell += 1) send(finished('passed'), 1000);
    expect(written.at(-1)).toContain('about 30.0 s left');
  });

  it('says that an amount is unknown instead of counting it as nothing', () => {
    const { send, written } = watch();
    send(planned);
    send(finished('passed', { spentUsd: undefined, cached: true }), 200);
    expect(written.at(-1)).toContain('1 cached, spent $0');
    send(finished('passed', { spentUsd: undefined }), 200);
    expect(written.at(-1)).toContain('spent unknown');
    send(finished('passed'), 200);
    expect(written.at(-1)).toContain('spent $0.0010 + unknown');
  });

  it('counts as the report does: fresh trials and observed cells apart, and what an earlier part of the run did', () => {
    const { send, written } = watch();
    send({ type: 'planned', cells: 2, suites: 1, keptCells: 3 });
    send(finished('failed'));
    send(finished('failed', { row: { ...rowOf('failed'), observe: true } }), 200);
    send(finished('failed', { row: { ...rowOf('failed'), confirmation: true } }), 200);
    expect(written.at(-1)).toContain('2/2, 0 passed, 1 failed, 0 errored, 1 observed, 1 fresh trial, 3 kept');
  });

  it('names a provider that stopped', () => {
    const { send, text } = watch();
    send(planned);
    send({ type: 'provider-stopped', provider: 'local', failure: { kind: 'auth', message: 'the key was refused' } });
    expect(text()).toContain('· local stopped: auth: the key was refused\n');
  });
});

describe.each([
  ['in CI', { ci: true }],
  ['in a pipe', { isTty: false }],
])('%s', (_, options) => {
  it('there is a line at the start, one every ten seconds and one at the end', () => {
    const { send, view, written } = watch(options);
    send(planned);
    for (let cell = 0; cell < 25; cell += 1) send(finished(cell === 3 ? 'failed' : 'passed'), 1000);
    send({ type: 'finished' });
    view.close();
    expect(written.filter((line) => !line.startsWith('✗'))).toEqual([
      '40 cells in 2 suites\n',
      '10/40, 9 passed, 1 failed, 0 errored, spent $0.0100, about 30.0 s left\n',
      '20/40, 19 passed, 1 failed, 0 errored, spent $0.0200, about 20.0 s left\n',
      '25/40, 24 passed, 1 failed, 0 errored, spent $0.0250, about 15.0 s left, took 25.0 s\n',
    ]);
  });

  it('one is counted as one', () => {
    const { send, text } = watch(options);
    send({ type: 'planned', cells: 1, suites: 1 });
    expect(text()).toBe('1 cell in 1 suite\n');
  });

  it('no escape and no carriage return is written, and no command to the log', () => {
    const { send, view, text } = watch(options);
    send(planned);
    send(finished('failed', { label: '\u001b[31m', reason: '\r::error::x' }), 60_000);
    send({ type: 'note', message: '::error::\u001b]0;x\u0007\rx' });
    send({ type: 'finished' });
    view.close();
    expect(text().replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text()).not.toMatch(/^::/m);
    expect(text()).toContain('\n: :error::');
  });
});

describe('quietly', () => {
  it('nothing is written', () => {
    for (const isTty of [true, false]) {
      const { send, view, text } = watch({ isTty, quiet: true });
      send(planned);
      send(finished('failed'), 20_000);
      send({ type: 'note', message: 'x' });
      send({ type: 'finished' });
      view.close();
      expect(text()).toBe('');
    }
  });
});

describe('a call that waits for its retry', () => {
  const wait = { host: '127.0.0.1', waitMs: 59_500, reason: '429' };

  it('is shown at once on a terminal, until it is sent again', () => {
    const { send, written } = watch({ columns: () => 120 });
    send({ type: 'planned', cells: 2, suites: 1 });
    send({ type: 'wait-started', wait: { ...wait, waitMs: 2000 } });
    send({ type: 'wait-started', wait });
    expect(written.at(-1)).toContain('waiting 60 s for 127.0.0.1 (429)');
    send({ type: 'wait-ended', wait }, 1000);
    expect(written.at(-1)).toContain('waiting 2 s for 127.0.0.1 (429)');
  });

  it('has a line of its own in a log, once for all calls that wait together', () => {
    const { send, written } = watch({ isTty: false });
    send({ type: 'planned', cells: 2, suites: 1 });
    for (const each of [wait, { ...wait }, { ...wait }]) send({ type: 'wait-started', wait: each }, 1);
    expect(written.slice(1)).toEqual([
      '0/2, 0 passed, 0 failed, 0 errored, spent $0, waiting 60 s for 127.0.0.1 (429)\n',
    ]);
  });

  it('has no line of its own in a log if the wait is short', () => {
    const { send, written } = watch({ isTty: false });
    send({ type: 'planned', cells: 2, suites: 1 });
    send({ type: 'wait-started', wait: { ...wait, waitMs: 2000 } });
    expect(written).toHaveLength(1);
  });
});
