import { describe, expect, it } from 'vitest';
import { reporters } from '../../src/reports/index.ts';
import { buildFullReports } from '../support/build-full-reports.ts';
import { buildReport, buildReports, plainStyle } from '../support/build-report.ts';

/** Every report of a theme, the common ones first. */
const reports = { ...buildReports(), ...buildFullReports() };

/** Formats for people, who read a part of many failures: the others list all of them, one as any other. */
const limited: ReadonlySet<string> = new Set(['terminal', 'markdown', 'github']);

describe('terminal', () => {
  it.each([
    ['40 columns', { width: 40 }],
    ['200 columns', { width: 200 }],
    ['colour', { color: true }],
    ['links', { linksFrom: '/home/ann/shop' }],
    ['quiet', { quiet: true }],
  ])('renders a regressed run in %s', async (name, style) => {
    const report = reports['regressed'] ?? buildReport([]);
    const text = [...(reporters['terminal']?.render(report, { ...plainStyle, ...style }) ?? [])].join('');
    const file = `__file_snapshots__/terminal/regressed in ${name}.txt`;
    await expect(text.replaceAll('\u001b', '␛')).toMatchFileSnapshot(file);
  });
});

describe.each(Object.entries(reporters))('%s', (name, reporter) => {
  const shown = Object.entries(reports).filter(([theme]) => theme !== 'crowded' || limited.has(name));

  it.each(shown)('renders a run that is %s', async (theme, report) => {
    const text = withoutPage([...reporter.render(report, plainStyle)].join(''));
    await expect(text).toMatchFileSnapshot(`__file_snapshots__/${name}/${theme}.${reporter.extension}`);
  });

  it('renders the same report twice', () => {
    for (const report of Object.values(reports)) {
      const render = (): string => [...reporter.render(report, plainStyle)].join('');
      expect(render()).toBe(render());
    }
  });
});

/** The page's own script and style change with src/page, which has tests of its own. */
function withoutPage(text: string): string {
  return text
    .replace(/<style>[^]*?<\/style>/, '<style>…</style>')
    .replace(/<script>[^]*?<\/script>/, '<script>…</script>')
    .replaceAll(/sha256-[\w+/=]{44}/g, 'sha256-…');
}
