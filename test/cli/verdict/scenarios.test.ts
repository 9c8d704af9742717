// @module-tag slow
import { describe, expect, test } from 'vitest';
import { breakTen, openPullRequest, openTickets, suiteFile, type TicketsProject } from './tickets-project.ts';

/** What a reader has to understand in ten seconds. The snapshots are looked at by eye whenever they change. */
const scenarios: readonly (readonly [
  name: string,
  code: number,
  play: () => Promise<readonly [TicketsProject, string[]]>,
])[] = [
  [
    'unchanged',
    0,
    async () => {
      const project = await openTickets();
      await project.accept();
      return [project, ['run']];
    },
  ],
  [
    'one must-pass case broken',
    1,
    async () => {
      const project = await openTickets();
      await project.accept();
      project.editPrompt();
      project.broken.set('locked-out-3', 'I think this one should go to the shipping team');
      return [project, ['run']];
    },
  ],
  [
    'ten broken on four variants',
    1,
    async () => {
      const project = await openTickets({ providers: ['mini', 'big', 'old', 'new'] });
      await project.accept();
      project.editPrompt();
      breakTen(project);
      return [project, ['run']];
    },
  ],
  [
    'ten broken differently on four variants',
    1,
    async () => {
      const project = await openTickets({ providers: ['mini', 'big', 'old', 'new'] });
      await project.accept();
      project.editPrompt();
      breakTen(project, (number) => `No team for parcels was named, so this is other, case ${number}`);
      return [project, ['run']];
    },
  ],
  [
    'accepted regression',
    0,
    async () => {
      const project = await openPullRequest();
      project.editPrompt();
      project.broken.set('locked-out-3', 'shipping');
      for (const number of [1, 2, 3, 4]) project.broken.set(`shipping-${number}`, 'other');
      await project.accept();
      return [project, ['run', '--baseline', 'git:main']];
    },
  ],
  [
    'first baseline',
    0,
    async () => {
      const project = await openTickets();
      project.write('.gitignore', '.llmcheck/\n');
      for (const argv of [
        ['init', '-q', '-b', 'main'],
        ['add', '.'],
        ['commit', '-q', '-m', 'suite'],
      ])
        project.git(...argv);
      project.changeModel();
      for (const number of [1, 2, 3]) project.broken.set(`shipping-${number}`, 'other');
      await project.accept();
      return [project, ['run', '--baseline', 'git:main']];
    },
  ],
  [
    'loosened gate',
    0,
    async () => {
      const project = await openPullRequest();
      project.configure('gate: { passRate: { maxDrop: 0.2 }, cases: { broken: warn } }');
      return [project, ['run', '--baseline', 'git:main']];
    },
  ],
  [
    'stale recordings',
    3,
    async () => {
      const project = await openTickets({ providers: ['mini', 'big', 'a', 'b', 'c', 'd'] });
      project.write(
        suiteFile,
        project.read(suiteFile).replace('defaults:', 'recordings: tickets.recordings.jsonl\ndefaults:'),
      );
      await project.llmcheck(['run', '--record', '-q']);
      project.editPrompt();
      return [project, ['run']];
    },
  ],
];

describe('a run in which', () => {
  test.each(scenarios)('%s', async (name, code, play) => {
    const [project, argv] = await play();
    const folder = `snapshots/${name.replaceAll(' ', '-')}`;
    const run = await project.llmcheck(argv);
    expect(run.code).toBe(code);
    await expect(tidy(run.stdout)).toMatchFileSnapshot(`${folder}/terminal-80.txt`);
    for (const [file, ...how] of [
      ['terminal-160.txt', '-r', 'terminal'],
      ['quiet.txt', '-q'],
      ['markdown.md', '-r', 'markdown'],
      ['github.txt', '-r', 'github'],
    ] as const) {
      const shown = await project.llmcheck(['report', ...how], file === 'terminal-160.txt' ? { columns: 160 } : {});
      await expect(tidy(shown.stdout)).toMatchFileSnapshot(`${folder}/${file}`);
    }
  });
});

/** Times are measured, and lines and columns with them are as wide as they need. */
function tidy(text: string): string {
  return text
    .replaceAll(/^\d+ planned = .*(?:\n {2}.+)*/gm, (counts) => counts.replaceAll(/\s+/g, ' '))
    .replaceAll(/\b\d{8}-\d{6}-[0-9a-z]+\b/g, 'RUN')
    .replaceAll(/ +p\d\d \d+(\.\d+)? (ms|s)\b/g, '')
    .replaceAll(/\b\d+(\.\d+)? (ms|s)\b/g, '0 ms')
    .replaceAll(/baseline of [-\d]+ \(\d+ days? old\)/g, 'baseline of DATE (0 days old)');
}
