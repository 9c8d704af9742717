import type { Plugin } from 'vitest/config';

export const pageVitePlugin: Plugin;
