import { type Draft, type ImportPorts, isMap, type LeftOut, type Written } from '../../draft.ts';

/** A chat message: its text, and variables sent as pictures beside it. */
interface MessageParts {
  readonly text: string;
  readonly pictures: readonly string[];
}

/** Reads text and picture parts in the notation of the APIs; undefined for other parts or several texts. */
export function readParts(content: unknown): MessageParts | undefined {
  if (typeof content === 'string') return { text: content, pictures: [] };
  if (!Array.isArray(content)) return undefined;
  const texts: string[] = [];
  const pictures: string[] = [];
  for (const part of content as readonly unknown[]) {
    const { type, text, image_url: image, source } = Object(part) as Readonly<Record<string, unknown>>;
    const url = type === 'image' ? (Object(source) as { readonly data?: unknown }).data : image;
    const picture = findPicture(isMap(url) && Object.keys(url).length === 1 ? url['url'] : url);
    if ((type === 'text' || type === 'input_text') && typeof text === 'string') texts.push(text);
    else if (/^(?:image_url|input_image|image)$/.test(String(type)) && picture !== undefined) pictures.push(picture);
    else return undefined;
  }
  return texts.length > 1 ? undefined : { text: texts[0] ?? '', pictures };
}

/** Variable that is a whole address, or the data in one. */
function findPicture(url: unknown): string | undefined {
  if (typeof url !== 'string') return undefined;
  return /^\s*(?:data:image\/[\w.+-]+;base64,)?\{\{\s*(\w+)\s*\}\}\s*$/.exec(url)?.[1];
}

/** Files that promptfoo sends as data. */
export const picturePattern = /\.(?:png|jpe?g|gif|webp|bmp|svg)$/i;
/** Pictures that can be sent beside a message here. */
const sendablePattern = /\.(?:png|jpe?g|gif|webp)$/i;

interface PicturePorts extends Pick<ImportPorts, 'readBytes'> {
  readonly draft: Draft;
  /** Converts a path from the config's folder to the suite's. */
  readonly fromSuite: (path: string) => string;
}

/** Reads a picture: a path for a file beside a message, else the data URL that promptfoo sends. */
export async function readPicture(
  written: Written,
  isSent: boolean,
  { readBytes, draft, fromSuite }: PicturePorts,
): Promise<string | LeftOut> {
  const { value } = written;
  const path = typeof value === 'string' && value.startsWith('file://') ? value.slice('file://'.length) : undefined;
  if (path === undefined || (isSent && !sendablePattern.test(path)))
    return draft.refuse(written, 'a picture must be a PNG, JPEG, GIF or WebP file of the project', 'write file://PATH');
  const found = await readBytes(path, isSent ? 1 : maxTextBytes + 1);
  if (!('bytes' in found)) return draft.refuse(written, found.message);
  if (!isSent && found.bytes.length > maxTextBytes)
    return draft.refuse(written, 'a picture of more than 64 KiB would be a text of the suite');
  if (!isSent) return toDataUrl(found.bytes, path);
  draft.note(written, 'the picture goes with its message as a file, and its variable is the path');
  return fromSuite(path);
}

/** Size limit of a picture embedded in the suite as text. */
const maxTextBytes = 64 * 1024;

const typesByBeginning: readonly (readonly [base64: RegExp, type: string])[] = [
  [/^\/9j\//, 'image/jpeg'],
  [/^iVBORw0KGgo/, 'image/png'],
  [/^R0lGODlh|^R0lGODdh/, 'image/gif'],
  [/^UklGR/, 'image/webp'],
  [/^Qk[01]/, 'image/bmp'],
];

/** Data URL of a picture embedded in a text. */
function toDataUrl(bytes: Uint8Array, name: string): string {
  const base64 = Buffer.from(bytes).toString('base64');
  const ending = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const named = ending === 'svg' ? 'svg+xml' : ending === 'jpg' ? 'jpeg' : ending;
  const type = typesByBeginning.find(([beginning]) => beginning.test(base64))?.[1] ?? `image/${named}`;
  return `data:${type};base64,${base64}`;
}
