import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import glob from 'fast-glob';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

describe('the floors', () => {
  // `npm run layers` looks at all rooms. Without a compiler that it knows it would skip every file, and pass.
  test.each(['text', 'page'])('every source file of %s is looked at', async (room) => {
    const { modules } = await cruiseFolder(root, [`src/${room}`]);
    expect(modules.map(({ source }) => source)).toEqual(
      expect.arrayContaining(await glob(`src/${room}/**/*.{ts,tsx}`, { cwd: root })),
    );
  });

  test.each([
    ['text-is-ground', 'src/text/a.ts', "import '../suite/b.ts';", 'src/suite/b.ts'],
    ['model-is-ground', 'src/model/a.ts', "import '../compare/b.ts';", 'src/compare/b.ts'],
    ['cache-is-a-part', 'src/cache/a.ts', "import '../providers/b.ts';", 'src/providers/b.ts'],
    ['assertions-is-a-part', 'src/assertions/a.ts', "import '../programs/b.ts';", 'src/programs/b.ts'],
    ['compare-looks-down', 'src/compare/a.ts', "import '../run/b.ts';", 'src/run/b.ts'],
    ['baseline-looks-down', 'src/baseline/a.ts', "import '../verdict/b.ts';", 'src/verdict/b.ts'],
    ['calls-looks-down', 'src/calls/a.ts', "import '../judges/b.ts';", 'src/judges/b.ts'],
    ['run-looks-down', 'src/run/a.ts', "import '../review/b.ts';", 'src/review/b.ts'],
    ['cli-is-an-entrance', 'src/run/a.ts', "import '../cli/b.ts';", 'src/cli/b.ts'],
    ['api-is-an-entrance', 'src/run/a.ts', "import '../api/b.ts';", 'src/api/b.ts'],
    ['entrances-call-features', 'src/cli/a.ts', "import '../assertions/b.ts';", 'src/assertions/b.ts'],
    ['page-knows-model-and-text-only', 'src/page/a.ts', "import '../compare/b.ts';", 'src/compare/b.ts'],
    ['page-is-built-not-imported', 'src/reports/a.ts', "import '../page/b.ts';", 'src/page/b.ts'],
    ['effects-have-a-home', 'src/verdict/a.ts', "import 'node:child_process';", undefined],
    ['no-src-to-test', 'src/cli/a.ts', "import '../../test/b.ts';", 'test/b.ts'],
    ['no-cycles', 'src/text/a.ts', "import './b.ts';", 'src/text/b.ts', "import './a.ts';"],
  ])('%s fires where it is broken', async (rule, file, text, other, otherText = 'export const b = 1;') => {
    const folder = await mkdtemp(join(tmpdir(), 'llmcheck-layers-'));
    try {
      for (const [path, content] of [[file, text], ...(other === undefined ? [] : [[other, otherText]])]) {
        if (path === undefined || content === undefined) continue;
        await mkdir(join(folder, path, '..'), { recursive: true });
        await writeFile(join(folder, path), `${content}\nexport {};\n`);
      }
      const { summary } = await cruiseFolder(folder, ['src']);
      expect(summary.violations.map((violation) => violation.rule.name)).toContain(rule);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

test('the files and folders that the architecture page names exist', () => {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const named = [...page.matchAll(/`((?:src|test|audit|bench)\/[\w./-]+)`/g)].map(([, path = '']) => path);
  const questions = page.match(/^\| .*\? \| .*`src\//gm) ?? [];
  expect(questions).toHaveLength(14);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

async function cruiseFolder(folder: string, paths: string[]): Promise<ICruiseResult> {
  const options = await extractDepcruiseOptions(join(root, '.dependency-cruiser.mjs'));
  const { output } = await cruise(paths, { ...options, baseDir: folder }, undefined, {
    tsConfig: extractTSConfig(join(root, 'tsconfig.json')),
  });
  if (typeof output === 'string') throw new TypeError('expected a cruise result');
  return output;
}
