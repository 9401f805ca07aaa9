import { describe, expect, test } from 'vitest';
import { Lockstep, nextChunk, TURN_MS, turnOf, type Walker } from '../../../app/store/compare/lockstep';

class FakeWalker implements Walker {
  step = 0;
  watched: number[] = [];
  halted = 0;
  failAt = Infinity;
  constructor(
    readonly total: number,
    private readonly other: () => FakeWalker,
    private readonly distances: number[],
  ) {}
  async advance(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await Promise.resolve();
      if (this.step + 1 >= this.failAt) throw new Error('broken');
      this.step++;
      this.distances.push(Math.abs(this.step - this.other().step));
    }
  }
  async watch(): Promise<void> {
    this.watched.push(this.step);
  }
  async halt(): Promise<void> {
    this.halted++;
  }
}

function pair(totalA = 100, totalB = totalA) {
  const distances: number[] = [];
  const turns: [number, number][] = [];
  let time = 0;
  const a: FakeWalker = new FakeWalker(totalA, () => b, distances);
  const b: FakeWalker = new FakeWalker(totalB, () => a, distances);
  const lockstep: Lockstep = new Lockstep(
    a,
    b,
    () => turns.push([a.step, b.step]),
    () => (time += 20),
  );
  return { a, b, lockstep, distances, turns };
}

describe('turns', () => {
  test('a turn grows towards its time, at most twofold, and never below one step', () => {
    expect(nextChunk(1, 10)).toBe(2);
    expect(nextChunk(10, TURN_MS)).toBe(10);
    expect(nextChunk(10, 4 * TURN_MS)).toBe(2);
    expect(nextChunk(1, 5000)).toBe(1);
    expect(nextChunk(400, 1)).toBe(500);
  });

  test('both make the same number; the one behind catches up alone; the shorter run stops at its end', () => {
    const at = (step: number, total = 100) => ({ step, total });
    expect(turnOf(at(10), at(10), 7)).toEqual([7, 7]);
    expect(turnOf(at(4), at(10), 7)).toEqual([6, 0]);
    expect(turnOf(at(10), at(4), 3)).toEqual([0, 3]);
    expect(turnOf(at(98), at(98), 7)).toEqual([2, 2]);
    expect(turnOf(at(20, 20), at(20, 50), 7)).toEqual([0, 7]);
    expect(turnOf(at(20, 20), at(50, 50), 7)).toEqual([0, 0]);
  });
});

describe('two runs in lockstep', () => {
  test('both end at the same step, never more than a turn apart, and their spectra are of the same steps', async () => {
    const { a, b, lockstep, turns } = pair(100);
    await lockstep.play();
    expect([a.step, b.step]).toEqual([100, 100]);
    expect(turns.every(([left, right]) => left === right)).toBe(true);
    expect(a.watched).toEqual(b.watched);
    expect(a.watched.at(-1)).toBe(100);
    expect(lockstep.finished).toBe(true);
  });

  test('exactly so many steps; a pause stops both at the same one', async () => {
    const { a, b, lockstep } = pair(1000);
    await lockstep.play(5);
    expect([a.step, b.step]).toEqual([5, 5]);
    const going = lockstep.play();
    await new Promise((resolve) => setTimeout(resolve));
    await lockstep.pause();
    await going;
    expect(a.step).toBe(b.step);
    expect(lockstep.running).toBe(false);
  });

  test('a change happens between two turns, when both stand at the same step', async () => {
    const { a, b, lockstep } = pair(60);
    const going = lockstep.play();
    const [left, right] = await lockstep.between(async () => [a.step, b.step]);
    expect(left).toBe(right);
    await going;
    await expect(lockstep.between(async () => 'at once')).resolves.toBe('at once');
  });

  test('a side that went back catches up before both go on', async () => {
    const { a, b, lockstep } = pair(40);
    await lockstep.play(20);
    b.step = 12;
    await lockstep.play(4);
    expect([a.step, b.step]).toEqual([24, 24]);
  });

  test('runs of different length: the longer goes on alone, step by step too', async () => {
    const { a, b, lockstep } = pair(10, 30);
    await lockstep.play(15);
    expect([a.step, b.step]).toEqual([10, 15]);
    await lockstep.play();
    expect([a.step, b.step]).toEqual([10, 30]);
  });

  test('where one breaks, both are halted and the failure is told', async () => {
    const { a, b, lockstep } = pair(50);
    b.failAt = 7;
    await expect(lockstep.play()).rejects.toThrow('broken');
    expect([a.halted, b.halted]).toEqual([1, 1]);
    expect(lockstep.running).toBe(false);
  });
});
