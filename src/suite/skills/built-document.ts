import type { Located, Path, SourceFile } from '../documents/locate.ts';

/** Remembers where the parts of a document that is built from another were written. */
export interface Places {
  readonly add: (built: Path, written: Located) => void;
  readonly toSource: (document: Located) => SourceFile;
}

export function createPlaces(): Places {
  const known = new Map<string, Path>();
  const find = (path: Path): Path => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = known.get(JSON.stringify(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return [];
  };
  return {
    add: (built, written) => void known.set(JSON.stringify(built), written.path),
    toSource: ({ source }) => ({
      file: source.file,
      folder: source.folder,
      at: (path, part) => source.at(find(path), part),
      within: (path) => source.at(find(path)),
    }),
  };
}
