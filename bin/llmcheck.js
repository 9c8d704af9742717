#!/usr/bin/env node
import module from 'node:module';
import process from 'node:process';
import v8 from 'node:v8';

// Node 22.1 and later keep compiled code between starts.
module.enableCompileCache?.();
// V8 11 (Node 20) optimises code early, on threads of its own: a run that sends nothing ends before that pays. It is as
// usual again once a connection is opened (providers/optimise-as-usual.ts).
if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString('--interrupt-budget=1000000');
const { main, processIo } = await import('../dist/cli/main.js');
process.exitCode = await main(process.argv.slice(2), processIo());
