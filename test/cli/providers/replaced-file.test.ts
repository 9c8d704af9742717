import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerOfEveryApi, startServer } from '../../support/http-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const pictureOf = (last: string) => Buffer.from(`89504e470d0a1a0a${last}`, 'hex');
const [cat, dog, bird] = ['00', '01', '02'].map(pictureOf);
const baselineFile = 'evals/photos.baseline.jsonl';

interface Asked {
  readonly attach?: readonly string[];
  readonly question?: string;
  readonly mustPass?: boolean;
  /** The text of a dotprompt file, in place of the message. */
  readonly dotprompt?: string;
}

interface Photos extends TempProject {
  show(photo: Buffer | undefined): void;
  ask(asked: Asked): void;
  /** Runs and accepts what fails too. */
  accept(): Promise<string>;
  /** What a run decides, and how the case about the photo compares. */
  judge(...flags: readonly string[]): Promise<readonly [code: number, codes: readonly string[], change: unknown]>;
}

/** A model that knows only cats. One case asks about a photo, four about something else. */
async function openPhotos(asked: Asked = {}): Promise<Photos> {
  const server = await startServer(({ body }) => ({
    body: answerOfEveryApi(body.includes(cat?.toString('base64') ?? '-') ? 'A cat.' : 'Unknown.'),
  }));
  onTestFinished(() => server.close());
  const project = openTempProject();
  mkdirSync(project.path('evals'));
  const save = (name: string, picture: Buffer | undefined) =>
    writeFileSync(project.path(`evals/${name}`), picture ?? '');
  const photos: Photos = {
    ...project,
    show: (photo) => save('photo.png', photo),
    ask({ attach = ['{{ photo }}'], question = 'What is it?', mustPass, dotprompt }) {
      if (dotprompt !== undefined) project.write('evals/v1.prompt', dotprompt);
      const messages = [{ role: 'user', content: question, attach }];
      const others = ['one', 'two', 'three', 'four'].map((id) => ({ id, vars: { photo: 'other.png' }, assert: [] }));
      const suite = {
        suite: 'photos',
        prompts: [{ id: 'v1', ...(dotprompt === undefined ? { messages } : { file: 'v1.prompt' }) }],
        providers: [{ id: 'p', use: 'openai:some-model', baseURL: server.url }],
        cases: [
          { id: 'photo', vars: { photo: 'photo.png' }, assert: [{ contains: 'cat' }], mustPass },
          ...others.map((one) => ({ ...one, assert: [{ contains: 'n' }] })),
        ],
      };
      project.write('evals/photos.eval.yaml', JSON.stringify(suite));
    },
    async accept() {
      await project.run(['run', '-q']);
      const { code, stdout, stderr } = await project.run(['baseline', 'accept', '--force', '--known-failures']);
      if (code !== 0) throw new Error(stderr);
      return stdout;
    },
    async judge(...flags) {
      const { code, report } = await project.report(['run', ...flags]);
      const found = report.suites.flatMap(({ cases }) => cases).find(({ caseId }) => caseId === 'photo');
      return [code, report.decision.breaches.map((breach) => breach.code), found?.change];
    },
  };
  for (const name of ['logo.png', 'other.png']) save(name, pictureOf('09'));
  photos.show(dog);
  photos.ask(asked);
  await photos.accept();
  return photos;
}

const redefined = [1, ['case-added-failed'], 'redefined'];
const tolerated = [0, [], 'stillFailing'];

describe('a file that a case attaches and that other bytes replaced', () => {
  it('makes the case another one: a known failure of the old picture excuses none of the new one', {
    tags: ['slow'],
  }, async () => {
    const photos = await openPhotos();
    expect(await photos.judge()).toEqual(tolerated);
    photos.show(bird);
    expect(await photos.judge()).toEqual(redefined);
    expect(await photos.accept()).toContain('photo · v1 × p');
    expect(await photos.judge()).toEqual(tolerated);
    photos.show(cat);
    expect(await photos.judge()).toEqual([0, [], 'redefined']);
  });

  it('is seen with --rerun-baseline, which shows today’s picture to the accepted prompt', {
    tags: ['slow'],
  }, async () => {
    const photos = await openPhotos();
    photos.ask({ question: 'What is it, then?' });
    expect(await photos.judge('--rerun-baseline')).toEqual(tolerated);
    photos.show(bird);
    expect(await photos.judge('--rerun-baseline')).toEqual(redefined);
  });

  it('is seen between two stored runs, and the trials of both are not counted together', {
    tags: ['slow'],
  }, async () => {
    const photos = await openPhotos();
    expect(await photos.judge('--update-baseline', '--cache', 'off')).toEqual(tolerated);
    const pooled = () =>
      photos
        .read(baselineFile)
        .match(/"caseId":"photo".*/)?.[0]
        .includes('"pooled"');
    expect(pooled()).toBe(true);
    photos.show(bird);
    await photos.accept();
    expect(pooled()).toBe(false);
    const { stdout } = await photos.run(['history', '-r', 'json']);
    const { suites } = JSON.parse(stdout) as { suites: { cases: { caseId: string; points: object[] }[] }[] };
    const points = suites[0]?.cases.find(({ caseId }) => caseId === 'photo')?.points;
    expect(points).toMatchObject([{ redefined: false }, { redefined: false }, { redefined: true }]);
  });

  it('is seen where a dotprompt attaches it', { tags: ['slow'] }, async () => {
    const photos = await openPhotos({ dotprompt: 'What is it? {{media url=photo}}{{media url="logo.png"}}\n' });
    writeFileSync(photos.path('evals/logo.png'), pictureOf('08'));
    expect(await photos.judge()).toEqual(tolerated);
    photos.show(bird);
    expect(await photos.judge()).toEqual(redefined);
  });

  it('is seen if the prompt writes its path in another way', { tags: ['slow'] }, async () => {
    const photos = await openPhotos();
    photos.show(bird);
    photos.ask({ attach: ['./{{ photo }}'] });
    expect(await photos.judge()).toEqual(redefined);
  });

  it('counts for a must-pass case too', async () => {
    const photos = await openPhotos({ mustPass: true });
    photos.show(bird);
    expect(await photos.judge()).toEqual([1, ['must-pass'], 'redefined']);
  });
});

describe('a case stays the same', () => {
  it.each([
    ['where no prompt attaches the file that it names', { attach: ['logo.png'] }, {}],
    ['where the prompt attaches more than before', {}, { attach: ['{{ photo }}', '{{ photo }}.more.png', 'logo.png'] }],
  ])('%s', async (_where, before, after) => {
    const photos = await openPhotos(before);
    writeFileSync(photos.path('evals/photo.png.more.png'), pictureOf('07'));
    writeFileSync(photos.path('evals/other.png.more.png'), pictureOf('07'));
    if ('attach' in before) photos.show(bird);
    photos.ask({ ...before, ...after });
    expect(await photos.judge()).toEqual(tolerated);
  });

  it('where the prompt attaches it no more', { tags: ['slow'] }, async () => {
    const photos = await openPhotos();
    photos.show(bird);
    photos.ask({ attach: ['logo.png'] });
    expect(await photos.judge()).toEqual(tolerated);
  });

  it('where the prompt’s own file was replaced: that is a change of the prompt', { tags: ['slow'] }, async () => {
    const photos = await openPhotos({ attach: ['{{ photo }}', 'logo.png'] });
    writeFileSync(photos.path('evals/logo.png'), pictureOf('08'));
    expect(await photos.judge()).toEqual(tolerated);
  });

  it('where the baseline was written before files were hashed', { tags: ['slow'] }, async () => {
    const photos = await openPhotos();
    const baseline = photos.read(baselineFile);
    const earlier = baseline.replace(/("caseHash":"[^"@]+)@[^"]+"/g, '$1"');
    expect(earlier).not.toBe(baseline);
    photos.write(baselineFile, earlier);
    photos.show(bird);
    expect(await photos.judge()).toEqual(tolerated);
  });
});
