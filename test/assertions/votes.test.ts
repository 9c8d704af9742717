import { expect, test } from 'vitest';
import { countVotes, type Vote } from '../../src/assertions/judged/votes.ts';
import fc from '../support/property.ts';

test('a majority is one whatever the order of the votes', () => {
  const vote = fc.constantFrom<Vote<'pass' | 'fail'>>(
    { side: 'pass', score: 1, reason: 'p' },
    { side: 'fail', score: 0, reason: 'f' },
    { error: 'unreadable' },
  );
  fc.assert(
    fc.property(fc.array(vote, { minLength: 1, maxLength: 15 }), (votes) => {
      const counted = countVotes(votes);
      const passes = votes.filter((cast) => 'side' in cast && cast.side === 'pass').length;
      const fails = votes.filter((cast) => 'side' in cast && cast.side === 'fail').length;
      const side = passes > votes.length / 2 ? 'pass' : fails > votes.length / 2 ? 'fail' : undefined;
      const agreement = Math.max(passes, fails) / votes.length;
      expect('side' in counted ? [counted.side, counted.judgement.agreement] : undefined).toEqual(
        side === undefined ? undefined : [side, agreement],
      );
    }),
  );
});
