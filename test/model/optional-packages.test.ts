import { describe, expect, test } from 'vitest';
import { findPackageFault, installCommand } from '../../src/model/optional-packages.ts';

describe('packages that a project installs itself', () => {
  test.each([
    ['6.0.0', true],
    ['6.7.2', true],
    ['5.64.0', true],
    ['5.63.9', false],
    ['7.0.0', false],
    ['4.99.0', false],
  ])('bullmq %s works: %s', (version, isRight) => {
    expect(findPackageFault(['bullmq'], () => version) === undefined).toBe(isRight);
  });

  test.each([
    ['0.2.0', true],
    ['0.3.0', false],
    ['1.2.0', false],
  ])('a version of 0.x breaks with its second number: %s', (version, isRight) => {
    expect(findPackageFault(['@energetic-ai/core'], () => version) === undefined).toBe(isRight);
  });

  test('those that are missing or too old are named with the command that installs them', () => {
    const versions: Readonly<Record<string, string>> = { ioredis: '4.28.5' };
    expect(findPackageFault(['bullmq', 'ioredis'], (name) => versions[name])).toEqual({
      needed: 'the packages bullmq (not installed), ioredis ^5.4 (4.28.5 is installed)',
      install: 'npm install --save-dev bullmq@6 ioredis@5',
    });
    expect(findPackageFault(['ioredis'], () => '5.3.9')?.needed).toBe('the package ioredis ^5.4 (5.3.9 is installed)');
    expect(installCommand(['@energetic-ai/core'])).toBe('npm install --save-dev @energetic-ai/core@0.2');
  });
});
