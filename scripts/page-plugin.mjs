// Makes `virtual:page` of src/page: one script and one style, for esbuild and for Vite (the tests).
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const name = 'virtual:page';

/** The page, compiled once in a process; `inputs` are the files it was made of. */
let built;
export function buildPage() {
  built ??= compile();
  return built;
}

async function compile() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/page/main.tsx', 'src/page/page.css'],
    outdir: 'page',
    tsconfig: 'src/page/tsconfig.json',
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['es2022', 'chrome110', 'firefox115', 'safari16.4'],
    // Other charsets than the page's own would garble what is not ASCII.
    charset: 'ascii',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending))?.text.trim() ?? '';
  const [script, style] = [text('.js'), text('.css')];
  if (/<\/(?:script|style)|<!--/i.test(script + style)) throw new Error('the page would end its own element');
  return { script, style, inputs: Object.keys(metafile.inputs) };
}

async function moduleText() {
  const { script, style } = await buildPage();
  return `export const script = ${JSON.stringify(script)};\nexport const style = ${JSON.stringify(style)};\n`;
}

/** For esbuild. */
export const pagePlugin = {
  name: 'page',
  setup(context) {
    context.onResolve({ filter: /^virtual:page$/ }, () => ({ path: name, namespace: 'page' }));
    context.onLoad({ filter: /.*/, namespace: 'page' }, async () => ({ contents: await moduleText(), loader: 'js' }));
  },
};

/** For Vite. */
export const pageVitePlugin = {
  name: 'page',
  resolveId: (id) => (id === name ? `\0${name}` : undefined),
  load: (id) => (id === `\0${name}` ? moduleText() : undefined),
  // Vitest finds a compiled file by its own text, and the page depends on many other files.
  configureVitest: ({ experimental_defineCacheKeyGenerator: define }) =>
    define(({ id }) => (id === `\0${name}` ? false : undefined)),
};
