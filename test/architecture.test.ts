import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import glob from 'fast-glob';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

describe('the layers', () => {
  test('every source file was looked at, and no import breaks a rule', async () => {
    const { modules, summary } = await cruiseFolder(root, ['src']);
    expect(modules.map(({ source }) => source)).toEqual(
      expect.arrayContaining(await glob('src/**/*.{ts,tsx}', { cwd: root })),
    );
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  test.each([
    ['stages-do-not-know-each-other', 'src/plan/a.ts', "import '../cache/b.ts';", 'src/cache/b.ts'],
    ['lib-knows-nothing', 'src/lib/a.ts', "import '../model/b.ts';", 'src/model/b.ts'],
    ['http-knows-lib-only', 'src/http/a.ts', "import '../model/b.ts';", 'src/model/b.ts'],
    ['model-knows-lib-only', 'src/model/a.ts', "import '../gate/b.ts';", 'src/gate/b.ts'],
    ['programs-for-providers-and-pipeline', 'src/assertions/a.ts', "import '../programs/b.ts';", 'src/programs/b.ts'],
    ['pipeline-below-cli', 'src/pipeline/a.ts', "import '../cli/b.ts';", 'src/cli/b.ts'],
    ['cli-through-pipeline-or-registry', 'src/cli/a.ts', "import '../assertions/b.ts';", 'src/assertions/b.ts'],
    ['api-through-pipeline', 'src/api/a.ts', "import '../plan/b.ts';", 'src/plan/b.ts'],
    ['api-is-an-entrance', 'src/pipeline/a.ts', "import '../api/b.ts';", 'src/api/b.ts'],
    ['pure-stays-pure', 'src/gate/a.ts', "import 'node:fs';", undefined],
    ['page-knows-model-and-lib-only', 'src/page/a.ts', "import '../gate/b.ts';", 'src/gate/b.ts'],
    ['page-is-built-not-imported', 'src/reporters/a.ts', "import '../page/b.ts';", 'src/page/b.ts'],
    ['effects-have-a-home', 'src/pipeline/a.ts', "import 'node:child_process';", undefined],
    ['no-src-to-test', 'src/cli/a.ts', "import '../../test/b.ts';", 'test/b.ts'],
    ['no-cycles', 'src/lib/a.ts', "import './b.ts';", 'src/lib/b.ts', "import './a.ts';"],
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

async function cruiseFolder(folder: string, paths: string[]): Promise<ICruiseResult> {
  const options = await extractDepcruiseOptions(join(root, '.dependency-cruiser.mjs'));
  const { output } = await cruise(paths, { ...options, baseDir: folder }, undefined, {
    tsConfig: extractTSConfig(join(root, 'tsconfig.json')),
  });
  if (typeof output === 'string') throw new TypeError('expected a cruise result');
  return output;
}
