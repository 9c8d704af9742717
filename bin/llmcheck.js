#!/usr/bin/env node
// Node 12.20 can parse this file, so that an old Node gets a message and no syntax error.
import module from 'node:module';
import process from 'node:process';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 20 || (major === 20 && minor >= 19)) void start();
else {
  const found = `This is Node ${process.versions.node}, from ${process.execPath}.`;
  process.stderr.write(`llmcheck needs Node 20.19 or later. ${found}\n`);
  process.exitCode = 2;
}

async function start() {
  // Node 22.1 and later keep compiled code between starts.
  if (module.enableCompileCache) module.enableCompileCache();
  const { main, processIo } = await import('../dist/cli/main.js');
  process.exitCode = await main(process.argv.slice(2), processIo());
}
