// The types of stored shapes are derived from zod schemas. A user's compiler must not need zod for them.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
    // What an expanded type names may not be imported where the schema is.
    writeFileSync(
      join(target, file.fileName.slice(source.length)),
      `${text}\n${importOfJson(text, file.fileName, source)}`,
    );
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

function importOfJson(text, path, source) {
  const names = ['JsonValue', 'JsonObject'].filter(
    (name) => new RegExp(`\\b${name}\\b`).test(text) && !new RegExp(`import [^;]*\\b${name}\\b[^;]*;`).test(text),
  );
  if (names.length === 0) return '';
  const depth = path.slice(source.length + 1).split('/').length - 1;
  return `import type { ${names.join(', ')} } from '${'../'.repeat(depth)}json/json.ts';\n`;
}
