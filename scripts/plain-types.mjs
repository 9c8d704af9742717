// The types of stored shapes are derived from zod schemas. A user's compiler must not need zod for them.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/**
 * Copies the source to a folder in which `export type Name = Stored<typeof schema>` is the plain type, with the comments of
 * the schema's members.
 */
export function copyWithPlainTypes(root, target) {
  const source = join(root, 'src');
  cpSync(source, target, { recursive: true, filter: (path) => !path.startsWith(join(source, 'page')) });
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const entries = ['index.ts', 'vitest.ts', 'promptfoo/promptfoo.ts'].map((name) => join(source, name));
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  const places = placesOfTypes(program, source);
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.startsWith(`${source}/`)) continue;
    const edits = file.statements.flatMap((statement) => {
      if (!ts.isTypeAliasDeclaration(statement) || !statement.type.getText(file).startsWith('Stored<typeof '))
        return [];
      const type = checker.getTypeFromTypeNode(statement.type);
      return [
        { start: statement.type.getStart(file), end: statement.type.getEnd(), text: render(checker, type, file) },
      ];
    });
    if (edits.length === 0) continue;
    let text = readFileSync(file.fileName, 'utf8');
    for (const { start, end, text: plain } of edits.toReversed()) text = text.slice(0, start) + plain + text.slice(end);
    const imports = importsOf(edits.map((edit) => edit.text).join('\n'), file, places);
    writeFileSync(join(target, file.fileName.slice(source.length)), `${text}\n${imports}`);
  }
}

const flags =
  ts.TypeFormatFlags.NoTruncation |
  ts.TypeFormatFlags.InTypeAlias |
  ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope |
  ts.TypeFormatFlags.UseStructuralFallback;

function render(checker, type, file) {
  return checker.typeToString(type, file, flags);
}

/** The file of each exported type, by name. */
function placesOfTypes(program, source) {
  const places = new Map();
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.startsWith(`${source}/`)) continue;
    for (const statement of file.statements) {
      if (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) {
        places.set(statement.name.text, file.fileName);
      }
    }
  }
  return places;
}

/** Imports of what expanded types name, where the file of the schema neither declares nor imports it. */
function importsOf(expanded, file, places) {
  const known = new Set(file.locals.keys());
  const names = new Set(expanded.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').match(/\b[A-Z]\w*/g) ?? []);
  let text = '';
  for (const name of names) {
    const place = places.get(name);
    if (place === undefined || known.has(name)) continue;
    const path = relative(dirname(file.fileName), place);
    text += `import type { ${name} } from '${path.startsWith('.') ? path : `./${path}`}';\n`;
  }
  return text;
}
