/**
 * Generates numbers in [0, 1) from a seed. The same seed gives the same numbers on every machine. sfc32, Chris
 * Doty-Humphrey, PractRand, https://pracrand.sourceforge.net.
 */
export function createRandom(seed: number): () => number {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // Similar seeds start alike; after a dozen rounds they have nothing in common.
  for (let round = 0; round < 16; round += 1) next();
  return next;
}
