#!/usr/bin/env node
import module from 'node:module';
import process from 'node:process';

// Node 22.1 and later keep compiled code between starts.
module.enableCompileCache?.();
const { main, processIo } = await import('../dist/cli/main.js');
process.exitCode = await main(process.argv.slice(2), processIo());
