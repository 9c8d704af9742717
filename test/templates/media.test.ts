import { expect, test } from 'vitest';
import { listWrittenMedia } from '../../src/templates/media.ts';

test.each([
  ['{{media url="logo.png"}}', ['logo.png']],
  ['{{~ media url=\'logo.png\' ~}} and {{media url="b.png"}}', ['logo.png', 'b.png']],
  ['{{media contentType="image/png" url="logo.png"}}', ['logo.png']],
  ['{{media url = "logo.png"}}', ['logo.png']],
  ['{{media url=photo}} {{media url="logo.png"}}', ['logo.png']],
  ['{{media url=photo}}', []],
  ['{{mediator url="logo.png"}}', []],
])('the files that a template names itself: %s', (source, files) => {
  expect(listWrittenMedia(source)).toEqual(files);
});
