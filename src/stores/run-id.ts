/** A run's id: `20261124-153012-a1b2`, UTC; it sorts by time. Two random bytes keep runs of one second apart, more are welcome. */
export function newRunId(now: Date, random: Uint8Array): string {
  const [date = '', time = ''] = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `${date}-${time}-${Buffer.from(random).toString('hex')}`;
}

/** The part of an id that is a time, so that ids of one second can be told by other means. */
export function timeOfRunId(id: string): string {
  return id.slice(0, 15);
}
