import { describe, expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { styleFor, wantsColor } from '../../../src/cli/output/style.ts';

function styleOf(env: Io['env'], { isTty = true, isFile = false, columns = 100 } = {}) {
  const sink = { write: () => {}, isTty, columns: () => columns };
  const io: Io = {
    stdout: sink,
    stderr: sink,
    env,
    cwd: '/project',
    now: () => new Date(0),
    random: () => 0.5,
    onSignal: () => () => {},
  };
  return styleFor(io, { color: true }, isFile);
}

test.each<[env: Io['env'], isTty: boolean, isAllowed: boolean, hasColor: boolean]>([
  [{}, true, true, true],
  [{}, false, true, false],
  [{}, true, false, false],
  [{ TERM: 'dumb' }, true, true, false],
  [{ NO_COLOR: '1' }, true, true, false],
  [{ NO_COLOR: '' }, true, true, true],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, true, false],
  [{ LLMCHECK_NO_COLOR: 'true' }, true, true, false],
  [{ LLMCHECK_NO_COLOR: '0' }, true, true, true],
  [{ FORCE_COLOR: '1' }, false, true, true],
  [{ FORCE_COLOR: '1' }, false, false, false],
  [{ FORCE_COLOR: '0' }, true, true, false],
  [{ FORCE_COLOR: 'false' }, true, true, false],
])('colour by %j, terminal %s, allowed %s: %s', (env, isTty, isAllowed, hasColor) => {
  const sink = { write: () => {}, isTty, columns: () => 80 };
  expect(wantsColor(sink, env, isAllowed)).toBe(hasColor);
});

describe('links in the terminal report', () => {
  test.each<[env: Io['env'], hasLinks: boolean]>([
    [{ WT_SESSION: 'x' }, true],
    [{ TERM_PROGRAM: 'vscode' }, true],
    [{ TERM_PROGRAM: 'Apple_Terminal' }, false],
    [{ VTE_VERSION: '5000' }, true],
    [{ VTE_VERSION: '4999' }, false],
    [{ TERM: 'xterm-kitty' }, true],
    [{ TERM: 'xterm' }, false],
    [{ TERM: 'dumb', WT_SESSION: 'x' }, false],
    [{ CI: 'true', WT_SESSION: 'x' }, false],
    [{ TMUX: 'x', WT_SESSION: 'x' }, false],
    [{ STY: 'x', WT_SESSION: 'x' }, false],
    [{ FORCE_HYPERLINK: '0', WT_SESSION: 'x' }, false],
    [{ FORCE_HYPERLINK: '1', CI: 'true' }, true],
    [{ FORCE_HYPERLINK: '', WT_SESSION: 'x' }, true],
  ])('%j: %s', (env, hasLinks) => {
    expect(styleOf(env).linksFrom).toBe(hasLinks ? '/project' : undefined);
  });

  test('are none in a pipe or a file', () => {
    expect(styleOf({ WT_SESSION: 'x' }, { isTty: false })).not.toHaveProperty('linksFrom');
    expect(styleOf({ WT_SESSION: 'x' }, { isFile: true })).not.toHaveProperty('linksFrom');
  });

  test('lines are as wide as the terminal, at least 40 columns, and 80 in a file', () => {
    expect(styleOf({}).width).toBe(100);
    expect(styleOf({}, { columns: 20 }).width).toBe(40);
    expect(styleOf({}, { isFile: true }).width).toBe(80);
  });
});
